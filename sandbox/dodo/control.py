"""What a test does in place of customers, banks and the dashboard; all of it below `{root}/dodo/__control`.

Answers are the records as the API shows them. An unknown field, or a change that Dodo knows no word for, is a 400; what
is not there a 404; both `{"code", "message"}` or Litestar's `{"status_code", "detail"}`.

| call | body, with its defaults | what it does |
|---|---|---|
| `GET /sessions` | | `{"sessions"}`, as `GET /checkouts/{id}` shows them, with their `checkout_url` |
| `POST /sessions/{id}/pay` | `{"status": "succeeded", "email", "name", "discount_codes": []}` | pays: `succeeded`, `failed`, `processing`, `cancelled`, or another status of payments, which is told nobody |
| `GET /payments` | | `{"payments"}`, whole, oldest first |
| `PUT /payments/{id}` | `{"status"}` | from any status to any: a second attempt that succeeds, a bank that takes its time |
| `POST /payments/{id}/refunds` | `{"amount": null, "reason": null, "status": "succeeded"}` | a refund that is over at once; null: all that is left |
| `PUT /refunds/{id}` | `{"status"}` | `succeeded`, `failed`, `pending`, `review` |
| `POST /payments/{id}/disputes` | `{"amount": null, "stage": "dispute", "reason": null}` | opens a dispute; null: of the whole payment |
| `PUT /disputes/{id}` | `{"status"}` | `challenged`, `won`, `lost`, `accepted`, `cancelled`, `expired`, `opened`, from any to any |
| `GET /webhooks` | | `{"deliveries": [{"id", "type", "at", "about", "payment_id", "state", "attempts"}]}`, oldest first |
| `POST /webhooks/{id}/resend` | `{"new_id": false, "copies": 1}` | sends an event again, `copies` of it at the same time, and answers when all are over |
| `POST /webhooks/release` | `{"ids": null, "reverse": false}` | lets the held events go, one after another: these, else all |
| `POST /webhooks/send` | `Parcel`, below | sends anything, once |
| `GET /settings`, `PATCH /settings` | `Settings` | reads them; changes those that are named |
"""  # noqa: E501

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from litestar import Controller, Request, Response, get, patch, post, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath
from msgspec import Meta, Struct

from sandbox.control import strict_body
from sandbox.dodo.business import Business
from sandbox.dodo.cards import BY_ENDING, CARDS
from sandbox.dodo.checkouts import Address, Party
from sandbox.dodo.deliveries import Delivery, envelope, signature
from sandbox.dodo.disputes import DisputeStatus, Stage
from sandbox.dodo.payments import PaymentStatus
from sandbox.dodo.records import new_id
from sandbox.dodo.refunds import RefundStatus
from sandbox.dodo.settings import Settings

T = TypeVar("T")
Caller = Request[Any, Any, Any]
Of = NamedDependency[Business]
Amount = Annotated[int, Meta(ge=0)]
Copies = Annotated[int, Meta(ge=1, le=200)]


class Pay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    status: PaymentStatus = "succeeded"
    email: Address = "customer@example.com"
    name: str | None = None
    discount_codes: list[str] = []


class PaymentChange(Struct, frozen=True, forbid_unknown_fields=True):
    status: PaymentStatus


class RefundOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount: Amount | None = None
    reason: str | None = None
    status: RefundStatus = "succeeded"


class RefundChange(Struct, frozen=True, forbid_unknown_fields=True):
    status: RefundStatus


class DisputeOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount: Amount | None = None
    stage: Stage = "dispute"
    reason: str | None = None


class DisputeChange(Struct, frozen=True, forbid_unknown_fields=True):
    status: DisputeStatus


class Resend(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    new_id: bool = False
    copies: Copies = 1


class Release(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ids: list[str] | None = None
    reverse: bool = False


class Parcel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /webhooks/send` sends: an event with any contents, or any text, signed as told.

    `payment_id`, `refund_id` or `dispute_id` names a record whose true contents `data` then changes, field by field.
    `age` is how many seconds ago it is dated (negative: to come). `headers` replace those of the event, or leave them
    out where null.
    """

    type: str = "payment.succeeded"
    data: dict[str, Any] = {}
    payment_id: str | None = None
    refund_id: str | None = None
    dispute_id: str | None = None
    text: str | None = None
    id: str | None = None
    signature: Literal["normal", "forged", "unsigned"] = "normal"
    age: float = 0
    headers: dict[str, str | None] = {}
    copies: Copies = 1

    def body(self, business: Business) -> bytes:
        if self.text is not None:
            return self.text.encode()
        true: dict[str, Any] = {}
        if self.payment_id is not None:
            true = business.payment(self.payment_id).wire()
        elif self.refund_id is not None:
            true = business.refund(self.refund_id).wire()
        elif self.dispute_id is not None:
            true = business.dispute(self.dispute_id).webhook()
        return envelope(self.type, {**true, **self.data}, business.now())


class RecordControl(Controller):
    """What happens to sessions, payments, refunds and disputes."""

    path = "/"

    @get("/sessions")
    async def sessions(self, business: Of) -> dict[str, Any]:
        return {"sessions": [{**each.wire(), "checkout_url": each.url} for each in business.sessions.values()]}

    @post("/sessions/{session_id:str}/pay", status_code=200)
    async def pay(self, session_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        order = await optional_body(request, Pay)
        card = next((card for ending, card in BY_ENDING.items() if ending == order.status), CARDS[0])
        party = Party(email=order.email, name=order.name)
        return business.pay(business.session(session_id), party, card, order.status, order.discount_codes).wire()

    @get("/payments")
    async def payments(self, business: Of) -> dict[str, Any]:
        return {"payments": [each.wire() for each in business.payments.values()]}

    @put("/payments/{payment_id:str}")
    async def change_payment(self, payment_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        payment = business.payment(payment_id)
        business.change_payment(payment, (await strict_body(request, PaymentChange)).status)
        return payment.wire()

    @post("/payments/{payment_id:str}/refunds", status_code=200)
    async def refund(self, payment_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        order = await optional_body(request, RefundOrder)
        return business.make_refund(business.payment(payment_id), order.amount, order.reason, order.status).wire()

    @put("/refunds/{refund_id:str}")
    async def change_refund(self, refund_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        refund = business.refund(refund_id)
        business.change_refund(refund, (await strict_body(request, RefundChange)).status)
        return refund.wire()

    @post("/payments/{payment_id:str}/disputes", status_code=200)
    async def dispute(self, payment_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        order = await optional_body(request, DisputeOrder)
        return business.open_dispute(business.payment(payment_id), order.amount, order.stage, order.reason).wire()

    @put("/disputes/{dispute_id:str}")
    async def change_dispute(self, dispute_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        dispute = business.dispute(dispute_id)
        business.change_dispute(dispute, (await strict_body(request, DisputeChange)).status)
        return dispute.wire()


class WebhookControl(Controller):
    """How events reach the product, or do not."""

    path = "/webhooks"

    @get("/")
    async def deliveries(self, business: Of) -> dict[str, Any]:
        return listing(business.deliveries.oldest_first())

    @post("/{webhook_id:str}/resend", status_code=200)
    async def resend(self, webhook_id: FromPath[str], request: Caller, business: Of) -> dict[str, Any]:
        order = await optional_body(request, Resend)
        delivery = business.deliveries.find(webhook_id)
        return (await business.deliveries.resend(delivery, new_id=order.new_id, copies=order.copies)).wire()

    @post("/release", status_code=200)
    async def release(self, request: Caller, business: Of) -> dict[str, Any]:
        order = await optional_body(request, Release)
        released = business.deliveries.held()
        if order.ids is not None:
            released = [business.deliveries.find(webhook_id) for webhook_id in order.ids]
        if order.reverse:
            released.reverse()
        await business.deliveries.release(released)
        return listing(released)

    @post("/send", status_code=200)
    async def send(self, request: Caller, business: Of) -> dict[str, Any]:
        """`{"id", "attempts": [{"status", "fault", "seconds"}]}`, one for each copy."""
        parcel = await strict_body(request, Parcel)
        body, webhook_id = parcel.body(business), parcel.id or new_id("evt")
        at = datetime.now(UTC) - timedelta(seconds=parcel.age)
        true = signature(business.settings.webhook_secret, webhook_id, body, parcel.signature, at)
        headers = {name: value for name, value in {**true, **parcel.headers}.items() if value is not None}
        calls = await business.deliveries.post(body, headers, parcel.copies)
        attempts = [{"status": call.status, "fault": call.fault, "seconds": call.seconds} for call in calls]
        return {"id": webhook_id, "attempts": attempts}


class SettingsControl(Controller):
    path = "/settings"

    @get("/")
    async def read(self, business: Of) -> Settings:
        return business.settings

    @patch("/")
    async def change(self, request: Caller, business: Of) -> Response[Any]:
        changes = await strict_body(request, dict[str, Any])
        try:
            business.settings.change(changes)
        except msgspec.ValidationError as error:
            raise ClientException(str(error)) from error
        return Response(business.settings)


async def optional_body(request: Caller, shape: type[T]) -> T:
    """As `strict_body`; no body at all is as good as an empty object."""
    return await strict_body(request, shape) if await request.body() else shape()


def listing(deliveries: list[Delivery]) -> dict[str, Any]:
    return {"deliveries": [delivery.wire() for delivery in deliveries]}
