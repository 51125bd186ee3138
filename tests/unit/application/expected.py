"""Files that were announced, in memory; `tests/integration/database/test_photo_records.py` holds it to its promises."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from application.images.upload_ports import EXPECTED_LIFE, DirectUpload, ExpectedFiles
from domain.uploads import INCOMING
from tests.in_memory import Transaction


class Expected(Struct, frozen=True):
    owner: int
    at: datetime
    upload_key: str | None = None


class InMemoryExpectedFiles(ExpectedFiles):
    def __init__(self, transaction: Transaction) -> None:
        self.kept: dict[str, Expected] = {}
        self._new: dict[str, Expected | None] = {}
        self._transaction = transaction
        transaction.participants.append(self)

    async def add(self, key: str, *, owner: int) -> None:
        self._write(key, Expected(owner, self._transaction.time))

    async def remove(self, key: str) -> bool:
        was_there = self._read(key) is not None
        self._write(key, None)
        return was_there

    async def direct(self, key: str, *, owner: int) -> DirectUpload | None:
        row = self._read(key)
        if row is None or row.owner != owner or row.at <= self._transaction.time - EXPECTED_LIFE:
            return None
        return DirectUpload(row.upload_key)

    async def complete(self, key: str, *, upload_key: str) -> None:
        row = self._read(key)
        if row is not None and row.upload_key is None:
            self._write(key, replace(row, upload_key=upload_key))

    async def unfinished(self, owner: int) -> list[datetime]:
        self._transaction.use()
        rows = {key: row for key, row in (self.kept | self._new).items() if row is not None}
        begun = [row for key, row in rows.items() if row.owner == owner and key.startswith(INCOMING)]
        return sorted(row.at for row in begun if row.upload_key is None)

    def flush(self) -> None:
        """They have no ids to be given."""

    def keep(self) -> None:
        merged = self.kept | self._new
        self.kept = {key: row for key, row in merged.items() if row is not None}
        self._new = {}

    def drop(self) -> None:
        self._new = {}

    def _read(self, key: str) -> Expected | None:
        self._transaction.use()
        return self._new[key] if key in self._new else self.kept.get(key)

    def _write(self, key: str, row: Expected | None) -> None:
        self._transaction.use()
        self._new[key] = row
