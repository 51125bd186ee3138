"""The routes that browsers visit."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.dodo.business import Business
from sandbox.dodo.cards import find_card
from sandbox.dodo.checkout_page import checkout_page, end_page, return_address
from sandbox.dodo.checkouts import Address, Party, Session
from sandbox.dodo.dashboard import dashboard
from sandbox.dodo.disputes import DisputeStatus
from sandbox.dodo.errors import RefusedError
from sandbox.dodo.look import error_page
from sandbox.dodo.money import parsed
from sandbox.dodo.payments import PaymentStatus
from sandbox.wire import OPERATION

Caller = Request[Any, Any, Any]
Of = NamedDependency[Business]


class CheckoutPageController(Controller):
    """Where a customer pays.

    A program pays by posting to the address of a session: `card`, its number; where the session names no customer
    `email` and, if wanted, `name`; where there are discounts `discount_code`; or `cancel`.
    """

    path = "/session"

    @get("/{session_id:str}", opt={OPERATION: "page"})
    async def show(self, session_id: FromPath[str], business: Of) -> Response[str]:
        return asked(business.session(session_id), business)

    @post("/{session_id:str}", opt={OPERATION: "pay"})
    async def answer(self, session_id: FromPath[str], request: Caller, business: Of) -> Response[Any]:
        session, form = business.session(session_id), await form_of(request)
        session.check_open(business.now())
        if "cancel" in form and session.request.cancel_url is not None:
            return to(session.request.cancel_url)
        card = find_card(form.get("card", ""))
        if card is None:
            return asked(session, business, "There is no such test card.")
        try:
            email = msgspec.convert(form.get("email", ""), Address) if session.customer is None else None
        except msgspec.ValidationError:
            return asked(session, business, "The e-mail address is not complete.")
        codes = [form["discount_code"]] if form.get("discount_code") else []
        if codes and not session.request.feature_flags.allow_discount_code:
            return asked(session, business, "This checkout takes no discount codes.")
        try:
            payment = business.pay(session, Party(email=email, name=form.get("name")), card, card.ending, codes)
        except RefusedError as error:
            return asked(session, business, f"{error}.")
        back = session.request.return_url
        return end_page(payment) if back is None else to(return_address(back, payment))


class DashboardController(Controller):
    path = "/"

    @get("/")
    async def show(self, business: Of) -> Response[str]:
        return dashboard(business)

    @post("/dashboard/payments/{payment_id:str}/refund")
    async def refund(self, payment_id: FromPath[str], request: Caller, business: Of) -> Response[Any]:
        payment, form = business.payment(payment_id), await form_of(request)
        try:
            amount = parsed(form["amount"], payment.price.currency) if "amount" in form else None
        except ValueError as error:
            raise RefusedError(422, "INVALID_REQUEST_BODY", str(error)) from error
        business.make_refund(payment, amount, None, "succeeded")
        return to(f"/dodo#{payment_id}")

    @post("/dashboard/payments/{payment_id:str}/dispute")
    async def dispute(self, payment_id: FromPath[str], business: Of) -> Response[Any]:
        business.open_dispute(business.payment(payment_id), None, "dispute", "Opened at the sandbox's dashboard")
        return to(f"/dodo#{payment_id}")

    @post("/dashboard/payments/{payment_id:str}/status")
    async def change_payment(self, payment_id: FromPath[str], request: Caller, business: Of) -> Response[Any]:
        business.change_payment(business.payment(payment_id), await chosen(request, PaymentStatus))
        return to(f"/dodo#{payment_id}")

    @post("/dashboard/disputes/{dispute_id:str}/status")
    async def change_dispute(self, dispute_id: FromPath[str], request: Caller, business: Of) -> Response[Any]:
        dispute = business.dispute(dispute_id)
        business.change_dispute(dispute, await chosen(request, DisputeStatus))
        return to(f"/dodo#{dispute.payment_id}")

    @post("/dashboard/webhooks/mode")
    async def switch(self, request: Caller, business: Of) -> Response[Any]:
        try:
            business.settings.change({"webhooks": (await form_of(request)).get("mode", "")})
        except msgspec.ValidationError as error:
            raise RefusedError(422, "INVALID_REQUEST_BODY", str(error)) from error
        return to("/dodo#webhooks")

    @post("/dashboard/webhooks/release")
    async def release(self, request: Caller, business: Of) -> Response[Any]:
        held = business.deliveries.held()
        await business.deliveries.release(held[::-1] if (await form_of(request)).get("value") else held)
        return to("/dodo#webhooks")

    @post("/dashboard/webhooks/{webhook_id:str}/resend")
    async def resend(self, webhook_id: FromPath[str], request: Caller, business: Of) -> Response[Any]:
        how = (await form_of(request)).get("value", "")
        sent = await business.deliveries.resend(
            business.deliveries.find(webhook_id), new_id=how == "new_id", copies=2 if how == "twice" else 1
        )
        return to(f"/dodo#{sent.webhook_id}")


def asked(session: Session, business: Business, wrong: str | None = None) -> Response[str]:
    session.check_open(business.now())
    price = business.price(session.request.cart, session.request.billing_currency, session.request.codes)
    return checkout_page(session, price, takes_codes=bool(business.settings.discounts), wrong=wrong)


async def form_of(request: Caller) -> dict[str, str]:
    form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in form.items()}


async def chosen(request: Caller, kind: Any) -> Any:
    """What a button stands for; RefusedError when it is none of these."""
    try:
        return msgspec.convert((await form_of(request)).get("value", ""), kind)
    except msgspec.ValidationError as error:
        raise RefusedError(422, "INVALID_REQUEST_BODY", str(error)) from error


def to(address: str) -> Response[Any]:
    return Response(None, status_code=303, headers={"Location": address})


def refused_page(_request: Caller, error: RefusedError) -> Response[str]:
    return error_page(error.status, str(error))
