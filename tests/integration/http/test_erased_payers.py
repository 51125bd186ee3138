"""A payer who is gone: nothing that the payment provider told of them stays, whatever it told and whenever."""

from typing import Any

import pytest

from tests.factories import RegisterFactory
from tests.integration.http.shop import buy, deliver, order, told
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_deletion import MINUTES, customer, erase
from tests.selling import payment_event, refund_event

PAYER: dict[str, Any] = {"customer": {"customer_id": "cus_1", "email": "payer@example.org", "name": "Pia Payer"}}


async def leave(service: Service, ada: Customer, password: str) -> None:
    """Erase the account, and let the worker do all that follows."""
    assert (await erase(ada.api, password=password)).status_code == 204
    await service.work()
    await service.pass_time(10 * MINUTES)
    await service.work()


async def remembered(service: Service) -> list[str]:
    """Types of the events whose text is still there."""
    rows = await service.database.fetch("SELECT type FROM payment_events WHERE body IS NOT NULL ORDER BY id")
    return [row["type"] for row in rows]


async def test_what_was_told_of_a_payer_goes_with_them(service: Service) -> None:
    """Of a payment that was credited, and of one that was quarantined and then refunded; another's stays."""
    service.expected_alerts = ["payment_quarantined"]
    somebody = RegisterFactory.build()
    ada, bob = await customer(service, somebody), await service.customer(email="bob@example.com")
    _, credited = await buy(service, ada, 10)
    await told(service, refund_event(service.seller.return_money(credited, 100), **PAYER))
    quarantined = service.seller.pay((await order(ada, 10))["session_id"], total=1)
    await told(service, payment_event(service.seller.payments[quarantined].payment, **PAYER))
    await told(service, refund_event(service.seller.return_money(quarantined, 1), **PAYER))
    await buy(service, bob, 10)
    await leave(service, ada, somebody.password)
    assert await remembered(service) == ["payment.succeeded"]
    addresses = await service.database.fetch("SELECT user_id FROM transactions WHERE checkout_url IS NOT NULL")
    assert {row["user_id"] for row in addresses} == {bob.id}


async def test_what_is_told_later_is_not_kept(service: Service) -> None:
    """Nor is what came before the account went, and was known to be theirs only afterwards."""
    service.expected_alerts = ["payment_quarantined", "payment_for_erased_account"]
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    early = service.seller.pay((await order(ada, 10))["session_id"])
    quarantined = service.seller.pay((await order(ada, 10))["session_id"], total=1)
    await told(service, refund_event(service.seller.return_money(early, 100), **PAYER))
    await told(service, payment_event(service.seller.payments[quarantined].payment, **PAYER))
    await leave(service, ada, somebody.password)
    assert await remembered(service) == ["refund.succeeded"]  # of a payment that nobody could know to be theirs
    await told(service, payment_event(service.seller.payments[early].payment, **PAYER))
    await told(service, refund_event(service.seller.return_money(quarantined, 1), **PAYER))
    assert await remembered(service) == []


@pytest.mark.parametrize("kind", ["subscription.active", "abandoned_checkout.detected"])
async def test_what_does_not_concern_us_is_not_kept(service: Service, kind: str) -> None:
    """It names people, and nothing follows from it; that it came is noted."""
    assert (await deliver(service, {"type": kind, "data": PAYER})).status_code == 200
    row = await service.database.fetchrow("SELECT type, verdict, body FROM payment_events")
    assert tuple(row) == (kind, "ignored", None)
