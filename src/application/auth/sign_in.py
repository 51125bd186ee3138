from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from application.actor import Client
from application.auth.ports import SessionRepository, Tokens
from application.auth.tokens import TokenPair
from application.ports import Clock, UnitOfWork
from domain.errors import Forbidden
from domain.sessions import Session, SignInMethod
from domain.users import User

AccessSeconds = NewType("AccessSeconds", int)
"""How long an access token lives."""

_USER_AGENT_LENGTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What every way of signing in ends with: a session, and its tokens."""

    sessions: SessionRepository
    tokens: Tokens
    clock: Clock
    uow: UnitOfWork
    access_seconds: AccessSeconds

    async def begin(self, user: User, client: Client, method: SignInMethod, now: datetime) -> TokenPair:
        if user.is_disabled:
            raise Forbidden("account_disabled", "This account is disabled. Please write to us.")
        session = Session(
            user_id=user.id,
            user_agent=client.user_agent[:_USER_AGENT_LENGTH],
            ip=client.ip,
            signed_in_by=method,
            created_at=now,
            rotated_at=now,
            last_used_at=now,
        )
        await self.sessions.add(session)
        await self.uow.flush()
        return self.tokens_of(session)

    def tokens_of(self, session: Session) -> TokenPair:
        return TokenPair(
            access_token=self.tokens.access(session, self.clock.now()),
            refresh_token=self.tokens.refresh(session),
            expires_in=self.access_seconds,
        )
