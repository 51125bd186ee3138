"""What every `ImageModel` promises, asked of the fake and of Replicate as the sandbox plays it."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from typing import Any, Protocol

import httpx
import pytest

from application.images.ports import ImageModel, ModelBusy, ModelRefused, ModelUnavailable, Prediction
from infrastructure.replicate import ReplicateModel
from infrastructure.webhook_signatures import StandardWebhookVerifier
from tests.contract.conftest import RunningSandbox
from tests.fakes import FakeImageModel
from tests.misbehaving import MisbehavingServer, answer

INPUTS = ["https://tryon.example/media/portrait.jpg"]


class Provider(Protocol):
    """The other side: what a test arranges there."""

    model: ImageModel

    def trouble(self, status: int, retry_after: float | None = None) -> None:
        """Have the next call answered so."""

    def plan(self, status: str, *, output: Any = None, error: str | None = None) -> None:
        """Have the next prediction end so."""

    async def settled(self, prediction: Prediction) -> Prediction:
        """The prediction once it has ended."""


class FakeProvider(Provider):
    def __init__(self) -> None:
        self.model: FakeImageModel = FakeImageModel()
        self._end: dict[str, Any] = {}

    def trouble(self, status: int, retry_after: float | None = None) -> None:
        if status == 429:
            self.model.troubles.append(ModelBusy("busy", retry_after=retry_after))
        elif status >= 500:
            self.model.troubles.append(ModelUnavailable("away"))
        else:
            self.model.troubles.append(ModelRefused("refused", status=status))

    def plan(self, status: str, *, output: Any = None, error: str | None = None) -> None:
        self._end = {"status": status, "output": output, "error": error}

    async def settled(self, prediction: Prediction) -> Prediction:
        if not self.model.predictions[prediction.id].finished:
            self.model.finish(prediction.id, **self._end)
        return self.model.predictions[prediction.id]


class SandboxProvider(Provider):
    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self.model: ReplicateModel = ReplicateModel(
            model="bytedance/seedream-4", base_url=f"{sandbox.url}/replicate/v1", token=None
        )

    def trouble(self, status: int, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        operations = ("create", "get", "cancel", "files")
        self._sandbox.script(
            "replicate", *({"on": on, "reply": {"status": status, "headers": headers}} for on in operations)
        )

    def plan(self, status: str, *, output: Any = None, error: str | None = None) -> None:
        outcome = {"status": status, "error": error, "output": output}
        self._sandbox.script("replicate", {"on": "create", "outcome": outcome})

    async def settled(self, prediction: Prediction) -> Prediction:
        async with asyncio.timeout(20):
            while True:
                found = await self.model.get(prediction.id)
                assert found is not None
                if found.finished:
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture(params=["fake", "sandbox"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    if request.param == "fake":
        yield FakeProvider()
    else:
        played = SandboxProvider(request.getfixturevalue("sandbox"))
        yield played
        await played.model.aclose()


async def test_a_prediction_begins_unfinished_and_is_found_by_its_id(provider: Provider) -> None:
    provider.plan("processing")
    prediction = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    assert prediction.status in {"starting", "processing"}
    assert not prediction.finished
    found = await provider.model.get(prediction.id)
    assert found is not None
    assert found.id == prediction.id


async def test_a_prediction_succeeds_with_addresses(provider: Provider) -> None:
    prediction = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    ended = await provider.settled(prediction)
    assert ended.status == "succeeded"
    assert ended.error is None
    assert isinstance(ended.output, list)
    assert all(address.startswith("http") for address in ended.output)


async def test_a_prediction_fails_with_words(provider: Provider) -> None:
    provider.plan("failed", error="flagged as sensitive (E005)")
    prediction = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    ended = await provider.settled(prediction)
    assert (ended.status, ended.output, ended.error) == ("failed", None, "flagged as sensitive (E005)")


@pytest.mark.parametrize(
    "output", [[], {}, ["https://a.example/1.png", "https://a.example/2.png"], "https://a.example"]
)
async def test_an_output_passes_as_it_came(provider: Provider, output: Any) -> None:
    provider.plan("succeeded", output=output)
    prediction = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    assert (await provider.settled(prediction)).output == output


async def test_every_create_makes_one_more(provider: Provider) -> None:
    first = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    second = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    assert first.id != second.id


async def test_an_unknown_prediction_is_none_and_may_be_cancelled(provider: Provider) -> None:
    assert await provider.model.get("nosuchprediction") is None
    await provider.model.cancel("nosuchprediction")


async def test_a_cancelled_prediction_ends(provider: Provider) -> None:
    """Cancelling again, after the end, is fine."""
    provider.plan("processing")
    prediction = await provider.model.create(prompt="a bob", inputs=INPUTS, webhook=None)
    await provider.model.cancel(prediction.id)
    assert (await provider.settled(prediction)).status == "canceled"
    await provider.model.cancel(prediction.id)


async def test_an_uploaded_picture_has_an_address_of_its_own(provider: Provider) -> None:
    first = await provider.model.upload(b"\xff\xd8\xffpixels", name="a.jpg")
    second = await provider.model.upload(b"\xff\xd8\xffpixels", name="a.jpg")
    assert first.startswith("http")
    assert first != second
    await provider.model.create(prompt="a bob", inputs=[first], webhook=None)


CALLS = {
    "create": lambda model: model.create(prompt="a bob", inputs=INPUTS, webhook=None),
    "get": lambda model: model.get("abc"),
    "cancel": lambda model: model.cancel("abc"),
    "upload": lambda model: model.upload(b"pixels", name="a.jpg"),
}


@pytest.mark.parametrize("call", CALLS)
async def test_trouble_comes_as_one_of_three(provider: Provider, call: str) -> None:
    """429 is busy, with the time named; 5xx is away; any other 4xx is a refusal with its status."""
    provider.trouble(429, retry_after=7)
    with pytest.raises(ModelBusy) as busy:
        await CALLS[call](provider.model)
    assert busy.value.retry_after == 7
    provider.trouble(503)
    with pytest.raises(ModelUnavailable):
        await CALLS[call](provider.model)
    provider.trouble(402)
    with pytest.raises(ModelRefused) as refused:
        await CALLS[call](provider.model)
    assert refused.value.status == 402


async def test_the_sandbox_throttles_as_replicate_does(sandbox: RunningSandbox) -> None:
    """Without a header, the time is read from the body."""
    played = SandboxProvider(sandbox)
    body = {"detail": "Request was throttled. Your rate limit resets in ~9s.", "status": 429, "retry_after": 9}
    sandbox.script("replicate", {"on": "create", "reply": {"status": 429, "json": body}})
    with pytest.raises(ModelBusy) as busy:
        await CALLS["create"](played.model)
    assert busy.value.retry_after == 9
    await played.model.aclose()


async def test_the_end_is_reported_by_a_signed_webhook(sandbox: RunningSandbox) -> None:
    """Once, with the finished prediction, under a signature that our verifier accepts and another secret's refuses."""
    async with MisbehavingServer(answer(200)) as receiver:
        played = SandboxProvider(sandbox)
        hook = f"{receiver.url}/api/v1/image/webhook?view_id=7"
        prediction = await played.model.create(prompt="a bob", inputs=INPUTS, webhook=hook)
        async with asyncio.timeout(20):
            await receiver.asked.wait()
        await played.model.aclose()
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    headers = httpx.Headers(dict(line.split(": ", 1) for line in lines))
    assert request_line == "POST /api/v1/image/webhook?view_id=7 HTTP/1.1"
    assert prediction.id.encode() in body
    assert b'"status":"succeeded"' in body
    verifier = StandardWebhookVerifier(f"{other_secret()} {sandbox.webhook_secret}")
    assert verifier.verify(body, headers) == headers["webhook-id"]


def other_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
