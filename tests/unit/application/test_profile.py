"""What customers change about themselves: their name, and the picture of them."""

from dataclasses import dataclass, field

import pytest

from application.actor import Actor, Client
from application.events import PictureDiscarded
from application.images.discard_picture import DiscardPictureHandler
from application.images.new_files import NewFiles
from application.users.change_picture import ChangePicture, ChangePictureHandler
from application.users.ports import Profile, ProfileReader
from application.users.remove_picture import RemovePicture, RemovePictureHandler
from application.users.update_profile import UpdateProfile, UpdateProfileHandler
from domain.errors import Failure, Invalid, NotFound, TooLarge, Unauthenticated, Unavailable, Unprocessable
from domain.uploads import LARGEST_UPLOAD
from domain.users import User
from tests.factories import UserFactory
from tests.in_memory import InMemoryAccounts, InMemoryOutbox, Transaction
from tests.unit.application.expected import InMemoryExpectedFiles
from tests.unit.application.records import InMemoryUsers
from tests.unit.application.rendering import BROKEN, WORKER, WatchedPictures, WatchedStorage
from tests.unit.factories import NOW

VISITOR = Actor.anonymous(Client())


@dataclass
class KeptProfiles(ProfileReader):
    """A reader: it shows what has been committed."""

    users: InMemoryUsers

    async def profile(self, user_id: int) -> Profile | None:
        user = self.users.rows.kept.get(user_id)
        if user is None:
            return None
        return Profile(
            id=user.id,
            email=user.email,
            name=user.name,
            profile_picture=user.profile_picture,
            role=user.role,
            is_verified=user.is_verified,
            oauth_provider=None,
            credits=0,
            credits_held=0,
            created_at=user.created_at,
        )

    async def picture(self, user_id: int) -> str | None:
        user = self.users.rows.kept.get(user_id)
        return user.profile_picture if user else None


@dataclass
class Account:
    """Ada's account, and the handlers that change it."""

    uow: Transaction = field(default_factory=lambda: Transaction(NOW))

    def __post_init__(self) -> None:
        self.outbox = InMemoryOutbox(self.uow)
        self.users = InMemoryUsers(self.uow, InMemoryAccounts(self.uow))
        self.storage = WatchedStorage(self.uow)
        self.expected = InMemoryExpectedFiles(self.uow)
        self.files = NewFiles(expected=self.expected, storage=self.storage, outbox=self.outbox, uow=self.uow)
        profiles = KeptProfiles(self.users)
        self.update = UpdateProfileHandler(users=self.users, profiles=profiles, uow=self.uow)
        self.change = ChangePictureHandler(
            users=self.users,
            profiles=profiles,
            pictures=WatchedPictures(self.uow),
            files=self.files,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.remove = RemovePictureHandler(users=self.users, outbox=self.outbox, uow=self.uow)
        self.discard = DiscardPictureHandler(storage=self.storage)

    @property
    def user(self) -> User:
        return self.users.rows.kept[1]

    @property
    def ada(self) -> Actor:
        return Actor.user(self.user.id, session_id=1)

    async def work(self) -> None:
        """Do, twice, what was announced: a worker may die after the deed and before it could say so."""
        for _ in range(2):
            for event in self.outbox.events:
                assert isinstance(event, PictureDiscarded)
                await self.discard(event, WORKER)


@pytest.fixture
async def account() -> Account:
    made = Account()
    await made.users.add(UserFactory.build(name="Ada"))
    await made.uow.commit()
    return made


async def test_a_name_is_one_line_of_printable_text(account: Account) -> None:
    """The answer is the profile as it is from now on."""
    profile = await account.update(UpdateProfile("  Ada\n\x1b[31mLovelace\u202e "), account.ada)
    assert profile.name == account.user.name == "Ada [31mLovelace"
    assert account.uow.commits == 2


@pytest.mark.parametrize("name", ["", " \n\t ", "\x00", "a" * 71])
async def test_what_is_no_name_changes_nothing(account: Account, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await account.update(UpdateProfile(name), account.ada)
    assert (refusal.value.code, refusal.value.field) == ("validation_failed", "name")
    assert account.user.name == "Ada"


async def test_a_picture_is_a_square_in_our_own_encoding(account: Account) -> None:
    """512 pixels at most, under a key that nobody can guess, and named by the profile."""
    profile = await account.change(ChangePicture(b"a face"), account.ada)
    ((key, data),) = account.storage.pictures.items()
    assert data == b"normalised a face"
    assert key == profile.profile_picture == account.user.profile_picture
    assert key.startswith("pictures/profile/")
    assert account.expected.kept == {}
    assert len(key) == len("pictures/profile/.jpg") + 32
    assert account.outbox.events == []


async def test_the_former_picture_leaves_storage(account: Account) -> None:
    """After the commit, by the worker; doing so twice changes nothing."""
    await account.change(ChangePicture(b"before"), account.ada)
    profile = await account.change(ChangePicture(b"after"), account.ada)
    assert len(account.storage.pictures) == 2
    await account.work()
    assert list(account.storage.pictures) == [profile.profile_picture]


async def test_a_picture_is_removed_once(account: Account) -> None:
    """Without one there is nothing to remove, and that is fine."""
    await account.change(ChangePicture(b"a face"), account.ada)
    for _ in range(2):
        await account.remove(RemovePicture(), account.ada)
    assert account.user.profile_picture is None
    assert len(account.outbox.events) == 1
    await account.work()
    assert account.storage.pictures == {}


async def test_while_storage_is_away_a_picture_waits_to_be_discarded(account: Account) -> None:
    """The worker is told, and tries again."""
    await account.change(ChangePicture(b"a face"), account.ada)
    await account.remove(RemovePicture(), account.ada)
    account.storage.is_away = True
    with pytest.raises(Unavailable):
        await account.work()
    account.storage.is_away = False
    await account.work()
    assert account.storage.pictures == {}


@pytest.mark.parametrize(
    ("data", "refusal"), [(b"x" * (LARGEST_UPLOAD + 1), TooLarge), (BROKEN, Unprocessable)], ids=["too large", "broken"]
)
async def test_a_picture_that_is_refused_leaves_the_one_that_is_shown(
    account: Account, data: bytes, refusal: type[Failure]
) -> None:
    before = (await account.change(ChangePicture(b"a face"), account.ada)).profile_picture
    with pytest.raises(refusal):
        await account.change(ChangePicture(data), account.ada)
    assert account.user.profile_picture == before
    assert list(account.storage.pictures) == [before]


async def test_a_picture_for_an_account_that_was_just_deleted_is_not_kept(account: Account) -> None:
    """Nothing would ever remove it but what is announced with the refusal."""
    account.user.deleted_at = NOW
    with pytest.raises(NotFound) as refusal:
        await account.change(ChangePicture(b"a face"), account.ada)
    assert refusal.value.code == "user_not_found"
    await account.work()
    assert (account.storage.pictures, account.expected.kept, account.user.profile_picture) == ({}, {}, None)


async def test_when_a_commit_fails_the_new_picture_stays_and_is_still_expected(account: Account) -> None:
    """The commit may have been made all the same; whether it was, the announcement will tell."""
    commit = account.uow.commit

    async def fail_once_stored() -> None:
        if account.storage.pictures:
            raise Unavailable("service_unavailable", "The connection broke.")
        await commit()

    account.uow.commit = fail_once_stored  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await account.change(ChangePicture(b"a face"), account.ada)
    account.uow.abandon()
    assert list(account.storage.pictures) == list(account.expected.kept)


async def test_an_account_that_is_deleted_cannot_be_changed(account: Account) -> None:
    account.user.deleted_at = NOW
    for change in (account.update(UpdateProfile("Eve"), account.ada), account.remove(RemovePicture(), account.ada)):
        with pytest.raises(NotFound):
            await change
    assert account.user.name == "Ada"


async def test_visitors_have_nothing_to_change(account: Account) -> None:
    changes = (
        account.update(UpdateProfile("Eve"), VISITOR),
        account.change(ChangePicture(b"a face"), VISITOR),
        account.remove(RemovePicture(), VISITOR),
    )
    for change in changes:
        with pytest.raises(Unauthenticated):
            await change
    assert account.storage.pictures == {}
