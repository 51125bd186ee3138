"""What is never asked of Dodo, whatever it answers."""

import pytest

from domain.errors import Unavailable
from infrastructure.dodo import DodoPayments
from tests.misbehaving import MisbehavingServer, answer

REFUND = {"refund_id": "ref_1", "payment_id": "pay_1", "amount": 250, "currency": "USD", "status": "pending"}


async def test_a_part_of_nothing_is_not_refunded() -> None:
    """A refund that names no line of the invoice is one of all of it: with no line to name, none is asked for."""
    async with MisbehavingServer(answer(200, {"items": []}), answer(200, REFUND)) as server:
        dodo = DodoPayments(base_url=server.url, api_key="key", return_url="/", cancel_url="/")
        with pytest.raises(Unavailable):
            await dodo.refund("pay_1", amount=250, reason="sorry")
        await dodo.aclose()
    assert [request.split(b" ")[:2] for request in server.requests] == [[b"GET", b"/payments/pay_1/line-items"]]
