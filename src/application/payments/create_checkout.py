from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.payments.ports import Checkout, CheckoutOrder, PaymentProvider, TransactionRepository
from application.ports import IdempotencyKeys, IdempotentRequest, UnitOfWork
from application.users.account import claim_account
from domain.errors import Conflict, Throttled, Unavailable
from domain.transactions import Offer, Transaction
from domain.users import User

MOST_UNPAID = 20
"""Orders of one customer within a day. The provider is asked about each, dozens of times, and answers only so often."""
_A_DAY = timedelta(days=1)
_RETRY_AFTER = 5.0


class CreateCheckout(Struct, frozen=True, forbid_unknown_fields=True):
    credits_amount: Annotated[int, Meta(ge=1, le=1000)]


class CheckoutCreated(Struct, frozen=True):
    checkout_url: str
    session_id: str
    transaction_id: int


class _Ordered(Struct, frozen=True):
    """What is kept for a key: the order, from before its checkout is opened, so that a crash leaves it to be found."""

    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCheckoutHandler:
    """Order credits, and open a checkout at the provider where they are paid.

    The order is kept first, then the checkout opened, then noted: whoever dies in between leaves an order that nobody
    can pay, and the same key opens it again. Visiting the checkout, or coming back from it, grants nothing.
    """

    users: UserRepository
    transactions: TransactionRepository
    provider: PaymentProvider
    offer: Offer
    idempotency: IdempotencyKeys
    uow: UnitOfWork

    async def __call__(self, command: CreateCheckout, actor: Actor, key: str | None = None) -> CheckoutCreated:
        owner = actor.require_user()
        request = IdempotentRequest.of(owner, "create_checkout", key, command.credits_amount)
        kept = await self.idempotency.replay(request, _Ordered)
        # A purchase is kept from others before its owner's account is: in the order of the books.
        ordered = await self._ordered_before(kept) if kept else None
        user = await claim_account(self.users, owner)
        transaction = ordered or await self._order(owner, command, request)
        if transaction.session_id is not None and transaction.checkout_url is not None:
            await self.uow.commit()
            return CheckoutCreated(transaction.checkout_url, transaction.session_id, transaction.id)
        order = _order_of(transaction, user)
        await self.uow.commit()
        checkout = await self._open(order)
        await self._note(order.transaction_id, checkout)
        if checkout is None:
            raise Unavailable(
                "payment_provider_unavailable", "The checkout cannot be opened right now.", retry_after=_RETRY_AFTER
            )
        return CheckoutCreated(checkout.url, checkout.session_id, order.transaction_id)

    async def _order(self, owner: int, command: CreateCheckout, request: IdempotentRequest | None) -> Transaction:
        now = await self.uow.now()
        if await self.transactions.unpaid(owner, since=now - _A_DAY) >= MOST_UNPAID:
            raise Throttled(
                "rate_limited", "There are too many orders that have not been paid.", retry_after=_A_DAY.total_seconds()
            )
        transaction = Transaction.order(owner, command.credits_amount, self.offer, now)
        await self.transactions.add(transaction)
        await self.idempotency.keep(request, _Ordered(transaction.id))
        return transaction

    async def _ordered_before(self, kept: _Ordered) -> Transaction:
        transaction = await self.transactions.claim(kept.transaction_id)
        now = await self.uow.now()
        if transaction is None or transaction.being_opened(now):
            raise Conflict("idempotency_in_progress", "A request with this key is being worked on.")
        if transaction.session_id is None:
            transaction.open_again(now)
        return transaction

    async def _open(self, order: CheckoutOrder) -> Checkout | None:
        try:
            return await self.provider.open_checkout(order)
        except Unavailable:
            return None

    async def _note(self, transaction_id: int, checkout: Checkout | None) -> None:
        transaction = await self.transactions.claim(transaction_id)
        if transaction is not None:
            if checkout is None:
                transaction.not_opened()
            else:
                transaction.opened(checkout.session_id, checkout.url, await self.uow.now())
        await self.uow.commit()


def _order_of(transaction: Transaction, user: User) -> CheckoutOrder:
    return CheckoutOrder(
        transaction_id=transaction.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        product_id=transaction.product_id,
        quantity=transaction.credits,
        currency=transaction.price_currency,
    )
