"""One account at Dodo: what is bought from it, paid, paid back and fought about. Every change tells its event."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sandbox.config import SandboxConfig
from sandbox.dodo.cards import Card
from sandbox.dodo.checkouts import CheckoutRequest, Party, Session
from sandbox.dodo.deliveries import Deliveries
from sandbox.dodo.disputes import Dispute, DisputeStatus, Stage
from sandbox.dodo.errors import RefusedError, not_found
from sandbox.dodo.payments import TOLD, Payment, PaymentStatus
from sandbox.dodo.prices import MINIMUM, CartItem, Price, PriceList
from sandbox.dodo.records import Customer, Records, new_id
from sandbox.dodo.refunding import RefundRequest, check_refundable, parts_of, requested_parts, rest_of
from sandbox.dodo.refunds import Refund, RefundStatus
from sandbox.dodo.settings import Settings
from sandbox.script import Outcome
from sandbox.tasks import Tasks

T = TypeVar("T")


class Business:
    """`now` tells the time, in UTC."""

    def __init__(
        self,
        config: SandboxConfig,
        settings: Settings,
        deliveries: Deliveries,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.deliveries = deliveries
        self.sessions: Records[Session] = Records()
        self.payments: Records[Payment] = Records()
        self.refunds: Records[Refund] = Records()
        self.disputes: Records[Dispute] = Records()
        self.now = now
        self._root = f"{config.public_url}/dodo"
        self._product_id = config.dodo_product_id
        self._prices = PriceList(unit_price=config.dodo_price_minor, currency=config.dodo_currency, settings=settings)
        self._customers: Records[Customer] = Records()
        self._tasks = Tasks()

    def open_session(self, request: CheckoutRequest) -> Session:
        request.check()
        for item in request.product_cart:
            if self._product_id not in {None, item.product_id}:
                raise not_found(f"Product {item.product_id}")
        self.price(request.cart, request.billing_currency, request.codes)
        session_id = new_id("cks")
        session = Session(
            session_id=session_id,
            url=f"{self._root}/session/{session_id}",
            request=request,
            customer=None if request.customer is None else self.customer(request.customer),
            created_at=self.now(),
        )
        return self.sessions.keep(session_id, session)

    def price(self, cart: Sequence[CartItem], currency: str | None, codes: Sequence[str]) -> Price:
        if any(code not in self.settings.discounts for code in codes):
            words = "Invalid Discount Code. Discount Code cannot be applied to any product in the cart"
            raise RefusedError(400, "INVALID_DISCOUNT_CODE", words)
        price = self._prices.price(cart, currency, codes)
        if price.total < MINIMUM:
            words = "Minimum amount of $0.50 is required to process payment"
            raise RefusedError(400, "TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT", words)
        return price

    def customer(self, party: Party) -> Customer:
        """Whoever has this id, else whoever has this address, else somebody new."""
        if party.customer_id is not None:
            return found(self._customers, party.customer_id, "Customer")
        email = party.email or ""
        known = next((each for each in self._customers.values() if each.email == email), None)
        if known is not None:
            return known
        customer = Customer(
            customer_id=new_id("cus"),
            email=email,
            name=party.name or email.partition("@")[0],
            phone_number=party.phone_number,
        )
        return self._customers.keep(customer.customer_id, customer)

    def session(self, session_id: str) -> Session:
        return found(self.sessions, session_id, "Checkout session")

    def payment(self, payment_id: str) -> Payment:
        return found(self.payments, payment_id, "Payment")

    def refund(self, refund_id: str) -> Refund:
        return found(self.refunds, refund_id, "Refund")

    def dispute(self, dispute_id: str) -> Dispute:
        return found(self.disputes, dispute_id, "Dispute")

    def pay(
        self, session: Session, party: Party, card: Card, status: PaymentStatus, codes: Sequence[str] = ()
    ) -> Payment:
        """Use a session up. Who pays is whom the session names, else `party`."""
        session.check_open(self.now())
        request = session.request
        address = request.billing_address
        payment = Payment(
            payment_id=new_id("pay"),
            session_id=session.session_id,
            link=session.url,
            invoice_id=new_id("inv"),
            customer=session.customer or self.customer(party),
            billing={
                "country": "US" if address is None else address.country,
                "city": address and address.city,
                "state": address and address.state,
                "street": address and address.street,
                "zipcode": address and address.zipcode,
            },
            cart=request.cart,
            price=self.price(request.cart, request.billing_currency, [*request.codes, *codes]),
            metadata=dict(request.metadata or {}),
            card=card,
            status=status,
            created_at=self.now(),
        )
        session.payment = self.payments.keep(payment.payment_id, payment)
        self._tell_payment(payment)
        return payment

    def change_payment(self, payment: Payment, status: PaymentStatus) -> None:
        payment.status, payment.updated_at = status, self.now()
        self._tell_payment(payment)

    def request_refund(self, request: RefundRequest, outcome: Outcome) -> Refund:
        """Pending at first; what becomes of it is told after a while."""
        payment = self.payment(request.payment_id)
        check_refundable(payment)
        refund = self._open_refund(payment, requested_parts(payment, request), request.reason)
        refund.metadata = dict(request.metadata or {})
        self._tasks.start(self._settle(refund, outcome))
        return refund

    def make_refund(self, payment: Payment, amount: int | None, reason: str | None, status: RefundStatus) -> Refund:
        """A refund made at the dashboard, which is over at once; no amount: all that is left."""
        parts = rest_of(payment) if amount is None else parts_of(payment, amount)
        refund = self._open_refund(payment, parts, reason)
        self.change_refund(refund, status)
        return refund

    def change_refund(self, refund: Refund, status: str) -> None:
        refund.status = status
        if status in {"succeeded", "failed"}:
            self.deliveries.announce(f"refund.{status}", refund.wire)

    def open_dispute(self, payment: Payment, amount: int | None, stage: Stage, reason: str | None) -> Dispute:
        dispute = Dispute(
            dispute_id=new_id("dp"),
            payment_id=payment.payment_id,
            customer=payment.customer,
            amount=payment.price.total if amount is None else amount,
            currency=payment.price.currency,
            status="opened",
            stage=stage,
            reason=reason,
            created_at=self.now(),
        )
        payment.disputes.append(self.disputes.keep(dispute.dispute_id, dispute))
        self.change_dispute(dispute, "opened")
        return dispute

    def change_dispute(self, dispute: Dispute, status: DisputeStatus) -> None:
        dispute.status = status
        self.deliveries.announce(f"dispute.{status}", dispute.webhook)

    async def close(self) -> None:
        await self._tasks.cancel()
        await self.deliveries.close()

    def _tell_payment(self, payment: Payment) -> None:
        if payment.status in TOLD:
            self.deliveries.announce(f"payment.{payment.status}", payment.wire)

    def _open_refund(self, payment: Payment, parts: dict[str, int], reason: str | None) -> Refund:
        refund = Refund(
            refund_id=new_id("ref"),
            payment_id=payment.payment_id,
            customer=payment.customer,
            currency=payment.price.currency,
            parts=parts,
            is_partial=sum(parts.values()) < payment.price.total,
            status="pending",
            created_at=self.now(),
            reason=reason,
        )
        payment.refunds.append(self.refunds.keep(refund.refund_id, refund))
        return refund

    async def _settle(self, refund: Refund, outcome: Outcome) -> None:
        seconds = outcome.latency_seconds
        await asyncio.sleep(self.settings.refund_seconds if seconds is None else seconds)
        self.change_refund(refund, outcome.status)


def found(records: Records[T], record_id: str, what: str) -> T:
    if record_id not in records:
        raise not_found(what)
    return records[record_id]
