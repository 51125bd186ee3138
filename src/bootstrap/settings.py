"""What the environment says, read once, checked as a whole."""

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

SHORTEST_SECRET = 32
SHORTEST_WEBHOOK_SECRET = 24
"""Bytes after decoding: what the Standard Webhooks specification asks for."""


class SettingsError(Exception):
    """Every mistake at once, one line each, naming the variable and what it should be."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Settings(Struct, frozen=True, kw_only=True, rename="upper"):
    """One field per variable, named alike; `.env.example` explains each."""

    hairtryon_env: Literal["dev", "test", "prod"] = "dev"
    hairtryon_data: str = "var"
    database_url: str = ""
    redis_url: str = ""
    public_url: str = "http://localhost:8000"
    frontend_url: str = ""
    cors_origins: str = ""
    cookie_samesite: Literal["lax", "strict", "none"] = "lax"
    secret_key: str = ""
    secret_key_previous: str = ""
    pseudonym_key: str = ""
    access_token_minutes: float = 10
    refresh_token_days: float = 7
    free_user_credits: int = 3
    free_credits_daily_cap: int = 1000

    google_client_id: str = ""
    google_client_secret: str = ""
    google_issuer: str = "https://accounts.google.com"

    replicate_api_token: str = ""
    replicate_base_url: str = "https://api.replicate.com/v1"
    replicate_model: str = "bytedance/seedream-4"
    replicate_webhook_secret: str = ""
    replicate_output_hosts: str = "replicate.delivery"

    dodo_payments_api_key: str = ""
    dodo_payments_base_url: str = "https://test.dodopayments.com"
    dodo_payments_product_id: str = ""
    dodo_payments_webhook_secret: str = ""
    credit_price_minor: int = 100
    credit_currency: str = "USD"

    brevo_api_key: str = ""
    brevo_base_url: str = "https://api.brevo.com/v3"
    mail_from: str = "no-reply@localhost.localdomain"
    mail_from_name: str = "Hair Try-On"

    storage: Literal["s3", "disk"] = "disk"
    media_dir: str = ""
    bucket_name: str = ""
    s3_endpoint_url: str = ""
    aws_region: str = "us-east-1"
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    cdn_domain: str = ""

    generation_timeout_seconds: float = 120
    generation_deadline_seconds: float = 900
    generation_max_attempts: int = 3
    generation_lease_seconds: float = 30
    poll_seconds: float = 2
    sweep_seconds: float = 5
    reconcile_seconds: float = 300

    rate_limit_generate: str = "5/minute"
    rate_limit_auth: str = "20/minute"
    rate_limit_default: str = "300/minute"

    trusted_proxies: str = ""
    metrics_token: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: str = ""
    otel_exporter_otlp_endpoint: str = ""
    logfire_token: str = ""

    @property
    def is_prod(self) -> bool:
        return self.hairtryon_env == "prod"

    @property
    def media_folder(self) -> Path:
        return Path(self.media_dir or Path(self.hairtryon_data) / "media")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def secure_cookies(self) -> bool:
        """Off only while the API is reached by plain http on this very machine."""
        return self.is_https or not is_loopback(self.public_url)

    @property
    def origins(self) -> frozenset[str]:
        """The origins that browsers may call from: the frontends', and the API's own pages."""
        listed = [self.frontend_url, *self.cors_origins.split(","), self.public_url]
        return frozenset(origin_of(address.strip()) for address in listed if address.strip())

    @property
    def webhook_url(self) -> str | None:
        """Where Replicate may report, if what it reports can be checked.

        On a public https address, or on this machine to a provider that is played here.
        """
        played_here = not self.is_prod and is_loopback(self.public_url) and is_loopback(self.replicate_base_url)
        reachable = self.is_https or played_here
        return f"{self.public_url.rstrip('/')}/api/v1/image/webhook" if reachable and self.replicate_webhook_secret else None

    @property
    def played_output_host(self) -> str | None:
        """The host and port that outputs may come from over http: the sandbox, in dev and test only."""
        address = urlsplit(self.replicate_base_url)
        return address.netloc if address.scheme == "http" and not self.is_prod else None


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Build the settings, or raise `SettingsError` with every mistake."""
    mistakes: list[str] = []
    given: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        value = environ.get(field.encode_name, "").strip()
        if not value:
            continue
        if isinstance(field.default, str) and field.type is not str:
            value = value.lower()
        try:
            given[field.encode_name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError:
            mistakes.append(f"{field.encode_name} should be {_wanted(field.type)}, not {value!r}.")
    if mistakes:
        raise SettingsError(mistakes)
    settings = msgspec.convert(given, Settings)
    mistakes = [*_wrong_anywhere(settings), *(_wrong_in_prod(settings) if settings.is_prod else [])]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _wanted(kind: object) -> str:
    if kind is int:
        return "a whole number"
    if kind is float:
        return "a number"
    return "one of " + ", ".join(getattr(kind, "__args__", ()))


def _wrong_anywhere(settings: Settings) -> list[str]:
    mistakes = []
    for name, scheme in (("DATABASE_URL", "postgresql"), ("REDIS_URL", "redis")):
        value = getattr(settings, name.lower())
        if not value:
            mistakes.append(f"{name} is missing; it should look like {scheme}://host/name.")
        elif urlsplit(value).scheme not in {scheme, f"{scheme}s"}:
            mistakes.append(f"{name} should start with {scheme}://.")
    for name in ("PUBLIC_URL", "FRONTEND_URL", "REPLICATE_BASE_URL", "BREVO_BASE_URL", "S3_ENDPOINT_URL"):
        value = getattr(settings, name.lower())
        if value and not _is_web_address(value):
            mistakes.append(f"{name} should be an address such as https://example.com.")
    for origin in filter(None, (part.strip() for part in settings.cors_origins.split(","))):
        if not _is_web_address(origin) or origin_of(origin) != origin:
            mistakes.append(f"CORS_ORIGINS should be bare origins such as https://example.com, not {origin!r}.")
    for name in ("SECRET_KEY", "PSEUDONYM_KEY"):
        if len(getattr(settings, name.lower()).encode()) < SHORTEST_SECRET:
            mistakes.append(f"{name} should have {SHORTEST_SECRET} bytes or more.")
    if settings.secret_key_previous and len(settings.secret_key_previous.encode()) < SHORTEST_SECRET:
        mistakes.append(f"SECRET_KEY_PREVIOUS should have {SHORTEST_SECRET} bytes or more, or be absent.")
    for name in ("REPLICATE_WEBHOOK_SECRET", "DODO_PAYMENTS_WEBHOOK_SECRET"):
        if any(not _is_webhook_secret(part) for part in getattr(settings, name.lower()).split()):
            mistakes.append(
                f"{name} should be whsec_ and the base64 of {SHORTEST_WEBHOOK_SECRET} bytes or more;"
                " several are separated by spaces."
            )
    for field in msgspec.structs.fields(Settings):
        if field.encode_name.startswith("RATE_LIMIT_") and not _is_rate(getattr(settings, field.name)):
            mistakes.append(f"{field.encode_name} should look like 5/minute, not {getattr(settings, field.name)!r}.")
        if field.encode_name.endswith(("_SECONDS", "_MINUTES", "_DAYS")) and getattr(settings, field.name) <= 0:
            mistakes.append(f"{field.encode_name} should be more than 0.")
    mistakes += [
        f"{name} should be {least} or more."
        for name, least in (("GENERATION_MAX_ATTEMPTS", 1), ("FREE_USER_CREDITS", 0), ("CREDIT_PRICE_MINOR", 1))
        if getattr(settings, name.lower()) < least
    ]
    if settings.storage == "s3" and not settings.bucket_name:
        mistakes.append("BUCKET_NAME is missing; STORAGE=s3 needs it.")
    for network in filter(None, (part.strip() for part in settings.trusted_proxies.split(","))):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            mistakes.append(f"TRUSTED_PROXIES should be addresses or networks, not {network!r}.")
    return mistakes


def _wrong_in_prod(settings: Settings) -> list[str]:
    mistakes = []
    for name in ("PUBLIC_URL", "FRONTEND_URL", "REPLICATE_BASE_URL", "BREVO_BASE_URL", "GOOGLE_ISSUER"):
        value = getattr(settings, name.lower())
        if value and not value.startswith("https://"):
            mistakes.append(f"{name} should start with https:// in prod.")
        elif value and is_loopback(value):
            mistakes.append(f"{name} should not be this very machine in prod: the sandbox is for development.")
    for name in ("REPLICATE_API_TOKEN", "REPLICATE_WEBHOOK_SECRET", "BREVO_API_KEY", "METRICS_TOKEN"):
        if not getattr(settings, name.lower()):
            mistakes.append(f"{name} is missing; prod needs it.")
    for name in ("SECRET_KEY", "PSEUDONYM_KEY"):
        if _is_guessable(getattr(settings, name.lower())):
            mistakes.append(f"{name} should be random in prod, for example from `openssl rand -base64 48`.")
    if settings.secret_key == settings.pseudonym_key:
        mistakes.append("PSEUDONYM_KEY should differ from SECRET_KEY, for it outlives it.")
    if settings.storage == "disk" and not Path(settings.media_dir).is_absolute():
        mistakes.append("MEDIA_DIR should be an absolute folder in prod, or STORAGE should be s3.")
    if settings.s3_endpoint_url.startswith("http://"):
        mistakes.append("S3_ENDPOINT_URL should start with https:// in prod.")
    if settings.mail_from.endswith("localhost.localdomain"):
        mistakes.append("MAIL_FROM is missing; it should be an address that Brevo may send from.")
    if settings.cookie_samesite == "none" and not settings.is_https:
        mistakes.append("COOKIE_SAMESITE=none needs a PUBLIC_URL with https://.")
    return mistakes


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_web_address(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_webhook_secret(secret: str) -> bool:
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith("whsec_") and len(decoded) >= SHORTEST_WEBHOOK_SECRET


def _is_rate(text: str) -> bool:
    count, _, period = text.partition("/")
    return count.isdecimal() and int(count) > 0 and period in {"second", "minute", "hour", "day"}


def _is_guessable(secret: str) -> bool:
    """Tell a secret that somebody typed: few different characters, or the words people put in examples."""
    distinct = 12
    words = ("secret", "change", "default", "password", "example", "test")
    return len(set(secret)) < distinct or any(word in secret.lower() for word in words)
