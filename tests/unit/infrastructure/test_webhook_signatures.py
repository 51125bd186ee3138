"""Signatures of webhooks: those of the standard's own library pass, every other kind is one and the same refusal."""

import base64
import secrets
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from domain.errors import Unauthenticated
from infrastructure.webhook_signatures import StandardWebhookVerifier

BODY = b'{"id": "gm3q", "status": "succeeded", "note": "\xc3\xa9"}'


def now() -> int:
    return int(time.time())


def new_secret(length: int = 24) -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(length)).decode()


def verifier(*known: str) -> StandardWebhookVerifier:
    return StandardWebhookVerifier(" ".join(known))


def headers(secret: str, body: bytes = BODY, *, offset: int = 0, message_id: str = "msg_1") -> dict[str, str]:
    at = now() + offset
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_what_the_library_signed_passes_and_tells_its_id() -> None:
    secret = new_secret()
    assert verifier(secret).verify(BODY, headers(secret)) == "msg_1"


def test_header_names_count_in_any_case() -> None:
    secret = new_secret()
    shouted = {name.upper(): value for name, value in headers(secret).items()}
    assert verifier(secret).verify(BODY, shouted) == "msg_1"


def test_both_secrets_pass_while_one_replaces_the_other() -> None:
    old, new = new_secret(), new_secret(64)
    for secret in (old, new):
        assert verifier(old, new).verify(BODY, headers(secret)) == "msg_1"


def test_one_good_signature_among_several_is_enough() -> None:
    """Other keys' signatures, other versions, double spaces and rubbish around it do no harm."""
    secret = new_secret()
    good = headers(secret)
    others = f"v1a,{secrets.token_hex(8)}  rubbish v1,,, {headers(new_secret())['webhook-signature']}"
    good["webhook-signature"] = f"{others}   {good['webhook-signature']} v2,x"
    assert verifier(secret).verify(BODY, good) == "msg_1"


@pytest.mark.parametrize("offset", [-200, 200])
def test_some_minutes_are_tolerated(offset: int) -> None:
    secret = new_secret()
    assert verifier(secret).verify(BODY, headers(secret, offset=offset)) == "msg_1"


def refused(known: str, body: bytes, sent: dict[str, str]) -> bool:
    with pytest.raises(Unauthenticated) as failure:
        verifier(known).verify(body, sent)
    return failure.value.code == "webhook_signature_invalid"


@pytest.mark.parametrize("offset", [-400, 400, -86_400])
def test_old_and_future_messages_are_refused(offset: int) -> None:
    secret = new_secret()
    assert refused(secret, BODY, headers(secret, offset=offset))


def test_another_secrets_signature_is_refused() -> None:
    assert refused(new_secret(), BODY, headers(new_secret()))


def test_the_raw_bytes_count() -> None:
    """The same JSON written differently, or one byte more, is another message."""
    secret = new_secret()
    assert refused(secret, BODY.replace(b" ", b""), headers(secret))
    assert refused(secret, BODY + b"\n", headers(secret))
    assert refused(secret, b"", headers(secret))


def test_id_and_time_are_part_of_what_is_signed() -> None:
    secret = new_secret()
    assert refused(secret, BODY, headers(secret) | {"webhook-id": "msg_2"})
    assert refused(secret, BODY, headers(secret) | {"webhook-timestamp": str(now() + 1)})


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_all_three_headers_are_needed(missing: str) -> None:
    secret = new_secret()
    sent = headers(secret)
    assert refused(secret, BODY, {**sent, missing: ""})
    del sent[missing]
    assert refused(secret, BODY, sent)


@pytest.mark.parametrize(
    "written",
    [
        "{0}.9",
        "{0}.0",
        " {0}",
        "{0} ",
        "+{0}",
        "{0:_}",
        "{0:e}",
        "nan",
        "inf",
        "-1",
        "0x1",
        "now",
    ],
)
def test_only_whole_seconds_are_a_time(written: str) -> None:
    """Even where the number is the right one: a lenient reader would let one signature pass under many times."""
    secret = new_secret()
    assert refused(secret, BODY, headers(secret) | {"webhook-timestamp": written.format(now())})


def test_digits_of_other_scripts_and_endless_ones_are_no_time() -> None:
    secret = new_secret()
    arabic = "".join(chr(0x0660 + int(digit)) for digit in str(now()))
    for written in (arabic, "9" * 400):
        assert refused(secret, BODY, headers(secret) | {"webhook-timestamp": written})


@pytest.mark.parametrize(
    "signature",
    [
        "v1",
        "v1,",
        ",",
        "v1,not base64!",
        "v1,AAAA",
        "v1,AAAA,AAAA",
        "v2,AAAA",
        "é",
        "\udc80",
        "v1," + "A" * 10_000,
        " ",
    ],
)
def test_malformed_signatures_are_refused(signature: str) -> None:
    secret = new_secret()
    assert refused(secret, BODY, headers(secret) | {"webhook-signature": signature})


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"\x80"])
def test_a_body_that_is_no_text_is_refused(body: bytes) -> None:
    secret = new_secret()
    assert refused(secret, body, headers(secret))


@given(
    st.binary(),
    st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()),
)
def test_nothing_that_was_not_signed_passes(body: bytes, sent: dict[str, str]) -> None:
    """Any bytes under any headers end in the one refusal."""
    assert refused(new_secret(), body, sent)


@pytest.mark.parametrize(
    "secret",
    [
        "DODOS_DONT_FLY",
        "whsec_",
        "whsec_short",
        base64.b64encode(bytes(24)).decode(),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("="),
        "whsec_" + base64.urlsafe_b64encode(b"\xff" * 24).decode(),
        "whsec_" + "é" * 32,
    ],
)
def test_a_secret_that_is_none_stops_the_start(secret: str) -> None:
    """Also beside a good one. What is wrong is told without showing the secret."""
    for known in ([secret], [new_secret(), secret]):
        with pytest.raises(ValueError, match="24 bytes in base64") as failure:
            verifier(*known)
        assert secret.removeprefix("whsec_") not in str(failure.value) or secret == "whsec_"


@pytest.mark.parametrize("secrets_setting", ["", "   "])
def test_without_any_secret_every_message_is_refused(secrets_setting: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhookVerifier(secrets_setting).verify(BODY, headers(new_secret()))
