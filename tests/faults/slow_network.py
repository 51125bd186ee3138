"""A network in which every message is late."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
_CHUNK = 65_536


@contextmanager
def late_by(seconds: float, port: int, *, at: int = 0) -> Iterator[int]:
    """Another port for a server's own, through which whatever is said, either way, comes so many seconds later.

    `at` names that port; afterwards it refuses connections, and those that it carried are cut. It has a thread of its
    own, so that a test may wait for others without standing in its way.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    ends: set[asyncio.StreamWriter] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.add(writer)
        with suppress(OSError):
            while said := await reader.read(_CHUNK):
                await asyncio.sleep(seconds)
                writer.write(said)
                await writer.drain()
        ends.discard(writer)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(connect, HOST, at)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for end in ends:
            end.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
