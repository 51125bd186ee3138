"""Operators' commands about purchases."""

import click

from application.payments.list_events import ListEvents, ListEventsHandler
from application.payments.list_purchases import ListPurchases, ListPurchasesHandler
from application.payments.reconcile_purchases import ReconcilePurchases, ReconcilePurchasesHandler
from application.payments.records import EventItem
from application.payments.refund_purchase import LARGEST_AMOUNT, RefundPurchase, RefundPurchaseHandler
from application.payments.release_payment import ReleasePayment, ReleasePaymentHandler
from application.payments.replay_event import ReplayEvent, ReplayEventHandler
from application.payments.show_event import ShowEvent, ShowEventHandler
from application.payments.show_purchase import ShowPurchase, ShowPurchaseHandler
from domain.identifiers import LARGEST_ID
from domain.money import written
from domain.transactions import TransactionStatus
from presentation.cli.operations import OneOf, Operation, confirm, destructive, moment, operation, paged, reasoned

_ID = click.IntRange(1, LARGEST_ID)
_EVENT_COLUMNS = ["event", "when", "type", "verdict", "reason", "payment", "purchase"]


@click.group("payment")
def payment_commands() -> None:
    """Purchases, the payment provider's events, refunds."""


@payment_commands.command("list")
@click.option("--status", type=OneOf(TransactionStatus), help="Only these.")
@click.option("--user", metavar="EMAIL_OR_ID", help="Only this customer's.")
@click.option("--quarantined", is_flag=True, help="The events that wait for an operator, instead of purchases.")
@click.option("--events", is_flag=True, help="All events of the provider, instead of purchases.")
@paged
@operation
def list_(
    operate: Operation,
    status: TransactionStatus | None,
    user: str | None,
    quarantined: bool,
    events: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """List purchases, or the provider's events, newest first.

    Example: hairtryon payment list --quarantined
    """
    if quarantined or events:
        told = operate.run(ListEventsHandler, ListEvents(quarantined, limit, cursor))
        operate.show_page(told, _EVENT_COLUMNS, [_event_row(event) for event in told.items])
        return
    page = operate.run(ListPurchasesHandler, ListPurchases(status, user, limit, cursor))
    rows = [
        (
            item.id,
            item.created_at,
            item.email,
            item.credits_purchased,
            written(item.amount, item.currency),
            item.status,
            item.payment_id,
        )
        for item in page.items
    ]
    operate.show_page(page, ["purchase", "when", "customer", "credits", "amount", "status", "payment"], rows)


@payment_commands.command()
@click.argument("transaction_id", type=_ID, required=False)
@click.option("--event", "event_id", type=_ID, help="Show this event of the provider, as it came.")
@operation
def show(operate: Operation, transaction_id: int | None, event_id: int | None) -> None:
    """Show a purchase with all that is known of it, or an event.

    Example: hairtryon payment show 7
    """
    if event_id is not None and transaction_id is None:
        event = operate.run(ShowEventHandler, ShowEvent(event_id))
        operate.show_one(event, report=None, body=event.body or "erased with the customer's account")
        return
    if transaction_id is None or event_id is not None:
        raise click.UsageError("Name a purchase, or an event with --event.")
    story = operate.run(ShowPurchaseHandler, ShowPurchase(transaction_id))
    bought = story.transaction
    rows: list[tuple[object, object]] = [
        ("customer", f"{bought.email} ({bought.user_id})"),
        ("ordered", bought.created_at),
        ("status", bought.status),
        ("amount", written(bought.amount, bought.currency)),
        ("credits", f"{bought.credits_purchased}, granted {story.granted}, taken {story.taken}, frozen {story.frozen}"),
        ("checkout", bought.session_id),
        ("payment", bought.payment_id),
        *((f"refund {one.id}", f"{written(one.amount, one.currency)} {one.status}") for one in story.refunds),
        *((f"dispute {one.id}", f"{written(one.amount, one.currency)} {one.state}") for one in story.disputes),
        *(
            (f"event {event.id}", f"{moment(event.received_at)} {event.type} {event.verdict} {event.reason or ''}")
            for event in story.events
        ),
    ]
    operate.show(story, ["purchase", f"{bought.id}"], rows)


@payment_commands.command()
@click.argument("transaction_id", type=_ID, required=False)
@operation
def reconcile(operate: Operation, transaction_id: int | None) -> None:
    """Ask the provider about TRANSACTION_ID, or about all that may yet change, and enter what it answers.

    Example: hairtryon payment reconcile 7
    """
    outcome = operate.run(ReconcilePurchasesHandler, ReconcilePurchases(transaction_id))
    rows = [(one.transaction_id, one.before, one.after) for one in outcome.changed]
    operate.show(outcome, ["purchase", "before", "after"], rows)
    operate.tell(f"Purchases asked about: {outcome.asked}; changed: {len(rows)}.")


@payment_commands.command()
@click.argument("event_id", type=_ID)
@operation
def replay(operate: Operation, event_id: int) -> None:
    """Enter a kept event of the provider once more; what it has done before is not done again.

    Example: hairtryon payment replay 12
    """
    finding = operate.run(ReplayEventHandler, ReplayEvent(event_id))
    row = (event_id, finding.verdict, finding.reason, finding.transaction_id)
    operate.show(finding, ["event", "verdict", "reason", "purchase"], [row])


@payment_commands.command()
@click.argument("event_id", type=_ID)
@reasoned
@operation
def release(operate: Operation, event_id: int, reason: str) -> None:
    """Credit what was ordered for a payment that is quarantined.

    Example: hairtryon payment release 12 --reason "price change, agreed with the customer"
    """
    released = operate.run(ReleasePaymentHandler, ReleasePayment(event_id, reason))
    row = (released.event_id, released.transaction_id, released.credits)
    operate.show(released, ["event", "purchase", "credits"], [row])


@payment_commands.command()
@click.argument("transaction_id", type=_ID)
@click.option("--amount", type=click.IntRange(1, LARGEST_AMOUNT), help="In minor units; without it, all that is left.")
@reasoned
@destructive
@operation
def refund(operate: Operation, transaction_id: int, amount: int | None, reason: str, yes: bool) -> None:
    """Have the provider give a customer's money back; credits follow when it has.

    Example: hairtryon payment refund 7 --amount 250 --reason "two renders were bad"
    """
    how_much = "all that is left" if amount is None else f"{amount} minor units"
    confirm(f"Refund {how_much} of purchase {transaction_id}?", yes=yes)
    asked = operate.run(RefundPurchaseHandler, RefundPurchase(reason, amount), transaction_id=transaction_id)
    row = (asked.transaction_id, asked.refund_id, written(asked.amount, asked.currency), asked.status)
    operate.show(asked, ["purchase", "refund", "amount", "status"], [row])


def _event_row(event: EventItem) -> tuple[object, ...]:
    return (
        event.id,
        event.received_at,
        event.type,
        event.verdict,
        event.reason,
        event.payment_id,
        event.transaction_id,
    )
