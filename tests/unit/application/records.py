"""The tables that handlers work on, in memory.

`tests/integration/database/test_photo_records.py` holds those of photos and try-ons to the promises of the real ones.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Generic, Protocol, TypeVar

import msgspec

from application.auth.ports import (
    IdentityRepository,
    MailAllowance,
    PasswordResetRepository,
    ProviderIdentity,
    RegistrationRepository,
    SessionRepository,
    SignupGrants,
    UserRepository,
)
from application.events import ViewSubmittable
from application.images.acceptances import Acceptances, ImageAccepted
from application.images.materials import Loan, Materials, Photo, TryOnMaterials
from application.images.ports import ImageRepository, RenderOrder, RenderReader
from application.images.upload_ports import UploadRepository
from application.ports import IdempotencyKeys, IdempotentRequest, Result
from application.styles.ports import StyleRepository
from domain.credits import VIEW_PRICE, InsufficientCredits
from domain.errors import Conflict, Unprocessable
from domain.identifiers import can_be_id
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.sessions import Session
from domain.styles import Style
from domain.uploads import Upload
from domain.users import PasswordReset, Registration, User
from domain.views import Output, Status, View
from tests.in_memory import InMemoryAccounts, InMemoryOutbox, Transaction
from tests.unit.factories import number


class Identified(Protocol):
    id: int


Row = TypeVar("Row", bound=Identified)


class Rows(Generic[Row]):
    """A table: what a transaction adds gets its id when flushed, and stays when it is kept."""

    def __init__(self, transaction: Transaction, numbered: Callable[[Row], None] | None = None) -> None:
        self.kept: dict[int, Row] = {}
        self._new: list[Row] = []
        self._ids: Iterator[int] = count(1)
        self._numbered = numbered
        self._transaction = transaction
        transaction.participants.append(self)

    def add(self, row: Row) -> None:
        self._transaction.use()
        self._new.append(row)

    def remove(self, unwanted: Callable[[Row], bool]) -> None:
        self._transaction.use()
        self.kept = {row_id: row for row_id, row in self.kept.items() if not unwanted(row)}

    def find(self, wanted: Callable[[Row], bool]) -> Row | None:
        """The newest that is wanted."""
        self._transaction.use()
        return next((row for row in [*reversed(self._new), *reversed(self.kept.values())] if wanted(row)), None)

    def flush(self) -> None:
        for row in self._new:
            if not getattr(row, "id", None):
                row.id = next(self._ids)
                if self._numbered:
                    self._numbered(row)

    def keep(self) -> None:
        self.kept |= {row.id: row for row in self._new}
        self._new = []

    def drop(self) -> None:
        self._new = []


class InMemoryUsers(UserRepository):
    def __init__(self, transaction: Transaction, accounts: InMemoryAccounts) -> None:
        self.rows: Rows[User] = Rows(transaction, lambda user: accounts.open(user.id))

    async def add(self, user: User) -> None:
        self.rows.add(user)

    async def by_id(self, user_id: int) -> User | None:
        return self.rows.find(lambda user: user.id == user_id)

    async def claim(self, user_id: int) -> User | None:
        return await self.by_id(user_id)

    async def by_email(self, email: str) -> User | None:
        return self.rows.find(lambda user: user.email == email)


class InMemoryRegistrations(RegistrationRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.rows: Rows[Registration] = Rows(transaction)

    async def add(self, registration: Registration) -> None:
        self.rows.add(registration)

    async def waiting_for(self, email: str, *, since: datetime) -> list[Registration]:
        recent = [row for row in self.rows.kept.values() if row.email == email and row.created_at > since]
        return sorted(recent, key=lambda row: row.id, reverse=True)[:2]

    async def is_disputed(self, email: str, *, since: datetime) -> bool:
        rows = self.rows.kept.values()
        return any(row.email == email and row.created_at > since and row.disputed for row in rows)

    async def by_id(self, registration_id: int) -> Registration | None:
        return self.rows.find(lambda registration: registration.id == registration_id)

    async def latest_for(self, email: str) -> Registration | None:
        return self.rows.find(lambda registration: registration.email == email)

    async def claim(self, token_hash: bytes) -> Registration | None:
        return self.rows.find(lambda registration: registration.token_hash == token_hash)

    async def void_all(self, email: str) -> None:
        self.rows.remove(lambda registration: registration.email == email)

    async def keep_address(self, email: str) -> None:
        self.rows.find(lambda registration: registration.email == email)


class InMemoryPasswordResets(PasswordResetRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.rows: Rows[PasswordReset] = Rows(transaction)

    async def add(self, reset: PasswordReset) -> None:
        self.rows.add(reset)

    async def by_id(self, reset_id: int) -> PasswordReset | None:
        return self.rows.find(lambda reset: reset.id == reset_id)

    async def claim(self, token_hash: bytes) -> PasswordReset | None:
        return self.rows.find(lambda reset: reset.token_hash == token_hash)

    async def void_all(self, email: str) -> None:
        self.rows.remove(lambda reset: reset.email == email)


class InMemoryIdentities(IdentityRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.kept: dict[int, ProviderIdentity] = {}
        """By user."""
        self._new: dict[int, ProviderIdentity] = {}
        self._transaction = transaction
        transaction.participants.append(self)

    async def claim(self, identity: ProviderIdentity) -> int | None:
        self._transaction.use()
        same = (identity.issuer, identity.subject)
        return next((user for user, known in self.kept.items() if (known.issuer, known.subject) == same), None)

    async def exists_for(self, user_id: int) -> bool:
        self._transaction.use()
        return user_id in self.kept

    async def add(self, user_id: int, identity: ProviderIdentity, now: datetime) -> None:
        assert now == self._transaction.time
        self._transaction.use()
        self._new[user_id] = identity

    async def picture_url(self, user_id: int) -> str | None:
        self._transaction.use()
        known = self.kept.get(user_id)
        return known.picture_url if known else None

    def flush(self) -> None:
        """They have no ids to be given."""

    def keep(self) -> None:
        self.kept |= self._new
        self._new = {}

    def drop(self) -> None:
        self._new = {}


class InMemorySessions(SessionRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.rows: Rows[Session] = Rows(transaction)

    async def add(self, session: Session) -> None:
        self.rows.add(session)

    async def claim(self, session_id: int) -> Session | None:
        return self.rows.find(lambda session: session.id == session_id)

    async def revoke_all(self, user_id: int, now: datetime, *, keep: int | None = None) -> None:
        for session in self.rows.kept.values():
            if session.user_id == user_id and session.id != keep:
                session.revoke(now)


class InMemoryMailAllowance(MailAllowance):
    def __init__(self) -> None:
        self.left = 5

    async def take(self, email: str) -> bool:
        assert email
        self.left -= 1
        return self.left >= 0


class InMemorySignupGrants(SignupGrants):
    def __init__(self) -> None:
        self.claimed: list[str] = []

    async def claim(self, mailbox: str) -> bool:
        self.claimed.append(mailbox)
        return self.claimed.count(mailbox) == 1


class InMemoryStyles(StyleRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.rows: Rows[Style] = Rows(transaction)

    async def claim(self, named: int | str) -> Style | None:
        return self.rows.find(lambda style: named == (style.id if isinstance(named, int) else style.slug))

    async def add(self, style: Style) -> None:
        if await self.claim(style.slug):
            raise Conflict("conflict", "The slug is taken.")
        self.rows.add(style)
        self.rows.flush()

    async def last_position(self) -> int:
        self.rows.find(lambda _: False)
        return max((style.position for style in self.rows.kept.values()), default=0)


class InMemoryUploads(UploadRepository):
    def __init__(self, transaction: Transaction) -> None:
        self.rows: Rows[Upload] = Rows(transaction)
        self.images: InMemoryImages | None = None
        """Where it is looked up who needs a photo."""

    async def add(self, upload: Upload) -> None:
        self.rows.add(upload)

    async def by_key(self, key: str, *, owner: int) -> Upload | None:
        return self.rows.find(lambda upload: upload.key == key and upload.user_id == owner)

    async def sweep(self, upload_id: int) -> str | None:
        upload = self.rows.find(lambda upload: upload.id == upload_id)
        images = self.images.rows.kept.values() if self.images else ()
        its = [image for image in images if image.upload_id == upload_id]
        if upload is None or any(image.deleted_at is None for image in its):
            return None
        for image in its:
            image.upload_id = None
        self.rows.remove(lambda row: row is upload)
        return upload.key


class InMemoryImages(ImageRepository):
    def __init__(self, transaction: Transaction) -> None:
        view_ids = count(101)
        self.rows: Rows[GeneratedImage] = Rows(transaction, lambda image: number(image, view_ids))
        self._transaction = transaction
        self._cancellations: set[tuple[int, int, datetime]] = set()
        transaction.participants.append(self)

    @property
    def time(self) -> datetime:
        return self._transaction.time

    def flush(self) -> None: ...

    def keep(self) -> None:
        """Remember what was cancelled after it was begun, whatever becomes of it later, and whoever did it."""
        self._cancellations |= {
            (image.user_id, image.id, view.finished_at)
            for image in self.rows.kept.values()
            for view in image.views
            if view.status is Status.CANCELLED and view.tries and view.finished_at is not None
        }

    def drop(self) -> None: ...

    async def by_id(self, image_id: int) -> GeneratedImage | None:
        return self.rows.find(lambda image: image.id == image_id)

    async def own(self, image_id: int, *, owner: int) -> GeneratedImage | None:
        assert can_be_id(image_id), "a database is not asked about what no id can be"
        image = await self.by_id(image_id)
        return image if image and image.user_id == owner and image.deleted_at is None else None

    async def shown_outputs(self, keys: Collection[str], *, owner: int) -> set[str]:
        self._transaction.use()
        shown = [image for image in self.rows.kept.values() if image.user_id == owner and image.deleted_at is None]
        return {render.output_key for image in shown for render in image.views if render.output_key} & set(keys)

    async def cancellations(self, owner: int, *, since: datetime) -> int:
        return sum(user_id == owner and at > since for user_id, _, at in self._cancellations)

    async def claim(self, view_id: int) -> tuple[GeneratedImage, ViewRender] | None:
        image = self.rows.find(lambda image: any(render.id == view_id for render in image.views))
        return (image, image.by_id(view_id)) if image else None


class InMemoryMaterials(TryOnMaterials):
    def __init__(self, styles: InMemoryStyles, uploads: InMemoryUploads, images: InMemoryImages) -> None:
        self._styles = styles
        self._uploads = uploads
        self._images = images

    async def find(self, owner: int, *, style_id: int, photo_key: str) -> Materials:
        style = self._styles.rows.find(lambda style: style.id == style_id and style.is_active)
        upload = await self._uploads.by_key(photo_key, owner=owner)
        return Materials(
            style.prompt_version if style else None,
            Photo(upload.id, upload.digest) if upload else None,
            self._images.time,
        )

    async def loan(self, owner: int, *, style: tuple[int, int], digest: bytes, views: Sequence[View]) -> Loan | None:
        photos = self._uploads.rows.kept.values()
        same = {photo.id for photo in photos if photo.digest == digest and photo.user_id == owner}
        offers = [
            Loan(image.id, _outputs(image, views))
            for image in reversed(self._images.rows.kept.values())
            if image.user_id == owner
            and image.deleted_at is None
            and image.upload_id in same
            and (image.style_id, image.prompt_version) == style
            and image.front.status is Status.COMPLETED
        ]
        return max(offers, key=lambda loan: len(loan.outputs), default=None)  # of several as large, the first


def _outputs(image: GeneratedImage, views: Sequence[View]) -> dict[View, Output]:
    there = {render.view: render for render in image.views if render.status is Status.COMPLETED}
    return {
        view: Output(render.output_key or "", render.output_width or 0, render.output_height or 0)
        for view in views
        if (render := there.get(view))
    }


class InMemoryAcceptances(Acceptances):
    def __init__(
        self,
        transaction: Transaction,
        images: InMemoryImages,
        uploads: InMemoryUploads,
        accounts: InMemoryAccounts,
        outbox: InMemoryOutbox,
    ) -> None:
        self._transaction = transaction
        self._images = images
        self._uploads = uploads
        self._accounts = accounts
        self._outbox = outbox
        self._keys = InMemoryIdempotencyKeys(transaction)
        self.before_accepting: list[Callable[[], object]] = []
        """What happens between somebody's look and their acceptance, once each."""

    async def replay(self, request: IdempotentRequest | None) -> ImageAccepted | None:
        kept = await self._keys.replay(request, ImageAccepted)
        await self._transaction.rollback()
        return kept

    async def accept(
        self,
        image: GeneratedImage,
        *,
        held: Sequence[ViewRender],
        announced: Sequence[ViewRender],
        lender: int | None,
        request: IdempotentRequest | None,
    ) -> ImageAccepted | None:
        if self.before_accepting:
            self.before_accepting.pop(0)()
        if kept := await self._keys.replay(request, ImageAccepted):
            return kept
        lends = self._images.rows.find(lambda other: other.id == lender and other.deleted_at is None)
        if not self._uploads.rows.find(lambda upload: upload.id == image.upload_id) or (lender and not lends):
            await self._transaction.rollback()
            return None
        self._images.rows.add(image)
        await self._transaction.flush()
        try:
            if held:
                await self._accounts.place(image.user_id, held)
        except InsufficientCredits:
            await self._transaction.rollback()
            raise
        for view in announced:
            self._outbox.add(ViewSubmittable(view.id))
        accepted = ImageAccepted(image.id, credits_held=VIEW_PRICE * len(held))
        await self._keys.keep(request, accepted)
        await self._transaction.commit()
        return accepted


class InMemoryRenders(RenderReader):
    """A reader: it looks at what has been kept, on a connection of its own."""

    def __init__(self, images: InMemoryImages, styles: InMemoryStyles, uploads: InMemoryUploads) -> None:
        self._images = images
        self._styles = styles
        self._uploads = uploads

    async def order(self, view_id: int) -> RenderOrder:
        image = next(image for image in self._images.rows.kept.values() if view_id in {r.id for r in image.views})
        render = image.by_id(view_id)
        versions = self._styles.rows.kept[image.style_id].prompts
        prompts = next(prompts for prompts in versions if prompts.version == image.prompt_version)
        words = getattr(prompts, render.view)
        if render.view is View.FRONT:
            assert image.upload_id is not None
            return RenderOrder(words, self._uploads.rows.kept[image.upload_id].key)
        assert image.front.output_key is not None
        return RenderOrder(words, image.front.output_key)

    async def overdue(self, limit: int) -> list[int]:
        return [render.id for render in self._open()][:limit]

    async def due_for_poll(self, limit: int, *, besides: Collection[int] = ()) -> list[int]:
        return [render.id for render in self._open() if render.poll_at is not None and render.id not in besides][:limit]

    def _open(self) -> Iterator[ViewRender]:
        return (render for image in self._images.rows.kept.values() for render in image.views if render.open)


class Answers:
    """By user, route and key: the fingerprint of what was asked, and what was answered."""

    def __init__(self) -> None:
        self.given: dict[tuple[int, str, str], tuple[bytes, bytes]] = {}
        self._kept = self.given.copy()

    def flush(self) -> None:
        """They are written at once."""

    def keep(self) -> None:
        self._kept = self.given.copy()

    def drop(self) -> None:
        self.given = self._kept.copy()


class InMemoryIdempotencyKeys(IdempotencyKeys):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._answers = Answers()
        transaction.participants.append(self._answers)

    async def replay(self, request: IdempotentRequest | None, result: type[Result]) -> Result | None:
        self._transaction.use()
        answer = self._answers.given.get((request.user_id, request.route, request.key)) if request else None
        if request is None or answer is None:
            return None
        if answer[0] != request.fingerprint:
            raise Unprocessable("idempotency_key_reused", "This key came with another request before.")
        return msgspec.json.decode(answer[1], type=result)

    async def keep(self, request: IdempotentRequest | None, result: msgspec.Struct) -> None:
        if request is not None:
            answer = (request.fingerprint, msgspec.json.encode(result))
            self._answers.given[request.user_id, request.route, request.key] = answer
