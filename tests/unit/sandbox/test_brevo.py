"""Transactional mail: https://developers.brevo.com/reference/send-transac-email."""

import uuid
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.talking import running, script

SEND = "/brevo/v3/smtp/email"


def mail(**changes: Any) -> dict[str, Any]:
    return {
        "sender": {"email": "no-reply@example.com", "name": "Hair Try-On"},
        "to": [{"email": "ada@example.com", "name": "Ada"}],
        "subject": "Hello",
        "htmlContent": '<p>Hi</p><a href="http://localhost/verify?token=1&amp;next=2">verify</a>',
        **changes,
    }


async def mails(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    return list((await client.get("/brevo/mails", params=query)).json()["mails"])


async def test_a_mail_is_taken_and_can_be_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        SEND, json=mail(textContent="Hi", tags=["verify"], replyTo={"email": "help@example.com"})
    )
    assert answer.status_code == 201
    (kept,) = await mails(client)
    assert kept["message_id"] == answer.json()["messageId"]
    assert (kept["subject"], kept["text"], kept["tags"]) == ("Hello", "Hi", ["verify"])
    assert kept["to"] == [{"email": "ada@example.com", "name": "Ada"}]
    assert kept["links"] == ["http://localhost/verify?token=1&next=2"]


async def test_mails_are_listed_newest_first_and_by_receiver(client: httpx.AsyncClient) -> None:
    for address in ("ada@example.com", "bob@example.com", "ADA@example.com"):
        await client.post(SEND, json=mail(to=[{"email": address}]))
    assert [each["id"] for each in await mails(client)] == [3, 2, 1]
    assert [each["id"] for each in await mails(client, to="Ada@example.com")] == [3, 1]
    assert (await client.delete("/brevo/mails")).status_code == 204
    assert await mails(client) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": None}, "missing_parameter"),
        ({"to": []}, "missing_parameter"),
        ({"sender": None}, "missing_parameter"),
        ({"sender": {"name": "Nobody"}}, "missing_parameter"),
        ({"subject": ""}, "missing_parameter"),
        ({"htmlContent": None}, "missing_parameter"),
        ({"to": [{"email": "nowhere"}]}, "invalid_parameter"),
        ({"to": [{"email": "ada@example.com", "name": "A" * 71}]}, "invalid_parameter"),
        ({"subject": 1}, "invalid_parameter"),
        ({"params": {"long": "x" * 100_001}}, "out_of_range"),
        ({"headers": {"idempotencyKey": "once"}}, "invalid_parameter"),
    ],
)
async def test_a_mail_that_brevo_would_refuse(client: httpx.AsyncClient, changes: dict[str, Any], code: str) -> None:
    answer = await client.post(SEND, json=mail(**changes))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await mails(client) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{" * 5_000])
async def test_a_body_that_is_no_mail(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post(SEND, content=body)).status_code == 400


@pytest.mark.parametrize("name", ["idempotencyKey", "IdempotencyKey", "Idempotencykey"])
async def test_a_key_sends_one_mail(client: httpx.AsyncClient, name: str) -> None:
    keyed = mail(headers={name: str(uuid.uuid4())})
    first, second = [await client.post(SEND, json=keyed) for _ in range(2)]
    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (400, "duplicate_parameter")
    assert len(await mails(client)) == 1


async def test_a_dry_run_sends_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post(SEND, json=mail(headers={"X-Sib-Sandbox": "drop"}))
    assert answer.status_code == 201
    assert answer.json()["messageId"]
    assert await mails(client) == []


async def test_a_key_is_asked_for_only_where_one_is_set() -> None:
    async with running(brevo_api_key="key of this test") as client:
        absent = await client.post(SEND, json=mail())
        wrong = await client.post(SEND, json=mail(), headers={"api-key": "another"})
        right = await client.post(SEND, json=mail(), headers={"api-key": "key of this test"})
    assert [answer.status_code for answer in (absent, wrong, right)] == [401, 401, 201]
    assert absent.json() == {"code": "unauthorized", "message": "authentication not found in headers"}
    assert wrong.json() == {"code": "unauthorized", "message": "Key not found"}


async def test_a_mail_can_be_sent_and_its_answer_lost(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "send", "processed": True, "reply": {"status": 500}}, service="brevo")
    assert (await client.post(SEND, json=mail())).status_code == 500
    assert len(await mails(client)) == 1


async def test_the_page_shows_a_mail_without_letting_it_act(client: httpx.AsyncClient) -> None:
    hostile = '<script>alert(1)</script><img src="https://example.com/pixel"></iframe><b>bold</b>'
    await client.post(SEND, json=mail(subject="<Hi>", htmlContent=hostile))
    page = await client.get("/brevo")
    assert "&lt;Hi&gt;" in page.text
    assert "<script" not in page.text
    assert "<b>bold" not in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
