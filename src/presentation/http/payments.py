"""Buying credits: checkouts, one's own purchases, and the payment provider's events."""

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page
from application.payments.create_checkout import CheckoutCreated, CreateCheckout, CreateCheckoutHandler
from application.payments.get_transaction import GetTransaction, GetTransactionHandler
from application.payments.list_transactions import ListTransactions, ListTransactionsHandler
from application.payments.ports import PaymentWebhook, TransactionItem
from application.payments.receive_webhook import ReceiveWebhook, ReceiveWebhookHandler
from presentation.http.authentication import AnyRequest, SignedIn
from presentation.http.bodies import LARGEST_WEBHOOK
from presentation.http.documentation import SIGNED_IN, refusals
from presentation.http.idempotency import IdempotencyKey
from presentation.http.metrics import WebhookMetrics
from presentation.http.paging import Cursor, Limit
from presentation.http.webhooks import telling_refusals


class EventReceived(Struct, frozen=True):
    received: bool = True


class PaymentController(Controller):
    path = "/payment"
    tags = ("payment",)
    security = SIGNED_IN

    @post("/create-checkout", operation_id="createCheckout", responses=refusals(400, 401, 403, 409, 415, 422, 429))
    async def create_checkout(
        self,
        data: JSONBody[CreateCheckout],
        actor: SignedIn,
        handle: FromDishka[CreateCheckoutHandler],
        idempotency_key: IdempotencyKey = None,
    ) -> CheckoutCreated:
        """Order credits. They are there when the provider says that they are paid, not when the browser comes back."""
        return await handle(data, actor, idempotency_key)

    @get("/transactions", operation_id="listTransactions", responses=refusals(400, 401, 403, 429))
    async def transactions(
        self,
        actor: SignedIn,
        handle: FromDishka[ListTransactionsHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[TransactionItem]:
        return await handle(ListTransactions(limit, cursor), actor)

    @get(
        "/transactions/{transaction_id:int}", operation_id="getTransaction", responses=refusals(400, 401, 403, 404, 429)
    )
    async def transaction(
        self, transaction_id: FromPath[int], actor: SignedIn, handle: FromDishka[GetTransactionHandler]
    ) -> TransactionItem:
        return await handle(GetTransaction(transaction_id), actor)


class PaymentWebhookController(Controller):
    path = "/payment/webhook"
    tags = ("webhooks",)

    @post(
        status_code=200,
        operation_id="receivePaymentEvent",
        request_max_body_size=LARGEST_WEBHOOK,
        responses=refusals(400, 401, 413),
    )
    async def receive(
        self,
        request: AnyRequest,
        webhook: FromDishka[PaymentWebhook],
        handle: FromDishka[ReceiveWebhookHandler],
        metrics: FromDishka[WebhookMetrics],
    ) -> EventReceived:
        """Take the payment provider's signed events: whatever is signed is answered 200, and counts once."""
        body = await request.body()
        with telling_refusals("dodo", request, metrics):
            event = webhook.open(body, dict(request.headers))
        verdict = await handle(ReceiveWebhook(event), Actor.system("dodo"))
        metrics.count("dodo", verdict or metrics.REPEATED)
        return EventReceived()
