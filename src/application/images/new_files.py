from dataclasses import dataclass

from application.events import PictureDiscarded
from application.images.ports import PictureStorage
from application.images.upload_ports import ExpectedFiles
from application.ports import Outbox, UnitOfWork
from domain.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFiles:
    """Put files into storage that no record names yet.

    Whoever dies in between leaves an announcement, by which housekeeping finds the file. The commit that records the
    file takes it away, so that nobody needs to know whether a commit was made whose answer got lost.
    """

    expected: ExpectedFiles
    storage: PictureStorage
    outbox: Outbox
    uow: UnitOfWork

    async def put(self, key: str, data: bytes, *, owner: int) -> None:
        """Announce the file, commit, and store it; raises `Unavailable`."""
        await self.expected.add(key, owner=owner)
        await self.uow.commit()
        await self.storage.put(key, data)

    async def recorded(self, key: str) -> None:
        """To be called in the transaction that records the file. Raises `Unavailable` when housekeeping has it."""
        if not await self.expected.remove(key):
            raise Unavailable("storage_unavailable", "The picture took too long to be stored.", retry_after=1)

    async def give_up(self, key: str) -> None:
        """Have the file removed, which will not be recorded, and commit."""
        if await self.expected.remove(key):
            self.outbox.add(PictureDiscarded(key))
        await self.uow.commit()
