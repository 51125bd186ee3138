"""Every answer that Replicate's wire can give, as one of the port's outcomes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from application.images.ports import ModelBusy, ModelRefused, ModelUnavailable, Prediction
from infrastructure.replicate import ReplicateModel
from tests.misbehaving import Conduct, MisbehavingServer, answer, drip, reset, silence

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
STARTING: dict[str, object] = {"id": ID, "status": "starting", "output": None, "error": None, "urls": {}}


@asynccontextmanager
async def model_at(
    *replies: bytes | Conduct, token: str | None = None, seconds: float = 5
) -> AsyncIterator[tuple[ReplicateModel, MisbehavingServer]]:
    async with MisbehavingServer(*replies) as server:
        model = ReplicateModel(model="bytedance/seedream-4", base_url=f"{server.url}/v1", token=token, timeout=seconds)
        yield model, server
        await model.aclose()


def create(model: ReplicateModel, webhook: str | None = None) -> Awaitable[Prediction]:
    return model.create(prompt="a bob", inputs=["https://tryon.example/a.jpg"], webhook=webhook)


async def test_a_create_asks_for_one_picture_like_the_input() -> None:
    """The model's input is the product's, the webhook is told of the end alone, and the token goes along."""
    async with model_at(answer(201, STARTING), token="the-token") as (model, server):
        prediction = await create(model, "https://tryon.example/hook")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/models/bytedance/seedream-4/predictions HTTP/1.1\r\n")
    assert b"authorization: bearer the-token\r\n" in head.lower() + b"\r\n"
    assert json.loads(body) == {
        "input": {
            "prompt": "a bob",
            "image_input": ["https://tryon.example/a.jpg"],
            "size": "2K",
            "aspect_ratio": "match_input_image",
            "max_images": 1,
            "sequential_image_generation": "disabled",
            "enhance_prompt": False,
        },
        "webhook": "https://tryon.example/hook",
        "webhook_events_filter": ["completed"],
    }
    assert prediction == Prediction(id=ID, status="starting")


async def test_without_an_address_to_call_no_webhook_is_named() -> None:
    async with model_at(answer(202, STARTING)) as (model, server):
        await create(model)
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]).keys() == {"input"}


async def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither token, address nor proxy: without a token of ours none that lies around is sent."""
    for name in ("REPLICATE_API_TOKEN", "REPLICATE_BASE_URL", "HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://elsewhere.invalid")
    async with model_at(answer(201, STARTING)) as (model, server):
        await create(model)
    assert b"elsewhere" not in server.requests[0]


@pytest.mark.parametrize("status", ["aborted", "canceled", "a-word-of-next-year"])
async def test_any_status_passes_as_it_came(status: str) -> None:
    async with model_at(answer(200, {**STARTING, "status": status})) as (model, _):
        assert await model.get("abc") == Prediction(id=ID, status=status)


@pytest.mark.parametrize("output", [None, [], {}, "https://a", ["https://a", "https://b"], 7])
async def test_any_output_passes_as_it_came(output: object) -> None:
    async with model_at(answer(200, {**STARTING, "status": "succeeded", "output": output})) as (model, _):
        prediction = await model.get("abc")
    assert prediction is not None
    assert prediction.output == output


@pytest.mark.parametrize(
    ("error", "text"), [(None, None), ("flagged (E005)", "flagged (E005)"), ({"a": 1}, "{'a': 1}")]
)
async def test_an_error_is_text(error: object, text: str | None) -> None:
    async with model_at(answer(200, {**STARTING, "status": "failed", "error": error})) as (model, _):
        prediction = await model.get("abc")
    assert prediction is not None
    assert prediction.error == text


async def test_an_upload_lends_the_picture_under_its_name() -> None:
    file = {"id": "f1", "urls": {"get": "https://api.replicate.com/v1/files/f1"}}
    async with model_at(answer(201, file)) as (model, server):
        assert await model.upload(b"\xff\xd8\xffpixels", name="portrait.jpg") == file["urls"]["get"]  # type: ignore[index]
    request = server.requests[0]
    assert request.startswith(b"POST /v1/files HTTP/1.1\r\n")
    assert (
        b'name="content"; filename="portrait.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xffpixels\r\n' in request
    )


Call = Callable[[ReplicateModel], Awaitable[object]]
CALLS: dict[str, Call] = {
    "create": create,
    "get": lambda model: model.get("abc"),
    "cancel": lambda model: model.cancel("abc"),
    "upload": lambda model: model.upload(b"pixels", name="a.jpg"),
}
READING = {name: call for name, call in CALLS.items() if name != "cancel"}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        answer(500, {"detail": "boom"}),
        answer(502, b"<html>bad gateway</html>"),
        answer(503),
        answer(500, b'"text, no object"'),
        answer(302, b"", Location="http://elsewhere.invalid/"),
        reset,
        silence,
        b"",
        b"\x15\x03\x03 no http",
        answer(200, b"{", Content_Length="50"),
        answer(200, b"not gzip", Content_Encoding="gzip"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    ],
    ids=["500", "502", "503", "string", "redirect", "reset", "silence", "closed", "no http", "cut", "not gzip", "drip"],
)
async def test_a_provider_that_does_not_answer_is_unavailable(call: Call, reply: bytes | Conduct) -> None:
    """And is not asked a second time."""
    async with model_at(reply, seconds=0.4) as (model, server):
        with pytest.raises(ModelUnavailable):
            await call(model)
    assert len(server.requests) <= 1


@pytest.mark.parametrize("call", READING.values(), ids=READING)
@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>hello</html>", b"null", b"[]", b"{}", b'{"id": 7, "status": "starting"}', b'{"id": "abc"}',
        b'{"id": "../../account", "status": "starting"}', b'{"id": "", "status": "starting"}', b"\xff\xfe",
        b'{"urls": {"get": null}}', b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
async def test_a_reply_without_the_right_shape_is_no_reply(call: Call, body: bytes) -> None:
    async with model_at(answer(200, body)) as (model, _):
        with pytest.raises(ModelUnavailable):
            await call(model)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 422])
async def test_other_client_errors_are_refusals(call: Call, status: int) -> None:
    async with model_at(answer(status, {"title": "No", "detail": "because"})) as (model, _):
        with pytest.raises(ModelRefused, match="because") as refused:
            await call(model)
    assert refused.value.status == status


async def test_what_is_not_found_depends_on_the_call() -> None:
    """A prediction that is gone is None to a get and fine to a cancel; a model that is gone refuses the create."""
    async with model_at(answer(404, {"title": "Not found"})) as (model, _):
        assert await model.get("abc") is None
        await model.cancel("abc")
        with pytest.raises(ModelRefused) as refused:
            await create(model)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("reply", "retry_after"),
    [
        (answer(429, {"detail": "throttled", "status": 429, "retry_after": 9}), 9),
        (answer(429, {"detail": "throttled"}, Retry_After="2"), 2),
        (answer(429, {"retry_after": 9}, Retry_After="0.5"), 0.5),
        (answer(429, {"retry_after": 3}, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), 3),
        (answer(429, {"detail": "throttled"}), None),
        (answer(429, {"retry_after": None}), None),
        (answer(429, {"retry_after": -1}), None),
        (answer(429, {"retry_after": "soon"}), None),
        (answer(429, b"<html>", Retry_After="nan"), None),
        (answer(429, b"", Retry_After="inf"), None),
    ],
)
async def test_throttling_tells_when_to_come_back(reply: bytes, retry_after: float | None) -> None:
    """From the header, else from the body, else not at all; nonsense counts as nothing."""
    async with model_at(reply) as (model, server):
        with pytest.raises(ModelBusy) as busy:
            await create(model)
    assert busy.value.retry_after == retry_after
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["seedream-4", "/seedream-4", "bytedance/", ""])
def test_a_model_needs_owner_and_name(name: str) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        ReplicateModel(model=name, base_url="http://127.0.0.1", token=None)
