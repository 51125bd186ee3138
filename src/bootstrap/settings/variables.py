"""The variables, and what follows from them."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from bootstrap.settings.addresses import is_loopback, origin_of
from bootstrap.settings.values import (
    Attempts,
    Bucket,
    Count,
    Currency,
    Days,
    FilePath,
    Host,
    Hosts,
    Key,
    Mailbox,
    Minutes,
    ModelName,
    Networks,
    Origin,
    Origins,
    PositiveCount,
    PostgresUrl,
    Price,
    Rate,
    RedisUrl,
    Region,
    Seconds,
    Token,
    WebAddress,
    WebhookSecrets,
)


class Settings(Struct, frozen=True, kw_only=True, rename="upper"):
    """One field per variable, named alike; `.env.example` explains each. Only `load_settings` checks them."""

    hairtryon_env: Literal["dev", "test", "prod"] = "dev"
    hairtryon_data: FilePath = "var"
    database_url: PostgresUrl
    redis_url: RedisUrl
    public_url: Origin = "http://localhost:8000"
    frontend_url: WebAddress = ""
    cors_origins: Origins = ""
    cookie_samesite: Literal["lax", "strict", "none"] = "lax"
    secret_key: Key
    secret_key_previous: Key = ""
    pseudonym_key: Key
    access_token_minutes: Minutes = 10
    refresh_token_days: Days = 7
    free_user_credits: Count = 3
    free_credits_daily_cap: Count = 1000

    google_client_id: str = ""
    google_client_secret: Token = ""
    google_issuer: WebAddress = "https://accounts.google.com"

    replicate_api_token: Token = ""
    replicate_base_url: WebAddress = "https://api.replicate.com/v1"
    replicate_model: ModelName = "bytedance/seedream-4"
    replicate_creates_per_minute: PositiveCount = 600
    replicate_webhook_secret: WebhookSecrets = ""
    replicate_output_hosts: Hosts = "replicate.delivery"

    dodo_payments_api_key: Token = ""
    dodo_payments_base_url: WebAddress = "https://test.dodopayments.com"
    dodo_payments_product_id: str = ""
    dodo_payments_webhook_secret: WebhookSecrets = ""
    credit_price_minor: Price = 100
    credit_currency: Currency = "USD"

    brevo_api_key: Token = ""
    brevo_base_url: WebAddress = "https://api.brevo.com/v3"
    mail_from: Mailbox = "no-reply@localhost.localdomain"
    mail_from_name: str = "Hair Try-On"

    storage: Literal["s3", "disk"] = "disk"
    media_dir: FilePath = ""
    bucket_name: Bucket = ""
    s3_endpoint_url: WebAddress = ""
    aws_region: Region = "us-east-1"
    aws_access_key_id: Token = ""
    aws_secret_access_key: Token = ""
    cdn_domain: Host = ""

    generation_timeout_seconds: Seconds = 120
    generation_deadline_seconds: Seconds = 900
    generation_max_attempts: Attempts = 3
    generation_lease_seconds: Seconds = 30
    poll_seconds: Seconds = 2
    sweep_seconds: Seconds = 5
    reconcile_seconds: Seconds = 300

    rate_limit_generate: Rate = "5/minute"
    rate_limit_auth: Rate = "20/minute"
    rate_limit_default: Rate = "300/minute"

    trusted_proxies: Networks = ""
    metrics_token: Token = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: FilePath = ""
    otel_exporter_otlp_endpoint: WebAddress = ""
    logfire_token: Token = ""

    def __repr__(self) -> str:
        """Nothing that would be a secret in a log."""
        return f"Settings(hairtryon_env={self.hairtryon_env!r})"

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
        return frozenset(origin_of(address) for address in listed if address)

    @property
    def webhook_url(self) -> str | None:
        """Where Replicate may report: on a public https address, or on this machine to a provider played here.

        Nowhere without a secret to check the reports with; the poller learns of every result too.
        """
        played_here = not self.is_prod and is_loopback(self.public_url) and is_loopback(self.replicate_base_url)
        if not self.replicate_webhook_secret or not (self.is_https or played_here):
            return None
        return f"{self.public_url}/api/v1/image/webhook"

    @property
    def played_output_host(self) -> str | None:
        """The host and port that outputs may come from over http: the sandbox, in dev and test only."""
        return None if self.is_prod else urlsplit(self.replicate_base_url).netloc

    @property
    def played_google_host(self) -> str | None:
        """The host and port that people's pictures may come from over http: the sandbox, in dev and test only."""
        place = urlsplit(self.google_issuer)
        return place.netloc if place.scheme == "http" and not self.is_prod else None
