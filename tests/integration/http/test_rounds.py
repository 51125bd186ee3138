"""Another round for a try-on: views that failed, side views that are added, and what is cancelled on the way."""

import asyncio
from typing import Any

import httpx
import pytest

from domain.users import Role
from tests.fakes import OUTPUT
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_provider_webhook import deliver, news

COMPLETED = ("COMPLETED", None)


async def ask(customer: Customer, image: int, verb: str, body: Any = None, *, key: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await customer.api.post(f"/image/{image}/{verb}", json=body, headers=headers)


def outcome(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


async def failed_side(service: Service, *, credits_: int = 5) -> tuple[Customer, int]:
    """A try-on whose front is there and whose left side failed."""
    customer = await service.customer(credits=credits_)
    service.model.plan("succeeded", "failed", "failed", "failed")
    image = await customer.generate(["front", "left"])
    await service.work_for(60)
    assert await customer.views(image) == {"front": COMPLETED, "left": ("FAILED", "provider_unavailable")}
    return customer, image


# Retry


async def test_a_failed_view_is_rendered_again_at_its_price(service: Service) -> None:
    """The image is PROCESSING meanwhile, the credit held and then spent; the front stays as it is."""
    customer, image = await failed_side(service)
    answer = await ask(customer, image, "retry")
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["status"]) == (image, "PROCESSING")
    assert await customer.credits() == (4, 1)
    await service.work()
    assert await customer.views(image) == {"front": COMPLETED, "left": COMPLETED}
    assert await customer.credits() == (3, 0)


async def test_a_failed_front_takes_its_sides_along(service: Service) -> None:
    """They wait for it, as in the first round, and have three attempts once more."""
    customer = await service.customer(credits=2)
    service.model.plan(*["failed"] * 5)
    image = await customer.generate(["front", "back"])
    await service.work_for(60)
    assert await customer.views(image) == {
        "front": ("FAILED", "provider_unavailable"),
        "back": ("FAILED", "front_failed"),
    }
    assert (await ask(customer, image, "retry")).json()["status"] == "PROCESSING"
    await service.work_for(60)
    assert await customer.views(image) == {"front": COMPLETED, "back": COMPLETED}
    assert await customer.credits() == (0, 0)


async def test_a_round_has_three_attempts_and_another_deadline(service: Service) -> None:
    customer = await service.customer(credits=1)
    service.model.plan(*["failed"] * 6)
    image = await customer.generate()
    for round_ in (1, 2):
        await service.work_for(60)
        assert await customer.views(image) == {"front": ("FAILED", "provider_unavailable")}
        assert len(service.model.orders) == 3 * round_
        await service.pass_time(3600)
        assert (await ask(customer, image, "retry")).status_code == 202
    await service.work()
    assert (await customer.status(image))["status"] == "COMPLETED"


async def test_late_news_of_an_earlier_round_changes_nothing(service: Service) -> None:
    """Its attempt is another one, though it is the first of its round as well."""
    customer = await service.customer(credits=1)
    service.model.plan(*["failed"] * 3)
    image = await customer.generate()
    await service.work_for(60)
    first = service.model.orders[0].webhook
    assert (await ask(customer, image, "retry")).status_code == 202
    assert await deliver(service, first, news("prediction1", "succeeded", [OUTPUT])) == 204
    await service.worker.drain()
    assert (await customer.status(image))["status"] == "PROCESSING"


@pytest.mark.parametrize("views", [["front"], ["front", "right"]])
async def test_where_nothing_has_failed_there_is_nothing_to_retry(service: Service, views: list[str]) -> None:
    customer = await service.customer(credits=2)
    image = await customer.generate(views)
    assert outcome(await ask(customer, image, "retry")) == (409, "conflict")
    await service.work()
    assert outcome(await ask(customer, image, "retry")) == (409, "conflict")


async def test_a_retry_that_cannot_be_paid_changes_nothing(service: Service) -> None:
    customer, image = await failed_side(service, credits_=2)
    other = await customer.generate()
    await service.work()
    assert outcome(await ask(customer, image, "retry")) == (402, "insufficient_credits")
    assert (await customer.views(image))["left"] == ("FAILED", "provider_unavailable")
    assert (await customer.status(other))["status"] == "COMPLETED"


async def asked_for(service: Service, rounds: int) -> None:
    """All views, in so many rounds so far."""
    await service.database.execute("UPDATE holds SET round = $1", rounds)
    await service.database.execute("UPDATE views SET round = $1", rounds)


async def test_a_failed_view_can_be_asked_for_a_hundred_times(service: Service) -> None:
    """The last time is like the first; after it nothing is held, and another try-on can be asked for."""
    customer = await service.customer(credits=2)
    service.model.plan(*["failed"] * 6)
    image = await customer.generate()
    await service.work_for(60)
    await asked_for(service, 99)
    assert (await ask(customer, image, "retry")).status_code == 202
    await service.work_for(60)
    answer = await ask(customer, image, "retry")
    assert outcome(answer) == (409, "conflict")
    assert "100 times" in answer.json()["detail"]
    assert await customer.views(image) == {"front": ("FAILED", "provider_unavailable")}
    assert await customer.credits() == (2, 0)
    another = await customer.generate()
    await service.work()
    assert (await customer.status(another))["status"] == "COMPLETED"


async def test_the_same_retry_twice_is_paid_once(service: Service) -> None:
    """In parallel too: with one key it is one retry, without any the second finds nothing that failed."""
    customer, image = await failed_side(service)
    answers = await asyncio.gather(*(ask(customer, image, "retry", key="again") for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert (await ask(customer, image, "retry", key="again")).status_code == 202
    assert outcome(await ask(customer, image, "retry")) == (409, "conflict")
    assert await customer.credits() == (4, 1)
    await service.work()


# Added views


async def test_side_views_are_added_to_a_finished_front(service: Service) -> None:
    """Each from the front that is there, at its own price."""
    customer = await service.customer(credits=4)
    image = await customer.generate()
    await service.work()
    answer = await ask(customer, image, "views", {"views": ["back", "right"]})
    assert answer.status_code == 202
    assert (answer.json()["image_id"], answer.json()["credits_held"]) == (image, 2)
    assert (await customer.status(image))["status"] == "PROCESSING"
    await service.work()
    assert await customer.views(image) == {"front": COMPLETED, "right": COMPLETED, "back": COMPLETED}
    assert await customer.credits() == (1, 0)
    assert "front-1" in service.model.orders[-1].inputs[0]


async def test_views_wait_for_a_front_that_is_there(service: Service) -> None:
    customer = await service.customer(credits=3)
    image = await customer.generate()
    assert outcome(await ask(customer, image, "views", {"views": ["left"]})) == (409, "image_not_ready")
    assert await customer.credits() == (3, 1)
    await service.work()


@pytest.mark.parametrize("views", [["front"], ["left", "left"], [], ["top"], ["left", "right", "back", "left"]])
async def test_views_that_make_no_sense_are_refused(service: Service, views: list[str]) -> None:
    customer = await service.customer(credits=3)
    image = await customer.generate()
    await service.work()
    assert outcome(await ask(customer, image, "views", {"views": views})) == (400, "validation_failed")


async def test_a_view_that_is_there_is_not_added_again(service: Service) -> None:
    customer, image = await failed_side(service)
    assert outcome(await ask(customer, image, "views", {"views": ["left"]})) == (409, "conflict")
    assert (await ask(customer, image, "views", {"views": ["right"]}, key="k")).status_code == 202
    assert (await ask(customer, image, "views", {"views": ["right"]}, key="k")).status_code == 202
    assert outcome(await ask(customer, image, "views", {"views": ["back"]}, key="k")) == (422, "idempotency_key_reused")
    assert await customer.credits() == (4, 1)
    await service.work()


async def test_a_cancelled_view_can_be_added_a_hundred_times(service: Service) -> None:
    """Beyond that none of those that are asked for with it is added either."""
    customer = await service.customer(credits=4)
    image = await customer.generate()
    await service.work()
    await ask(customer, image, "views", {"views": ["left"]})
    await ask(customer, image, "cancel")
    await asked_for(service, 100)
    assert outcome(await ask(customer, image, "views", {"views": ["left", "back"]})) == (409, "conflict")
    assert await customer.views(image) == {"front": COMPLETED, "left": ("CANCELLED", None)}
    assert await customer.credits() == (3, 0)
    assert (await ask(customer, image, "views", {"views": ["back"]})).status_code == 202
    await service.work()


# Cancel


async def test_what_is_in_progress_is_cancelled_at_once(service: Service) -> None:
    """The credits are back, the provider is told, and the output that still comes is thrown away."""
    customer = await service.customer(credits=2)
    image = await customer.generate(["front", "left"])
    await service.worker.drain()
    (order,) = service.model.orders
    answer = await ask(customer, image, "cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "CANCELLED")
    assert await customer.views(image) == {"front": ("CANCELLED", None), "left": ("CANCELLED", None)}
    assert await customer.credits() == (2, 0)
    assert await deliver(service, order.webhook, news("prediction1")) == 204
    await service.work()
    assert service.model.cancelled == ["prediction1"]
    assert (await customer.status(image))["status"] == "CANCELLED"
    assert outcome(await ask(customer, image, "cancel")) == (409, "conflict")
    assert outcome(await ask(customer, image, "retry")) == (409, "conflict")


async def test_a_cancelled_side_leaves_the_front_and_can_be_added_again(service: Service) -> None:
    customer = await service.customer(credits=3)
    image = await customer.generate()
    await service.work()
    await ask(customer, image, "views", {"views": ["left"]})
    assert (await ask(customer, image, "cancel")).json()["status"] == "COMPLETED"
    assert (await ask(customer, image, "views", {"views": ["left"]})).status_code == 202
    await service.work()
    assert await customer.views(image) == {"front": COMPLETED, "left": COMPLETED}
    assert await customer.credits() == (1, 0)


async def test_what_was_begun_can_be_cancelled_five_times_a_day(service: Service) -> None:
    """The provider may bill it. What waits can be cancelled as often as one likes."""
    customer = await service.customer(credits=10)
    for _ in range(5):
        image = await customer.generate()
        await service.worker.drain()
        assert (await ask(customer, image, "cancel")).status_code == 202
    image = await customer.generate(["front", "left"])
    await service.worker.drain()
    assert (await ask(customer, image, "cancel")).status_code == 202
    assert await customer.views(image) == {"front": ("PROCESSING", None), "left": ("CANCELLED", None)}
    assert outcome(await ask(customer, image, "cancel")) == (409, "conflict")
    waiting = await customer.generate()
    assert (await ask(customer, waiting, "cancel")).status_code == 202
    await service.pass_time(86_401)
    another = await customer.generate()
    await service.worker.drain()
    assert (await ask(customer, another, "cancel")).status_code == 202
    await service.work()


async def test_a_view_that_is_asked_for_again_does_not_make_its_cancellation_uncounted(service: Service) -> None:
    customer = await service.customer(credits=10)
    image = await customer.generate()
    await service.work()
    for _ in range(5):
        assert (await ask(customer, image, "views", {"views": ["left"]})).status_code == 202
        await service.worker.drain()
        assert (await ask(customer, image, "cancel")).status_code == 202
    assert (await ask(customer, image, "views", {"views": ["left"]})).status_code == 202
    await service.worker.drain()
    assert outcome(await ask(customer, image, "cancel")) == (409, "conflict")
    await service.work()
    assert await customer.views(image) == {"front": COMPLETED, "left": COMPLETED}


async def test_deleting_what_was_begun_counts_as_cancelling_it(service: Service) -> None:
    """Beyond the day's five it has to end first; what waits, and what has ended, can be deleted at any time."""
    customer = await service.customer(credits=10)
    for _ in range(5):
        image = await customer.generate()
        await service.worker.drain()
        assert (await customer.api.delete(f"/image/{image}")).status_code == 204
    begun = await customer.generate()
    await service.worker.drain()
    assert outcome(await customer.api.delete(f"/image/{begun}")) == (409, "conflict")
    assert (await customer.api.delete(f"/image/{await customer.generate()}")).status_code == 204
    await service.work()
    assert (await customer.api.delete(f"/image/{begun}")).status_code == 204
    assert await customer.credits() == (9, 0)


async def test_what_an_operator_cancels_is_not_counted_as_the_customers(service: Service) -> None:
    """Five by customer care leave the customer their own five of the day, and no more."""
    customer, grace = await service.customer(credits=10), await service.customer(role=Role.ADMIN, credits=0)

    async def begun() -> int:
        image = await customer.generate()
        await service.worker.drain()
        return image

    for _ in range(5):
        cancelled = await grace.api.post(f"/admin/images/{await begun()}/cancel", json={"reason": "asked for it"})
        assert cancelled.status_code == 200
    for _ in range(5):
        assert (await ask(customer, await begun(), "cancel")).status_code == 202
    assert outcome(await ask(customer, await begun(), "cancel")) == (409, "conflict")
    await service.work()


async def test_cancellations_at_once_do_not_pass_the_limit_together(service: Service) -> None:
    customer = await service.customer(credits=10)
    images = [await customer.generate() for _ in range(9)]
    await service.worker.drain()
    answers = await asyncio.gather(*(ask(customer, image, "cancel") for image in images))
    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [409] * 4
    await service.work()


@pytest.mark.parametrize(("verb", "body"), [("retry", None), ("cancel", None), ("views", {"views": ["left"]})])
async def test_the_try_on_of_another_is_as_good_as_none(service: Service, verb: str, body: Any) -> None:
    """Byte for byte, but for the request's id."""
    ada, bob = await service.customer(), await service.customer()
    bobs = await bob.generate()
    await service.work()
    answers = [await ask(ada, number, verb, body) for number in (bobs, 10**6, 2**70, 0)]
    assert {outcome(answer) for answer in answers} == {(404, "image_not_found")}
    assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1
