"""What must hold between variables, and what production asks for on top. Rules name every variable they speak of."""

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import fields

from bootstrap.settings.addresses import is_loopback
from bootstrap.settings.values import Origin, Origins, WebAddress
from bootstrap.settings.variables import Settings

_TOGETHER = (
    ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("DODO_PAYMENTS_API_KEY", "DODO_PAYMENTS_PRODUCT_ID", "DODO_PAYMENTS_WEBHOOK_SECRET"),
)
"""Each of a line is worth nothing without the others."""

_NEEDED_IN_PROD = ("REPLICATE_API_TOKEN", "REPLICATE_WEBHOOK_SECRET", "BREVO_API_KEY", "METRICS_TOKEN")
_MADE_BY_OPERATORS = ("SECRET_KEY", "SECRET_KEY_PREVIOUS", "PSEUDONYM_KEY", "METRICS_TOKEN")
_MAY_BE_BESIDE_US = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""A telemetry collector commonly runs beside each process: what stays on the machine needs no https."""

_FEWEST_CHARACTERS = 16
_FEWEST_DIFFERENT = 8
"""One in a thousand secrets of 32 random decimal digits has fewer; with more digits or letters, practically none."""
_COPIED_FROM_EXAMPLES = ("secret", "change", "default", "password", "example", "replace", "insecure")


def mistakes_in(settings: Settings) -> Iterator[str]:
    yield from _generation(settings)
    yield from _sessions(settings)
    yield from _storage(settings)
    yield from _incomplete_accounts(settings)
    if settings.is_prod:
        yield from _plain_addresses(settings)
        yield from _missing_in_prod(settings)
        yield from _guessable_secrets(settings)
        yield from _unsafe_in_prod(settings)


def _generation(settings: Settings) -> Iterator[str]:
    if settings.generation_deadline_seconds < settings.generation_timeout_seconds:
        yield "GENERATION_DEADLINE_SECONDS should be at least GENERATION_TIMEOUT_SECONDS."


def _sessions(settings: Settings) -> Iterator[str]:
    if settings.access_token_minutes > settings.refresh_token_days * 24 * 60:
        yield "ACCESS_TOKEN_MINUTES should end before REFRESH_TOKEN_DAYS do."
    if settings.cookie_samesite == "none" and not settings.secure_cookies:
        yield "COOKIE_SAMESITE should be lax or strict while PUBLIC_URL is plain http: browsers drop such cookies."


def _storage(settings: Settings) -> Iterator[str]:
    if settings.storage == "s3" and not settings.bucket_name:
        yield "BUCKET_NAME is missing; STORAGE=s3 needs it."


def _incomplete_accounts(settings: Settings) -> Iterator[str]:
    for names in _TOGETHER:
        given = [name for name in names if _value(settings, name)]
        for name in names:
            if given and name not in given:
                yield f"{name} is missing; {' and '.join(given)} cannot be used without it."


def _plain_addresses(settings: Settings) -> Iterator[str]:
    for field in fields(Settings):
        if field.type not in {WebAddress, Origin, Origins}:
            continue
        name = field.encode_name
        for address in filter(None, _value(settings, name).split(",")):
            if name == _MAY_BE_BESIDE_US and is_loopback(address):
                continue
            if not address.startswith("https://"):
                yield f"{name} should start with https:// in prod: plain http and the sandbox are for development."
            elif is_loopback(address):
                yield f"{name} should not be this very machine in prod: the sandbox is for development."


def _missing_in_prod(settings: Settings) -> Iterator[str]:
    for name in _NEEDED_IN_PROD:
        if not _value(settings, name):
            yield f"{name} is missing; prod needs it."
    if settings.mail_from.endswith("@localhost.localdomain"):
        yield "MAIL_FROM is missing; it should be an address that Brevo may send from."


def _guessable_secrets(settings: Settings) -> Iterator[str]:
    for name in _MADE_BY_OPERATORS:
        secret = _value(settings, name)
        if secret and _is_guessable(secret):
            yield f"{name} should be long and random in prod, as from `openssl rand -base64 48`."
    if settings.secret_key == settings.pseudonym_key:
        yield "PSEUDONYM_KEY should differ from SECRET_KEY, for it outlives it."


def _unsafe_in_prod(settings: Settings) -> Iterator[str]:
    if settings.storage == "disk" and not Path(settings.media_dir).is_absolute():
        yield "MEDIA_DIR should be an absolute folder in prod, or STORAGE should be s3."


def _is_guessable(secret: str) -> bool:
    """Tell a secret that somebody typed, repeated or copied from an example."""
    is_repeated = secret in (secret + secret)[1:-1]
    is_copied = any(word in secret.lower() for word in _COPIED_FROM_EXAMPLES)
    return len(secret) < _FEWEST_CHARACTERS or len(set(secret)) < _FEWEST_DIFFERENT or is_repeated or is_copied


def _value(settings: Settings, name: str) -> str:
    value: str = getattr(settings, name.lower())
    return value
