from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import LoginThrottle, RevokedTokens, SessionRepository, Tokens, UserRepository
from application.auth.sign_in import SignIn
from application.auth.tokens import TokenPair
from application.ports import UnitOfWork
from domain.errors import Unauthenticated
from domain.sessions import Refresh


class RefreshSession(Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: Annotated[str, Meta(max_length=4096)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSessionHandler:
    """Spend a refresh token for the next pair. A copy shown later ends the session for whoever holds it."""

    users: UserRepository
    sessions: SessionRepository
    revoked: RevokedTokens
    tokens: Tokens
    throttle: LoginThrottle
    sign_in: SignIn
    uow: UnitOfWork

    async def __call__(self, command: RefreshSession, actor: Actor) -> TokenPair:
        claims = self.tokens.read_refresh(command.refresh_token)
        session = await self.sessions.claim(claims.session_id)
        now = await self.uow.now()
        if session is None or not session.alive(now) or await self.revoked.contains(claims.token_id):
            raise Unauthenticated("not_authenticated", "This session has ended. Please log in.")
        user = await self.users.by_id(session.user_id)
        if user is None or user.is_disabled:
            raise Unauthenticated("not_authenticated", "This session has ended. Please log in.")
        outcome = session.refresh(claims.counter, now)
        # The end of a stolen session is committed although the answer is a refusal.
        await self.uow.commit()
        if outcome is Refresh.REUSED:
            raise Unauthenticated("refresh_token_reused", "This token was used before, so its session has been ended.")
        await self.throttle.recognise(user.email, actor.client.ip)
        return self.sign_in.tokens_of(session)
