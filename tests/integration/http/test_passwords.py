"""Forgotten and changed passwords, over HTTP."""

import asyncio

import httpx

from tests.factories import RegisterFactory, new_email
from tests.integration.http.mailbox import mails_to, register, token_in, verified
from tests.integration.http.stories import Service
from tests.integration.http.test_signing_in import WRONG, log_in, outcome

ANOTHER = "a heron on a wire"


async def forget(service: Service, email: str) -> httpx.Response:
    response = await service.browser().post("/auth/forgot-password", json={"email": email})
    await service.work()
    return response


async def reset(service: Service, token: str, password: str = ANOTHER) -> httpx.Response:
    return await service.browser().post("/auth/reset-password", json={"token": token, "new_password": password})


async def test_a_forgotten_password_is_replaced_by_a_mailed_link(service: Service) -> None:
    """The link leads to the frontend, works once, and ends every session."""
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    assert (await forget(service, somebody.email.upper())).status_code == 202
    mail = mails_to(service, somebody.email)[-1]
    assert "https://app.example.com/reset-password?token=" in mail.text
    assert (await reset(service, token_in(mail))).status_code == 204
    assert (await ada.get("/user/me")).status_code == 401
    assert outcome(await log_in(service, somebody.email, somebody.password)) == WRONG
    assert (await log_in(service, somebody.email, ANOTHER)).status_code == 200
    assert outcome(await reset(service, token_in(mail))) == (400, "token_invalid")


async def test_known_and_unknown_addresses_forget_alike(service: Service) -> None:
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    answers = [await forget(service, email) for email in (somebody.email, new_email())]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert len(service.mailer.sent) == 2


async def test_a_link_used_twice_at_once_resets_once(service: Service) -> None:
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    await forget(service, somebody.email)
    token = token_in(mails_to(service, somebody.email)[-1])
    answers = await asyncio.gather(*(reset(service, token, f"{ANOTHER} {number}") for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]


async def test_a_link_resets_for_half_an_hour(service: Service) -> None:
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    await forget(service, somebody.email)
    await service.pass_time(1801)
    token = token_in(mails_to(service, somebody.email)[-1])
    assert outcome(await reset(service, token)) == (400, "token_invalid")


async def test_a_sign_up_that_waits_has_no_password_to_reset(service: Service) -> None:
    somebody = RegisterFactory.build()
    await register(service, somebody)
    await forget(service, somebody.email)
    assert len(mails_to(service, somebody.email)) == 1


async def test_a_changed_password_ends_every_other_session(service: Service) -> None:
    somebody = RegisterFactory.build()
    phone = await verified(service, somebody)
    laptop = await log_in(service, somebody.email, somebody.password)
    access = laptop.json()["access_token"]
    browser = service.browser(Authorization=f"Bearer {access}")
    body = {"current_password": somebody.password, "new_password": ANOTHER}
    assert (await browser.post("/auth/change-password", json=body)).status_code == 204
    assert (await browser.get("/user/me")).status_code == 200
    assert (await phone.get("/user/me")).status_code == 401
    assert outcome(await browser.post("/auth/change-password", json=body)) == WRONG


async def test_a_common_password_is_no_new_one(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    body = {"current_password": somebody.password, "new_password": "password123"}
    refused = await ada.post("/auth/change-password", json=body)
    assert outcome(refused) == (400, "password_too_common")
    assert refused.json()["errors"][0]["field"] == "new_password"


async def test_a_sign_in_that_overlaps_a_reset_survives_in_no_order(service: Service) -> None:
    """Whoever knew the old password is out afterwards, also when the two came together."""
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    await forget(service, somebody.email)
    token = token_in(mails_to(service, somebody.email)[-1])
    entered, done = await asyncio.gather(
        asyncio.gather(*(log_in(service, somebody.email, somebody.password) for _ in range(4))), reset(service, token)
    )
    assert done.status_code == 204
    for answer in entered:
        if answer.status_code == 200:
            access = answer.json()["access_token"]
            assert (await service.browser(Authorization=f"Bearer {access}").get("/user/me")).status_code == 401


async def test_an_erased_account_gets_neither_a_mail_nor_a_password(service: Service) -> None:
    """Its pseudonym is an address to look at, and to nobody's mailbox."""
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    await forget(service, somebody.email)
    me = (await ada.get("/user/me")).json()
    await ada.request("DELETE", "/user/me", json={"password": somebody.password})
    sent = len(service.mailer.sent)
    assert (await forget(service, f"erased-{me['id']}@erased.invalid")).status_code == 202
    assert len(service.mailer.sent) == sent
