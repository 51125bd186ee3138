"""Uploaded files, as Replicate describes them."""

import hashlib
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from sandbox.replicate.prediction import make_id, timestamp
from sandbox.replicate.shelf import Shelf

KEPT = 20_000


class File(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    content_type: str
    size: int
    etag: str
    checksums: dict[str, str]
    metadata: dict[str, Any]
    created_at: str
    expires_at: str
    urls: dict[str, str]


class Files:
    """The records of uploaded files, for as long as their content is kept."""

    def __init__(self, shelf: Shelf, url: str, keep_seconds: float) -> None:
        self.shelf = shelf
        self.url = url
        self._keep_seconds = keep_seconds
        self._files: OrderedDict[str, tuple[float, File]] = OrderedDict()

    async def add(self, name: str, content_type: str, content: bytes, metadata: dict[str, Any]) -> File:
        now, file_id = datetime.now(UTC), make_id()
        digest = hashlib.sha256(content).hexdigest()
        file = File(
            id=file_id,
            name=name,
            content_type=content_type,
            size=len(content),
            etag=digest[:32],
            checksums={"sha256": digest},
            metadata=metadata,
            created_at=timestamp(now),
            expires_at=timestamp(now + timedelta(seconds=self._keep_seconds)),
            urls={"get": f"{self.url}/{file_id}"},
        )
        await self.shelf.put(file_id, content)
        self._files[file_id] = (time.monotonic(), file)
        self._expire()
        return file

    def get(self, file_id: str) -> File | None:
        self._expire()
        kept = self._files.get(file_id)
        return None if kept is None else kept[1]

    def remove(self, file_id: str) -> bool:
        self.shelf.remove(file_id)
        return self._files.pop(file_id, None) is not None

    def newest_first(self) -> list[File]:
        self._expire()
        return [file for _, file in reversed(self._files.values())]

    def _expire(self) -> None:
        past = time.monotonic() - self._keep_seconds
        while self._files and (len(self._files) > KEPT or next(iter(self._files.values()))[0] < past):
            self.remove(next(iter(self._files)))
