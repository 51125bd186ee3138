"""What the account use cases need from outside."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.actor import Actor
from domain.sessions import Session
from domain.users import PasswordReset, Registration, User


class UserRepository(Protocol):
    """Users are found as they are stored now, whatever this handler saw of them in a transaction before."""

    async def add(self, user: User) -> None: ...

    async def by_id(self, user_id: int) -> User | None: ...

    async def by_email(self, email: str) -> User | None: ...

    async def claim(self, user_id: int) -> User | None:
        """The user, kept to this transaction until it ends.

        Whoever begins a session or changes what lets one in does it so: a password that is being replaced opens
        nothing meanwhile.
        """
        ...


class RegistrationRepository(Protocol):
    async def add(self, registration: Registration) -> None: ...

    async def by_id(self, registration_id: int) -> Registration | None: ...

    async def latest_for(self, email: str) -> Registration | None: ...

    async def waiting_for(self, email: str, *, since: datetime) -> list[Registration]:
        """The two newest sign-ups of the address made since then, the newest first."""
        ...

    async def claim(self, token_hash: bytes) -> Registration | None:
        """The sign-up behind a mailed token, with its address kept to this transaction until it ends."""
        ...

    async def is_disputed(self, email: str, *, since: datetime) -> bool:
        """Whether a sign-up of the address made since then is disputed."""
        ...

    async def void_all(self, email: str) -> None: ...

    async def keep_address(self, email: str) -> None:
        """Keep an address to this transaction until it ends, as `claim` does: nobody else makes its account."""
        ...


class PasswordResetRepository(Protocol):
    async def add(self, reset: PasswordReset) -> None: ...

    async def by_id(self, reset_id: int) -> PasswordReset | None: ...

    async def claim(self, token_hash: bytes) -> PasswordReset | None:
        """The reset behind a mailed token, with its address kept to this transaction until it ends."""
        ...

    async def void_all(self, email: str) -> None: ...


class SessionRepository(Protocol):
    async def add(self, session: Session) -> None: ...

    async def claim(self, session_id: int) -> Session | None:
        """The session, kept to this transaction until it ends."""
        ...

    async def revoke_all(self, user_id: int, now: datetime, *, keep: int | None = None) -> None:
        """End every session of a user, but for the one to keep."""
        ...


class SessionItem(Struct, frozen=True):
    id: int
    user_agent: str
    ip: str
    created_at: datetime
    last_used_at: datetime
    current: bool
    """Whether this is the session that asks."""


class SessionReader(Protocol):
    async def alive(self, user_id: int, *, current: int | None, before: int | None, limit: int) -> list[SessionItem]:
        """Sessions that have not ended, with an id below `before`, newest first."""
        ...


class RevokedTokens(Protocol):
    async def contains(self, token_id: str) -> bool: ...

    async def spend(self, token_id: str, expires_at: datetime) -> bool:
        """Revoke a token that works once; False when it had been revoked before, also by somebody at the same time."""
        ...


class ProviderIdentity(Struct, frozen=True):
    """Who somebody is at an OpenID provider, as it vouches for it. Issuer and subject never change; the rest may."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    picture_url: str | None = None


class IdentityProvider(Protocol):
    """Signs people in elsewhere: OpenID Connect's code flow with PKCE.

    Raises `Unavailable` (`provider_unavailable`) on what may pass, and nothing else where no other error is named.
    """

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send a browser; the provider sends it back with `state` and a code that needs `verifier`."""
        ...

    async def identify(self, *, code: str, nonce: str, verifier: str, issuer: str | None) -> ProviderIdentity:
        """Exchange a code, once, for who came; `issuer` is what the way back claimed, if it did.

        Raises `Invalid` (`token_invalid`) on what can never be trusted.
        """
        ...


class IdentityRepository(Protocol):
    async def claim(self, identity: ProviderIdentity) -> int | None:
        """The user behind an identity, if known; identity and address are kept to this transaction until it ends."""
        ...

    async def exists_for(self, user_id: int) -> bool: ...

    async def add(self, user_id: int, identity: ProviderIdentity, now: datetime) -> None:
        """Tie an identity that was claimed to a user who has none."""
        ...

    async def picture_url(self, user_id: int) -> str | None:
        """Where the provider showed a picture of the user when the two were tied."""
        ...


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


class LoginThrottle(Protocol):
    """Slows down whoever guesses passwords. Unknown accounts are treated like known ones."""

    async def admit(self, email: str, client_ip: str) -> None:
        """Count an attempt, or raise `Throttled` (`rate_limited`) while it is too early for another."""
        ...

    async def withdraw(self, email: str, client_ip: str) -> None:
        """Take back an attempt that came to nothing before any password was looked at: it was no guess."""
        ...

    async def succeeded(self, email: str, client_ip: str) -> None:
        """Forget the failures of this account from this client's network, and recognise the network."""
        ...

    async def recognise(self, email: str, client_ip: str) -> None:
        """The owner was here without a password: what other networks do holds up nobody who comes from this one."""
        ...

    async def reset(self, email: str) -> None:
        """Forget the failures of this account from everywhere."""
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


class SignInAttempt(Struct, frozen=True):
    """A sign-in at a provider that waits for the browser to come back. The browser keeps it, signed by us."""

    token_id: str
    state: str
    nonce: str
    verifier: str
    next: str
    """The frontend's path to go to afterwards."""
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

    def attempt(self, attempt: SignInAttempt) -> str: ...

    def read_attempt(self, text: str) -> SignInAttempt:
        """As `read_access`, for a sign-in attempt; `expires_at` is when it is refused for certain."""
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

    def password_reset(self, token: str) -> str: ...

    def sign_in(self) -> str: ...
