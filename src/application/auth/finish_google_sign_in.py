from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from secrets import compare_digest

from msgspec import Struct

from application.actor import Actor
from application.auth.free_credits import FreeCredits
from application.auth.ports import (
    IdentityProvider,
    IdentityRepository,
    LoginThrottle,
    PasswordResetRepository,
    ProviderIdentity,
    RegistrationRepository,
    RevokedTokens,
    SessionRepository,
    SignInAttempt,
    Tokens,
    UserRepository,
)
from application.auth.sign_in import SignIn
from application.auth.tokens import TokenPair
from application.events import ProfilePictureOffered
from application.ports import Outbox, UnitOfWork
from domain.errors import Conflict, Forbidden, Invalid, Unauthenticated, Unavailable
from domain.sessions import SignInMethod
from domain.users import NAME_LENGTH, User, display_name, email_address


class FinishGoogleSignIn(Struct, frozen=True):
    """What a browser brings back from Google, and what it kept."""

    attempt: str = ""
    state: str = ""
    code: str = ""
    error: str = ""
    issuer: str | None = None


class GoogleSignInFinished(Struct, frozen=True):
    tokens: TokenPair
    next: str
    """The frontend's path to go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishGoogleSignInHandler:
    """Sign in whom Google vouches for. What counts is the identity; an address only ties it to an account, once.

    A verified address ties it to the account of that address. Was the address never proved before, then whoever made
    the account loses it: password, sessions and everything that waits for a mailed link. An address without an account
    gets one. An account has one identity, so another one with the same address is refused.
    """

    provider: IdentityProvider
    identities: IdentityRepository
    users: UserRepository
    registrations: RegistrationRepository
    resets: PasswordResetRepository
    sessions: SessionRepository
    revoked: RevokedTokens
    tokens: Tokens
    free_credits: FreeCredits
    throttle: LoginThrottle
    sign_in: SignIn
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: FinishGoogleSignIn, actor: Actor) -> GoogleSignInFinished:
        attempt = await self._spend_attempt(command)
        _require_consent(command)
        identity = await self.provider.identify(
            code=command.code, nonce=attempt.nonce, verifier=attempt.verifier, issuer=command.issuer
        )
        if not identity.email_verified:
            raise Forbidden("email_not_verified", "Google has not verified this e-mail address.")
        known = await self.identities.claim(identity)
        now = await self.uow.now()
        user = await self._tie(identity, now) if known is None else await self.users.claim(known)
        if user is None or user.deleted_at is not None:
            raise Conflict("conflict", "This account is being deleted.")
        tokens = await self.sign_in.begin(user, actor.client, SignInMethod.GOOGLE, now)
        await self.uow.commit()
        await self.throttle.recognise(user.email, actor.client.ip)
        return GoogleSignInFinished(tokens, attempt.next)

    async def _spend_attempt(self, command: FinishGoogleSignIn) -> SignInAttempt:
        """The attempt that this browser began, or `Invalid` (`oauth_state_invalid`); it is spent whatever follows."""
        with suppress(Unauthenticated):
            attempt = self.tokens.read_attempt(command.attempt)
            if compare_digest(attempt.state.encode(), command.state.encode("utf-8", "replace")):
                is_first = await self.revoked.spend(attempt.token_id, attempt.expires_at)
                await self.uow.commit()
                if is_first:
                    return attempt
        raise Invalid(
            "oauth_state_invalid", "This sign-in was not begun in this browser, or is over. Please try again."
        )

    async def _tie(self, identity: ProviderIdentity, now: datetime) -> User:
        email = _address(identity)
        found = await self.users.by_email(email)
        user = await self._claim_account(found, now) if found else await self._new_account(identity, email, now)
        await self.identities.add(user.id, identity, now)
        if identity.picture_url is not None and user.profile_picture is None:
            self.outbox.add(ProfilePictureOffered(user.id))
        return user

    async def _claim_account(self, found: User, now: datetime) -> User:
        user = await self.users.claim(found.id)
        if user is None or await self.identities.exists_for(found.id):
            raise Conflict("conflict", "The account of this address belongs to another Google account.")
        if not user.is_verified:
            user.hand_over()
            await self.sessions.revoke_all(user.id, now)
            await self._prove_address(user)
        return user

    async def _new_account(self, identity: ProviderIdentity, email: str, now: datetime) -> User:
        user = User(email=email, name=_name(identity, email), is_verified=True, created_at=now)
        await self.users.add(user)
        await self.uow.flush()
        await self._prove_address(user)
        return user

    async def _prove_address(self, user: User) -> None:
        await self.registrations.void_all(user.email)
        await self.resets.void_all(user.email)
        await self.free_credits.give(user)


def _require_consent(command: FinishGoogleSignIn) -> None:
    """Raise for a return without a code (RFC 6749, section 4.1.2.1)."""
    if command.error == "access_denied":
        raise Forbidden("access_denied", "The sign-in was declined at Google.")
    if command.error or not command.code:
        raise Unavailable("provider_unavailable", "Google could not sign you in. Please try again.")


def _address(identity: ProviderIdentity) -> str:
    try:
        return email_address(identity.email)
    except Invalid as unusable:
        raise Forbidden("email_not_verified", "This is not an address that we could mail to.") from unusable


def _name(identity: ProviderIdentity, email: str) -> str:
    try:
        return display_name(identity.name[:NAME_LENGTH])
    except Invalid:
        return email.partition("@")[0]
