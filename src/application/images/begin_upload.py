from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.images.ports import PictureStorage
from application.images.upload_ports import EXPECTED_LIFE, ExpectedFiles
from application.ports import UnitOfWork
from application.users.account import claim_account
from domain.errors import Throttled
from domain.uploads import LARGEST_UPLOAD, new_incoming_key

FORM_LIFE = timedelta(minutes=15)
MOST_OPEN = 20
"""Direct uploads of one customer that are not completed, and whose form is still good."""
MOST_UNFINISHED = 200
"""Direct uploads of one customer that were begun within a day and not completed: so many files may lie in storage."""
_BOUNDS = ((MOST_OPEN, FORM_LIFE), (MOST_UNFINISHED, EXPECTED_LIFE))


class BeginUpload(Struct, frozen=True):
    pass


class UploadBegun(Struct, frozen=True):
    """Send `fields` as they are, then the file as `file`, as multipart/form-data to `url`; then complete the upload."""

    key: str
    url: str
    fields: dict[str, str]
    expires_in: int
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginUploadHandler:
    """Let a customer send a photo straight to storage. What is not completed is removed after a day."""

    users: UserRepository
    expected: ExpectedFiles
    storage: PictureStorage
    uow: UnitOfWork

    async def __call__(self, command: BeginUpload, actor: Actor) -> UploadBegun:
        owner = actor.require_user()
        await claim_account(self.users, owner)
        wait = _wait(await self.expected.unfinished(owner), await self.uow.now())
        if wait > timedelta(0):
            detail = "Too many uploads were begun and not completed; please complete them, or use another way."
            raise Throttled("rate_limited", detail, retry_after=wait.total_seconds())
        key = new_incoming_key()
        await self.expected.add(key, owner=owner)
        await self.uow.commit()
        seconds = int(FORM_LIFE.total_seconds())
        form = await self.storage.form(key, largest=LARGEST_UPLOAD, seconds=seconds)
        return UploadBegun(key, form.url, form.fields, seconds)


def _wait(unfinished: list[datetime], now: datetime) -> timedelta:
    """How long until one more may be begun, given when those began that are unfinished, the oldest first."""
    return max(unfinished[-most] + life - now if len(unfinished) >= most else timedelta(0) for most, life in _BOUNDS)
