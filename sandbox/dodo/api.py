"""Dodo's routes for programs. https://docs.dodopayments.com/api-reference/introduction"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import Guard

from sandbox.dodo.business import Business
from sandbox.dodo.checkouts import CheckoutRequest, check_metadata, read_body
from sandbox.dodo.disputes import Dispute
from sandbox.dodo.errors import CODES, UNAUTHORIZED, RefusedError
from sandbox.dodo.payments import Payment
from sandbox.dodo.records import BUSINESS
from sandbox.dodo.refunding import RefundRequest
from sandbox.dodo.refunds import Refund
from sandbox.script import Outcome, Rule
from sandbox.wire import OPERATION, RULE

OPERATIONS = frozenset(
    {
        "create_checkout",
        "get_checkout",
        "get_payment",
        "list_payments",
        "list_line_items",
        "create_refund",
        "get_refund",
        "list_refunds",
        "get_dispute",
        "list_disputes",
        "get_secret",
        "page",
        "pay",
        "webhook",
    }
)

Caller = Request[Any, Any, Any]
Of = NamedDependency[Business]
PageNumber = Annotated[int, QueryParameter(ge=0)]
PageSize = Annotated[int, QueryParameter(ge=1, le=100)]
Entry = TypeVar("Entry", Payment, Refund, Dispute)


class CheckoutController(Controller):
    path = "/checkouts"

    @post("/", opt={OPERATION: "create_checkout"})
    async def create(self, request: Caller, business: Of) -> Response[Any]:
        session = business.open_session(read_body(await request.body(), CheckoutRequest))
        return Response({"session_id": session.session_id, "checkout_url": session.url}, status_code=200)

    @get("/{session_id:str}", opt={OPERATION: "get_checkout"})
    async def read(self, session_id: FromPath[str], business: Of) -> Response[Any]:
        return Response(business.session(session_id).wire())


class PaymentController(Controller):
    path = "/payments"

    @get("/", opt={OPERATION: "list_payments"})
    async def page(
        self,
        business: Of,
        page_number: PageNumber = 0,
        page_size: PageSize = 10,
        status: FromQuery[str | None] = None,
        customer_id: FromQuery[str | None] = None,
        currency: FromQuery[str | None] = None,
        product_id: FromQuery[str | None] = None,
        brand_id: FromQuery[str | None] = None,
        subscription_id: FromQuery[str | None] = None,
        created_at_gte: FromQuery[datetime | None] = None,
        created_at_lte: FromQuery[datetime | None] = None,
    ) -> dict[str, Any]:
        """Newest first. Nothing here belongs to a subscription."""
        matching = [
            payment
            for payment in within(business.payments.values(), created_at_gte, created_at_lte)
            if status in {None, payment.status}
            and customer_id in {None, payment.customer.customer_id}
            and currency in {None, payment.price.currency}
            and (product_id is None or any(product_id == item.product_id for item in payment.cart))
            and brand_id in {None, BUSINESS}
            and subscription_id is None
        ]
        return {"items": [each.listed() for each in one_page(matching, page_number, page_size)]}

    @get("/{payment_id:str}", opt={OPERATION: "get_payment"})
    async def read(self, payment_id: FromPath[str], business: Of) -> Response[Any]:
        return Response(business.payment(payment_id).wire())

    @get("/{payment_id:str}/line-items", opt={OPERATION: "list_line_items"})
    async def line_items(self, payment_id: FromPath[str], business: Of) -> Response[Any]:
        return Response(business.payment(payment_id).line_items())


class RefundController(Controller):
    path = "/refunds"

    @post("/", opt={OPERATION: "create_refund"})
    async def create(self, request: Caller, business: Of) -> Response[Any]:
        asked = read_body(await request.body(), RefundRequest)
        check_metadata(asked.metadata or {})
        rule: Rule | None = request.scope["state"].get(RULE)
        refund = business.request_refund(asked, (rule and rule.outcome) or Outcome())
        return Response(refund.wire(), status_code=200)

    @get("/", opt={OPERATION: "list_refunds"})
    async def page(
        self,
        business: Of,
        page_number: PageNumber = 0,
        page_size: PageSize = 10,
        status: FromQuery[str | None] = None,
        customer_id: FromQuery[str | None] = None,
        subscription_id: FromQuery[str | None] = None,
        created_at_gte: FromQuery[datetime | None] = None,
        created_at_lte: FromQuery[datetime | None] = None,
    ) -> dict[str, Any]:
        """Newest first. There is no filter by payment: `GET /payments/{id}` lists a payment's refunds."""
        matching = [
            refund
            for refund in within(business.refunds.values(), created_at_gte, created_at_lte)
            if status in {None, refund.status}
            and customer_id in {None, refund.customer.customer_id}
            and subscription_id is None
        ]
        return {"items": [each.listed() for each in one_page(matching, page_number, page_size)]}

    @get("/{refund_id:str}", opt={OPERATION: "get_refund"})
    async def read(self, refund_id: FromPath[str], business: Of) -> Response[Any]:
        return Response(business.refund(refund_id).wire())


class DisputeController(Controller):
    path = "/disputes"

    @get("/", opt={OPERATION: "list_disputes"})
    async def page(
        self,
        business: Of,
        page_number: PageNumber = 0,
        page_size: PageSize = 10,
        dispute_status: FromQuery[str | None] = None,
        dispute_stage: FromQuery[str | None] = None,
        customer_id: FromQuery[str | None] = None,
        created_at_gte: FromQuery[datetime | None] = None,
        created_at_lte: FromQuery[datetime | None] = None,
    ) -> dict[str, Any]:
        """Newest first."""
        matching = [
            dispute
            for dispute in within(business.disputes.values(), created_at_gte, created_at_lte)
            if dispute_status in {None, f"dispute_{dispute.status}"}
            and dispute_stage in {None, dispute.stage}
            and customer_id in {None, dispute.customer.customer_id}
        ]
        return {"items": [each.listed() for each in one_page(matching, page_number, page_size)]}

    @get("/{dispute_id:str}", opt={OPERATION: "get_dispute"})
    async def read(self, dispute_id: FromPath[str], business: Of) -> Response[Any]:
        return Response(business.dispute(dispute_id).wire())


class SecretController(Controller):
    path = "/webhooks"

    @get("/{endpoint_id:str}/secret", opt={OPERATION: "get_secret"})
    async def secret(self, endpoint_id: FromPath[str], business: Of) -> dict[str, str]:  # noqa: ARG002
        """There is one endpoint, whatever it is called."""
        return {"secret": business.settings.webhook_secret.split()[0]}


def within(records: Iterable[Entry], since: datetime | None, until: datetime | None) -> list[Entry]:
    """Those created in this span, newest first; its ends belong to it."""
    return [
        record
        for record in reversed(list(records))
        if (since is None or record.created_at >= since) and (until is None or record.created_at <= until)
    ]


def one_page(records: list[Entry], number: int, size: int) -> list[Entry]:
    return records[number * size : (number + 1) * size]


def key_guard(key: str | None) -> Guard:
    def authenticate(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if key is not None and not secrets.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise RefusedError(401, "UNAUTHORIZED", UNAUTHORIZED)

    return authenticate


def refused(_request: Caller, error: RefusedError) -> Response[Any]:
    return Response({"code": error.code, "message": str(error)}, status_code=error.status)


def as_dodo_says_it(_request: Caller, raised: HTTPException) -> Response[Any]:
    """What the framework refuses by itself is mostly a query that does not fit."""
    code = "INVALID_QUERY_PARAMS" if raised.status_code == 400 else CODES.get(raised.status_code)
    return Response({"code": code or "INTERNAL_SERVER_ERROR", "message": raised.detail}, status_code=raised.status_code)
