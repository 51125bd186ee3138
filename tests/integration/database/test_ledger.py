"""The ledger under pressure: many transactions at once, and an audit that nobody deceives."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from domain.credits import Cause, InsufficientCredits
from domain.errors import Failure
from domain.images import GeneratedImage
from domain.users import User
from domain.views import Status, View
from tests.integration.database.stage import Desk, Stage

ENTRY_BY_HAND = """
    INSERT INTO ledger_entries (user_id, amount, cause, natural_key, balance_after, created_at)
    SELECT user_id, 1, cause, 'by hand', balance_after + 1, now() FROM ledger_entries
"""
ENTRY_OF_NOTHING = ENTRY_BY_HAND.replace("1, cause", "0, cause")
ENTRY_AGAIN = ENTRY_BY_HAND.replace("'by hand'", "natural_key")


async def every_balance_follows_from_the_entry_before(stage: Stage, user: User) -> None:
    rows = await stage.database.fetch(
        "SELECT amount, balance_after FROM ledger_entries WHERE user_id = $1 ORDER BY id", user.id
    )
    assert rows[0]["balance_after"] == rows[0]["amount"]
    assert all(before["balance_after"] + row["amount"] == row["balance_after"] for before, row in pairwise(rows))


async def at_once(stage: Stage, *works: Callable[[Desk], Awaitable[object]]) -> list[Failure | None]:
    """Do each work in a transaction of its own, all at the same time; returns what each was refused with."""

    async def do(work: Callable[[Desk], Awaitable[object]]) -> Failure | None:
        async with stage.desk() as desk:
            try:
                await work(desk)
                await desk.uow.commit()
            except Failure as refusal:
                return refusal
        return None

    return await asyncio.gather(*(do(work) for work in works))


def holding(user: User, image: GeneratedImage) -> Callable[[Desk], Awaitable[None]]:
    return lambda desk: desk.holds.place(user.id, image.views)


async def test_fifty_requests_on_one_credit_get_it_once(stage: Stage) -> None:
    """49 are refused, and nothing of theirs is reserved."""
    user = await stage.user(credits_=1)
    style, upload = await stage.style(), await stage.upload(user)
    images = [await stage.image(user, style=style, upload=upload) for _ in range(50)]
    outcomes = await at_once(stage, *(holding(user, image) for image in images))
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes if outcome} == {InsufficientCredits}
    assert await stage.sums(user) == (1, 1)
    assert await stage.database.fetchval("SELECT count(*) FROM holds") == 1
    assert (await stage.audit()).differences == []


async def test_two_at_once_share_what_there_is(stage: Stage) -> None:
    """Three views and two are asked for, four credits are there: one of the two requests gets its whole price."""
    user = await stage.user(credits_=4)
    larger = await stage.image(user, View.LEFT, View.RIGHT)
    smaller = await stage.image(user, View.LEFT)
    outcomes = await at_once(stage, holding(user, larger), holding(user, smaller))
    assert outcomes.count(None) == 1
    assert (await stage.sums(user))[1] == (3 if outcomes[0] is None else 2)


@pytest.mark.parametrize("turn", range(5))
async def test_posting_and_voiding_at_once_is_one_of_them(stage: Stage, turn: int) -> None:
    """A finishing worker and the sweeper meet: spent or given back, and the books agree."""
    user = await stage.user(credits_=1)
    image = await stage.image(user, held=True)
    view = image.front
    works = [lambda desk: desk.holds.post(view), lambda desk: desk.holds.void(view)] * (turn + 1)
    assert await at_once(stage, *works) == [None] * len(works)
    status = await stage.database.fetchval("SELECT status FROM holds WHERE view_id = $1", view.id)
    assert await stage.sums(user) == ((0, 0) if status == "POSTED" else (1, 0))
    spends = await stage.database.fetchval("SELECT count(*) FROM ledger_entries WHERE cause = 'spend'")
    assert spends == (1 if status == "POSTED" else 0)
    assert (await stage.audit()).differences == []


async def test_one_payment_that_is_told_twenty_times_at_once_is_one_entry(stage: Stage) -> None:
    user = await stage.user()
    told = []

    async def tell(desk: Desk) -> None:
        told.append(await desk.accounts.record(user.id, 10, Cause.PURCHASE, natural_key="payment:1"))

    assert await at_once(stage, *[tell] * 20) == [None] * 20
    assert told.count(True) == 1
    assert await stage.sums(user) == (10, 0)
    await every_balance_follows_from_the_entry_before(stage, user)


async def test_entries_stand_in_the_order_of_their_balances(stage: Stage) -> None:
    """Purchases, spends and refunds of one customer all at once: each balance is the one before plus its amount."""
    user = await stage.user(credits_=20)
    style, upload = await stage.style(), await stage.upload(user)
    images = [await stage.image(user, View.BACK, style=style, upload=upload, held=True) for _ in range(6)]

    def recording(number: int) -> Callable[[Desk], Awaitable[bool]]:
        amount, cause = (7, Cause.PURCHASE) if number % 2 else (-2, Cause.REFUND)
        return lambda desk: desk.accounts.record(user.id, amount, cause, natural_key=f"entry:{number}")

    def posting(image: GeneratedImage) -> Callable[[Desk], Awaitable[None]]:
        async def post(desk: Desk) -> None:
            for view in image.views:
                await desk.holds.post(view)

        return post

    works = [*(posting(image) for image in images), *(recording(number) for number in range(12))]
    assert await at_once(stage, *works) == [None] * len(works)
    assert await stage.sums(user) == (20 - 12 + 6 * 7 - 6 * 2, 0)
    await every_balance_follows_from_the_entry_before(stage, user)
    assert (await stage.audit()).differences == []


async def test_a_grant_under_way_keeps_nobody_waiting_who_only_refers_to_the_user(stage: Stage) -> None:
    """A customer uploads and signs in while an operator's transaction is still open."""
    user = await stage.user()
    async with stage.desk() as desk:
        await desk.accounts.record(user.id, 1, Cause.GRANT, natural_key="slow")
        async with asyncio.timeout(10):
            await stage.upload(user)
            await stage.session_of(user)
        await desk.uow.commit()


async def test_the_audit_counts_what_it_has_seen(stage: Stage) -> None:
    user = await stage.user(credits_=5)
    await stage.user()
    image = await stage.image(user, View.LEFT, held=True)
    async with stage.desk() as desk:
        await desk.holds.post(image.front)
        await desk.uow.commit()
    await stage.database.execute("UPDATE views SET status = 'COMPLETED', attempt = 1 WHERE id = $1", image.front.id)
    audit = await stage.audit()
    assert (audit.accounts, audit.entries, audit.open_holds, audit.balanced) == (2, 2, 1, True)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE users SET credits = credits + 1",
        "UPDATE users SET credits_held = credits_held + 1",
        ENTRY_BY_HAND,
        "UPDATE holds SET status = 'VOIDED'",
        "UPDATE holds SET amount = 2",
        "DELETE FROM holds",
    ],
)
async def test_the_audit_names_the_account_whose_sums_do_not_add_up(stage: Stage, tampering: str) -> None:
    user = await stage.user(credits_=5)
    await stage.image(user, held=True)
    await stage.user()
    assert (await stage.audit()).balanced
    await stage.database.execute(tampering)
    audit = await stage.audit()
    assert user.id in {difference.user_id for difference in audit.differences}
    assert not audit.balanced


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
async def test_the_audit_names_the_view_whose_hold_does_not_fit(stage: Stage, status: Status) -> None:
    """A view that has ended while its hold is still pending: somebody lost a credit, or got a picture for nothing."""
    user = await stage.user(credits_=5)
    image = await stage.image(user, View.LEFT, held=True)
    side = image.render(View.LEFT)
    await stage.database.execute("UPDATE views SET status = $1 WHERE id = $2", status, side.id)
    audit = await stage.audit()
    assert (audit.holds_out_of_step, audit.differences, audit.balanced) == ([side.id], [], False)


async def test_a_view_without_a_hold_is_named(stage: Stage) -> None:
    image = await stage.image(await stage.user())
    assert (await stage.audit()).holds_out_of_step == [image.front.id]


@pytest.mark.parametrize(
    "nonsense",
    [
        "UPDATE users SET credits_held = -1",
        "UPDATE users SET credits_frozen = -1",
        "UPDATE holds SET amount = 0",
        "UPDATE holds SET status = 'SPENT'",
        ENTRY_OF_NOTHING,
        ENTRY_AGAIN,
        "INSERT INTO holds SELECT * FROM holds",
    ],
)
async def test_the_database_itself_refuses_nonsense(stage: Stage, nonsense: str) -> None:
    """Whoever writes it, and however."""
    await stage.image(await stage.user(credits_=5), held=True)
    with pytest.raises(Exception, match=r"violates (check|unique) constraint"):
        await stage.database.execute(nonsense)


@pytest.mark.parametrize(
    "change", ["UPDATE ledger_entries SET amount = 9", "DELETE FROM ledger_entries", "TRUNCATE ledger_entries"]
)
async def test_what_was_entered_stays_as_it_was(stage: Stage, change: str) -> None:
    """Not even whoever has the database's password corrects an entry: a mistake is healed by another entry."""
    await stage.user(credits_=5)
    with pytest.raises(Exception, match="never changed or removed"):
        await stage.database.execute(change)
