"""What the account use cases need from outside."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.actor import Actor
from domain.sessions import Session
from domain.users import Registration, User


class UserRepository(Protocol):
    """Users are found as they are stored now, whatever this handler saw of them in a transaction before."""

    async def add(self, user: User) -> None: ...

    async def by_id(self, user_id: int) -> User | None: ...

    async def by_email(self, email: str) -> User | None: ...


class RegistrationRepository(Protocol):
    async def add(self, registration: Registration) -> None: ...

    async def by_id(self, registration_id: int) -> Registration | None: ...

    async def latest_for(self, email: str) -> Registration | None: ...

    async def claim(self, token_hash: bytes) -> Registration | None:
        """The sign-up behind a mailed token, with its address kept to this transaction until it ends."""
        ...

    async def void_all(self, email: str) -> None: ...


class SessionRepository(Protocol):
    async def add(self, session: Session) -> None: ...

    async def claim(self, session_id: int) -> Session | None:
        """The session, kept to this transaction until it ends."""
        ...


class RevokedTokens(Protocol):
    async def add(self, token_id: str, expires_at: datetime) -> None: ...


class MailAllowance(Protocol):
    async def take(self, mailbox: str) -> bool:
        """Use up one of the mails a mailbox may get in an hour; False when none is left."""
        ...


class SignupGrants(Protocol):
    async def claim(self, mailbox: str) -> bool:
        """Use up the free credits of a mailbox, once for ever; False when they are gone or the day's cap is reached."""
        ...


class Passwords(Protocol):
    """Hashing runs off the event loop."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Compare, doing the same work when there is no hash to compare with."""
        ...

    def outdated(self, password_hash: str) -> bool: ...

    def common(self, password: str) -> bool:
        """Tell whether it is among the passwords that attackers try first."""
        ...


class AccessClaims(Struct, frozen=True):
    """What a valid access token says; whether its session still stands is another question."""

    user_id: int
    session_id: int
    token_id: str
    expires_at: int
    """Seconds since the epoch."""


class RefreshClaims(Struct, frozen=True):
    session_id: int
    counter: int
    token_id: str
    expires_at: datetime


class Tokens(Protocol):
    def access(self, session: Session, now: datetime) -> str: ...

    def refresh(self, session: Session) -> str:
        """The session's unspent refresh token: the same text each time it is asked for."""
        ...

    def read_access(self, text: str) -> AccessClaims:
        """Raise `Unauthenticated` (`token_expired`, `not_authenticated`) unless it is a living access token of ours."""
        ...

    def read_refresh(self, text: str) -> RefreshClaims:
        """As `read_access`, for a refresh token."""
        ...

    def mailed(self, seed: bytes) -> str:
        """The token that a mailed link carries, made from a stored seed and our key, so that it is not stored."""
        ...


class SessionGate(Protocol):
    async def admit(self, claims: AccessClaims) -> Actor:
        """Turn a token's claims into an actor, or raise `Unauthenticated` or `Forbidden` (`account_disabled`).

        Always asks the database: a session ended anywhere is ended everywhere at once.
        """
        ...


class Links(Protocol):
    def verification(self, token: str) -> str: ...

    def sign_in(self) -> str: ...
