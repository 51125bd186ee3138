"""Two who deal with one purchase at the same moment, each held at the worst place."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from application.actor import Actor
from application.payments.create_checkout import CheckoutCreated, CreateCheckout
from application.payments.ports import PaymentEvent
from application.payments.refund_purchase import RefundPurchase
from domain.users import Role, User
from infrastructure.database.erasure import SqlPersonalRecords
from tests.counter import Counter, message, news_of
from tests.integration.database.clerks import Clerk, State, clerk
from tests.integration.database.stage import Desk, Stage
from tests.selling import FakePaymentProvider


@pytest.fixture
def seller() -> FakePaymentProvider:
    return FakePaymentProvider()


@pytest.fixture
async def first(stage: Stage, seller: FakePaymentProvider) -> AsyncIterator[Clerk]:
    async with clerk(stage, seller) as made:
        yield made


@pytest.fixture
async def second(stage: Stage, seller: FakePaymentProvider) -> AsyncIterator[Clerk]:
    async with clerk(stage, seller) as made:
        yield made


def succeeded(seller: FakePaymentProvider, payment_id: str) -> PaymentEvent:
    return message(news_of(seller.payments[payment_id]), "evt_1")


async def ordered(worker: Clerk, user: User, key: str | None = None) -> CheckoutCreated:
    """An order of ten credits."""
    customer = Actor.user(user.id, session_id=1)
    await worker.begin(lambda counter, _: counter.checkout(CreateCheckout(10), customer, key))
    return cast(CheckoutCreated, await worker.finish())


async def bought(worker: Clerk, seller: FakePaymentProvider, user: User) -> int:
    """Ten credits, ordered and paid; returns the purchase's id."""
    order = await ordered(worker, user)
    event = succeeded(seller, seller.pay(order.session_id))
    await worker.begin(lambda counter, _: counter.hear(event))
    await worker.finish()
    return order.transaction_id


async def test_asking_for_a_checkout_again_while_it_is_paid_ends_well_for_both(
    stage: Stage, seller: FakePaymentProvider, first: Clerk, second: Clerk
) -> None:
    """The webhook has the purchase and comes for the account: the customer, who comes for both, has not taken it."""
    user = await stage.user()
    order = await ordered(first, user, "once")
    event = succeeded(seller, seller.pay(order.session_id))

    async def hear_slowly(counter: Counter, desk: Desk) -> None:
        await desk.transactions.claim(order.transaction_id)
        await first.hold()
        await counter.hear(event)

    await first.begin(hear_slowly)
    customer = Actor.user(user.id, session_id=1)
    await second.begin(lambda counter, _: counter.checkout(CreateCheckout(10), customer, "once"))
    assert second.state is State.WAITING
    await first.finish()
    assert await second.finish() == order
    assert await stage.sums(user) == (10, 0)
    assert len(seller.orders) == 1


async def test_a_refund_that_is_asked_for_twice_under_one_key_is_made_once(
    stage: Stage, seller: FakePaymentProvider, first: Clerk, second: Clerk
) -> None:
    """The second comes just as the first is about to be noted: it waits, and is told what became of the first."""
    admin = await stage.user(role=Role.ADMIN)
    bought_id = await bought(first, seller, await stage.user())
    actor = Actor.user(admin.id, session_id=1, role=Role.ADMIN)

    async def refund(counter: Counter, _: Desk) -> object:
        return await counter.refund(RefundPurchase("sorry", 300), actor, transaction_id=bought_id, key="once")

    await first.begin(refund)
    while not seller.refunds_asked:
        await first.let()
    await second.begin(refund)
    assert second.state is State.WAITING
    noted = await first.finish()
    assert await second.finish() == noted
    assert len(seller.refunds_asked) == 1


async def test_erasing_a_payer_while_their_purchase_is_looked_at_ends_well_for_both(
    stage: Stage, seller: FakePaymentProvider, first: Clerk, second: Clerk
) -> None:
    """Whoever asks the provider has the purchase, and keeps its answer; who erases waits, and has nothing of that."""
    user = await stage.user()
    order = await ordered(first, user)
    event = succeeded(seller, seller.pay(order.session_id, total=1))
    await first.begin(lambda counter, _: counter.hear(event))
    await first.finish()

    async def keep_slowly(_: Counter, desk: Desk) -> object:
        await desk.transactions.claim(order.transaction_id)
        await first.hold()
        return await desk.events.add(event)

    async def forget(_: Counter, desk: Desk) -> None:
        await SqlPersonalRecords(desk.session).forget_works(user.id)

    await first.begin(keep_slowly)
    await second.begin(forget)
    assert second.state is State.WAITING
    assert await first.finish() is None, "it had come before"
    await second.finish()
