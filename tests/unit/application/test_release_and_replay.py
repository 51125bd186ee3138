"""Operators' judgement: a quarantined payment is credited once, and an event entered anew does nothing twice."""

import pytest

from application.actor import Actor
from application.payments.ports import Finding, Verdict
from application.payments.release_payment import PaymentReleased, ReleasePayment
from application.payments.replay_event import ReplayEvent
from domain.credits import Cause
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.transactions import Mismatch
from tests.counter import ROOT
from tests.in_memory import AuditNote
from tests.unit.application.reception import WORKER
from tests.unit.application.till import Till


async def release(till: Till, event_id: int, *, reason: str = "old price", by: Actor = ROOT) -> PaymentReleased:
    return await till.request(till.counter.release(ReleasePayment(event_id, reason), by))


async def replay(till: Till, event_id: int, *, by: Actor = ROOT) -> Finding:
    return await till.request(till.counter.replay(ReplayEvent(event_id), by))


async def quarantined() -> tuple[Till, int, str]:
    """Ten credits were ordered and too little was paid, which is event 1."""
    till = await Till.opened()
    return till, *await till.buy(10, total=900)


async def test_what_was_ordered_is_granted_whatever_was_paid() -> None:
    """Who said so and why is noted."""
    till, purchase, payment_id = await quarantined()
    assert await release(till, 1) == PaymentReleased(1, purchase, 10)
    assert till.credits() == [(10, Cause.PURCHASE)]
    assert (till.purchase(purchase).status, till.purchase(purchase).amount) == ("SUCCEEDED", 900)
    details = {"transaction": purchase, "payment": payment_id, "credits": 10}
    assert till.audit.kept == [AuditNote("root", "payment.release", "event:1", "old price", details)]


async def test_a_released_payment_is_released_once_and_its_refund_takes_its_share_of_what_was_paid() -> None:
    till, _, payment_id = await quarantined()
    await release(till, 1)
    with pytest.raises(Conflict, match="not quarantined"):
        await release(till, 1)
    with pytest.raises(Conflict):
        await replay(till, 1)
    await till.hear(till.news(payment_id))
    await till.hear(till.seller.return_money(payment_id, 450))
    assert till.credits() == [(10, Cause.PURCHASE), (-5, Cause.REFUND)]


async def test_one_payment_that_was_quarantined_twice_is_credited_once() -> None:
    """By webhook and by the reconciler, or under two ids."""
    till, purchase, payment_id = await quarantined()
    await till.hear(till.news(payment_id))
    await till.reconcile(purchase)
    await release(till, 2)
    for other in (1, 3):
        with pytest.raises(Conflict, match="credited before"):
            await release(till, other)
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_an_order_that_was_paid_meanwhile_is_not_credited_again() -> None:
    till = await Till.opened()
    order = await till.order(10)
    await till.pay(order, total=900)
    await till.pay(order)
    with pytest.raises(Conflict, match="credited before"):
        await release(till, 1)
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_what_was_refunded_before_it_was_released_grants_nothing_in_the_end() -> None:
    till, _, payment_id = await quarantined()
    await till.hear(till.seller.return_money(payment_id))
    await release(till, 1)
    assert await till.balance() == (0, 0, 0)


async def test_who_dies_while_releasing_has_released_nothing() -> None:
    till, _, _ = await quarantined()
    till.uow.dies_in = 1
    with pytest.raises(ConnectionError):
        await release(till, 1)
    assert (till.credits(), till.audit.kept) == ([], [])
    await release(till, 1)
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_only_a_payment_of_an_order_of_ours_is_released() -> None:
    till = await Till.opened()
    await till.hear(None, readable=False)
    await till.pay(await till.order(), session_id=None, ordered=None)
    _, payment_id = await till.buy()
    for event_id in (1, 2):
        with pytest.raises(Conflict, match="names no purchase"):
            await release(till, event_id)
    with pytest.raises(Conflict, match="not quarantined"):
        await release(till, 3)
    with pytest.raises(NotFound):
        await release(till, 4)
    assert till.credits() == [(10, Cause.PURCHASE)]
    assert payment_id == "pay_4"


@pytest.mark.parametrize("reason", ["", " \n"])
async def test_no_reason_no_release(reason: str) -> None:
    till, _, _ = await quarantined()
    with pytest.raises(Invalid):
        await release(till, 1, reason=reason)
    assert till.credits() == []


async def test_an_event_entered_anew_does_nothing_twice() -> None:
    till = await Till.opened()
    bought, payment_id = await till.buy(10)
    await till.hear(till.seller.return_money(payment_id, 100))
    for event_id in (2, 1, 2):
        assert await replay(till, event_id) == Finding(Verdict.APPLIED, transaction_id=bought)
    assert till.credits() == [(10, Cause.PURCHASE), (-1, Cause.REFUND)]
    assert [note.action for note in till.audit.kept] == ["payment.replay"] * 3


async def test_an_event_is_judged_as_things_stand_now() -> None:
    """What was quarantined for its price is credited once the price of the order is put right."""
    till, purchase, _ = await quarantined()
    assert (await replay(till, 1)).reason is Mismatch.AMOUNT_TOO_LOW
    order = await till.transactions.claim(purchase)
    assert order is not None
    order.price = 90
    await till.uow.commit()
    assert (await replay(till, 1)).verdict is Verdict.APPLIED
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_there_is_nothing_to_replay_of_what_says_nothing() -> None:
    till = await Till.opened()
    await till.hear(None)
    with pytest.raises(Conflict, match="nothing to replay"):
        await replay(till, 1)
    with pytest.raises(NotFound):
        await replay(till, 2)


@pytest.mark.parametrize("actor", [WORKER, Actor.user(1, session_id=1)], ids=["worker", "customer"])
async def test_only_operators_judge(actor: Actor) -> None:
    till, _, _ = await quarantined()
    with pytest.raises(Forbidden):
        await release(till, 1, by=actor)
    with pytest.raises(Forbidden):
        await replay(till, 1, by=actor)
    assert till.credits() == []
