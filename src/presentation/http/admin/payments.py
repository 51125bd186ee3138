"""Purchases, the payment provider's events and refunds, as operators' command `payment` has them."""

from dishka.integrations.litestar import FromDishka
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.pages import DEFAULT_LIMIT, Page
from application.payments.list_events import ListEvents, ListEventsHandler
from application.payments.list_purchases import ListPurchases, ListPurchasesHandler
from application.payments.ports import Finding
from application.payments.reconcile_purchases import ReconcilePurchases, ReconcilePurchasesHandler, Reconciliations
from application.payments.records import EventItem, EventRecord, PurchaseStory, TransactionRecord
from application.payments.refund_purchase import RefundAsked, RefundPurchase, RefundPurchaseHandler
from application.payments.release_payment import PaymentReleased, ReleasePayment, ReleasePaymentHandler
from application.payments.replay_event import ReplayEvent, ReplayEventHandler
from application.payments.show_event import ShowEvent, ShowEventHandler
from application.payments.show_purchase import ShowPurchase, ShowPurchaseHandler
from domain.transactions import TransactionStatus
from presentation.http.admin.bodies import Justification
from presentation.http.admin.gate import AdminController
from presentation.http.authentication import SignedIn
from presentation.http.documentation import refusals
from presentation.http.idempotency import IdempotencyKey
from presentation.http.paging import Cursor, IdFilter, Limit

_LISTS = refusals(400, 401, 403, 404, 429)
_CHANGES = refusals(400, 401, 403, 404, 409, 415, 429)


class AdminPaymentController(AdminController):
    path = "/admin/payments"

    @get(operation_id="listPurchases", responses=_LISTS)
    async def purchases(
        self,
        actor: SignedIn,
        handle: FromDishka[ListPurchasesHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        status: FromQuery[TransactionStatus | None] = None,
        user_id: IdFilter = None,
    ) -> Page[TransactionRecord]:
        """Everybody's purchases, newest first."""
        user = None if user_id is None else str(user_id)
        return await handle(ListPurchases(status, user, limit, cursor), actor)

    @get("/{transaction_id:int}", operation_id="showPurchase", responses=_LISTS)
    async def purchase(
        self, transaction_id: FromPath[int], actor: SignedIn, handle: FromDishka[ShowPurchaseHandler]
    ) -> PurchaseStory:
        """A purchase with all that the provider told of it."""
        return await handle(ShowPurchase(transaction_id), actor)

    @post(
        "/{transaction_id:int}/refund",
        operation_id="refundPurchase",
        responses=refusals(400, 401, 403, 404, 409, 415, 422, 429),
    )
    async def refund(
        self,
        transaction_id: FromPath[int],
        data: JSONBody[RefundPurchase],
        actor: SignedIn,
        handle: FromDishka[RefundPurchaseHandler],
        idempotency_key: IdempotencyKey = None,
    ) -> RefundAsked:
        """Have the provider give money back, all that is left or an amount; credits follow when it has."""
        return await handle(data, actor, transaction_id=transaction_id, key=idempotency_key)

    @post("/{transaction_id:int}/reconcile", status_code=200, operation_id="reconcilePurchase", responses=_CHANGES)
    async def reconcile(
        self, transaction_id: FromPath[int], actor: SignedIn, handle: FromDishka[ReconcilePurchasesHandler]
    ) -> Reconciliations:
        """Ask the provider how a purchase stands, now."""
        return await handle(ReconcilePurchases(transaction_id), actor)

    @get("/events", operation_id="listPaymentEvents", responses=refusals(400, 401, 403, 429))
    async def events(
        self,
        actor: SignedIn,
        handle: FromDishka[ListEventsHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        quarantined: FromQuery[bool] = True,
    ) -> Page[EventItem]:
        """The provider's events that wait for an operator, or all of them, newest first."""
        return await handle(ListEvents(quarantined, limit, cursor), actor)

    @get("/events/{event_id:int}", operation_id="showPaymentEvent", responses=_LISTS)
    async def event(
        self, event_id: FromPath[int], actor: SignedIn, handle: FromDishka[ShowEventHandler]
    ) -> EventRecord:
        return await handle(ShowEvent(event_id), actor)

    @post("/events/{event_id:int}/release", status_code=200, operation_id="releasePayment", responses=_CHANGES)
    async def release(
        self,
        event_id: FromPath[int],
        data: JSONBody[Justification],
        actor: SignedIn,
        handle: FromDishka[ReleasePaymentHandler],
    ) -> PaymentReleased:
        """Credit what was ordered for a payment that is quarantined, once."""
        return await handle(ReleasePayment(event_id, data.reason), actor)

    @post("/events/{event_id:int}/replay", status_code=200, operation_id="replayPaymentEvent", responses=_CHANGES)
    async def replay(self, event_id: FromPath[int], actor: SignedIn, handle: FromDishka[ReplayEventHandler]) -> Finding:
        """Enter an event once more; what it did before is not done again."""
        return await handle(ReplayEvent(event_id), actor)
