"""Checkout sessions. https://docs.dodopayments.com/developer-resources/checkout-session"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from sandbox.dodo.errors import RefusedError
from sandbox.dodo.payments import Payment
from sandbox.dodo.prices import CartItem
from sandbox.dodo.records import Customer, written

LIFETIME = timedelta(hours=24)
METADATA_KEYS = 50
METADATA_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
METADATA_VALUE = 500
CARDS = {"credit", "debit"}

T = TypeVar("T")
Address = Annotated[str, Meta(pattern=r"^[^@\s<>]+@[^@\s<>]+$", max_length=320)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class CartRequest(Struct, frozen=True):
    """`amount` is for products of which one pays what one wants, and ignored for others."""

    product_id: str
    quantity: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    amount: Annotated[int, Meta(ge=0)] | None = None


class Party(Struct, frozen=True):
    customer_id: str | None = None
    email: Address | None = None
    name: str | None = None
    phone_number: str | None = None


class Billing(Struct, frozen=True):
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    city: str | None = None
    state: str | None = None
    street: str | None = None
    zipcode: str | None = None


class Flags(Struct, frozen=True):
    allow_discount_code: bool = True


class CheckoutRequest(Struct, frozen=True, kw_only=True):
    """The body of `POST /checkouts`; fields that the sandbox makes no use of are let pass."""

    product_cart: Annotated[list[CartRequest], Meta(max_length=20)]
    customer: Party | None = None
    billing_address: Billing | None = None
    billing_currency: Currency | None = None
    allowed_payment_method_types: list[str] | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    metadata: dict[str, str | int | float | bool] | None = None
    discount_code: str | None = None
    discount_codes: Annotated[list[str], Meta(max_length=20)] | None = None
    custom_fields: Annotated[list[dict[str, Any]], Meta(max_length=5)] | None = None
    feature_flags: Flags = Flags()
    confirm: bool = False

    @property
    def codes(self) -> list[str]:
        return self.discount_codes or ([self.discount_code] if self.discount_code else [])

    @property
    def cart(self) -> list[CartItem]:
        return [CartItem(item.product_id, item.quantity) for item in self.product_cart]

    def check(self) -> None:
        """Raise `RefusedError` for what can be said without knowing the account."""
        if not self.product_cart:
            raise RefusedError(400, "PRODUCT_CART_EMTPY", "Product cart cannot be empty")
        if self.confirm:
            raise invalid("confirm: the sandbox plays sessions in which the customer fills in the details")
        if self.discount_code is not None and self.discount_codes is not None:
            raise invalid("discount_code cannot be used together with discount_codes")
        if self.customer is not None and self.customer.customer_id is None and self.customer.email is None:
            raise invalid("customer: needs a customer_id or an email")
        for name in ("return_url", "cancel_url"):
            if not is_address(getattr(self, name)):
                raise invalid(f"{name}: must be an absolute http or https URL")
        if self.allowed_payment_method_types is not None and CARDS.isdisjoint(self.allowed_payment_method_types):
            raise RefusedError(400, "NO_ELIGIBLE_PAYMENT_METHODS", "No eligible payment methods found")
        check_metadata(self.metadata or {})


class Session(Struct, kw_only=True, eq=False):
    """A session is good for one payment, for 24 hours."""

    session_id: str
    url: str
    request: CheckoutRequest
    customer: Customer | None
    created_at: datetime
    payment: Payment | None = None

    def check_open(self, now: datetime) -> None:
        if self.payment is not None:
            raise RefusedError(409, "CHECKOUT_SESSION_CONSUMED", "This checkout session was used already")
        if now >= self.created_at + LIFETIME:
            raise RefusedError(410, "CHECKOUT_SESSION_EXPIRED", "This checkout session has expired")

    def wire(self) -> dict[str, Any]:
        customer = self.customer if self.payment is None else self.payment.customer
        return {
            "id": self.session_id,
            "created_at": written(self.created_at),
            "customer_email": customer and customer.email,
            "customer_name": customer and customer.name,
            "payment_id": self.payment and self.payment.payment_id,
            "payment_status": self.payment and self.payment.status,
        }


def read_body(body: bytes, shape: type[T]) -> T:
    """Decode a body; RefusedError tells the first thing wrong with it."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(str(error)) from error


def invalid(why: str) -> RefusedError:
    return RefusedError(422, "INVALID_REQUEST_BODY", f"Your request body is invalid: {why}")


def check_metadata(metadata: dict[str, str | int | float | bool]) -> None:
    """Limits: https://docs.dodopayments.com/api-reference/metadata"""
    if len(metadata) > METADATA_KEYS:
        raise RefusedError(400, "MAXIMUM_KEYS_REACHED", "Exceeds 50 key-value pairs")
    for key, value in metadata.items():
        if not METADATA_KEY.fullmatch(key):
            raise invalid("metadata: a key is 1 to 40 letters, digits, dashes and underscores")
        if isinstance(value, str) and len(value) > METADATA_VALUE:
            raise invalid(f"metadata: the value of {key} is longer than 500 characters")


def is_address(url: str | None) -> bool:
    if url is None:
        return True
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
