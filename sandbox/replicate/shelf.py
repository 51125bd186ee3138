"""Pictures on disk: uploads and outputs. The memory stays flat however many there are."""

import asyncio
import time
from collections import OrderedDict
from pathlib import Path

BYTES_LIMIT = 2 * 1024**3


class Shelf:
    """Files by id, for a while: the oldest go when they are past their age, or when all together grow too large."""

    def __init__(self, folder: Path, keep_seconds: float) -> None:
        self._folder = folder
        self._keep_seconds = keep_seconds
        self._kept: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        # Ids live in memory: what an earlier sandbox left here can no longer be asked for.
        for left_over in folder.iterdir():
            left_over.unlink()

    async def put(self, file_id: str, content: bytes) -> None:
        await asyncio.to_thread(self._path(file_id).write_bytes, content)
        self._kept[file_id] = (time.monotonic(), len(content))
        self._bytes += len(content)
        while self._kept and self._overdue():
            self.remove(next(iter(self._kept)))

    async def get(self, file_id: str) -> bytes | None:
        if file_id not in self._kept:
            return None
        try:
            return await asyncio.to_thread(self._path(file_id).read_bytes)
        except FileNotFoundError:
            return None

    def remove(self, file_id: str) -> None:
        kept = self._kept.pop(file_id, None)
        if kept is not None:
            self._bytes -= kept[1]
            self._path(file_id).unlink(missing_ok=True)

    def _overdue(self) -> bool:
        since, _ = next(iter(self._kept.values()))
        return self._bytes > BYTES_LIMIT or since < time.monotonic() - self._keep_seconds

    def _path(self, file_id: str) -> Path:
        return self._folder / file_id
