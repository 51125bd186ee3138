"""What admins do over HTTP: as operators at a terminal, and under the name of their account."""

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.users import Role
from tests.factories import RegisterFactory, photo
from tests.integration.http.mailbox import register
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_signing_in import log_in, outcome

WHY = {"reason": "asked for it"}
PROMPTS = {"front": "front", "right": "right", "left": "left", "back": "back"}
WOLF = {"slug": "wolf-cut", "name": "Wolf Cut", "description": "Shaggy.", "category": "standard", **PROMPTS}


@pytest.fixture
async def grace(service: Service) -> Customer:
    return await service.customer(role=Role.ADMIN, credits=0, name="Grace")


async def done(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if status != 204 else None


async def test_accounts_are_found(service: Service, grace: Customer) -> None:
    """Page by page, by a part of the name, by what they are."""
    ada = await service.customer(name="Ada Lovelace")
    assert [user["id"] for user in (await grace.get("/admin/users"))["items"]] == [ada.id, grace.id]
    first = await grace.get("/admin/users", limit=1)
    second = await grace.get("/admin/users", limit=1, cursor=first["next_cursor"])
    assert ([user["id"] for user in second["items"]], second["next_cursor"]) == ([grace.id], None)
    assert [user["id"] for user in (await grace.get("/admin/users", search="LOVE"))["items"]] == [ada.id]
    assert [user["id"] for user in (await grace.get("/admin/users", role="admin"))["items"]] == [grace.id]
    shown = await grace.get(f"/admin/users/{ada.id}")
    assert (shown["email"], shown["credits_available"], shown["images"]) == (ada.email, 3, 0)
    assert "password" not in json.dumps(shown).replace("has_password", "")


async def test_an_account_is_created_and_its_owner_logs_in(service: Service, grace: Customer) -> None:
    body = {"email": "Ada@example.com", "name": "Ada", "password": "plum-velvet-otter"}
    made = await done(await grace.api.post("/admin/users", json=body), 201)
    assert (made["email"], made["is_verified"], made["credits"]) == ("ada@example.com", True, 0)
    assert (await log_in(service, "ada@example.com", "plum-velvet-otter")).status_code == 200
    assert outcome(await grace.api.post("/admin/users", json=body)) == (409, "conflict")


async def test_a_sign_up_whose_mail_was_lost_becomes_an_account(service: Service, grace: Customer) -> None:
    somebody = RegisterFactory.build()
    await register(service, somebody)
    verified = await grace.api.post("/admin/users/verify", json=WHY | {"email": somebody.email})
    assert (await done(verified))["credits"] == 3
    assert (await log_in(service, somebody.email, somebody.password)).status_code == 200


async def test_a_disabled_account_is_refused_everywhere_until_it_is_enabled(service: Service, grace: Customer) -> None:
    """Whoever is signed in is told why; so is whoever signs in with the right password."""
    body = {"email": "ada@example.com", "name": "Ada", "password": "plum-velvet-otter"}
    ada = (await done(await grace.api.post("/admin/users", json=body), 201))["id"]
    pair = (await log_in(service, body["email"], body["password"])).json()
    signed_in = service.browser(Authorization=f"Bearer {pair['access_token']}")
    assert (await done(await grace.api.post(f"/admin/users/{ada}/disable", json=WHY)))["is_disabled"]
    assert outcome(await signed_in.get("/user/me")) == (403, "account_disabled")
    assert outcome(await log_in(service, body["email"], body["password"])) == (403, "account_disabled")
    refreshed = await service.browser().post("/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert refreshed.status_code in {401, 403}
    assert outcome(await grace.api.post(f"/admin/users/{ada}/disable", json=WHY)) == (409, "conflict")
    assert not (await done(await grace.api.post(f"/admin/users/{ada}/enable", json=WHY)))["is_disabled"]
    assert outcome(await signed_in.get("/user/me")) == (401, "not_authenticated")
    assert (await log_in(service, body["email"], body["password"])).status_code == 200


async def test_an_account_is_taken_out_and_erased(service: Service, grace: Customer) -> None:
    """As its owner could; the ledger stays, under a pseudonym that is still shown."""
    ada = await service.customer()
    await ada.generate()
    await service.work()
    exported = await grace.api.post(f"/admin/users/{ada.id}/export", json=WHY)
    assert exported.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert json.loads(archive.read("profile.json"))["email"] == ada.email
    await done(await grace.api.request("DELETE", f"/admin/users/{ada.id}", json=WHY), 204)
    assert outcome(await ada.api.get("/user/me")) == (401, "not_authenticated")
    await service.work_for(600, step=300)
    assert service.storage.pictures == {}
    shown = await grace.get(f"/admin/users/{ada.id}")
    assert (shown["email"], shown["images"]) == (f"erased-{ada.id}@erased.invalid", 0)
    assert [user["id"] for user in (await grace.get("/admin/users", erased=True))["items"]] == [ada.id]
    assert len((await grace.get(f"/admin/users/{ada.id}/credits/history"))["items"]) == 2
    again = await grace.api.request("DELETE", f"/admin/users/{ada.id}", json=WHY)
    assert outcome(again) == (404, "user_not_found")


async def test_credits_come_and_go_with_their_reasons(service: Service, grace: Customer) -> None:
    ada = await service.customer(credits=1)
    granted = await grace.api.post(f"/admin/users/{ada.id}/credits/grant", json=WHY | {"amount": 5})
    assert (await done(granted))["credits"] == 6
    revoked = await grace.api.post(f"/admin/users/{ada.id}/credits/revoke", json=WHY | {"amount": 2})
    assert (await done(revoked))["credits"] == 4
    too_many = await grace.api.post(f"/admin/users/{ada.id}/credits/revoke", json=WHY | {"amount": 5})
    assert outcome(too_many) == (409, "conflict")
    history = (await grace.get(f"/admin/users/{ada.id}/credits/history", limit=2))["items"]
    assert [(entry["amount"], entry["operator"], entry["reason"]) for entry in history] == [
        (-2, f"user:{grace.id}", "asked for it"),
        (5, f"user:{grace.id}", "asked for it"),
    ]
    assert (await grace.get("/admin/credits/audit"))["differences"] == []


async def test_a_style_is_added_pictured_shown_and_taken_away(service: Service, grace: Customer) -> None:
    """Customers see it when an admin has activated it, and never its prompts; try-ons keep the words of then."""
    style = (await done(await grace.api.post("/admin/styles", json=WOLF), 201))["id"]
    assert outcome(await grace.api.post(f"/admin/styles/{style}/activate")) == (409, "conflict")
    broken = await grace.api.put(f"/admin/styles/{style}/thumbnail", files={"file": ("x.jpg", b"no picture")})
    assert outcome(broken) == (422, "image_unreadable")
    small = await grace.api.put(f"/admin/styles/{style}/thumbnail", files={"file": ("x.jpg", photo(100, 100))})
    assert outcome(small) == (422, "image_too_small")
    pictured = await grace.api.put(f"/admin/styles/{style}/thumbnail", files={"file": ("x.jpg", photo(600, 400))})
    assert (await done(pictured))["thumbnail_url"].endswith(".jpg")
    assert (await service.browser().get("/image/styles")).json()["items"] == []
    assert (await done(await grace.api.post(f"/admin/styles/{style}/activate")))["is_active"]
    (seen,) = (await service.browser().get("/image/styles")).json()["items"]
    assert seen == {
        "id": style,
        "name": "Wolf Cut",
        "description": "Shaggy.",
        "category": "standard",
        "thumbnail_url": pictured.json()["thumbnail_url"],
    }
    ada = await service.customer(credits=2)
    await ada.generate(style=style)
    edited = await done(await grace.api.patch(f"/admin/styles/{style}", json={"front": "other words", "name": "Wolf"}))
    assert [(version["version"], version["front"]) for version in edited["prompts"]] == [
        (2, "other words"),
        (1, "front"),
    ]
    await ada.generate(style=style)
    await service.work()
    assert [order.prompt for order in service.model.orders] == ["front", "other words"]
    assert not (await done(await grace.api.post(f"/admin/styles/{style}/deactivate")))["is_active"]
    assert (await service.browser().get("/image/styles")).json()["items"] == []
    listed = await grace.get("/admin/styles", active=False)
    assert [(item["slug"], item["prompt_version"]) for item in listed["items"]] == [("wolf-cut", 2)]
    assert outcome(await grace.api.post("/admin/styles", json=WOLF)) == (409, "conflict")


async def test_a_try_on_is_failed_retried_and_cancelled_for_a_customer(service: Service, grace: Customer) -> None:
    """Its credits go back and forth with it, and the customer sees how it stands."""
    ada = await service.customer(credits=2)
    image = await ada.generate(["front", "left"])
    path = f"/admin/images/{image}"
    failed = await done(await grace.api.post(f"{path}/fail", json=WHY | {"error": "provider_timeout"}))
    assert (failed["status"], failed["views"][0]["hold"]) == ("FAILED", "VOIDED")
    assert (await ada.status(image))["error"]["code"] == "provider_timeout"
    assert await ada.credits() == (2, 0)
    retried = await done(await grace.api.post(f"{path}/retry", json=WHY))
    assert [(view["round"], view["hold"]) for view in retried["views"]] == [(2, "PENDING")] * 2
    cancelled = await done(await grace.api.post(f"{path}/cancel", json=WHY))
    assert cancelled["status"] == "CANCELLED"
    assert await ada.credits() == (2, 0)
    for deed in ("cancel", "fail", "retry"):
        assert outcome(await grace.api.post(f"{path}/{deed}", json=WHY)) == (409, "conflict")
    assert [line["status"] for line in (await grace.get(path))["log"] if line["view"] is None][-1] == "CANCELLED"
    await service.work()


async def test_a_retry_that_the_customer_cannot_pay_is_refused(service: Service, grace: Customer) -> None:
    ada = await service.customer(credits=1)
    image = await ada.generate()
    await done(await grace.api.post(f"/admin/images/{image}/fail", json=WHY))
    await ada.generate()
    refused = await grace.api.post(f"/admin/images/{image}/retry", json=WHY)
    assert outcome(refused) == (402, "insufficient_credits")
    await service.work()


async def test_everybodys_try_ons_are_found(service: Service, grace: Customer) -> None:
    ada, bob, style = await service.customer(), await service.customer(), await service.style()
    first, second = await ada.generate(style=style), await bob.generate()
    await service.work()
    assert [image["id"] for image in (await grace.get("/admin/images"))["items"]] == [second, first]
    for query in ({"user_id": ada.id}, {"style_id": style}):
        (found,) = (await grace.get("/admin/images", **query))["items"]
        assert (found["id"], found["email"], found["views"][0]["status"]) == (first, ada.email, "COMPLETED")
    assert (await grace.get("/admin/images", status="FAILED"))["items"] == []
    await ada.api.delete(f"/image/{first}")
    assert [image["id"] for image in (await grace.get("/admin/images", deleted=True))["items"]] == [first]
    assert outcome(await grace.api.get("/admin/images", params={"user_id": 999})) == (404, "user_not_found")
    await service.work()


async def test_what_is_to_be_done_is_shown(service: Service, grace: Customer) -> None:
    ada = await service.customer()
    await ada.generate(["front", "left"])
    before = await grace.get("/admin/queue")
    assert (before["backlog"]["views_pending"], before["backlog"]["outbox_due"]) == (2, 1)
    await service.work()
    after = await grace.get("/admin/queue")
    assert (after["backlog"]["views_pending"], after["backlog"]["outbox_due"]) == (0, 0)
    assert after["backlog"]["views_of_last_hour"]["COMPLETED"] == 2
    assert after["bell_answers"]


async def test_what_admins_did_can_be_read(service: Service, grace: Customer) -> None:
    """Newest first, page by page; all of it, or by whom, by which command, to what."""
    ada, bob = await service.customer(), await service.customer()
    for user in (ada, bob):
        await done(await grace.api.post(f"/admin/users/{user.id}/disable", json=WHY))
    await done(await grace.api.post(f"/admin/users/{ada.id}/credits/grant", json={"reason": " sorry ", "amount": 2}))
    whole = (await grace.get("/admin/audit"))["items"]
    assert [(entry["action"], entry["subject"], entry["reason"]) for entry in whole] == [
        ("credits.grant", f"user:{ada.id}", "sorry"),
        ("user.disable", f"user:{bob.id}", "asked for it"),
        ("user.disable", f"user:{ada.id}", "asked for it"),
    ]
    assert {entry["operator"] for entry in whole} == {f"user:{grace.id}"}
    assert whole[0]["details"] == {"amount": 2}
    first = await grace.get("/admin/audit", limit=2)
    assert (await grace.get("/admin/audit", limit=2, cursor=first["next_cursor"]))["items"] == whole[2:]
    assert (await grace.get("/admin/audit", subject=f"user:{ada.id}"))["items"] == [whole[0], whole[2]]
    assert (await grace.get("/admin/audit", action="user.disable"))["items"] == whole[1:]
    assert (await grace.get("/admin/audit", operator="root"))["items"] == []


async def test_how_things_go_is_shown_day_by_day(service: Service, grace: Customer) -> None:
    """Of the last 30 days unless others are asked for; a day of which there is nothing is left out."""
    ada = await service.customer(credits=3)
    style = await service.style()
    await ada.generate(["front", "left"], style=style)
    service.model.plan("succeeded", "failed", "failed", "failed")
    await service.work_for(30)
    today = str(datetime.now(UTC).date())
    told = await grace.get("/admin/analytics")
    assert told["until"] == today
    assert sum(day["users"] for day in told["sign_ups"]) == 2
    (renders,) = told["renders"]
    assert (renders["accepted"], renders["completed"], renders["failed"], renders["success_rate"]) == (2, 1, 1, 0.5)
    assert renders["median_seconds"] == renders["p90_seconds"] >= 0
    assert [(day["style_id"], day["view"], day["completed"], day["failed"]) for day in told["styles"]] == [
        (style, "front", 1, 0),
        (style, "left", 0, 1),
    ]
    (moved,) = told["credits"]
    assert {name: moved[name] for name in ("sold", "granted", "spent", "returned", "taken_back")} == {
        "sold": 0,
        "granted": 3,
        "spent": 1,
        "returned": 1,
        "taken_back": 0,
    }
    past = await grace.get("/admin/analytics", since="2020-01-01", until="2020-03-31")
    assert [past[name] for name in ("sign_ups", "renders", "styles", "credits")] == [[], [], [], []]
