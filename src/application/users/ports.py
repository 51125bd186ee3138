"""What the profile use cases need from outside."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.images.ports import OutputDownloads
from domain.users import Role
from domain.views import Status, View, ViewError


class Profile(Struct, frozen=True):
    id: int
    email: str
    name: str
    profile_picture: str | None
    role: Role
    is_verified: bool
    oauth_provider: str | None
    credits: int
    credits_held: int
    created_at: datetime


class ProfilePictureDownloads(OutputDownloads, Protocol):
    """As its parent, from the hosts where identity providers show pictures of people."""


class IdentityRecord(Struct, frozen=True):
    """Who somebody is at an OpenID provider."""

    issuer: str
    subject: str
    created_at: datetime
    """When it was tied to the account."""


class IdentityReader(Protocol):
    async def of_user(self, user_id: int) -> list[IdentityRecord]: ...


class ProfileReader(Protocol):
    async def profile(self, user_id: int) -> Profile | None: ...

    async def picture(self, user_id: int) -> str | None:
        """The key of the profile picture, where there is one."""
        ...


class UserEntry(Struct, frozen=True, kw_only=True):
    """An account as operators' lists show it."""

    id: int
    email: str
    name: str
    role: Role
    is_verified: bool
    is_disabled: bool
    credits: int
    created_at: datetime
    deleted_at: datetime | None


class UserDetails(UserEntry, frozen=True, kw_only=True):
    profile_picture: str | None
    oauth_provider: str | None
    has_password: bool
    credits_held: int
    credits_frozen: int
    credits_available: int
    images: int
    """Try-ons that are not deleted."""
    last_seen_at: datetime | None
    """Of the sessions that are remembered: living ones, and those that ended a day ago at most."""


class UserFilter(Struct, frozen=True):
    """Which accounts to show; None is no condition."""

    search: str | None = None
    """A part of the address or the name, in whatever case."""
    role: Role | None = None
    is_verified: bool | None = None
    is_disabled: bool | None = None
    is_erased: bool = False


EVERYBODY = UserFilter()


class UserRecords(Protocol):
    """Accounts for operators."""

    async def users(self, *, before: int | None, limit: int, only: UserFilter) -> list[UserEntry]:
        """Accounts with an id below `before` that the filter lets through, newest first."""
        ...

    async def user(self, user_id: int) -> UserDetails | None: ...


class UserFinder(Protocol):
    async def id_of(self, email_or_id: str) -> int:
        """The id of a user whom an operator named, or `NotFound` (`user_not_found`)."""
        ...


class PersonalRecords(Protocol):
    """What is known of a person, when it has to go."""

    async def forget_person(self, user_id: int, email: str) -> None:
        """Remove sessions, identities, waiting sign-ups, mailed links and kept answers."""
        ...

    async def open_images(self, user_id: int) -> list[int]:
        """Ids of try-ons that are still in progress."""
        ...

    async def pictures(self, user_id: int) -> list[str]:
        """Where uploads and outputs are stored, and where files may be that nobody noted yet."""
        ...

    async def forget_works(self, user_id: int) -> None:
        """Remove uploads, try-ons, their views and their resolved holds; the ledger keeps its entries.

        Of purchases, ids and amounts stay, and what the payment provider wrote of a person goes.

        Announced files stay announced: a form for a direct upload may be used until it expires.
        """
        ...


class ViewRecord(Struct, frozen=True):
    view: View
    status: Status
    error: ViewError | None
    key: str | None
    """Where the output is stored, once there is one."""
    accepted_at: datetime
    finished_at: datetime | None


class TryOnRecord(Struct, frozen=True):
    id: int
    upload_id: int
    style: str
    """Its name."""
    status: Status
    is_favourite: bool
    created_at: datetime
    views: list[ViewRecord]


class TryOnReader(Protocol):
    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TryOnRecord]:
        """Try-ons with an id below `before` that are not deleted, newest first."""
        ...
