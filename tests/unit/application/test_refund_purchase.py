"""Giving money back: asked for once, never twice by mistake, and the credits follow the money."""

import pytest
from msgspec.structs import replace

from application.actor import Actor
from application.payments.refund_purchase import RefundPurchase
from domain.credits import Cause
from domain.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable, Unprocessable
from domain.payments import RefundStatus
from domain.transactions import CALL_LIFE
from domain.users import Role
from tests.counter import ROOT
from tests.in_memory import AuditNote
from tests.unit.application.reception import WORKER
from tests.unit.application.till import Till

ADMIN = Actor.user(8, session_id=1, role=Role.ADMIN)


async def bought(quantity: int = 10) -> tuple[Till, int, str]:
    till = await Till.opened()
    return till, *await till.buy(quantity)


async def test_credits_follow_when_the_money_has_gone_back() -> None:
    """Asking is not having; who asked, for how much and why, is noted."""
    till, purchase, payment_id = await bought()
    asked = await till.refund(purchase, 250)
    assert (asked.amount, asked.currency, asked.status) == (250, "USD", RefundStatus.PENDING)
    assert await till.balance() == (10, 0, 10)
    till.seller.complete_refunds(payment_id)
    await till.hear(till.seller.payments[payment_id].refunds[0])
    assert till.credits() == [(10, Cause.PURCHASE), (-3, Cause.REFUND)]
    details = {"refund": asked.refund_id, "amount": 250, "currency": "USD"}
    assert till.audit.kept == [AuditNote("root", "payment.refund", f"transaction:{purchase}", "sorry", details)]


async def test_without_an_amount_all_that_is_left_goes_back() -> None:
    till, purchase, payment_id = await bought()
    await till.refund(purchase, 250)
    till.seller.complete_refunds(payment_id)
    assert (await till.refund(purchase)).amount == 750
    till.seller.complete_refunds(payment_id)
    with pytest.raises(Conflict):
        await till.refund(purchase)


async def test_the_same_key_is_the_same_refund() -> None:
    """With another amount, another purchase or another reason it is refused."""
    till, purchase, _ = await bought()
    first = await till.refund(purchase, 250, by=ADMIN, key="once")
    assert await till.refund(purchase, 250, by=ADMIN, key="once") == first
    with pytest.raises(Unprocessable):
        await till.refund(purchase, 300, by=ADMIN, key="once")
    assert len(till.seller.refunds_asked) == 1


async def test_nothing_is_refunded_while_something_cannot_be_read() -> None:
    """It may be a refund that somebody asked for elsewhere."""
    till, purchase, payment_id = await bought()
    unreadable = till.seller.payments[payment_id].unreadable
    unreadable.append(b'{"refund_id": 5}')
    with pytest.raises(Conflict, match="cannot be read"):
        await till.refund(purchase, 250)
    assert till.seller.refunds_asked == []
    unreadable.clear()
    await till.refund(purchase, 250)


async def test_two_operators_at_once_refund_once() -> None:
    till, purchase, _ = await bought()
    refusals: list[str] = []

    async def come_too() -> None:
        till.seller.before_answering = None
        with pytest.raises(Conflict) as refusal:
            await till.refund(purchase, 250)
        refusals.append(refusal.value.code)

    till.seller.before_answering = come_too
    await till.refund(purchase, 250)
    assert refusals == ["idempotency_in_progress"]
    assert len(till.seller.refunds_asked) == 1


@pytest.mark.parametrize("answer", ["seen at once", "seen later"])
async def test_a_refund_that_nobody_noted_is_found_before_another_is_asked_for(answer: str) -> None:
    """The answer was lost, or whoever waited for it died: others stay out until it would be seen, and then look."""
    till, purchase, payment_id = await bought()
    state = till.seller.payments[payment_id]

    async def lose_the_answer() -> None:
        if answer == "seen later":
            till.seller.payments[payment_id] = replace(state, refunds=[])
        raise Unavailable("payment_provider_unavailable", "The payment provider cannot be reached right now.")

    till.seller.before_answering = lose_the_answer
    with pytest.raises(Unavailable):
        await till.refund(purchase, 250)
    till.seller.before_answering = None
    with pytest.raises(Conflict) as refusal:
        await till.refund(purchase, 250)
    assert refusal.value.code == "idempotency_in_progress"
    till.seller.payments[payment_id] = state
    till.uow.pass_time(seconds=CALL_LIFE.total_seconds())
    with pytest.raises(Conflict, match="look again"):
        await till.refund(purchase, 250)
    assert len(till.seller.refunds_asked) == 1
    till.seller.complete_refunds(payment_id)
    await till.refund(purchase, 250)
    assert len(till.seller.refunds_asked) == 2


async def test_what_is_refused_can_be_asked_for_again_at_once() -> None:
    """Nothing is on its way; and while the provider cannot be asked what it knows, nothing is asked for."""
    till, purchase, _ = await bought()
    with pytest.raises(Conflict, match="PAYMENT_ALREADY_REFUNDED"):
        await till.refund(purchase, 1001)
    till.seller.is_away = True
    with pytest.raises(Unavailable):
        await till.refund(purchase, 1000)
    till.seller.is_away = False
    assert (await till.refund(purchase, 1000)).amount == 1000


async def test_only_what_was_paid_is_refunded() -> None:
    till = await Till.opened()
    order = await till.order(10)
    with pytest.raises(Conflict, match="has not been paid"):
        await till.refund(order.transaction_id)
    with pytest.raises(NotFound) as refusal:
        await till.refund(99)
    assert refusal.value.code == "transaction_not_found"
    assert till.seller.refunds_asked == []


async def test_no_reason_no_refund() -> None:
    till, purchase, _ = await bought()
    with pytest.raises(Invalid):
        await till.request(till.counter.refund(RefundPurchase(" \n"), ROOT, transaction_id=purchase))


@pytest.mark.parametrize("actor", [WORKER, Actor.user(1, session_id=1)], ids=["worker", "customer"])
async def test_only_operators_refund(actor: Actor) -> None:
    """Nobody else may, not even of their own."""
    till, purchase, _ = await bought()
    with pytest.raises(Forbidden):
        await till.refund(purchase, by=actor)
    assert till.seller.refunds_asked == []
