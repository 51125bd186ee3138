"""What a caller asks for when creating a prediction, and what Replicate refuses about it."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from msgspec import Struct

from sandbox.replicate.seedream import MODEL, VERSION, InvalidField, invalid_fields

EVENTS = frozenset({"start", "output", "logs", "completed"})
PREFER = re.compile(r"wait(?:=([1-9]|[1-5][0-9]|60))?")
CANCEL_AFTER = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class Creation(Struct, frozen=True, kw_only=True):
    input: dict[str, Any]
    version: str
    webhook: str | None = None
    events: frozenset[str] = frozenset({"output", "completed"})
    wait_seconds: int = 0
    cancel_after_seconds: int | None = None


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    def __init__(self, fields: list[InvalidField]) -> None:
        super().__init__(fields)
        self.fields = fields


class Body(Struct, frozen=True):
    input: dict[str, Any]
    version: str | None = None
    webhook: str | None = None
    webhook_completed: str | None = None
    webhook_events_filter: list[str] | None = None
    stream: bool | None = None


async def read_creation(request: Request[Any, Any, Any], *, versioned: bool) -> Creation:
    """Refused names every field that is wrong."""
    try:
        body = msgspec.json.decode(await request.body(), type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused([InvalidField("invalid", "(root)", str(error))]) from error
    wrong = invalid_fields(body.input)
    webhook = body.webhook or body.webhook_completed
    if webhook is not None and not may_be_called(webhook):
        wrong.append(InvalidField("format", "webhook", "must be an HTTPS URL"))
    unknown = set(body.webhook_events_filter or ()) - EVENTS
    if unknown:
        wrong.append(InvalidField("enum", "webhook_events_filter", f"unknown events: {', '.join(sorted(unknown))}"))
    if versioned and body.version not in {MODEL, VERSION, f"{MODEL}:{VERSION}"}:
        wrong.append(InvalidField("invalid", "version", "Invalid version or not permitted"))
    wait, cancel_after = wait_seconds(request, wrong), cancel_after_seconds(request, wrong)
    if wrong:
        raise Refused(wrong)
    events = {"completed"} if body.webhook is None and webhook is not None else {"output", "completed"}
    return Creation(
        input=body.input,
        version=VERSION if versioned and body.version != MODEL else "hidden",
        webhook=webhook,
        events=frozenset(events if body.webhook_events_filter is None else body.webhook_events_filter),
        wait_seconds=wait,
        cancel_after_seconds=cancel_after,
    )


def may_be_called(url: str) -> bool:
    """HTTPS as at Replicate, and plain http on this machine, for the sandbox runs beside what it calls."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def wait_seconds(request: Request[Any, Any, Any], wrong: list[InvalidField]) -> int:
    prefer = request.headers.get("prefer")
    if prefer is None:
        return 0
    match = PREFER.fullmatch(prefer.strip())
    if match is None:
        wrong.append(InvalidField("pattern", "Prefer", "must be wait or wait=n, n from 1 to 60"))
        return 0
    return int(match[1] or 60)


def cancel_after_seconds(request: Request[Any, Any, Any], wrong: list[InvalidField]) -> int | None:
    given = request.headers.get("cancel-after")
    if given is None:
        return None
    match = CANCEL_AFTER.fullmatch(given.strip())
    if match is None or not any(match.groups()):
        wrong.append(InvalidField("pattern", "Cancel-After", "must be a duration such as 30s, 5m or 1h30m45s"))
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
