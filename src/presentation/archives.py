"""ZIP archives that leave piece by piece, while they are made."""

import asyncio
import time
from collections.abc import AsyncIterator
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from application.users.belongings import ExportedFile


class _Window:
    """What has been written and not been sent yet, at the place that it has in the whole archive.

    zipfile goes back to a file's header to fill in its size. As long as nothing is taken in the midst of a file, it can
    do so here, and need not write the sizes behind the files, where not every program looks for them.
    """

    def __init__(self) -> None:
        self._unsent = bytearray()
        self._sent = 0
        self._position = 0

    def write(self, data: bytes) -> int:
        start = self._position - self._sent
        self._unsent[start : start + len(data)] = data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        self._position = position
        return position

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What is left can still be taken."""

    def take(self) -> bytes:
        taken = bytes(self._unsent)
        self._unsent.clear()
        self._sent += len(taken)
        return taken


async def zipped(files: AsyncIterator[ExportedFile]) -> AsyncIterator[bytes]:
    """The archive, piece by piece: no more than one file is in memory. Pictures are not compressed a second time."""
    window, made_at = _Window(), time.gmtime()[:6]
    archive = ZipFile(window, "w")
    async for file in files:
        entry = ZipInfo(file.path, made_at)
        method = ZIP_STORED if file.path.endswith(".jpg") else ZIP_DEFLATED
        await asyncio.to_thread(archive.writestr, entry, file.data, method)
        yield window.take()
    archive.close()
    yield window.take()
