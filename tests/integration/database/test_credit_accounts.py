"""What every `CreditAccounts` promises, asked of the one in memory and of the ledger in PostgreSQL."""

from collections.abc import Sequence
from itertools import count
from typing import Protocol

import pytest

from application.credits.ports import Balance, CreditAccounts
from domain.credits import Cause, HoldStatus, InsufficientCredits
from domain.errors import NotFound
from domain.views import View, ViewRender
from tests.in_memory import InMemoryAccounts, Transaction
from tests.integration.database.stage import Desk, Stage
from tests.unit.factories import NOW, try_on

NOBODY = 999_999


class Bank(Protocol):
    """The other side: customers, their try-ons, and what the books say once a transaction has ended."""

    accounts: CreditAccounts

    async def customer(self) -> int: ...

    async def views(self, customer: int, number: int) -> Sequence[ViewRender]: ...

    async def commit(self) -> None: ...

    async def abandon(self) -> None: ...

    async def entries(self, customer: int) -> list[tuple[int, str, int]]:
        """Amount, natural key, balance after."""

    async def hold_of(self, view: ViewRender) -> HoldStatus | None: ...


class InMemoryBank(Bank):
    def __init__(self) -> None:
        self._transaction = Transaction(NOW)
        self.accounts: InMemoryAccounts = InMemoryAccounts(self._transaction)
        self._ids = count(1)

    async def customer(self) -> int:
        customer = next(self._ids)
        self.accounts.open(customer)
        return customer

    async def views(self, customer: int, number: int) -> Sequence[ViewRender]:
        return try_on(*list(View)[1:number]).views

    async def commit(self) -> None:
        await self._transaction.commit()

    async def abandon(self) -> None:
        self._transaction.abandon()

    async def entries(self, customer: int) -> list[tuple[int, str, int]]:
        return [
            (entry.amount, entry.natural_key, entry.balance_after) for entry in self.accounts.entries(customer)
        ]

    async def hold_of(self, view: ViewRender) -> HoldStatus | None:
        return self.accounts.hold_of(view)


class PostgresBank(Bank):
    def __init__(self, stage: Stage, desk: Desk) -> None:
        self._stage = stage
        self._desk = desk
        self.accounts = desk.accounts

    async def customer(self) -> int:
        return (await self._stage.user()).id

    async def views(self, customer: int, number: int) -> Sequence[ViewRender]:
        async with self._stage.desk() as desk:
            user = await desk.users.by_id(customer)
        assert user is not None
        return (await self._stage.image(user, *list(View)[1:number])).views

    async def commit(self) -> None:
        await self._desk.uow.commit()

    async def abandon(self) -> None:
        await self._desk.session.rollback()

    async def entries(self, customer: int) -> list[tuple[int, str, int]]:
        rows = await self._stage.database.fetch("SELECT * FROM ledger_entries WHERE user_id = $1 ORDER BY id", customer)
        return [(row["amount"], row["natural_key"], row["balance_after"]) for row in rows]

    async def hold_of(self, view: ViewRender) -> HoldStatus | None:
        status = await self._stage.database.fetchval(
            "SELECT status FROM holds WHERE view_id = $1 AND round = $2", view.id, view.round
        )
        return HoldStatus(status) if status else None


@pytest.fixture(params=["memory", "postgres"])
async def bank(request: pytest.FixtureRequest) -> Bank:
    if request.param == "memory":
        return InMemoryBank()
    stage: Stage = request.getfixturevalue("stage")
    desk = await stage_desk(request, stage)
    return PostgresBank(stage, desk)
