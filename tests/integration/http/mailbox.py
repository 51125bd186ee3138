"""Reading the mails that customers get, and following their links."""

import re

import httpx
from msgspec import to_builtins

from application.auth.register import Register
from application.mail import Mail
from tests.integration.http.stories import Service

_LINK = re.compile(r"https://[^\s\"<>]+/(?:verify|reset-password)\?token=([A-Za-z0-9_-]+)")


def mails_to(service: Service, email: str) -> list[Mail]:
    return [mail for mail in service.mailer.sent.values() if mail.to == email.lower()]


def token_in(mail: Mail) -> str:
    """The token of the link; the same in both versions of the mail."""
    in_text, in_html = _LINK.search(mail.text), _LINK.search(mail.html)
    assert in_text is not None
    assert in_html is not None
    assert in_text.group(1) == in_html.group(1)
    return in_text.group(1)


async def register(service: Service, wanted: Register, browser: httpx.AsyncClient | None = None) -> httpx.Response:
    """Sign up and let the worker send what is to be sent."""
    response = await (browser or service.browser()).post("/auth/register", json=to_builtins(wanted))
    await service.work()
    return response


async def mailed_token(service: Service, wanted: Register) -> str:
    """Sign up and open the last mail."""
    response = await register(service, wanted)
    assert response.status_code == 202, response.text
    return token_in(mails_to(service, wanted.email)[-1])


async def verified(service: Service, wanted: Register) -> httpx.AsyncClient:
    """Sign up, use the link, and come back with the bearer token it gave."""
    browser = service.browser()
    response = await browser.post("/auth/verify", json={"token": await mailed_token(service, wanted)})
    assert response.status_code == 200, response.text
    browser.cookies.clear()
    browser.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
    return browser
