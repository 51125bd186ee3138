import base64
import binascii
import math
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

CURRENCY = re.compile("[A-Z]{3}")


class SandboxConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one sandbox is started with. Durations are seconds.

    A credential left at None is not asked for: every caller is let in, with or without one.
    """

    public_url: str = "http://sandbox.test"
    """The address under which callers and the product's download reach this sandbox, without a final slash."""

    latency_seconds: float = 1.5
    """How long a rendering takes, drawing included; 0 is as fast as it goes."""

    replicate_webhook_secret: str | None = None
    """`whsec_` and 24 to 64 bytes in base64; None: a fresh one, told at `GET /webhooks/default/secret`."""

    replicate_api_token: str | None = None
    brevo_api_key: str | None = None
    google_client_id: str | None = None
    google_client_secret: str | None = None
    google_redirect_uri: str | None = None

    dodo_api_key: str | None = None
    dodo_product_id: str | None = None
    """The only product there is; None: whatever is asked for is sold, at the same price."""

    dodo_price_minor: int = 100
    dodo_currency: str = "USD"
    """The product's price, in minor units of this currency, and before tax."""

    dodo_tax_percent: float = 0
    dodo_webhook_url: str | None = None
    """Where events are sent; None: nowhere, until control names an address."""

    dodo_webhook_secret: str | None = None
    """As Replicate's; several, separated by spaces, all sign."""

    dodo_webhook_speedup: float = 600
    """How much faster than Dodo's time is the schedule of retries, which takes 27 h and 35 min there; 1: as long."""

    dodo_webhook_timeout_seconds: float = 15
    dodo_refund_seconds: float = 1
    """How long a refund is pending."""

    data_dir: Path | None = None
    """Where pictures are kept while the sandbox runs; None: a temporary folder."""

    retention_seconds: float = 3600
    """After this, predictions and files forget their data, as Replicate's API predictions do after an hour."""

    webhook_retry_seconds: tuple[float, ...] = (1, 2, 4, 8, 16, 30)
    """Pauses between the attempts to deliver a terminal webhook: about a minute in all, as at Replicate."""

    def __post_init__(self) -> None:
        if self.latency_seconds < 0:
            raise ValueError("latency_seconds must not be negative")
        if self.replicate_webhook_secret is not None:
            check_webhook_secret(self.replicate_webhook_secret)
        for secret in (self.dodo_webhook_secret or "").split():
            check_webhook_secret(secret)
        if self.dodo_price_minor < 1:
            raise ValueError("dodo_price_minor must be at least 1")
        if not CURRENCY.fullmatch(self.dodo_currency):
            raise ValueError("dodo_currency must be three capital letters")
        if not 0 <= self.dodo_tax_percent <= 100:
            raise ValueError("dodo_tax_percent must be from 0 to 100")
        if self.dodo_webhook_speedup <= 0:
            raise ValueError("dodo_webhook_speedup must be above 0")


def check_webhook_secret(secret: str) -> None:
    """Refuse (ValueError) a secret that a lenient base64 decoder would silently turn into a short key."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the webhook secret must be 'whsec_' followed by base64") from error
    if not secret.startswith("whsec_") or len(key) < 24:
        raise ValueError("the webhook secret must be 'whsec_' followed by at least 24 bytes in base64")


def make_webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def config_from_environment(environment: Mapping[str, str], *, public_url: str, data_dir: Path | None) -> SandboxConfig:
    """Read the `SANDBOX_*` variables; an empty one counts as unset. ValueError tells what is wrong with one."""
    return SandboxConfig(
        public_url=public_url,
        latency_seconds=number(environment, "SANDBOX_LATENCY_SECONDS", 1.5, "a number of seconds"),
        replicate_webhook_secret=environment.get("SANDBOX_REPLICATE_WEBHOOK_SECRET") or None,
        replicate_api_token=environment.get("SANDBOX_REPLICATE_API_TOKEN") or None,
        brevo_api_key=environment.get("SANDBOX_BREVO_API_KEY") or None,
        google_client_id=environment.get("SANDBOX_GOOGLE_CLIENT_ID") or None,
        google_client_secret=environment.get("SANDBOX_GOOGLE_CLIENT_SECRET") or None,
        google_redirect_uri=environment.get("SANDBOX_GOOGLE_REDIRECT_URI") or None,
        dodo_api_key=environment.get("SANDBOX_DODO_API_KEY") or None,
        dodo_product_id=environment.get("SANDBOX_DODO_PRODUCT_ID") or None,
        dodo_price_minor=whole(environment, "SANDBOX_DODO_PRICE_MINOR", 100),
        dodo_currency=environment.get("SANDBOX_DODO_CURRENCY") or "USD",
        dodo_tax_percent=number(environment, "SANDBOX_DODO_TAX_PERCENT", 0, "a number of percent"),
        dodo_webhook_url=environment.get("SANDBOX_DODO_WEBHOOK_URL") or None,
        dodo_webhook_secret=environment.get("SANDBOX_DODO_WEBHOOK_SECRET") or None,
        dodo_webhook_speedup=number(environment, "SANDBOX_DODO_WEBHOOK_SPEEDUP", 600, "a number"),
        data_dir=data_dir,
    )


def number(environment: Mapping[str, str], name: str, default: float, what: str) -> float:
    given = environment.get(name) or default
    try:
        value = float(given)
    except ValueError as error:
        raise ValueError(f"{name} must be {what}, not {given!r}") from error
    if not math.isfinite(value):
        raise ValueError(f"{name} must be {what}, not {given!r}")
    return value


def whole(environment: Mapping[str, str], name: str, default: int) -> int:
    value = number(environment, name, default, "a whole number")
    if not value.is_integer():
        raise ValueError(f"{name} must be a whole number, not {environment[name]!r}")
    return int(value)
