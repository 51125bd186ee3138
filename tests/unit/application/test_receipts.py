"""Mails about purchases: what a customer is told, once, and who is told nothing."""

from application.events import CreditsPurchased, PurchaseRefunded
from tests.unit.application.reception import WORKER
from tests.unit.application.till import Till


async def deliver(till: Till) -> list[str]:
    """Send what was announced, as the worker does; the texts of all mails so far."""
    for event in till.outbox.events:
        if isinstance(event, CreditsPurchased):
            await till.request(till.send_receipt(event, WORKER))
        elif isinstance(event, PurchaseRefunded):
            await till.request(till.send_notice(event, WORKER))
    return [mail.text for mail in till.mailer.sent.values()]


async def test_a_purchase_is_confirmed_with_what_was_paid() -> None:
    """Tax and currency as they were, once however often it is sent."""
    till = await Till.opened()
    await till.buy(10, total=1190, tax=190)
    for _ in range(2):
        (text,) = await deliver(till)
    assert "11.90 USD for 10 credits" in text
    (mail,) = till.mailer.sent.values()
    assert mail.to == till.ada.email


async def test_a_refund_is_told_with_the_credits_that_went() -> None:
    till = await Till.opened()
    _, payment_id = await till.buy(10)
    await till.hear(till.seller.return_money(payment_id, 250))
    for _ in range(2):
        _, notice = await deliver(till)
    assert "2.50 USD" in notice
    assert "Of its 10 credits, 3 have been taken back" in notice


async def test_a_refund_that_came_first_is_told_when_its_payment_comes() -> None:
    """The customer has money back for credits that are not there: both are said."""
    till = await Till.opened()
    payment_id = till.seller.pay((await till.order(10)).session_id)
    await till.hear(till.seller.return_money(payment_id, 250))
    assert await deliver(till) == []
    await till.hear(till.news(payment_id))
    assert len(await deliver(till)) == 2


async def test_whoever_has_gone_is_told_nothing() -> None:
    till = await Till.opened()
    _, payment_id = await till.buy(10)
    await till.hear(till.seller.return_money(payment_id, 250))
    till.ada.erase(till.uow.time)
    assert await deliver(till) == []
