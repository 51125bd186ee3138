"""What every `Mailer` promises, asked of the fake and of Brevo as the sandbox plays it."""

import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import httpx
import pytest

from application.mail import Mail, Mailer, MailRefused
from domain.errors import Unavailable
from infrastructure.brevo import BrevoMailer
from infrastructure.mail_templates import JinjaMailTemplates
from tests.contract.conftest import RunningSandbox
from tests.fakes import FakeMailer


class Post(Protocol):
    """The other side: what a test arranges there, and what arrived."""

    mailer: Mailer

    def trouble(self, status: int) -> None:
        """Have the next call answered so."""

    async def arrived(self, address: str) -> list[str]:
        """Subjects of the mails to an address, the latest first."""


class FakePost(Post):
    def __init__(self) -> None:
        self.mailer: FakeMailer = FakeMailer()

    def trouble(self, status: int) -> None:
        passing = status >= 500 or status in {401, 402, 403, 429}
        self.mailer.troubles.append(Unavailable("service_unavailable", "away") if passing else MailRefused("no"))

    async def arrived(self, address: str) -> list[str]:
        return [mail.subject for mail in reversed(self.mailer.sent.values()) if mail.to == address]


class SandboxPost(Post):
    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self.mailer: BrevoMailer = BrevoMailer(
            base_url=f"{sandbox.url}/brevo/v3",
            api_key="any",
            sender="no-reply@tryon.example",
            sender_name="Hair Try-On",
        )

    def trouble(self, status: int) -> None:
        self._sandbox.script("brevo", {"on": "send", "reply": {"status": status}})

    async def arrived(self, address: str) -> list[str]:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self._sandbox.url}/brevo/mails", params={"to": address})
        return [mail["subject"] for mail in answer.json()["mails"]]


@pytest.fixture(params=["fake", "sandbox"])
async def post(request: pytest.FixtureRequest) -> AsyncIterator[Post]:
    if request.param == "fake":
        yield FakePost()
    else:
        played = SandboxPost(request.getfixturevalue("sandbox"))
        yield played
        await played.mailer.aclose()


@pytest.fixture
def address() -> str:
    return f"{uuid.uuid4().hex}@tryon.example"


def mail(address: str, key: str | None = None, subject: str = "Confirm") -> Mail:
    return Mail(
        to=address, name="Ann Ø", subject=subject, html="<p>Hello</p>", text="Hello", key=key or str(uuid.uuid4())
    )


async def test_a_mail_arrives(post: Post, address: str) -> None:
    await post.mailer.send(mail(address))
    assert await post.arrived(address) == ["Confirm"]


async def test_a_repeated_key_is_sent_once(post: Post, address: str) -> None:
    """The worker died after sending: the second hand-over succeeds and sends nothing."""
    key = str(uuid.uuid4())
    await post.mailer.send(mail(address, key))
    await post.mailer.send(mail(address, key))
    assert await post.arrived(address) == ["Confirm"]


async def test_other_keys_are_other_mails(post: Post, address: str) -> None:
    await post.mailer.send(mail(address, subject="One"))
    await post.mailer.send(mail(address, subject="Two"))
    assert await post.arrived(address) == ["Two", "One"]


@pytest.mark.parametrize("status", [401, 402, 429, 500, 503])
async def test_what_may_pass_is_unavailable_and_the_mail_goes_later(post: Post, address: str, status: int) -> None:
    post.trouble(status)
    with pytest.raises(Unavailable) as failure:
        await post.mailer.send(mail(address))
    assert failure.value.code == "service_unavailable"
    await post.mailer.send(mail(address))
    assert await post.arrived(address) == ["Confirm"]


@pytest.mark.parametrize("status", [400, 404])
async def test_what_never_will_pass_is_refused(post: Post, address: str, status: int) -> None:
    post.trouble(status)
    with pytest.raises(MailRefused):
        await post.mailer.send(mail(address))
    assert await post.arrived(address) == []


async def test_our_own_mails_arrive_with_their_link(sandbox: RunningSandbox, address: str) -> None:
    """The link that a reader follows is the one that was put in, to the letter."""
    played = SandboxPost(sandbox)
    link = "https://tryon.example/verify?token=a-b_c&x=1"
    await played.mailer.send(JinjaMailTemplates().verification(address, "Ann & Bo", link, key=str(uuid.uuid4())))
    async with httpx.AsyncClient(trust_env=False) as client:
        kept = (await client.get(f"{sandbox.url}/brevo/mails", params={"to": address})).json()["mails"][0]
    assert set(kept["links"]) == {link}
    assert link in kept["text"]
    assert kept["sender"] == {"email": "no-reply@tryon.example", "name": "Hair Try-On", "id": None}
    assert kept["to"] == [{"email": address, "name": "Ann & Bo"}]
    await played.mailer.aclose()
