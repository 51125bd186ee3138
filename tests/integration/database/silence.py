"""A network in which nothing is heard any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


@asynccontextmanager
async def silent_network(url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Another address of this server, from which nothing is heard, either way, unless the event is set."""
    server = urlsplit(url)
    speaks, talks = asyncio.Event(), set[asyncio.Task[None]]()
    speaks.set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while said := await reader.read(65_536):
                await speaks.wait()
                writer.write(said)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(server.hostname, server.port)
        talks.update(asyncio.create_task(carry(*way)) for way in ((reader, far_writer), (far_reader, writer)))

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as network:
        port = network.sockets[0].getsockname()[1]
        yield url.replace(f":{server.port}/", f":{port}/"), speaks
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
