"""What the use cases about photos need from outside: their records, and those of files that are on their way."""

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from domain.uploads import Upload

EXPECTED_LIFE = timedelta(hours=24)
"""A file that no record names by then is removed."""


class UploadRepository(Protocol):
    async def add(self, upload: Upload) -> None: ...

    async def by_key(self, key: str, *, owner: int) -> Upload | None:
        """The owner's photo; it cannot be swept until this transaction ends."""
        ...

    async def sweep(self, upload_id: int) -> str | None:
        """Forget a photo that no try-on needs: its key, or None when there is one that is not deleted."""
        ...


class UploadRecord(Struct, frozen=True):
    id: int
    key: str
    width: int
    height: int
    size: int
    """Bytes."""
    created_at: datetime


class UploadReader(Protocol):
    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        """Uploads with an id below `before`, newest first."""
        ...

    async def distinct(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        """As `latest`, of several uploads of one photo the latest only."""
        ...


class DirectUpload(Struct, frozen=True):
    """A file that its owner may put into storage past us."""

    upload_key: str | None
    """The photo that was made of it; None as long as it is not completed, empty when it was refused."""


class ExpectedFiles(Protocol):
    """Keys of files that may be in storage though no record names them."""

    async def add(self, key: str, *, owner: int) -> None: ...

    async def remove(self, key: str) -> bool:
        """False when it was not expected any more."""
        ...

    async def direct(self, key: str, *, owner: int) -> DirectUpload | None:
        """An upload of this owner's, less than `EXPECTED_LIFE` old, kept to this transaction until it ends."""
        ...

    async def complete(self, key: str, *, upload_key: str) -> None:
        """Note what became of a direct upload, once. It stays expected: its form may be used once more."""
        ...

    async def unfinished(self, owner: int) -> list[datetime]:
        """When the owner's direct uploads began that are not completed, the oldest first."""
        ...
