"""Secrets and personal data, taken out of what is about to be logged."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from typing import Any

from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
LONGEST_TEXT = 16_384
"""Characters of one value; of a longer one its two ends are kept, where tracebacks say most."""

_LONGEST_READ = 4 * LONGEST_TEXT
_LONGEST_REMEMBERED = 128
_DEEPEST = 4
_MOST_ITEMS = 50
_OURS = frozenset({"level", "timestamp"})
_HARMLESS = frozenset({int, float, bool, type(None)})

_TELLING_WORDS = (
    r"pass(?:word|wd|phrase)|secret|token|api[_-]?key|(?:private|pseudonym)[_-]key"
    r"|authorization|credential|signature"
)
_SECRET_NAME = re.compile(
    rf"{_TELLING_WORDS}|cookie|e-?mail|user[_-]?agent|(?:^|_)(?:ip|dsn|database_url|redis_url)$|^name$", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    # After its name, as in name=value, "name": "value", (b"name", b"value"); of cookies the whole line.
    r"(?P<cookie>(?i:cookie)[\\\"']{0,3}\s{0,9}[=:,])[^\n]*"
    rf"|(?P<name>(?i:{_TELLING_WORDS})[\w-]{{0,40}}(?:[\\\"']{{0,3}}\s{{0,9}}[=:]|[\"'],)\s{{0,9}}b?)"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[\\\"']{0,3}(?i:(?:bearer|basic)\s)?[^\s,;&\"')\]}]+)"
    r"|(?P<query>[?&](?:code|state|sig|X-Amz-[\w-]{1,40})=)[^&\s\"'#]*"
    # What PostgreSQL and SQLAlchemy tell of rows and parameters.
    r"|(?P<rows>\bDETAIL:|\[parameters: )[^\n]*"
    # By its form: credentials in an address, bearer tokens, JWTs, keys of services, password hashes, mail addresses.
    r"|(?P<scheme>://)[^\s/?#\"'<>@]{1,256}(?:@[^\s/?#\"'<>@]{1,256})?@"
    r"|(?i:\bbearer\s)[\w.~+/=-]+"
    r"|(?<![\w-])eyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*)?"
    r"|(?<![^\W_])(?:whsec_|r8_|xkeysib-|GOCSPX-|ya29\.)[\w+/=.-]+"
    r"|\$argon2\S+"
    r"|(?<![\w.+%-])[\w.+%-]{1,64}?(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+"
)
"""Every part is bounded, or begins where no other can: the time is proportional to the text, whatever it holds."""


def redact(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Make every value plain (texts, numbers, lists, dictionaries), visible, not too long, and free of secrets.

    A structlog processor, for the end of a chain. Numbers are kept under any name: they count things and name rows.
    """
    for name, value in entry.items():
        kind = type(value)
        if kind in _HARMLESS or name in _OURS:
            continue
        if _is_secret(name):
            entry[name] = REDACTED
        elif kind is not str:
            entry[name] = _plain(value, _DEEPEST)
        elif not value.isalnum():  # a single word is none of the patterns; this runs for every request
            entry[name] = redact_text(value)
    return entry


def redact_text(text: str) -> str:
    r"""The text without secrets. Invisible characters, all but line breaks, become escapes such as `\x1b`."""
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _redacted(text)


def _redacted(text: str) -> str:
    text = _SECRET_TEXT.sub(_keep_label, _shortened(text, _LONGEST_READ))
    return _visible(_shortened(text, LONGEST_TEXT))


_remembered = lru_cache(1024)(_redacted)
"""Routes and the names of events come again and again."""


@lru_cache(1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _keep_label(found: re.Match[str]) -> str:
    return f"{found[found.lastgroup] if found.lastgroup else ''}{REDACTED}"


def _shortened(text: str, longest: int) -> str:
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} [...] {text[-half:]}"


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "\n".join(
        line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
        for line in text.split("\n")
    )


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return redact_text(bytes(value).decode(errors="backslashreplace"))
    if isinstance(value, str) or not depth:
        return redact_text(_text(value))
    if isinstance(value, Mapping):
        return {
            redact_text(name): REDACTED if _is_secret(name) and item is not None else _plain(item, depth - 1)
            for name, item in ((_text(key), item) for key, item in islice(value.items(), _MOST_ITEMS))
        }
    if isinstance(value, Sequence | AbstractSet):
        return [_plain(item, depth - 1) for item in islice(value, _MOST_ITEMS)]
    return redact_text(_text(value))


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a log line is no reason to fail, whatever the object thinks
        return f"<{type(value).__name__} that has no text>"
