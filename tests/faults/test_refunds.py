"""The money's way back: credits go with it, once, in whatever order the news come, and whoever dies on the way."""

import itertools
import random
from collections.abc import Sequence

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig
from tests.faults.shop import Credits, Shop


async def test_a_refund_told_before_its_payment_takes_effect_with_it(rig: Rig, shop: Shop) -> None:
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-7):
        await rig.dodo.settings(webhooks="held")
        order = await shop.order(10)
        payment_id = await rig.dodo.pay(order.session_id)
        await rig.dodo.return_money(payment_id, 300)
        async with shop.customer.charged(0):
            await rig.dodo.release((await rig.dodo.event(payment_id, "refund.succeeded")).id)
            assert (await shop.purchase(order.transaction_id)).status == "PENDING"
        await rig.dodo.release((await rig.dodo.event(payment_id)).id)
        assert (await shop.purchase(order.transaction_id)).status == "PARTIALLY_REFUNDED"


@pytest.mark.exhaustive
async def test_what_was_paid_stays_paid_whatever_older_news_come_after(rig: Rig, shop: Shop) -> None:
    """A first attempt is declined, a second succeeds; that the first failed is told last of all."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-10):
        order = await shop.order(10)
        payment_id = await rig.dodo.pay(order.session_id, "processing")
        for status, shown in (("processing", "PROCESSING"), ("failed", "FAILED"), ("cancelled", "CANCELLED")):
            await rig.dodo.change_payment(payment_id, status)
            await rig.dodo.told(payment_id)
            assert (await shop.purchase(order.transaction_id)).status == shown
        for status in ("succeeded", "failed", "cancelled", "processing"):
            await rig.dodo.change_payment(payment_id, status)
            await rig.dodo.told(payment_id)
            assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"


async def test_three_partial_refunds_take_all_and_never_more(rig: Rig, shop: Shop) -> None:
    """Each its share, rounded up; a refund that failed takes nothing, and none that is told twice counts twice."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(0):
        before = (await shop.credits()).credits
        transaction_id, payment_id = await shop.buy(10)
        left = []
        for amount in (333, 333, 334):
            await rig.dodo.return_money(payment_id, amount, "failed")
            await rig.dodo.return_money(payment_id, amount)
            await rig.dodo.told(payment_id)
            latest = await rig.dodo.event(payment_id, "refund.succeeded")
            await rig.dodo.resend(latest.id, copies=3)
            await rig.dodo.resend(latest.id, new_id=True)
            left.append((await shop.credits()).credits - before)
        assert left == [6, 3, 0]
        assert (await shop.purchase(transaction_id)).status == "REFUNDED"


async def test_a_refund_of_spent_credits_leaves_a_debt_that_the_next_purchase_heals(
    rig: Rig, newcomer: Customer
) -> None:
    """Below zero nothing can be spent, and what is bought then pays the debt first."""
    rig.provider.expect(creates=6)
    shop = Shop(newcomer, rig.dodo)
    _, payment_id = await shop.buy(2)
    for views in (("front", "right", "left", "back"), ("front",)):
        assert (await newcomer.outcome(await newcomer.generate(*views))).status == "COMPLETED"
    await rig.dodo.return_money(payment_id)
    await rig.dodo.told(payment_id)
    assert await shop.credits() == Credits(-2, 0, -2)
    assert (await newcomer.ask()).status_code == 402
    await shop.buy(2)
    assert (await newcomer.ask()).status_code == 402
    await shop.buy(1)
    assert (await newcomer.outcome(await newcomer.generate())).status == "COMPLETED"
    assert await shop.credits() == Credits(0, 0, 0)


async def test_a_dispute_freezes_what_was_granted_until_it_is_decided(rig: Rig, newcomer: Customer) -> None:
    """Won: free again. Lost: taken. Repeated, also the older after the newer: nothing more happens."""
    rig.provider.expect(creates=0)
    rig.expect_alerts("payment_disputed", "payment_disputed")
    shop = Shop(newcomer, rig.dodo)
    for end, left in (("won", Credits(13, 0, 13)), ("lost", Credits(13, 0, 13))):
        before = await shop.credits()
        transaction_id, payment_id = await shop.buy(10)
        dispute_id = await rig.dodo.dispute(payment_id)
        await rig.dodo.change_dispute(dispute_id, "challenged")
        await rig.dodo.told(payment_id)
        frozen = Credits(before.credits + 10, 10, before.credits_available)
        assert await shop.credits() == frozen
        assert (await shop.purchase(transaction_id)).status == "DISPUTED"
        await rig.dodo.resend((await rig.dodo.event(payment_id, "dispute.opened")).id, new_id=True, copies=3)
        assert await shop.credits() == frozen
        if before.credits_available < 4:
            assert (await newcomer.ask("front", "right", "left", "back")).status_code == 402
        await rig.dodo.change_dispute(dispute_id, end)
        await rig.dodo.told(payment_id)
        for kind in (f"dispute.{end}", "dispute.opened", "dispute.challenged"):
            await rig.dodo.resend((await rig.dodo.event(payment_id, kind)).id, new_id=True, copies=3)
        assert await shop.credits() == left
        assert (await shop.purchase(transaction_id)).status == ("DISPUTED" if end == "lost" else "SUCCEEDED")


Story = tuple[Sequence[str], int, str]
"""What happens to a payment of ten credits, what is left of them, and what the purchase is called in the end."""
STORIES: dict[str, Story] = {
    "refunded in part, a dispute won": (("succeeded", "refund", "dispute", "won"), 7, "PARTIALLY_REFUNDED"),
    "declined at first, refunded in part": (("failed", "succeeded", "refund", "refund"), 5, "PARTIALLY_REFUNDED"),
    "refunded in part, a dispute lost": (("succeeded", "refund", "dispute", "lost"), 0, "DISPUTED"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
async def test_any_order_and_repetition_of_the_same_news_ends_in_the_same_balance(
    rig: Rig, shop: Shop, story: Story
) -> None:
    """Every permutation of a story, each event once or twice."""
    rig.provider.expect(creates=0)
    steps, left, status = story
    dice = random.Random(7)
    orders = list(itertools.permutations(range(len(steps))))
    disputes = 0
    async with shop.customer.charged(-left * len(orders)):
        for places in orders:
            before = await shop.credits()
            await rig.dodo.settings(webhooks="held")
            order = await shop.order(10)
            payment_id = await befall(rig, order.session_id, steps)
            events = [event.id for event in await rig.dodo.events(payment_id)]
            await rig.dodo.release(*(events[place] for place in places for _ in range(dice.choice((1, 2)))))
            after = await shop.credits()
            assert (after.credits - before.credits, after.credits_frozen) == (left, 0), places
            assert (await shop.purchase(order.transaction_id)).status == status, places
            opened = steps.index("dispute") if "dispute" in steps else None
            disputes += opened is not None and places.index(opened) < places.index(opened + 1)
    rig.expect_alerts(*["payment_disputed"] * disputes)


async def befall(rig: Rig, session_id: str, steps: Sequence[str]) -> str:
    """Have all of it happen to a payment, an event each; returns the payment's id."""
    payment_id = await rig.dodo.pay(session_id, steps[0])
    dispute_id = ""
    for step in steps[1:]:
        if step == "refund":
            await rig.dodo.return_money(payment_id, 250)
        elif step == "dispute":
            dispute_id = await rig.dodo.dispute(payment_id)
        elif dispute_id:
            await rig.dodo.change_dispute(dispute_id, step)
        else:
            await rig.dodo.change_payment(payment_id, step)
    return payment_id


@pytest.mark.parametrize("reports", [True, pytest.param(False, marks=pytest.mark.exhaustive)])
async def test_an_operators_refund_killed_midway_sends_money_back_once(
    rig: Rig, shop: Shop, database: asyncpg.Connection, reports: bool
) -> None:
    """The provider has done it, and nobody noted it: asking again finds that out instead of paying twice."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(0):
        transaction_id, payment_id = await shop.buy(10)
        if not reports:
            await rig.dodo.settings(webhooks="never")
        await rig.dodo.script({"on": "create_refund", "processed": True, "hang": 60})
        command = ("payment", "refund", str(transaction_id), "--reason", "bad pictures", "--yes")
        operator = rig.begin_hairtryon(*command)

        async def is_made() -> bool:
            return await rig.dodo.money_returned(payment_id) == 1000

        await eventually(is_made)
        operator.kill()
        again = rig.try_hairtryon(*command)
        assert (again.returncode, "is being asked for" in again.stderr) == (4, True)
        await database.execute("UPDATE transactions SET refunding_until = now() WHERE id = $1", transaction_id)
        if not reports:
            found = rig.try_hairtryon(*command)
            assert (found.returncode, "look again" in found.stderr) == (4, True)
        await rig.dodo.told(payment_id)
        await shop.becomes(transaction_id, "REFUNDED")
        refused = rig.try_hairtryon(*command)
        assert (refused.returncode, "already been refunded" in refused.stderr) == (4, True)
        assert await rig.dodo.money_returned(payment_id) == 1000
