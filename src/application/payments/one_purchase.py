"""One purchase, or one event, by its number: whatever the number, what is not there is `NotFound`."""

from application.payments.ports import KeptEvent, PaymentEvents, TransactionRepository
from domain.errors import NotFound
from domain.identifiers import can_be_id
from domain.transactions import Transaction


async def claim_purchase(transactions: TransactionRepository, transaction_id: int) -> Transaction:
    """The purchase, kept to this transaction until it ends, or `NotFound` (`transaction_not_found`)."""
    transaction = await transactions.claim(transaction_id) if can_be_id(transaction_id) else None
    if transaction is None:
        raise no_purchase()
    return transaction


async def claim_event(events: PaymentEvents, event_id: int) -> KeptEvent:
    """The event, kept to this transaction until it ends, or `NotFound`."""
    event = await events.claim(event_id) if can_be_id(event_id) else None
    if event is None:
        raise no_event()
    return event


def no_purchase() -> NotFound:
    return NotFound("transaction_not_found", "There is no such purchase.")


def no_event() -> NotFound:
    return NotFound("not_found", "There is no such event.")
