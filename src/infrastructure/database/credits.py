"""The ledger in PostgreSQL."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.credits.ports import Balance, CreditAccounts
from domain.credits import Cause
from domain.errors import NotFound
from infrastructure.database.tables import ledger_entries, users
from infrastructure.database.tally import Tally


class SqlCreditAccounts(CreditAccounts):
    def __init__(self, session: AsyncSession, tally: Tally) -> None:
        self._session = session
        self._tally = tally

    async def freeze(self, user_id: int, amount: int) -> None:
        frozen = users.c.credits_frozen + amount
        await self._session.execute(update(users).where(users.c.id == user_id).values(credits_frozen=frozen))

    async def record(
        self,
        user_id: int,
        amount: int,
        cause: Cause,
        *,
        natural_key: str,
        reference: str | None = None,
        reason: str | None = None,
        operator: str | None = None,
    ) -> bool:
        # The account is locked first, so that entries of one account stand in the order of their balances. `key_share`
        # lets rows that refer to the user (uploads, sessions) be added meanwhile.
        locked = select(users.c.credits).where(users.c.id == user_id).with_for_update(key_share=True)
        balance = (await self._session.execute(locked)).scalar_one()
        added = await self._session.execute(
            upsert(ledger_entries)
            .values(
                user_id=user_id,
                amount=amount,
                cause=cause,
                natural_key=natural_key,
                reference=reference,
                reason=reason,
                operator=operator,
                balance_after=balance + amount,
                created_at=func.now(),
            )
            .on_conflict_do_nothing(index_elements=["natural_key"])
            .returning(ledger_entries.c.id)
        )
        if added.one_or_none() is None:
            return False
        await self._session.execute(update(users).where(users.c.id == user_id).values(credits=balance + amount))
        self._tally.credits_moved(cause, amount)
        return True

    async def balance(self, user_id: int) -> Balance:
        columns = select(users.c.credits, users.c.credits_held, users.c.credits_frozen).where(users.c.id == user_id)
        row = (await self._session.execute(columns)).one_or_none()
        if row is None:
            raise NotFound("user_not_found", "There is no such user.")
        free = row.credits - row.credits_held - row.credits_frozen
        return Balance(row.credits, row.credits_held, row.credits_frozen, free)
