"""What has expired, and its removal."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Table, delete, func, null, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from application.housekeeping.ports import ExpiredRecords, Purged
from domain.sessions import SESSION_LIFE
from domain.users import RESET_LIFE, VERIFICATION_LIFE
from infrastructure.database.tables import (
    blacklist_tokens,
    daily_grants,
    idempotency_keys,
    mail_allowances,
    password_resets,
    payment_events,
    registrations,
    sessions,
)

_MARGIN = timedelta(minutes=5)
"""For clocks that differ, and for the leeway with which tokens are judged."""
_ANSWERS_KEPT = timedelta(hours=24)
_ENDED_SESSIONS_KEPT = timedelta(days=1)
_ALLOWANCE = timedelta(hours=1)
_DAYS_KEPT = timedelta(days=7)
_NOBODYS_MESSAGES_KEPT = timedelta(days=180)
"""Events that name none of our purchases may name a person, who could not have them removed."""
_BATCH = 5_000
"""Rows of a table at once: what is left is for the next time."""


class SqlExpiredRecords(ExpiredRecords):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def purge(self) -> Purged:
        last_mail = mail_allowances.c.sent_at[func.cardinality(mail_allowances.c.sent_at)]
        outlived = sessions.c.created_at < func.now() - SESSION_LIFE - _MARGIN
        past_days = daily_grants.c.day < func.to_char(func.now() - _DAYS_KEPT, "YYYY-MM-DD")
        expired: dict[Table, ColumnElement[bool]] = {
            blacklist_tokens: blacklist_tokens.c.expires_at < func.now() - _MARGIN,
            registrations: registrations.c.created_at < func.now() - VERIFICATION_LIFE - _MARGIN,
            password_resets: password_resets.c.created_at < func.now() - RESET_LIFE - _MARGIN,
            sessions: or_(outlived, sessions.c.revoked_at < func.now() - _ENDED_SESSIONS_KEPT),
            idempotency_keys: idempotency_keys.c.created_at < func.now() - _ANSWERS_KEPT,
            mail_allowances: last_mail < func.now() - _ALLOWANCE - _MARGIN,
            daily_grants: past_days,
        }
        removed = {table: await self._purge(table, condition) for table, condition in expired.items()}
        return Purged(
            tokens=removed[blacklist_tokens],
            links=removed[registrations] + removed[password_resets],
            sessions=removed[sessions],
            answers=removed[idempotency_keys],
            allowances=removed[mail_allowances] + removed[daily_grants],
            messages=await self._forget_nobodys_messages(),
            more=max(removed.values()) == _BATCH,
        )

    async def _purge(self, table: Table, expired: ColumnElement[bool]) -> int:
        key = table.primary_key.columns
        # Rows that somebody works on are left for the next time, so that nobody waits. Materialized: a subquery with a
        # limit that is asked twice may bring other rows the second time.
        found = select(*key).where(expired).limit(_BATCH).with_for_update(skip_locked=True)
        some = found.cte("some").prefix_with("MATERIALIZED")
        removed = await self._session.execute(
            delete(table).where(tuple_(*key).in_(select(*some.columns))).returning(*key)
        )
        return len(removed.all())

    async def _forget_nobodys_messages(self) -> int:
        events = payment_events.c
        nobodys = (events.body.is_not(None), events.transaction_id.is_(None))
        old = select(events.id).where(*nobodys, events.received_at < func.now() - _NOBODYS_MESSAGES_KEPT)
        some = old.limit(_BATCH).with_for_update(skip_locked=True).cte("some").prefix_with("MATERIALIZED")
        forget = update(payment_events).where(events.id.in_(select(some.c.id))).values(body=null())
        return len((await self._session.execute(forget.returning(events.id))).all())
