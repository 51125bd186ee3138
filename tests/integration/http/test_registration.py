"""Signing up and proving the address: what strangers learn, and what a mailed link is worth."""

import asyncio
from typing import Any

import httpx
from msgspec import structs, to_builtins

from application.mail import MailRefused
from domain.errors import Unavailable
from tests.factories import RegisterFactory, new_email
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token, mails_to, register, token_in, verified
from tests.integration.http.stories import Service


async def verify(service: Service, token: str) -> httpx.Response:
    return await service.browser().post("/auth/verify", json={"token": token})


async def is_void(service: Service, token: str) -> bool:
    response = await verify(service, token)
    return (response.status_code, response.json().get("code")) == (400, "token_invalid")


def told(response: httpx.Response) -> tuple[Any, ...]:
    """All that a stranger can see of an answer, but for its id."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, headers, response.content


async def test_a_sign_up_tells_nobody_whether_the_address_is_known(service: Service) -> None:
    """A new, a waiting and a known address get the same status, headers and body; only the mails differ."""
    known, new = RegisterFactory.build(), RegisterFactory.build()
    await verified(service, known)
    answers = [await register(service, somebody) for somebody in (known, new, new)]
    assert len({repr(told(answer)) for answer in answers}) == 1
    assert answers[0].status_code == 202
    assert "verify?token=" not in mails_to(service, known.email)[-1].text
    assert all(token_in(mail) for mail in mails_to(service, new.email))
    assert await service.count("users") == 1


async def test_a_new_address_gets_a_link_to_the_frontend(service: Service) -> None:
    """The mail goes to the address in lower case, greets by name, and links to the configured frontend."""
    somebody = RegisterFactory.build(email="Ada.Lovelace@Example.COM", name="Ada")
    await register(service, somebody, service.browser(Host="evil.example"))
    (mail,) = mails_to(service, "ada.lovelace@example.com")
    assert "Ada" in mail.text
    assert f"https://app.example.com/verify?token={token_in(mail)}" in mail.text
    assert "evil.example" not in mail.text + mail.html


async def test_without_a_frontend_the_link_leads_to_the_api(start: Start) -> None:
    """The link is then the route that verifies by GET, on the public address."""
    service = await start(FRONTEND_URL="")
    somebody = RegisterFactory.build()
    await register(service, somebody)
    (mail,) = mails_to(service, somebody.email)
    link = f"{service.settings.public_url}/api/v1/auth/verify?token={token_in(mail)}"
    assert link in mail.text
    assert (await service.browser().get(link)).status_code == 200


async def test_a_known_address_is_told_by_mail(service: Service) -> None:
    """The owner learns that somebody tried; the password and name stay what they were."""
    owner = RegisterFactory.build()
    api = await verified(service, owner)
    await register(service, structs.replace(owner, password="another-Passw0rd", name="Mallory"))
    warning = mails_to(service, owner.email)[-1]
    assert "already" in warning.subject.lower() + warning.text.lower()
    assert "https://app.example.com" in warning.text
    assert (await api.get("/user/me")).json()["name"] == owner.name
    # 403, as for an address without an account: whoever repeats a sign-up does not learn what it met.
    for password, status in ((owner.password, 200), ("another-Passw0rd", 403), ("neither-Passw0rd", 401)):
        login = await service.browser().post("/auth/login", json={"email": owner.email, "password": password})
        assert login.status_code == status


async def test_a_link_works_once(service: Service) -> None:
    """The second use of a token is refused, by POST and by GET."""
    token = await mailed_token(service, RegisterFactory.build())
    assert (await verify(service, token)).status_code == 200
    assert await is_void(service, token)
    by_link = await service.browser().get("/auth/verify", params={"token": token})
    assert (by_link.status_code, by_link.json()["code"]) == (400, "token_invalid")
    assert await service.count("users") == 1


async def test_a_link_used_twice_at_once_makes_one_user(service: Service) -> None:
    """Of two uses at the same moment one wins."""
    token = await mailed_token(service, RegisterFactory.build())
    answers = await asyncio.gather(*(verify(service, token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert await service.count("users") == 1


async def test_a_link_lives_for_a_day(service: Service) -> None:
    """A minute before the 24 hours are over it works, a minute after it does not."""
    early, late = [await mailed_token(service, RegisterFactory.build()) for _ in range(2)]
    await service.pass_time(24 * 3600 - 60)
    assert (await verify(service, early)).status_code == 200
    await service.pass_time(120)
    assert await is_void(service, late)


async def test_made_up_tokens_are_refused(service: Service) -> None:
    """Empty, long, foreign and unprintable tokens are 400, never more."""
    for token in ("x", "", "x" * 513, "\x00", "\u20ac" * 100):
        assert (await verify(service, token)).status_code == 400, token
        by_link = await service.browser().get("/auth/verify", params={"token": token})
        assert by_link.status_code == 400, token


async def test_using_one_link_voids_every_other_of_the_address(service: Service) -> None:
    """The user has the password of the sign-up whose link was used; who squatted on the address has nothing."""
    email = new_email()
    squatter, owner = RegisterFactory.build(email=email), RegisterFactory.build(email=email.upper())
    squatters_token = await mailed_token(service, squatter)
    await register(service, owner)
    owners_token = token_in(mails_to(service, email)[-1])
    assert (await verify(service, owners_token)).status_code == 200
    assert await is_void(service, squatters_token)
    for password, status in ((owner.password, 200), (squatter.password, 401)):
        login = await service.browser().post("/auth/login", json={"email": email, "password": password})
        assert login.status_code == status


async def test_ten_sign_ups_of_one_address_at_once_make_one_user(service: Service) -> None:
    """In any mixture of cases, and when all their links are used at once."""
    email = new_email()
    spellings = ["".join(c.upper() if n >> i & 1 else c for i, c in enumerate(email)) for n in range(10)]
    somebodies = [to_builtins(RegisterFactory.build(email=spelling)) for spelling in spellings]
    answers = await asyncio.gather(*(service.browser().post("/auth/register", json=body) for body in somebodies))
    assert {answer.status_code for answer in answers} == {202}
    await service.work()
    mails = mails_to(service, email)
    assert len(mails) == 5
    used = await asyncio.gather(*(verify(service, token_in(mail)) for mail in mails))
    assert sorted(answer.status_code for answer in used) == [200, 400, 400, 400, 400]
    assert await service.count("users") == 1
    assert await service.count("registrations") == 0


async def test_an_address_gets_five_mails_an_hour(service: Service) -> None:
    """The sixth request is answered alike and mails nothing; an hour after the first mail there is one more."""
    somebody = RegisterFactory.build()
    answers = [await register(service, somebody) for _ in range(7)]
    assert len({answer.content for answer in answers}) == 1
    assert len(mails_to(service, somebody.email)) == 5
    await service.pass_time(3601)
    await register(service, somebody)
    assert len(mails_to(service, somebody.email)) == 6


async def test_a_link_is_mailed_again_to_who_waits_for_it(service: Service) -> None:
    """Another link, which voids the first; waiting, unknown and known addresses are answered alike."""
    waiting, known = RegisterFactory.build(), RegisterFactory.build()
    token = await mailed_token(service, waiting)
    await verified(service, known)
    answers = []
    for email in (waiting.email.upper(), new_email(), known.email):
        answers.append(await service.browser().post("/auth/resend-verification", json={"email": email}))
        await service.work()
    assert len({repr(told(answer)) for answer in answers}) == 1
    assert answers[0].status_code == 202
    first, second = (token_in(mail) for mail in mails_to(service, waiting.email))
    assert first == token
    for link, status in ((first, 400), (second, 200)):
        assert (await service.browser().post("/auth/verify", json={"token": link})).status_code == status
    assert len(mails_to(service, known.email)) == 1


async def test_a_mail_goes_later_and_once_when_the_mailer_is_away(service: Service) -> None:
    """Registration is 202 at once; the mail is sent when the mailer is back."""
    somebody = RegisterFactory.build()
    service.mailer.troubles.append(Unavailable("service_unavailable", "The mailer is away."))
    assert (await register(service, somebody)).status_code == 202
    assert mails_to(service, somebody.email) == []
    await service.work_for(60)
    assert len(mails_to(service, somebody.email)) == 1
    assert await service.count("outbox") == 0


async def test_a_mail_that_is_refused_for_good_is_given_up(service: Service) -> None:
    """It is noted for operators and not tried for ever."""
    service.mailer.troubles.append(MailRefused("There is no such mailbox."))
    await register(service, RegisterFactory.build())
    assert await service.count("outbox") == 0
    assert any(line["event"] == "mail_refused" for line in service.log)


async def test_nothing_is_mailed_after_the_link_was_used(service: Service) -> None:
    """A mail that was held up is dropped once its sign-up is void."""
    somebody = RegisterFactory.build()
    token = await mailed_token(service, somebody)
    service.mailer.troubles.append(Unavailable("service_unavailable", "The mailer is away."))
    await register(service, somebody)
    await verify(service, token)
    await service.work_for(60)
    assert len(mails_to(service, somebody.email)) == 1


async def test_names_and_passwords_are_held_to_the_rules(service: Service) -> None:
    """Lengths, common passwords and addresses that cannot be mailed to are refused by field; control marks vanish."""
    good = to_builtins(RegisterFactory.build())
    refused: list[tuple[str, Any, str]] = [
        ("name", "", "validation_failed"),
        ("name", " \n\t ", "validation_failed"),
        ("name", "n" * 71, "validation_failed"),
        ("password", "short-7", "validation_failed"),
        ("password", "p" * 129, "validation_failed"),
        ("password", "Password1", "password_too_common"),
        ("email", "nobody", "validation_failed"),
        ("email", "a@b", "validation_failed"),
        ("email", "a@example.com\nbcc: x@example.com", "validation_failed"),
        ("email", f"{'a' * 65}@example.com", "validation_failed"),
        ("email", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 20}.com", "validation_failed"),
        ("email", "ä@example.com", "validation_failed"),
    ]
    for field, value, code in refused:
        response = await service.browser().post("/auth/register", json={**good, field: value})
        assert (response.status_code, response.json()["code"]) == (400, code), value
        assert [error["field"] for error in response.json()["errors"]] == [field], value
    api = await verified(service, RegisterFactory.build(name="Ada\n\x1b[31mLove\u202elace\x00"))
    assert (await api.get("/user/me")).json()["name"] == "Ada [31mLove lace"
