import base64
import binascii
import secrets
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


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
    latency = environment.get("SANDBOX_LATENCY_SECONDS") or "1.5"
    try:
        latency_seconds = float(latency)
    except ValueError as error:
        raise ValueError(f"SANDBOX_LATENCY_SECONDS must be a number of seconds, not {latency!r}") from error
    return SandboxConfig(
        public_url=public_url,
        latency_seconds=latency_seconds,
        replicate_webhook_secret=environment.get("SANDBOX_REPLICATE_WEBHOOK_SECRET") or None,
        replicate_api_token=environment.get("SANDBOX_REPLICATE_API_TOKEN") or None,
        brevo_api_key=environment.get("SANDBOX_BREVO_API_KEY") or None,
        google_client_id=environment.get("SANDBOX_GOOGLE_CLIENT_ID") or None,
        google_client_secret=environment.get("SANDBOX_GOOGLE_CLIENT_SECRET") or None,
        google_redirect_uri=environment.get("SANDBOX_GOOGLE_REDIRECT_URI") or None,
        data_dir=data_dir,
    )
