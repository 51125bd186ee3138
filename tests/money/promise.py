"""What a purchase must have come to, once all is told: computed from everything that was told, in no order at all."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from application.payments.ports import DisputeReport, RefundReport, Report
from domain.payments import DisputeState, RefundStatus
from domain.transactions import PaymentReport


def left(granted: int, paid: PaymentReport, told: Iterable[Report]) -> tuple[int, int]:
    """Credits that are left of what a payment granted, and how many of them are frozen."""
    refunded: dict[str, int] = {}
    disputed: dict[str, dict[DisputeState, int]] = {}
    for report in told:
        match report:
            case RefundReport(status=RefundStatus.SUCCEEDED) if report.currency == paid.currency:
                refunded[report.refund_id] = max(report.amount, refunded.get(report.refund_id, 0))
            case DisputeReport() if report.currency == paid.currency:
                states = disputed.setdefault(report.dispute_id, {})
                states[report.state] = max(report.amount, states.get(report.state, 0))
    lost = sum(states.get(DisputeState.LOST, 0) for states in disputed.values())
    returned = min(paid.total, sum(refunded.values()) + lost)
    taken = min(granted, ceil(granted * Fraction(returned, paid.total))) if returned else 0
    is_open = any(states.keys() == {DisputeState.OPEN} for states in disputed.values())
    return granted - taken, granted - taken if is_open else 0
