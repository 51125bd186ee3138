from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import RevokedTokens, SessionRepository, Tokens
from application.ports import UnitOfWork
from domain.errors import Unauthenticated


class LogOut(Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: Annotated[str, Meta(max_length=4096)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOutHandler:
    """End the session of the token that was shown, and blacklist both of its tokens.

    Either will do: an access token has expired long before somebody leaves a shared computer. A refresh token of
    another user's session ends nothing.
    """

    sessions: SessionRepository
    revoked: RevokedTokens
    tokens: Tokens
    uow: UnitOfWork

    async def __call__(self, command: LogOut, actor: Actor) -> None:
        owner = actor.user_id
        now = await self.uow.now()
        ending, refresh = {actor.session_id}, None
        if actor.token_id is not None and actor.token_expires_at is not None:
            await self.revoked.spend(actor.token_id, datetime.fromtimestamp(actor.token_expires_at, UTC))
        if command.refresh_token is not None:
            with suppress(Unauthenticated):
                refresh = self.tokens.read_refresh(command.refresh_token)
                ending.add(refresh.session_id)
        if owner is None and refresh is None:
            raise Unauthenticated("not_authenticated", "Send a token of the session that is to end.")
        for session_id in sorted(identifier for identifier in ending if identifier is not None):
            session = await self.sessions.claim(session_id)
            if session is not None and owner in {None, session.user_id}:
                session.revoke(now)
                if refresh is not None and refresh.session_id == session_id:
                    await self.revoked.spend(refresh.token_id, refresh.expires_at)
        await self.uow.commit()
