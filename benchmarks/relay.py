"""A relay in front of PostgreSQL that notes every statement, whoever sends it and with whatever driver.

What counts is what goes over the wire, as PostgreSQL's protocol has it
(https://www.postgresql.org/docs/18/protocol-message-formats.html): a statement is a simple query (`Q`), or one that was
prepared (`P`), bound (`B`) and is executed (`E`). So `BEGIN`, `COMMIT` and a pool's question whether a connection still
lives are statements too: each is a round trip.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

from benchmarks.load import HOST

_CHUNK = 1 << 16
_USUAL_PORT = 5432
_ENCRYPTION = {80877103, 80877104}
"""Codes by which a client asks for TLS or GSSAPI before it says who it is."""
_DRIVERS_OWN = re.compile(r"pg_catalog\.pg_type\b|set_config\(.jit.,")
"""In the statements by which asyncpg learns of types, once for each connection."""


@dataclass(frozen=True)
class Statement:
    text: str
    settings: Mapping[str, str]
    """What the connection that it came on was opened with."""


class Conversation:
    """What a client has said on one connection."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self._prepared: dict[bytes, str] = {}
        self._bound: dict[bytes, str] = {}

    def begin(self, startup: bytes) -> None:
        words = [word.decode() for word in startup.split(b"\0")]
        self.settings = dict(zip(words[::2], words[1::2], strict=False))

    def hear(self, kind: bytes, body: bytes) -> str | None:
        """The text of the statement that this message has executed, if it executes one."""
        match kind:
            case b"Q":
                return body[:-1].decode()
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                self._prepared[name] = text.decode()
            case b"B":
                portal, name, _ = body.split(b"\0", 2)
                self._bound[portal] = self._prepared[name]
            case b"E":
                return self._bound[body.partition(b"\0")[0]]
        return None


@dataclass
class Relay:
    """What has gone through, since the beginning."""

    statements: list[Statement] = field(default_factory=list)
    bytes_in: int = 0
    """To PostgreSQL."""
    bytes_out: int = 0
    late: float = 0
    """Seconds by which answers come later than they would without it."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        """One client's connection, until either side ends it."""
        near = far = None
        try:
            far_reader, far = await asyncio.open_connection(HOST, port)
            near = asyncio.create_task(self._answers(far_reader, writer))
            await self._questions(reader, far)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for side in (far, writer):
                if side is not None:
                    side.close()
            if near is not None:
                await near

    async def _questions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = Conversation()
        while True:
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length) - 4)
            self._pass_on(writer, length + body)
            if int.from_bytes(body[:4]) not in _ENCRYPTION:
                said.begin(body[4:])
                break
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            text = said.hear(head[:1], body)
            if text is not None and not _DRIVERS_OWN.search(text):
                self.statements.append(Statement(text, said.settings))
            self._pass_on(writer, head + body)
            await writer.drain()

    def _pass_on(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        self.bytes_in += len(message)
        writer.write(message)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while said := await reader.read(_CHUNK):
                self.bytes_out += len(said)
                if self.late:
                    await asyncio.sleep(self.late)
                writer.write(said)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(url: str, *, late: float = 0) -> AsyncIterator[tuple[Relay, str]]:
    """A relay to the PostgreSQL at this address, and the address to reach it through the relay."""
    relay = Relay(late=late)
    parts = urlsplit(url)
    port = parts.port or _USUAL_PORT
    carrying: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carrying[task] = writer
        await relay.carry(reader, writer, port)
        del carrying[task]

    server = await asyncio.start_server(carry, HOST, 0)
    try:
        yield relay, parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{_port_of(server)}").geturl()
    finally:
        server.close()
        ending = list(carrying)
        for writer in carrying.values():
            writer.close()
        await asyncio.gather(*ending)


@contextmanager
def relaying_beside(url: str, *, late: float = 0) -> Iterator[tuple[Relay, str]]:
    """The same in a thread of its own, for those who have no event loop."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(relaying(url, late=late)) as relay:
        yield relay


def _port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
