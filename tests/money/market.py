"""What buyers, banks and the payment provider do, and every message that the provider will ever send about it."""

from enum import StrEnum

from msgspec.structs import replace

from application.payments.create_checkout import CheckoutCreated
from application.payments.ports import DisputeReport, PaymentEvent, PaymentNews, RefundReport, Report
from domain.payments import DisputeState, RefundStatus
from domain.transactions import PaymentReport, PaymentStatus
from tests.counter import message, news_of
from tests.money.promise import left
from tests.selling import PRICE, FakePaymentProvider


class Way(StrEnum):
    """How somebody pays at a checkout."""

    WELL = "well"
    SLOWLY = "slowly"
    IN_VAIN = "in vain"
    TOO_LITTLE = "too little"


class Market:
    """Messages are only posted here: whether, when and how often they arrive is up to somebody else.

    Their ids begin with `name`, for those who share a database with others.
    """

    def __init__(self, seller: FakePaymentProvider, name: str = "evt") -> None:
        self.seller = seller
        self.posted: list[PaymentEvent] = []
        self.quantities: dict[int, int] = {}
        """Credits of each order, by its transaction."""
        self.released: set[str] = set()
        """Payments that an operator has credited."""
        self._name = name
        self._sessions: dict[int, str] = {}
        self._last_payment: dict[int, str] = {}

    def opened(self, checkout: CheckoutCreated, quantity: int) -> None:
        self.quantities[checkout.transaction_id] = quantity
        self._sessions[checkout.transaction_id] = checkout.session_id

    @property
    def payments(self) -> list[str]:
        return list(self.seller.payments)

    def pay(self, transaction_id: int, way: Way) -> str | None:
        """Pay, where the checkout takes a payment still: one that nobody paid at, or only in vain."""
        before = self._last_payment.get(transaction_id)
        if before is not None and self._report(before).status is not PaymentStatus.FAILED:
            return None
        status = {Way.SLOWLY: PaymentStatus.UNDER_WAY, Way.IN_VAIN: PaymentStatus.FAILED}.get(
            way, PaymentStatus.SUCCEEDED
        )
        total = PRICE * self.quantities[transaction_id] - (way is Way.TOO_LITTLE)
        payment_id = self.seller.pay(self._sessions[transaction_id], status=status, total=total)
        self._last_payment[transaction_id] = payment_id
        self.post(news_of(self.seller.payments[payment_id]))
        return payment_id

    def settle(self, payment_id: str) -> None:
        """A slow payment succeeds."""
        if self._report(payment_id).status is PaymentStatus.UNDER_WAY:
            self.seller.settle(payment_id)
            self.post(news_of(self.seller.payments[payment_id]))

    def return_money(self, payment_id: str, amount: int) -> None:
        """As from the provider's dashboard; more than was paid too, for nothing here says that it cannot be."""
        self.post(self.seller.return_money(payment_id, amount))

    def end_refunds(self, payment_id: str, status: RefundStatus) -> None:
        """Those that operators asked for go through, or do not."""
        refunds = self.seller.payments[payment_id].refunds
        for place, refund in enumerate(refunds):
            if refund.status is RefundStatus.PENDING:
                refunds[place] = replace(refund, status=status)
                self.post(refunds[place])

    def dispute(self, payment_id: str, state: DisputeState) -> None:
        """A bank opens a dispute, or decides it; what is decided stays so."""
        disputes = self.seller.payments[payment_id].disputes
        if not disputes or disputes[0].state is DisputeState.OPEN:
            self.post(self.seller.dispute(payment_id, state))

    def contradict(self, place: int, payment_id: str, amount: int, currency: str) -> None:
        """Tell of a refund or dispute once more, and say something else of it."""
        report = self.posted[place].report
        if isinstance(report, RefundReport | DisputeReport):
            self.post(replace(report, payment_id=payment_id, amount=amount, currency=currency))

    def post(self, report: Report) -> None:
        self.posted.append(message(report, f"{self._name}_{len(self.posted) + 1}"))

    def promised(self) -> tuple[int, int]:
        """All credits that purchases must have left once everything is told, and how many of them are frozen."""
        credits_ = frozen = 0
        for transaction_id, payment_id in self._last_payment.items():
            report, quantity = self._report(payment_id), self.quantities[transaction_id]
            has_paid = report.status is PaymentStatus.SUCCEEDED and report.total >= PRICE * quantity
            if has_paid or payment_id in self.released:
                part, of_it_frozen = left(quantity, report, self._told_of(payment_id))
                credits_, frozen = credits_ + part, frozen + of_it_frozen
        return credits_, frozen

    def _report(self, payment_id: str) -> PaymentReport:
        return self.seller.payments[payment_id].payment

    def _told_of(self, payment_id: str) -> list[Report]:
        posted = (event.report for event in self.posted)
        told: list[Report] = [
            report
            for report in posted
            if report is not None and not isinstance(report, PaymentNews) and report.payment_id == payment_id
        ]
        state = self.seller.payments[payment_id]
        return [*told, *state.refunds, *state.disputes]
