"""A customer goes: what is gone at once, what follows, what stays, and what happens to those who come late."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from msgspec import to_builtins

from application.actor import Actor
from application.auth.register import Register
from application.users.erase_user import EraseUser, EraseUserHandler
from tests.factories import RegisterFactory, photo
from tests.integration.http.mailbox import register, verified
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_provider_webhook import deliver, news
from tests.integration.http.test_signing_in import WRONG, log_in, outcome

MINUTES = 60
PERSONAL = (
    "sessions",
    "identities",
    "registrations",
    "password_resets",
    "idempotency_keys",
    "images",
    "views",
    "holds",
    "uploads",
)
"""The tables that know people, but for the pseudonyms of the rest."""


async def erase(browser: httpx.AsyncClient, **body: str) -> httpx.Response:
    return await browser.request("DELETE", "/user/me", json=body)


async def customer(service: Service, somebody: Register) -> Customer:
    """Somebody who registered, with the credits of a newcomer."""
    browser = await verified(service, somebody)
    about = (await browser.get("/user/me")).json()
    return Customer(service, browser, about["id"], about["email"])


async def test_an_erased_account_is_gone_at_once(service: Service) -> None:
    """Every token of every device is refused, the password opens nothing, and cookies are taken back."""
    somebody = RegisterFactory.build()
    phone = await verified(service, somebody)
    laptop = (await log_in(service, somebody.email, somebody.password)).json()
    answer = await erase(phone, password=somebody.password)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await phone.get("/user/me")).status_code == 401
    refreshed = await service.browser().post("/auth/refresh", json={"refresh_token": laptop["refresh_token"]})
    assert refreshed.status_code == 401
    assert outcome(await log_in(service, somebody.email, somebody.password)) == WRONG


async def test_the_log_says_whose_account_was_erased(service: Service) -> None:
    """By themselves or by an operator, once for each: with an older database they would be back, to be erased again."""
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    assert (await erase(ada.api, password="not theirs")).status_code == 401
    await service.worker.drain()
    assert "account_erased" not in {line["event"] for line in service.log}
    assert (await erase(ada.api, password=somebody.password)).status_code == 204
    grace = await service.customer()
    async with service.container() as scope:
        await (await scope.get(EraseUserHandler))(EraseUser(grace.email, "asked by letter"), Actor.operator("root"))
    await service.worker.drain()
    await service.pass_time(3600)
    await service.worker.drain()
    assert await service.count("outbox") == 0
    told = [line for line in service.log if line["event"] == "account_erased"]
    assert [(line["log_level"], line["user_id"]) for line in told] == [("info", ada.id), ("info", grace.id)]


async def test_pictures_and_records_follow(service: Service) -> None:
    """Nothing in storage, nothing in the tables that names a person; the ledger adds up under a pseudonym."""
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    await ada.generate(["front", "left"])
    await service.work()
    await ada.api.put("/user/me/picture", files={"file": ("me.jpg", photo())})
    await ada.api.post("/auth/forgot-password", json={"email": somebody.email})
    assert service.storage.pictures
    assert (await erase(ada.api, password=somebody.password)).status_code == 204
    await service.work()
    assert service.storage.pictures == {}
    await service.pass_time(10 * MINUTES)
    await service.work()
    assert {table: await service.count(table) for table in PERSONAL} == dict.fromkeys(PERSONAL, 0)
    row = await service.database.fetchrow("SELECT email, name, password_hash, profile_picture, credits FROM users")
    assert dict(row) == {
        "email": f"erased-{ada.id}@erased.invalid",
        "name": "Erased",
        "password_hash": None,
        "profile_picture": None,
        "credits": 1,
    }
    assert await service.count("ledger_entries") == 3
    everything = await service.database.fetch(
        "SELECT payload::text FROM outbox UNION SELECT reference FROM ledger_entries"
    )
    assert somebody.email not in str(everything)


async def test_work_in_progress_is_cancelled_and_its_late_output_removed(service: Service) -> None:
    """The provider is told, the hold is void, and the webhook that comes afterwards changes nothing."""
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    await ada.generate(["front", "right"])
    await service.worker.drain()
    assert await ada.credits() == (3, 2)
    (order,) = service.model.orders
    await erase(ada.api, password=somebody.password)
    await service.work()
    assert service.model.cancelled == list(service.model.predictions)
    assert await deliver(service, order.webhook, news("prediction1")) == 204
    await service.work()
    held = await service.database.fetchrow("SELECT credits, credits_held FROM users")
    assert dict(held) == {"credits": 3, "credits_held": 0}
    await service.work_for(10 * MINUTES, step=5 * MINUTES)
    assert await service.count("views") == 0
    assert service.storage.pictures == {}
    assert await deliver(service, order.webhook, news("prediction1")) in {204, 404}


async def test_a_picture_stored_while_the_account_went_is_found_later(service: Service) -> None:
    """A worker was writing it at that moment, and no record will ever name it."""
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    await ada.generate()
    await service.worker.drain()
    folder = await service.database.fetchval("SELECT folder FROM images")
    await erase(ada.api, password=somebody.password)
    await service.work()
    service.storage.pictures[f"images/{folder}/front-1.jpg"] = b"late"
    await service.pass_time(6 * MINUTES)
    await service.work()
    assert service.storage.pictures == {}


async def test_a_storage_that_is_away_is_waited_for(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada = await customer(service, somebody)
    await ada.upload()
    service.storage.is_away = True
    assert (await erase(ada.api, password=somebody.password)).status_code == 204
    await service.work()
    assert len(service.storage.pictures) == 1
    service.storage.is_away = False
    await service.pass_time(10 * MINUTES)
    await service.work()
    assert service.storage.pictures == {}


async def test_coming_back_brings_no_new_free_credits(service: Service) -> None:
    """The address is free again, and its mailbox known by a keyed digest only."""
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    await erase(ada, password=somebody.password)
    await service.work()
    again = await verified(service, somebody)
    me = (await again.get("/user/me")).json()
    assert (me["email"], me["credits"]) == (somebody.email.lower(), 0)
    assert await service.count("users") == 2


async def test_a_stolen_token_erases_nothing(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    assert outcome(await erase(ada, password="a guess")) == WRONG
    assert outcome(await ada.request("DELETE", "/user/me")) == WRONG
    assert outcome(await erase(ada, password=somebody.password, extra="x")) == (400, "validation_failed")
    assert (await ada.get("/user/me")).status_code == 200


@pytest.mark.parametrize(("age", "status"), [(timedelta(0), 204), (timedelta(minutes=5), 401)])
async def test_a_fresh_sign_in_with_google_needs_no_password(service: Service, age: timedelta, status: int) -> None:
    ada = await service.customer(password_hash=None)
    await service.database.execute(
        "UPDATE sessions SET signed_in_by = 'google', created_at = created_at - $1::interval", age
    )
    assert (await ada.api.request("DELETE", "/user/me")).status_code == status


async def test_erasing_twice_at_once_erases_once(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    answers = await asyncio.gather(*(erase(ada, password=somebody.password) for _ in range(3)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {401, 404}
    assert await service.count("outbox") == 1


async def test_a_mail_on_its_way_to_an_erased_account_is_not_sent(service: Service) -> None:
    """Neither the link for a new password, nor the news that somebody tried to register the address."""
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    await service.browser().post("/auth/register", json=to_builtins(somebody))
    await service.browser().post("/auth/forgot-password", json={"email": somebody.email})
    await erase(ada, password=somebody.password)
    await service.pass_time(MINUTES)
    sent = len(service.mailer.sent)
    await service.work()
    assert len(service.mailer.sent) == sent


async def test_others_keep_everything(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada, bob = await customer(service, somebody), await service.customer()
    image = await bob.generate()
    await bob.upload()
    await service.work()
    await erase(ada.api, password=somebody.password)
    await service.work_for(10 * MINUTES, step=5 * MINUTES)
    assert (await bob.status(image))["status"] == "COMPLETED"
    assert len(service.storage.pictures) == 3


async def test_a_sign_up_that_waits_goes_with_the_account(service: Service) -> None:
    """Somebody had signed the address up once more."""
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    await register(service, somebody)
    await erase(ada, password=somebody.password)
    assert await service.count("registrations") == 0
