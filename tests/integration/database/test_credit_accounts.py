"""What every `CreditAccounts` and `Holds` promise, asked of the one in memory and of the ledger in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Protocol

import pytest

from application.credits.ports import Balance, CreditAccounts, Holds
from domain.credits import Cause, HoldStatus, InsufficientCredits
from domain.errors import NotFound
from domain.renders import ViewRender
from domain.views import View
from tests.in_memory import InMemoryAccounts, Transaction
from tests.integration.database.stage import Desk, Stage
from tests.unit.factories import NOW, try_on

NOBODY = 999_999


class Bank(Protocol):
    """The other side: customers, their try-ons, and what the books say once a transaction has ended."""

    accounts: CreditAccounts
    holds: Holds

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
        self.holds = self.accounts = InMemoryAccounts(self._transaction)
        self._ids = count(1)

    async def customer(self) -> int:
        customer = next(self._ids)
        self.accounts.open(customer)
        return customer

    async def views(self, customer: int, number: int) -> Sequence[ViewRender]:  # noqa: ARG002 - ids are enough here
        return try_on(*list(View)[1:number]).views

    async def commit(self) -> None:
        await self._transaction.commit()

    async def abandon(self) -> None:
        self._transaction.abandon()

    async def entries(self, customer: int) -> list[tuple[int, str, int]]:
        return [(entry.amount, entry.natural_key, entry.balance_after) for entry in self.accounts.entries(customer)]

    async def hold_of(self, view: ViewRender) -> HoldStatus | None:
        return self.accounts.hold_of(view)


class PostgresBank(Bank):
    def __init__(self, stage: Stage, desk: Desk) -> None:
        self._stage = stage
        self._desk = desk
        self.accounts = desk.accounts
        self.holds = desk.holds

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


@pytest.fixture
def memory() -> Bank:
    return InMemoryBank()


@pytest.fixture
async def postgres(stage: Stage) -> AsyncIterator[Bank]:
    async with stage.desk() as desk:
        yield PostgresBank(stage, desk)
    assert (await stage.audit()).differences == []


@pytest.fixture(params=["memory", "postgres"])
def bank(request: pytest.FixtureRequest) -> Bank:
    found: Bank = request.getfixturevalue(request.param)
    return found


async def with_credits(bank: Bank, credits_: int) -> int:
    customer = await bank.customer()
    await bank.accounts.record(customer, credits_, Cause.GRANT, natural_key=f"to begin with:{customer}")
    await bank.commit()
    return customer


async def with_hold(bank: Bank, credits_: int = 5, views: int = 1) -> tuple[int, Sequence[ViewRender]]:
    customer = await with_credits(bank, credits_)
    held = await bank.views(customer, views)
    await bank.holds.place(customer, held)
    await bank.commit()
    return customer, held


async def test_a_hold_reserves_the_price_of_each_view(bank: Bank) -> None:
    """The credits are still there; they cannot be spent on anything else."""
    customer, views = await with_hold(bank, views=3)
    assert await bank.accounts.balance(customer) == Balance(5, 3, 0, 2)
    assert [await bank.hold_of(view) for view in views] == [HoldStatus.PENDING] * 3
    assert len(await bank.entries(customer)) == 1


@pytest.mark.parametrize(("credits_", "views"), [(1, 2), (3, 4)])
async def test_what_is_not_there_is_not_reserved(bank: Bank, credits_: int, views: int) -> None:
    """Not even the part of it that is there."""
    customer = await with_credits(bank, credits_)
    wanted = await bank.views(customer, views)
    with pytest.raises(InsufficientCredits):
        await bank.holds.place(customer, wanted)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(credits_, 0, 0, credits_)
    assert [await bank.hold_of(view) for view in wanted] == [None] * views


async def test_the_last_credit_can_be_reserved_and_no_more(bank: Bank) -> None:
    customer, _ = await with_hold(bank, credits_=1)
    with pytest.raises(InsufficientCredits):
        await bank.holds.place(customer, await bank.views(customer, 1))


async def test_a_posted_hold_is_spent(bank: Bank) -> None:
    """It leaves the balance by an entry of its own."""
    customer, (view,) = await with_hold(bank)
    await bank.holds.post(view)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(4, 0, 0, 4)
    assert (await bank.entries(customer))[1:] == [(-1, f"spend:{view.id}:1", 4)]
    assert await bank.hold_of(view) is HoldStatus.POSTED


async def test_a_voided_hold_is_free_again(bank: Bank) -> None:
    """As if it had never been: no entry."""
    customer, (view,) = await with_hold(bank)
    await bank.holds.void(view)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(5, 0, 0, 5)
    assert len(await bank.entries(customer)) == 1
    assert await bank.hold_of(view) is HoldStatus.VOIDED


@pytest.mark.parametrize("first", ["post", "void"])
@pytest.mark.parametrize("second", ["post", "void"])
async def test_a_hold_is_resolved_once(bank: Bank, first: str, second: str) -> None:
    """Posted or voided, never both and never twice: the first word counts."""
    customer, (view,) = await with_hold(bank)
    for resolve in (first, second):
        await getattr(bank.holds, resolve)(view)
        await bank.commit()
    spent = 1 if first == "post" else 0
    assert await bank.accounts.balance(customer) == Balance(5 - spent, 0, 0, 5 - spent)
    assert len(await bank.entries(customer)) == 1 + spent


async def test_what_was_never_held_is_neither_spent_nor_given_back(bank: Bank) -> None:
    customer = await with_credits(bank, 5)
    (view,) = await bank.views(customer, 1)
    await bank.holds.post(view)
    await bank.holds.void(view)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(5, 0, 0, 5)


async def test_each_round_has_a_hold_of_its_own(bank: Bank) -> None:
    """A view that is rendered anew is paid anew."""
    customer, (view,) = await with_hold(bank)
    await bank.holds.void(view)
    view.round = 2
    await bank.holds.place(customer, [view])
    await bank.holds.post(view)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(4, 0, 0, 4)
    view.round = 1
    assert await bank.hold_of(view) is HoldStatus.VOIDED


async def test_an_entry_is_made_once_for_its_natural_key(bank: Bank) -> None:
    """However often it is delivered, and even to somebody else."""
    customer, other = await with_credits(bank, 5), await bank.customer()
    key = f"payment:{customer}"
    assert await bank.accounts.record(customer, 10, Cause.PURCHASE, natural_key=key)
    await bank.commit()
    assert not await bank.accounts.record(customer, 10, Cause.PURCHASE, natural_key=key)
    assert not await bank.accounts.record(other, 10, Cause.PURCHASE, natural_key=key)
    await bank.commit()
    assert (await bank.accounts.balance(customer)).credits == 15
    assert (await bank.entries(customer))[1:] == [(10, key, 15)]
    assert await bank.entries(other) == []


async def test_a_balance_below_zero_cannot_be_spent_until_it_is_healed(bank: Bank) -> None:
    """A refund takes back what was bought, whether or not it has been spent."""
    customer = await with_credits(bank, 2)
    views = await bank.views(customer, 1)
    await bank.accounts.record(customer, -5, Cause.REFUND, natural_key=f"refund:{customer}")
    assert await bank.accounts.balance(customer) == Balance(-3, 0, 0, -3)
    with pytest.raises(InsufficientCredits):
        await bank.holds.place(customer, views)
    await bank.accounts.record(customer, 4, Cause.PURCHASE, natural_key=f"payment:{customer}")
    await bank.holds.place(customer, views)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(1, 1, 0, 0)


async def test_held_credits_are_held_whatever_is_taken_back(bank: Bank) -> None:
    """Work in progress is finished and charged; then the balance is below zero."""
    customer, (view,) = await with_hold(bank, credits_=1)
    await bank.accounts.record(customer, -1, Cause.REFUND, natural_key=f"refund:{customer}")
    assert await bank.accounts.balance(customer) == Balance(0, 1, 0, -1)
    await bank.holds.post(view)
    await bank.commit()
    assert await bank.accounts.balance(customer) == Balance(-1, 0, 0, -1)


async def test_what_is_not_committed_has_not_happened(bank: Bank) -> None:
    customer, (view,) = await with_hold(bank)
    await bank.holds.post(view)
    await bank.accounts.record(customer, 10, Cause.PURCHASE, natural_key=f"payment:{customer}")
    await bank.abandon()
    assert await bank.accounts.balance(customer) == Balance(5, 1, 0, 4)
    assert await bank.hold_of(view) is HoldStatus.PENDING
    assert len(await bank.entries(customer)) == 1


async def test_nobody_has_no_balance(bank: Bank) -> None:
    with pytest.raises(NotFound) as refusal:
        await bank.accounts.balance(NOBODY)
    assert refusal.value.code == "user_not_found"
