"""What is shown of purchases: to customers their own, to operators all, page by page."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from application.actor import Actor
from application.pages import Page
from application.payments.get_transaction import GetTransaction, GetTransactionHandler
from application.payments.list_events import ListEvents, ListEventsHandler
from application.payments.list_purchases import ListPurchases, ListPurchasesHandler
from application.payments.list_transactions import ListTransactions, ListTransactionsHandler
from application.payments.ports import TransactionItem, TransactionReader, Verdict
from application.payments.records import (
    EventItem,
    EventRecord,
    PurchaseFilter,
    PurchaseRecords,
    PurchaseStory,
    TransactionRecord,
)
from application.payments.show_event import ShowEvent, ShowEventHandler
from application.payments.show_purchase import ShowPurchase, ShowPurchaseHandler
from application.users.ports import UserFinder
from domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from domain.identifiers import LARGEST_ID, can_be_id
from domain.transactions import TransactionStatus
from tests.counter import ROOT
from tests.unit.application.reception import VISITOR, WORKER
from tests.unit.factories import NOW

ADA, BOB = Actor.user(7, session_id=1), Actor.user(8, session_id=2)
IDS = (5, 4, 3, 2, 1)


def purchase(number: int) -> TransactionRecord:
    return TransactionRecord(
        id=number,
        session_id=f"cks_{number}",
        payment_id=None,
        amount=1000,
        currency="USD",
        credits_purchased=10,
        status=TransactionStatus.PENDING,
        payment_method=None,
        created_at=NOW,
        user_id=7,
        email="ada@example.com",
    )


def event(number: int) -> EventRecord:
    return EventRecord(
        id=number,
        webhook_id=f"evt_{number}",
        type="payment.succeeded",
        verdict=Verdict.QUARANTINED if number % 2 else Verdict.APPLIED,
        reason=None,
        payment_id="pay_1",
        transaction_id=1,
        received_at=NOW,
        report=None,
        body=None,
    )


def below(before: int | None) -> list[int]:
    return [number for number in IDS if before is None or number < before]


class AdasPurchases(TransactionReader):
    """Ada has bought five times; there is nobody else."""

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TransactionItem]:
        found: list[TransactionItem] = []
        found += [purchase(number) for number in below(before) if owner == 7]
        return found[:limit]

    async def own(self, transaction_id: int, *, owner: int) -> TransactionItem | None:
        assert can_be_id(transaction_id), "a database is not asked about what no id can be"
        return purchase(transaction_id) if owner == 7 and transaction_id in IDS else None


class AllPurchases(PurchaseRecords, UserFinder):
    """The same as operators see it; of five events, the odd ones are quarantined."""

    async def latest(self, wanted: PurchaseFilter, *, before: int | None, limit: int) -> list[TransactionRecord]:
        hers = wanted.status in {None, TransactionStatus.PENDING} and wanted.user_id in {None, 7}
        return [purchase(number) for number in below(before) if hers][:limit]

    async def story(self, transaction_id: int) -> PurchaseStory | None:
        if transaction_id not in IDS:
            return None
        return PurchaseStory(purchase(transaction_id), 10, 3, 7, [], [], [event(1)])

    async def events(self, *, quarantined: bool, before: int | None, limit: int) -> list[EventItem]:
        found: list[EventItem] = []
        found += [event(number) for number in below(before)]
        return [one for one in found if one.verdict is Verdict.QUARANTINED or not quarantined][:limit]

    async def event(self, event_id: int) -> EventRecord | None:
        return event(event_id) if event_id in IDS else None

    async def id_of(self, email_or_id: str) -> int:
        if email_or_id != "ada@example.com":
            raise NotFound("user_not_found", "There is no such user.")
        return 7


RECORDS = AllPurchases()
own_purchases = ListTransactionsHandler(transactions=AdasPurchases())
own_purchase = GetTransactionHandler(transactions=AdasPurchases())
all_purchases = ListPurchasesHandler(users=RECORDS, records=RECORDS)
one_purchase = ShowPurchaseHandler(records=RECORDS)
all_events = ListEventsHandler(records=RECORDS)
one_event = ShowEventHandler(records=RECORDS)


async def pages(ask: Callable[[str | None], Awaitable[Page[Any]]]) -> list[list[int]]:
    """Ids, page by page."""
    found: list[list[int]] = []
    cursor = None
    while not found or cursor is not None:
        page = await ask(cursor)
        found.append([item.id for item in page.items])
        cursor = page.next_cursor
    return found


async def test_lists_come_page_by_page_newest_first() -> None:
    """No item twice, none left out, and no page after the last."""
    assert await pages(lambda cursor: own_purchases(ListTransactions(2, cursor), ADA)) == [[5, 4], [3, 2], [1]]
    assert await pages(lambda cursor: all_purchases(ListPurchases(limit=2, cursor=cursor), ROOT)) == [
        [5, 4],
        [3, 2],
        [1],
    ]
    assert await pages(lambda cursor: all_events(ListEvents(False, 3, cursor), ROOT)) == [[5, 4, 3], [2, 1]]
    assert await pages(lambda cursor: all_events(ListEvents(limit=3, cursor=cursor), ROOT)) == [[5, 3, 1]]


async def test_a_customer_sees_nothing_of_anothers() -> None:
    """It is as little there as what never was, or what no id can be."""
    assert (await own_purchases(ListTransactions(), BOB)).items == []
    for transaction_id, actor in ((1, BOB), (6, ADA), (0, ADA), (-1, ADA), (LARGEST_ID + 1, ADA)):
        with pytest.raises(NotFound) as refusal:
            await own_purchase(GetTransaction(transaction_id), actor)
        assert refusal.value.code == "transaction_not_found"
    assert (await own_purchase(GetTransaction(1), ADA)).id == 1


async def test_operators_look_for_purchases_of_somebody_in_some_state() -> None:
    wanted = ListPurchases(TransactionStatus.PENDING, "ada@example.com")
    assert len((await all_purchases(wanted, ROOT)).items) == 5
    assert (await all_purchases(ListPurchases(TransactionStatus.FAILED), ROOT)).items == []
    with pytest.raises(NotFound):
        await all_purchases(ListPurchases(user="bob@example.com"), ROOT)


async def test_operators_look_at_one() -> None:
    assert (await one_purchase(ShowPurchase(1), ROOT)).taken == 3
    assert (await one_event(ShowEvent(2), ROOT)).webhook_id == "evt_2"
    with pytest.raises(NotFound):
        await one_purchase(ShowPurchase(6), ROOT)
    with pytest.raises(NotFound):
        await one_event(ShowEvent(6), ROOT)


@pytest.mark.parametrize("cursor", ["?", "", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
async def test_a_cursor_that_was_made_up_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        await own_purchases(ListTransactions(cursor=cursor), ADA)
    with pytest.raises(Invalid):
        await all_events(ListEvents(cursor=cursor), ROOT)


async def test_visitors_see_no_purchases_and_only_operators_see_all() -> None:
    for own in (own_purchases(ListTransactions(), VISITOR), own_purchase(GetTransaction(1), VISITOR)):
        with pytest.raises(Unauthenticated):
            await own
    for actor in (ADA, WORKER):
        for ask in (
            all_purchases(ListPurchases(), actor),
            one_purchase(ShowPurchase(1), actor),
            all_events(ListEvents(), actor),
            one_event(ShowEvent(1), actor),
        ):
            with pytest.raises(Forbidden):
                await ask
