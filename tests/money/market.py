"""What buyers, banks and the payment provider do, and every message that the provider will ever send about it."""

from collections.abc import Container
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


class Act(StrEnum):
    """What may befall a payment, without anybody asking us."""

    SETTLE = "a slow payment succeeds"
    RETURN = "money goes back, from the provider's dashboard"
    REFUNDS_GO = "what operators asked for goes back"
    REFUNDS_FAIL = "what operators asked for does not go back"
    OPEN = "a bank opens a dispute"
    WIN = "it is decided for us"
    LOSE = "it is decided against us"
    CONTRADICT = "the provider says something else of a refund or dispute"


_DECISIONS = {Act.OPEN: DisputeState.OPEN, Act.WIN: DisputeState.WON, Act.LOSE: DisputeState.LOST}


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

    def befall(self, payment_id: str, act: Act, amount: int, currency: str = "USD") -> None:
        match act:
            case Act.SETTLE:
                self._settle(payment_id)
            case Act.RETURN:
                # More than was paid too: nothing here says that it cannot be.
                self.post(self.seller.return_money(payment_id, amount))
            case Act.REFUNDS_GO:
                self._end_refunds(payment_id, RefundStatus.SUCCEEDED)
            case Act.REFUNDS_FAIL:
                self._end_refunds(payment_id, RefundStatus.FAILED)
            case Act.OPEN | Act.WIN | Act.LOSE:
                self._dispute(payment_id, _DECISIONS[act])
            case Act.CONTRADICT:
                self._contradict(payment_id, amount, currency)

    def _settle(self, payment_id: str) -> None:
        if self._report(payment_id).status is PaymentStatus.UNDER_WAY:
            self.seller.settle(payment_id)
            self.post(news_of(self.seller.payments[payment_id]))

    def _end_refunds(self, payment_id: str, status: RefundStatus) -> None:
        refunds = self.seller.payments[payment_id].refunds
        for place, refund in enumerate(refunds):
            if refund.status is RefundStatus.PENDING:
                refunds[place] = replace(refund, status=status)
                self.post(refunds[place])

    def _dispute(self, payment_id: str, state: DisputeState) -> None:
        """What a bank has decided stays so."""
        disputes = self.seller.payments[payment_id].disputes
        if not disputes or disputes[0].state is DisputeState.OPEN:
            self.post(self.seller.dispute(payment_id, state))

    def _contradict(self, payment_id: str, amount: int, currency: str) -> None:
        """Of the last one that was told of, whatever payment it was of."""
        told = [event.report for event in self.posted if isinstance(event.report, RefundReport | DisputeReport)]
        if told:
            self.post(replace(told[-1], payment_id=payment_id, amount=amount, currency=currency))

    def post(self, report: Report) -> None:
        self.posted.append(message(report, f"{self._name}_{len(self.posted) + 1}"))

    def promised(self, arrived: Container[str] | None = None) -> tuple[int, int]:
        """All credits that purchases must have left, and how many of them are frozen.

        Once everything is told; or, where no message but those that arrived ever will, once the provider is asked.
        """
        credits_ = frozen = 0
        for transaction_id, payment_id in self._last_payment.items():
            report, quantity = self._report(payment_id), self.quantities[transaction_id]
            has_paid = report.status is PaymentStatus.SUCCEEDED and report.total >= PRICE * quantity
            if has_paid or payment_id in self.released:
                part, of_it_frozen = left(quantity, report, self._told_of(payment_id, arrived))
                credits_, frozen = credits_ + part, frozen + of_it_frozen
        return credits_, frozen

    def _report(self, payment_id: str) -> PaymentReport:
        return self.seller.payments[payment_id].payment

    def _told_of(self, payment_id: str, arrived: Container[str] | None) -> list[Report]:
        posted = (event.report for event in self.posted if arrived is None or event.webhook_id in arrived)
        told: list[Report] = [
            report
            for report in posted
            if report is not None and not isinstance(report, PaymentNews) and report.payment_id == payment_id
        ]
        state = self.seller.payments[payment_id]
        return [*told, *state.refunds, *state.disputes]
