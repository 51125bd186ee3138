"""The provider's signed news: what is believed, when, and how often."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from standardwebhooks import Webhook

from application.images.ports import Prediction
from application.images.provider_webhook import ProviderWebhook
from tests.fakes import OUTPUT, Order
from tests.integration.http.stories import HOME, Service

UNSIGNED = (401, "webhook_signature_invalid")


def news(prediction_id: str, status: str = "succeeded", output: Any = (OUTPUT,), **more: Any) -> bytes:
    """A prediction as Replicate sends it, with what we do not read."""
    seen = {"model": "bytedance/seedream-4", "version": "hidden", "logs": "", "metrics": {"predict_time": 14.2}}
    return msgspec.json.encode({"id": prediction_id, "status": status, "output": output, "error": None, **seen, **more})


def signed(service: Service, body: bytes, *, secret: str = "", at: float | None = None) -> dict[str, str]:
    message, moment = f"msg_{uuid4().hex}", datetime.fromtimestamp(at or time.time(), UTC)
    webhook = Webhook(secret or service.settings.replicate_webhook_secret)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign(message, moment, body.decode()),
        "Content-Type": "application/json",
    }


def address(service: Service, view_id: int, attempt: int = 1) -> str:
    """The address that the provider was given for a view, with our own proof in it."""
    keys = (service.settings.secret_key,)
    return ProviderWebhook("/image/webhook", keys).address(view_id, attempt) or ""


async def deliver(service: Service, address: str | None, body: bytes, headers: dict[str, str] | None = None) -> int:
    """Send news as the provider does; returns the status it is answered with."""
    assert address is not None
    response = await service.browser().post(address, content=body, headers=headers or signed(service, body))
    return response.status_code


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def refused(service: Service) -> list[tuple[str, str, str]]:
    """What the log says of webhooks that were refused: how loud, whose, and from where."""
    lines = [line for line in service.log if line["event"] == "webhook_refused"]
    return [(line["log_level"], line["provider"], line["network"]) for line in lines]


async def test_a_webhook_finishes_a_view_without_a_poll(service: Service) -> None:
    """Its address names view and attempt; after it the picture is stored and the credit spent."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    (order,) = service.model.orders
    assert await deliver(service, order.webhook, news("prediction1")) == 204
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert await customer.credits() == (0, 0)


async def test_news_that_comes_twice_counts_once(service: Service) -> None:
    """A repetition, before or after the work is done, is answered 204 and changes nothing."""
    customer = await service.customer(credits=2)
    image = await customer.generate()
    await service.worker.drain()
    body = news("prediction1")
    headers = signed(service, body)
    for _ in range(3):
        assert await deliver(service, service.model.orders[0].webhook, body, headers) == 204
    await service.worker.drain()
    done = await customer.status(image)
    assert await deliver(service, service.model.orders[0].webhook, news("prediction1", "failed", None)) == 204
    await service.work()
    assert await customer.status(image) == done
    assert service.downloads.fetched == [OUTPUT]
    assert await customer.credits() == (1, 0)


async def test_news_may_come_before_the_answer_to_the_create(service: Service) -> None:
    """The webhook overtakes: the view is finished all the same, with one create and one charge."""
    customer = await service.customer(credits=1)
    image = await customer.generate()

    async def overtake(prediction: Prediction, order: Order) -> None:
        assert await deliver(service, order.webhook, news(prediction.id)) == 204

    service.model.before_answering = overtake
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.model.orders) == 1
    assert service.downloads.fetched == [OUTPUT]
    assert await customer.credits() == (0, 0)


async def test_a_view_finished_before_the_answer_to_the_create_stays_finished(service: Service) -> None:
    """The webhook overtakes and the picture is stored before the create answers: the late answer is refused."""
    customer = await service.customer(credits=1)
    image = await customer.generate()

    async def overtake_and_finish(prediction: Prediction, order: Order) -> None:
        assert await deliver(service, order.webhook, news(prediction.id)) == 204
        await service.worker.drain()

    service.model.before_answering = overtake_and_finish
    await service.worker.drain()
    await service.work_for(10)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.model.orders) == 1
    assert await customer.credits() == (0, 0)


async def test_news_of_an_attempt_that_is_over_changes_nothing(service: Service) -> None:
    """The first attempt failed and the second runs: what is said of the first is answered 204 and ignored."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", "processing")
    await service.work()
    await service.pass_time(5)
    await service.work()
    first, second = service.model.orders
    assert await deliver(service, first.webhook, news("prediction1")) == 204
    assert await deliver(service, second.webhook, news("prediction1")) == 204
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert service.downloads.fetched == []
    assert await deliver(service, second.webhook, news("prediction2")) == 204
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "COMPLETED"


async def test_news_of_the_attempt_before_is_not_taken_for_the_one_being_ordered(service: Service) -> None:
    """It comes while the second create is on its way, when only its attempt tells that it is not meant."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", "processing")
    await service.work()

    async def repeat(_: Prediction, __: Order) -> None:
        stale = service.model.orders[0].webhook
        assert await deliver(service, stale, news("prediction1", output=["https://provider.test/stale.jpg"])) == 204

    service.model.before_answering = repeat
    await service.pass_time(5)
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert service.downloads.fetched == []


async def test_news_that_nobody_signed_is_refused(service: Service) -> None:
    """Missing, foreign, stale, early, misplaced and malformed signatures are 401, and nothing moves."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    address = service.model.orders[0].webhook
    assert address is not None
    body = news("prediction1")
    good = signed(service, body)
    foreign = Webhook(f"whsec_{'A' * 40}")
    moment = datetime.now(UTC)
    forgeries = {
        "no headers": {},
        "no id": {name: value for name, value in good.items() if name != "webhook-id"},
        "another key": {**good, "webhook-signature": foreign.sign(good["webhook-id"], moment, body.decode())},
        "six minutes old": signed(service, body, at=time.time() - 360),
        "six minutes early": signed(service, body, at=time.time() + 360),
        "of another message": {**good, "webhook-id": "msg_other"},
        "of another body": signed(service, news("prediction1", "failed", None)),
        "no version": {**good, "webhook-signature": good["webhook-signature"].partition(",")[2]},
        "another version": {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        "empty": {**good, "webhook-signature": ""},
        "commas": {**good, "webhook-signature": "v1,,, ,v1 v1,"},
        "no base64": {**good, "webhook-signature": "v1,%%%"},
        "no time": {**good, "webhook-timestamp": "now"},
        "half a second": {**good, "webhook-timestamp": f"{good['webhook-timestamp']}.5"},
        "the end of time": {**good, "webhook-timestamp": "9" * 400},
    }
    for kind, headers in forgeries.items():
        response = await service.browser().post(
            address, content=body, headers={**headers, "Content-Type": "application/json"}
        )
        assert outcome(response) == UNSIGNED, kind
    assert refused(service) == [("warning", "replicate", HOME)] * len(forgeries)
    reserialised = body.replace(b'":', b'": ')
    assert outcome(await service.browser().post(address, content=reserialised, headers=good)) == UNSIGNED
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert service.downloads.fetched == []


async def test_signed_news_that_makes_no_sense_is_400(service: Service) -> None:
    """No JSON, no prediction, and no such numbers are told as what they are, never a 500."""
    path = address(service, 1)
    for text in ("nonsense", "[]", "{}", '{"id": 7, "status": "succeeded"}', "[" * 30_000, ""):
        body = text.encode()
        response = await service.browser().post(path, content=body, headers=signed(service, body))
        assert response.status_code == 400, text[:20]
    for identifier in ("", "../x", "a b", "\x00", "x" * 101):
        body = news(identifier)
        response = await service.browser().post(path, content=body, headers=signed(service, body))
        assert response.status_code == 400, identifier
    body = news("prediction1")
    for query in (
        "",
        "view_id=1",
        "attempt=1",
        "view_id=x&attempt=1",
        f"view_id={2**70}&attempt=1",
        "view_id=0&attempt=0",
    ):
        response = await service.browser().post(f"/image/webhook?{query}", content=body, headers=signed(service, body))
        assert outcome(response) == (400, "validation_failed"), query


async def test_news_of_a_view_that_is_not_there_is_taken_and_dropped(service: Service) -> None:
    """The provider is not made to repeat what nobody waits for."""
    assert await deliver(service, address(service, 999), news("prediction1")) == 204
    assert await deliver(service, address(service, 2**63 - 1, 2**63 - 1), news("x")) == 204


async def test_signed_news_cannot_be_told_of_another_view(service: Service) -> None:
    """The provider signs the message and not its address: whoever repeats it elsewhere lacks our proof."""
    body = news("prediction1")
    for elsewhere in ("view_id=2&attempt=1", address(service, 1).partition("?")[2].replace("view_id=1", "view_id=2")):
        assert await deliver(service, f"/image/webhook?{elsewhere}", body) == 401


async def test_news_of_work_in_progress_changes_nothing(service: Service) -> None:
    """Only an end is an end."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    for word in ("starting", "processing", "queued"):
        assert await deliver(service, service.model.orders[0].webhook, news("prediction1", word, None)) == 204
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "PROCESSING"


async def test_news_with_text_that_no_database_holds_ends_the_view_all_the_same(service: Service) -> None:
    """A NUL in the provider's words is no reason to wait for the deadline."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    body = news("prediction1", "failed", None, error="flagged as sensitive\x00 (E005)")
    assert await deliver(service, service.model.orders[0].webhook, body) == 204
    await service.worker.drain()
    assert await customer.views(image) == {"front": ("FAILED", "provider_rejected")}


async def test_a_provider_that_cannot_reach_us_is_asked_instead(service: Service) -> None:
    """Webhooks that never come cost nothing but a poll."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    service.model.finish("prediction1")
    await service.worker.poll()
    assert (await customer.status(image))["status"] == "COMPLETED"


async def test_text_that_no_database_holds_ends_the_view_when_it_is_polled(service: Service) -> None:
    """As in a webhook."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", error="flagged as sensitive\x00")
    await service.work()
    assert await customer.views(image) == {"front": ("FAILED", "provider_rejected")}
