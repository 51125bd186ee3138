"""Small records around accounts: revoked tokens, mails per hour, free credits given, idempotency keys."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import structlog
from sqlalchemy import case, delete, func, insert, or_, select, text
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.auth.ports import MailAllowance, RevokedTokens, SignupGrants
from application.ports import IdempotencyKeys, IdempotentRequest, Result
from domain.errors import Conflict, Unprocessable
from infrastructure.database.tables import (
    blacklist_tokens,
    daily_grants,
    idempotency_keys,
    mail_allowances,
    signup_grants,
)

log = structlog.get_logger()

MAILS_PER_HOUR = 5


class SqlRevokedTokens(RevokedTokens):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token_id: str, expires_at: datetime) -> None:
        await self.spend(token_id, expires_at)

    async def spend(self, token_id: str, expires_at: datetime) -> bool:
        row = upsert(blacklist_tokens).values(jti=token_id, expires_at=expires_at)
        added = await self._session.execute(row.on_conflict_do_nothing().returning(blacklist_tokens.c.jti))
        return added.one_or_none() is not None


class SqlMailAllowance(MailAllowance):
    """Keeps the times of the last five mails of an address; a sixth waits until the oldest is an hour old."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, mailbox: str) -> bool:
        sent = mail_allowances.c.sent_at
        count = func.cardinality(sent)
        kept = case((count < MAILS_PER_HOUR, sent), else_=sent[2:MAILS_PER_HOUR])
        hour_ago = func.now() - text("interval '1 hour'")
        taken = await self._session.execute(
            upsert(mail_allowances)
            .values(email=mailbox, sent_at=array([func.now()]))
            .on_conflict_do_update(
                index_elements=["email"],
                set_={"sent_at": func.array_append(kept, func.now())},
                where=or_(count < MAILS_PER_HOUR, sent[1] < hour_ago),
            )
            .returning(mail_allowances.c.email)
        )
        return taken.one_or_none() is not None


class SqlSignupGrants(SignupGrants):
    """Remembers mailboxes by an HMAC only, so that erasing a customer leaves no address behind."""

    def __init__(self, session: AsyncSession, *, pseudonym_key: str, daily_cap: int) -> None:
        self._session = session
        self._key = pseudonym_key.encode()
        self._daily_cap = daily_cap

    async def claim(self, mailbox: str) -> bool:
        digest = hmac.new(self._key, mailbox.encode(), sha256).digest()
        first = await self._session.execute(
            upsert(signup_grants)
            .values(mailbox_hmac=digest, granted_at=func.now())
            .on_conflict_do_nothing()
            .returning(signup_grants.c.granted_at)
        )
        if first.one_or_none() is None:
            return False
        if await self._count():
            return True
        log.warning("free_credits_cap_reached", daily_cap=self._daily_cap)
        # The day's cap is not this customer's doing: the mailbox keeps its claim.
        await self._session.execute(delete(signup_grants).where(signup_grants.c.mailbox_hmac == digest))
        return False

    async def _count(self) -> bool:
        if self._daily_cap < 1:
            return False
        counted = await self._session.execute(
            upsert(daily_grants)
            .values(day=datetime.now(UTC).date().isoformat(), granted=1)
            .on_conflict_do_update(
                index_elements=["day"],
                set_={"granted": daily_grants.c.granted + 1},
                where=daily_grants.c.granted < self._daily_cap,
            )
            .returning(daily_grants.c.granted)
        )
        return counted.one_or_none() is not None


class SqlIdempotencyKeys(IdempotencyKeys):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def replay(self, request: IdempotentRequest | None, result: type[Result]) -> Result | None:
        if request is None:
            return None
        name = f"{request.user_id}\n{request.route}\n{request.key}"
        # Held until the transaction ends: whoever dies while holding it leaves nothing behind.
        lock = select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 1)))
        if not (await self._session.execute(lock)).scalar_one():
            raise Conflict("idempotency_in_progress", "A request with this key is being worked on.")
        found = await self._session.execute(
            select(idempotency_keys.c.fingerprint, idempotency_keys.c.result).where(
                idempotency_keys.c.user_id == request.user_id,
                idempotency_keys.c.route == request.route,
                idempotency_keys.c.key == request.key,
            )
        )
        row = found.one_or_none()
        if row is None:
            return None
        if row.fingerprint != request.fingerprint:
            raise Unprocessable("idempotency_key_reused", "This key came with another request before.")
        return msgspec.json.decode(row.result, type=result)

    async def keep(self, request: IdempotentRequest | None, result: msgspec.Struct) -> None:
        if request is None:
            return
        row = insert(idempotency_keys).values(
            user_id=request.user_id,
            route=request.route,
            key=request.key,
            fingerprint=request.fingerprint,
            result=msgspec.json.encode(result),
        )
        await self._session.execute(row)
