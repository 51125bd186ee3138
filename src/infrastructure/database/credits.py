"""The ledger in PostgreSQL. The sums on the user row change in the same statement that guards them."""

from collections.abc import Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.credits.ports import Balance, CreditAccounts
from domain.credits import VIEW_PRICE, Cause, HoldStatus, InsufficientCredits
from domain.errors import NotFound
from domain.views import ViewRender
from infrastructure.database.tables import holds, ledger_entries, users


class SqlCreditAccounts(CreditAccounts):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def hold(self, user_id: int, views: Sequence[ViewRender]) -> None:
        amount = VIEW_PRICE * len(views)
        available = users.c.credits - users.c.credits_held - users.c.credits_frozen
        reserved = await self._session.execute(
            update(users)
            .where(users.c.id == user_id, users.c.deleted_at.is_(None), available >= amount)
            .values(credits_held=users.c.credits_held + amount)
            .returning(users.c.id)
        )
        if reserved.one_or_none() is None:
            raise InsufficientCredits(amount)
        rows = [
            {
                "view_id": view.id,
                "round": view.round,
                "user_id": user_id,
                "amount": VIEW_PRICE,
                "status": HoldStatus.PENDING,
                "created_at": view.accepted_at,
            }
            for view in views
        ]
        await self._session.execute(insert(holds), rows)

    async def post(self, view: ViewRender) -> None:
        resolved = await self._resolve(view, HoldStatus.POSTED)
        if resolved is None:
            return
        user_id, amount = resolved
        spent = await self._session.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(credits=users.c.credits - amount, credits_held=users.c.credits_held - amount)
            .returning(users.c.credits)
        )
        entry = insert(ledger_entries).values(
            user_id=user_id,
            amount=-amount,
            cause=Cause.SPEND,
            natural_key=f"spend:{view.id}:{view.round}",
            reference=f"image:{view.image_id}:{view.view}",
            balance_after=spent.scalar_one(),
            created_at=func.now(),
        )
        await self._session.execute(entry)

    async def void(self, view: ViewRender) -> None:
        resolved = await self._resolve(view, HoldStatus.VOIDED)
        if resolved is None:
            return
        user_id, amount = resolved
        freed = update(users).where(users.c.id == user_id).values(credits_held=users.c.credits_held - amount)
        await self._session.execute(freed)

    async def _resolve(self, view: ViewRender, status: HoldStatus) -> tuple[int, int] | None:
        found = await self._session.execute(
            update(holds)
            .where(holds.c.view_id == view.id, holds.c.round == view.round, holds.c.status == HoldStatus.PENDING)
            .values(status=status, resolved_at=func.now())
            .returning(holds.c.user_id, holds.c.amount)
        )
        row = found.one_or_none()
        return (row.user_id, row.amount) if row else None

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
        return True

    async def balance(self, user_id: int) -> Balance:
        columns = select(users.c.credits, users.c.credits_held, users.c.credits_frozen).where(users.c.id == user_id)
        row = (await self._session.execute(columns)).one_or_none()
        if row is None:
            raise NotFound("user_not_found", "There is no such user.")
        free = row.credits - row.credits_held - row.credits_frozen
        return Balance(row.credits, row.credits_held, row.credits_frozen, free)
