"""What the text of one variable may be. Each kind says so in words that end the sentence "NAME should be ..."."""

import base64
import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from bootstrap.settings.addresses import read_host, read_origin, read_web_address

SHORTEST_KEY = 32
"""Bytes: RFC 7518, section 3.2, asks as much of a key for HS256."""
SHORTEST_WEBHOOK_SECRET = 24
"""Bytes after decoding: what the Standard Webhooks specification asks for."""

_QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d")


class Kind(Struct, frozen=True):
    """A kind of text. `read` answers it in its one spelling, or raises `ValueError`; secrets are never shown."""

    wanted: str
    read: Callable[[str], str]
    is_secret: bool = False


def read_value(text: str, expected: Any) -> Any:
    """The value that a variable's text stands for; raises `ValueError` when it stands for none of this type."""
    if not is_plain(text):
        raise ValueError("not plain text")
    kind = kind_of(expected)
    if kind is not None:
        return kind.read(text)
    return msgspec.convert(text if expected is str else text.lower(), expected, strict=False)


def is_plain(text: str) -> bool:
    """Whether this is one line of visible text, with no quotation marks left around it by a shell or a file."""
    return text.isprintable() and not (text[:1] in _QUOTES and text[-1:] in _QUOTES)


def wanted(expected: Any) -> str:
    """What a value of this type should be."""
    kind = kind_of(expected)
    if kind is not None:
        return kind.wanted
    described = [meta.description for meta in get_args(expected) if isinstance(meta, Meta) and meta.description]
    return described[0] if described else f"one of {', '.join(get_args(expected))}"


def kind_of(expected: Any) -> Kind | None:
    return next((kind for kind in get_args(expected) if isinstance(kind, Kind)), None)


def _pattern(pattern: str) -> Callable[[str], str]:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(text: str) -> str:
        if not matches(text):
            raise ValueError("not of this form")
        return text

    return read


def _each(read: Callable[[str], str]) -> Callable[[str], str]:
    """Values separated by commas; spaces and empty places between them do not count."""

    def read_all(text: str) -> str:
        parts = [read(part.strip()) for part in text.split(",") if part.strip()]
        if not parts:
            raise ValueError("nothing but commas")
        return ",".join(parts)

    return read_all


def _server_address(text: str, *schemes: str) -> str:
    """The address of a server that speaks one of `schemes`, its password percent-encoded where it must be."""
    parts = urlsplit(text)
    has_host = parts.hostname or "host=" in parts.query  # the second names the folder of a Unix socket
    if parts.scheme not in schemes or not has_host or parts.port == 0 or not set(text).isdisjoint("# "):
        raise ValueError("not such an address")
    return parts.scheme + text[len(parts.scheme) :]


def _read_redis_url(text: str) -> str:
    if not re.fullmatch(r"/?\d*", urlsplit(text).path, re.ASCII):
        raise ValueError("the path is the number of a database")
    return _server_address(text, "redis", "rediss")


def _read_key(text: str) -> str:
    if len(text.encode()) < SHORTEST_KEY:
        raise ValueError("too short")
    return text


def _read_webhook_secrets(text: str) -> str:
    for secret in text.split():
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if not secret.startswith("whsec_") or len(decoded) < SHORTEST_WEBHOOK_SECRET:
            raise ValueError("not a Standard Webhooks secret")
    return text


def _read_network(text: str) -> str:
    network = ip_network(text)
    if network.prefixlen == 0:
        raise ValueError("to trust everybody is to trust what anybody says")
    return str(network)


def _read_rate(text: str) -> str:
    return _pattern(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")(text.lower().replace(" ", ""))


def _read_currency(text: str) -> str:
    return _pattern(r"[A-Z]{3}")(text.upper())


WebAddress = Annotated[
    str, Kind("an address such as https://example.com, without credentials, query or fragment", read_web_address)
]
Origin = Annotated[str, Kind("an address such as https://example.com, with nothing behind the host", read_origin)]
Origins = Annotated[
    str,
    Kind(
        "addresses such as https://example.com, exact, separated by commas, with nothing behind the host",
        _each(read_origin),
    ),
]
Host = Annotated[str, Kind("a bare host such as cdn.example.com", read_host)]
Hosts = Annotated[str, Kind("bare hosts such as example.com, separated by commas", _each(read_host))]
Networks = Annotated[
    str,
    Kind(
        "addresses, or networks such as 10.0.0.0/8, separated by commas; /0 would trust everybody", _each(_read_network)
    ),
]
PostgresUrl = Annotated[
    str,
    Kind(
        "an address such as postgresql://user:password@host/name, with special characters percent-encoded",
        lambda text: _server_address(text, "postgresql"),
        is_secret=True,
    ),
]
RedisUrl = Annotated[
    str,
    Kind("an address such as redis://host/0 or rediss://user:password@host/0", _read_redis_url, is_secret=True),
]
Key = Annotated[
    str, Kind(f"{SHORTEST_KEY} random bytes or more, as from `openssl rand -base64 48`", _read_key, is_secret=True)
]
Token = Annotated[str, Kind("the bare key, without spaces", _pattern(r"[!-~]+"), is_secret=True)]
WebhookSecrets = Annotated[
    str,
    Kind(
        f"whsec_ and the base64 of {SHORTEST_WEBHOOK_SECRET} bytes or more; several are separated by spaces",
        _read_webhook_secrets,
        is_secret=True,
    ),
]
Mailbox = Annotated[
    str,
    Kind(
        "a bare mail address such as no-reply@example.com; the name goes into MAIL_FROM_NAME",
        _pattern(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}"),
    ),
]
ModelName = Annotated[str, Kind("owner/name, such as bytedance/seedream-4", _pattern(r"[\w.-]+/[\w.-]+"))]
Bucket = Annotated[str, Kind("a bare name, without s3:// or folders", _pattern(r"[A-Za-z0-9][\w.-]{2,62}"))]
Region = Annotated[str, Kind("a region such as us-east-1", _pattern(r"[a-z0-9-]+"))]
FilePath = Annotated[str, Kind("a path, absolute or from the current folder; ~ is not understood", _pattern(r"[^~].*"))]
Rate = Annotated[str, Kind("a count per second, minute, hour or day, such as 5/minute", _read_rate)]
Currency = Annotated[str, Kind("an ISO 4217 code such as USD", _read_currency)]
Count = Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")]
PositiveCount = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Price = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number of minor units from 1 to 1000000")]
Attempts = Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")]
Seconds = Annotated[
    float, Meta(gt=0, le=86_400, description="a number of seconds above 0, at most 86400, without a unit")
]
Minutes = Annotated[
    float, Meta(gt=0, le=1_440, description="a number of minutes above 0, at most 1440, without a unit")
]
Days = Annotated[float, Meta(gt=0, le=30, description="a number of days above 0, at most 30, without a unit")]
