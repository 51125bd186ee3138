from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.payments.bookkeeping import Bookkeeping
from application.payments.one_purchase import claim_purchase
from application.payments.ports import PaymentProvider, PaymentRepository, RefundReport, TransactionRepository
from application.ports import IdempotencyKeys, IdempotentRequest, UnitOfWork
from domain.errors import Conflict, Failure
from domain.payments import RefundStatus

LARGEST_AMOUNT = 2**53 - 1


class RefundPurchase(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason
    amount: Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT)] | None = None
    """Minor units of what was paid; None: all that is left of it."""


class RefundAsked(Struct, frozen=True):
    transaction_id: int
    refund_id: str
    amount: int
    currency: str
    status: RefundStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPurchaseHandler:
    """Have the provider give a customer's money back. The credits follow when it says that it has.

    A refund has no idempotency key at the provider. So one is asked for at a time, and none while the provider knows
    of one that is not in our books: whoever asked for it may have died before noting it. It is entered, and the
    operator looks again. Where no answer came, the refund may be on its way: others stay out until it would be seen.
    """

    transactions: TransactionRepository
    payments: PaymentRepository
    provider: PaymentProvider
    books: Bookkeeping
    idempotency: IdempotencyKeys
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(
        self, command: RefundPurchase, actor: Actor, *, transaction_id: int, key: str | None = None
    ) -> RefundAsked:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        request = (
            IdempotentRequest.of(actor.user_id, "refund", key, transaction_id, command.amount, reason)
            if actor.user_id is not None
            else None
        )
        transaction = await claim_purchase(self.transactions, transaction_id)
        # Looked up only now: who waited for the same request to end must see what it answered.
        if kept := await self.idempotency.replay(request, RefundAsked):
            return kept
        payment_id = transaction.begin_refund(await self.uow.now())
        await self.uow.commit()
        try:
            await self._require_no_news(payment_id)
        except Failure:
            await self._end(transaction_id)
            raise
        try:
            refund = await self.provider.refund(payment_id, amount=command.amount, reason=reason)
        except Conflict:
            await self._end(transaction_id)
            raise
        asked = RefundAsked(transaction_id, refund.refund_id, refund.amount, refund.currency, refund.status)
        await self.books.enter(refund)
        (await claim_purchase(self.transactions, transaction_id)).end_refund()
        await self.audit.note(
            operator,
            "payment.refund",
            f"transaction:{transaction_id}",
            reason=reason,
            details={"refund": refund.refund_id, "amount": refund.amount, "currency": refund.currency},
        )
        await self.idempotency.keep(request, asked)
        await self.uow.commit()
        return asked

    async def _require_no_news(self, payment_id: str) -> None:
        state = await self.provider.payment(payment_id)
        payment = await self.payments.claim(payment_id)
        known = {refund.id for refund in payment.refunds}
        news: list[RefundReport] = (
            [refund for refund in state.refunds if refund.refund_id not in known] if state else []
        )
        for refund in news:
            await self.books.enter(refund)
        await self.uow.commit()
        if state and state.unreadable:
            raise Conflict("conflict", "The provider says something of this payment that cannot be read: look there.")
        if news:
            raise Conflict("conflict", "The provider knows of a refund that was not noted here. It is now: look again.")

    async def _end(self, transaction_id: int) -> None:
        await self.uow.rollback()
        (await claim_purchase(self.transactions, transaction_id)).end_refund()
        await self.uow.commit()
