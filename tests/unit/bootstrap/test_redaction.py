"""Secrets and personal data never reach the log, whatever they are part of."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.redaction import LONGEST_TEXT, REDACTED, redact, redact_text


def redacted(**entry: Any) -> dict[str, Any]:
    return dict(redact(None, "info", entry))


def segment(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@dataclass
class LogIn:
    email: str
    password: str


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "refresh_token",
        "SECRET_KEY",
        "Authorization",
        "set-cookie",
        "x-api-key",
        "api_key",
        "signature",
        "webhook-signature",
        "pseudonym_key",
        "database_url",
        "email",
        "user_agent",
        "client_ip",
        "ip",
        "name",
    ],
)
def test_what_is_named_like_a_secret_is_one(name: str) -> None:
    """At the top, deep inside, and in any type but numbers."""
    secret = secrets.token_hex(8)
    entry = redacted(**{name: secret}, inside=[{"deeper": ({name: [secret]}, {name: secret.encode()})}])
    assert entry == {name: REDACTED, "inside": [{"deeper": [{name: REDACTED}, {name: REDACTED}]}]}


@pytest.mark.parametrize(
    "entry",
    [
        {"event": "request", "method": "GET", "route": "/api/v1/image/status/{image_id:int}", "status": 200},
        {"request_id": "7d0c6c2e-94f5-4d0a-a5a7-4a1e0f3f9d0b", "seconds": 0.25, "error": None, "ready": True},
        {"tokens": 3, "image_id": 2**70, "views": ["front", "left"], "host": "db.internal", "key": "inputs/ab12.jpg"},
        {"reason": "the output's host answered 503", "file": "https://replicate.delivery/x/out-0.png?size=2"},
        {"reason": "no answer from api.brevo.com: ConnectTimeout('')", "at": "2026-01-02T03:04:05Z"},
    ],
)
def test_what_helps_to_find_a_fault_is_left_alone(entry: dict[str, Any]) -> None:
    assert redacted(**entry) == entry


SECRET = "Ab1-" + secrets.token_urlsafe(24).replace("-", "x")
JWT = f"{segment({'alg': 'HS256', 'typ': 'at+jwt'})}.{segment({'sub': SECRET})}.{SECRET}"


@pytest.mark.parametrize(
    "text",
    [
        "password=<secret>",
        "retry with token: <secret>, please",
        "{'password': '<secret> <secret>', 'views': ['front']}",
        '{"refresh_token":"<secret>\\" <secret>"}',
        'body was "{\\"password\\": \\"<secret>\\"}"',
        'body was {\\"password\\": \\"<secret>',
        "[(b'host', b'x'), (b'authorization', b'Token <secret>'), (b'accept', b'*/*')]",
        "Authorization: Basic <secret>",
        "header Bearer <secret> refused",
        "cookie: theme=dark; session=<secret>",
        "(b'cookie', b'theme=dark; session=<secret>')",
        "GET /api/v1/auth/verify?token=<secret> HTTP/1.1",
        "/auth/google/callback?state=<secret>&code=<secret>&scope=email",
        "https://s3.example.org/x.jpg?X-Amz-Credential=AK%2F2026&X-Amz-Signature=<secret>&X-Amz-Expires=3600",
        "/media/inputs/a.jpg?expires=1&signature=<secret>",
        "postgresql://app:<secret>@db.internal:5432/hair",
        "postgresql://app:p@<secret>@db.internal:5432/hair",
        "redis://:<secret>@cache.internal/0",
        "whsec_<secret>/+=",
        "tried r8_<secret> in vain",
        "key xkeysib-<secret>-<secret>",
        "expired: <jwt>!",
        "$argon2id$v=19$m=19456,t=2,p=1$<secret>$<secret>",
        "write to <secret>@example.org soon",
        "?address=<secret>%40example.org",
        "DETAIL:  Key (name, seed)=(x, <secret>) already exists.",
        "[SQL: ...]\n[parameters: ('<secret>', 1)]",
        repr(LogIn(email="<secret>@example.org", password="<secret>")),
        repr({"headers": {"x-api-key": "<secret>"}}),
    ],
)
def test_secrets_are_found_inside_texts(text: str) -> None:
    """By the name before them or by their form; in values, items, keys, bytes, and objects that show themselves."""
    text = text.replace("<secret>", SECRET).replace("<jwt>", JWT)
    shown = json.dumps(
        redacted(
            event=text,
            reason=f"{'x ' * 100}{text}",
            items=[{text: text}, text.encode(), {text}],
            error=ValueError(text),
        )
    )
    assert SECRET not in shown
    assert shown.count(REDACTED) >= 7


@given(before=st.text(), after=st.text())
def test_no_surroundings_hide_a_secret(before: str, after: str) -> None:
    """Line breaks, quotation marks and other letters around it make no difference."""
    assert SECRET not in redact_text(f"{before} password={SECRET} {after}")
    assert SECRET not in redact_text(f"{before} {JWT} {after}")
    assert SECRET not in redact_text(f"{before} redis://:{SECRET}@cache/0 {after}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text().filter(lambda name: name not in {"level", "timestamp"}), VALUES, max_size=4))
def test_every_value_becomes_plain_and_visible(entry: dict[str, Any]) -> None:
    """JSON can be made of it, and nothing in it moves a cursor, hides or turns a text; line breaks are left."""
    json.dumps(shown := redacted(**entry))
    texts = list(shown.values())
    for value in texts:
        if isinstance(value, dict):
            texts += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            texts += value
    assert all(line.isprintable() for text in texts if isinstance(text, str) for line in text.split("\n"))


def test_escape_codes_can_be_read_but_do_nothing() -> None:
    assert redacted(event="\x1b[2Jgone\r\x9b\u202e\ud800 \u00e9") == {
        "event": "\\x1b[2Jgone\\r\\x9b\\u202e\\ud800 \u00e9"
    }


def test_long_values_are_shortened_in_the_middle() -> None:
    """A traceback's ends tell most; a secret is not cut in two and left half."""
    text = f"begin {'x ' * 1_000_000} end"
    shown = redacted(exception=text, ids=list(range(1000)))
    assert len(shown["exception"]) < LONGEST_TEXT + 10
    assert shown["exception"].startswith("begin ")
    assert shown["exception"].endswith(" end")
    assert shown["ids"] == list(range(50))


def test_what_contains_itself_comes_to_an_end() -> None:
    endless: list[object] = ["x"]
    endless.append(endless)
    assert "x" in str(redacted(endless=endless))


def test_an_object_that_cannot_be_shown_is_named_instead() -> None:
    """The log line is written all the same."""

    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    assert redacted(value=Shy(), values=[Shy()]) == {
        "value": "<Shy that has no text>",
        "values": ["<Shy that has no text>"],
    }
