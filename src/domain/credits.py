"""Credits: what they cost, why they move, and how work in progress reserves them."""

from enum import StrEnum

from domain.errors import Unpaid

VIEW_PRICE = 1
"""Credits for one rendered view."""


class Cause(StrEnum):
    """Why a ledger entry exists."""

    PURCHASE = "purchase"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    """Credits that a dispute took and that come back. Nothing writes it so far: only a lost dispute takes any, an open
    one freezes them, and what was lost is never won later."""
    SPEND = "spend"
    GRANT = "grant"
    REVOKE = "revoke"
    SIGNUP = "signup"


class HoldStatus(StrEnum):
    """A hold is posted or voided, once, never both."""

    PENDING = "PENDING"
    POSTED = "POSTED"
    VOIDED = "VOIDED"


class InsufficientCredits(Unpaid):
    def __init__(self, required: int) -> None:
        credit = "credit" if required == 1 else "credits"
        super().__init__("insufficient_credits", f"This costs {required} {credit}, more than you have available.")
