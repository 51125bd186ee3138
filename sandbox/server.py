"""The real socket: uvicorn, with the means to cut a connection, and one line that says when it is ready."""

import contextlib
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Protocol

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTION = "sandbox.connection"
"""The ASGI extension under which a request finds its `Connection`."""


class Connection(Protocol):
    def reset(self) -> None:
        """Drop the connection so that the peer sees a reset, not an end."""
        ...

    def close(self) -> None:
        """End the connection once what was written has left."""
        ...


class TransportConnection:
    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def reset(self) -> None:
        # Closing a socket that lingers for zero seconds sends RST.
        with contextlib.suppress(OSError):
            peer = self._transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()


class CuttableProtocol(HttpToolsProtocol):
    """Hands every request its connection, so that a script can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: TransportConnection(self.transport)}  # type: ignore[dict-item]


class ReadyServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def listen(host: str, port: int) -> socket.socket:
    """Bind before the app is made: its own address is part of what it answers. OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def serve(app: Litestar, listener: socket.socket, address: str) -> None:
    """Serve until SIGTERM or SIGINT, then stop within about a second, whatever is under way."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after it stopped; the stop was asked for, so the process ends well.
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        ws="none",
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    ReadyServer(config, lambda: say(f"ready {address}")).run(sockets=[listener])


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
