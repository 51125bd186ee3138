"""The same photo in the same hairstyle once more, and what a try-on would cost."""

import asyncio
from typing import Any

import pytest

from tests.factories import photo
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_bad_input import assert_problem
from tests.integration.http.test_document import document

MINUTES = 60


async def ask(customer: Customer, **changed: Any) -> Any:
    response = await customer.ask(await customer.order(**changed))
    assert response.status_code == 202, response.text
    return response.json()


async def price(customer: Customer, **changed: Any) -> Any:
    response = await customer.api.post("/image/generate?dry_run=true", json=await customer.order(**changed))
    assert response.status_code == 200, response.text
    return response.json()


def outputs(status: Any) -> set[str]:
    return {view["url"] for view in status["views"]}


async def test_what_is_there_is_had_again_for_nothing(service: Service) -> None:
    """COMPLETED at once, the very same pictures, no render and no credit; the books balance all the same."""
    ada = await service.customer(credits=2)
    style = await service.style()
    first = await ada.generate(["front", "left"], style=style)
    await service.work()
    orders = len(service.model.orders)
    accepted = await ask(ada, views=["front", "left"], style=style, reuse=True)
    assert accepted["credits_held"] == 0
    status = await ada.status(accepted["image_id"])
    assert (status["status"], status["time_taken"]) == ("COMPLETED", 0)
    assert outputs(status) == outputs(await ada.status(first))
    await service.work()
    assert (len(service.model.orders), await ada.credits()) == (orders, (0, 0))


async def test_what_is_missing_is_rendered_from_the_shared_front(service: Service) -> None:
    ada = await service.customer(credits=2)
    style = await service.style()
    first = await ada.generate(style=style)
    await service.work()
    front = (await ada.status(first))["output_image_url"]
    accepted = await ask(ada, views=["front", "back"], style=style, reuse=True)
    assert accepted["credits_held"] == 1
    status = await ada.status(accepted["image_id"])
    assert (status["status"], status["output_image_url"]) == ("PROCESSING", front)
    await service.work()
    assert service.model.orders[-1].inputs == [front]
    assert (await ada.status(accepted["image_id"]))["status"] == "COMPLETED"
    assert await ada.credits() == (0, 0)


async def test_the_same_photo_uploaded_again_is_the_same(service: Service) -> None:
    """Byte for byte; another photo is not."""
    ada = await service.customer(credits=2)
    style, portrait = await service.style(), photo()
    first = await ada.upload(portrait)
    await ask(ada, image_input_url=first, style=style)
    await service.work()
    again, other = await ada.upload(portrait), await ada.upload(photo(256, 300))
    assert again != first
    assert (await ask(ada, image_input_url=again, style=style, reuse=True))["credits_held"] == 0
    assert (await ask(ada, image_input_url=other, style=style, reuse=True))["credits_held"] == 1


async def test_anothers_try_on_lends_nothing(service: Service) -> None:
    """Even of the very same photo."""
    ada, bob = await service.customer(), await service.customer()
    style, portrait = await service.style(), photo()
    await ask(ada, image_input_url=await ada.upload(portrait), style=style)
    await service.work()
    accepted = await ask(bob, image_input_url=await bob.upload(portrait), style=style, reuse=True)
    assert accepted["credits_held"] == 1


async def test_a_repeated_request_is_one_try_on(service: Service) -> None:
    ada = await service.customer()
    order = await ada.order(style=await service.style())
    await ada.ask(order)
    await service.work()
    answers = [await ada.ask(order | {"reuse": True}, key="again") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert_problem(await ada.ask(order, key="again"), 422, "idempotency_key_reused")


async def test_a_shared_picture_stays_as_long_as_somebody_shows_it(service: Service) -> None:
    """The lender may go first or last, and side views are still rendered from what it left."""
    ada = await service.customer(credits=2)
    style = await service.style()
    lender = await ada.generate(style=style)
    await service.work()
    accepted = await ask(ada, style=style, reuse=True)
    borrower = accepted["image_id"]
    await ada.api.delete(f"/image/{lender}")
    await service.work_for(10 * MINUTES, step=5 * MINUTES)
    status = await ada.status(borrower)
    assert status["output_image_url"].removeprefix("https://pictures.test/") in service.storage.pictures
    assert (await ada.api.post(f"/image/{borrower}/views", json={"views": ["left"]})).status_code == 202
    await service.work()
    assert (await ada.views(borrower))["left"] == ("COMPLETED", None)
    await ada.api.delete(f"/image/{borrower}")
    await service.work_for(10 * MINUTES, step=5 * MINUTES)
    assert service.storage.pictures == {}


async def test_a_lender_that_is_deleted_at_that_moment_leaves_no_gap(service: Service) -> None:
    """Either its pictures are shared and stay, or the try-on is rendered and paid."""
    ada = await service.customer(credits=20)
    style = await service.style()
    for _ in range(5):
        order = await ada.order(style=style)
        lender = (await ada.ask(order)).json()["image_id"]
        await service.work()
        answer, _ = await asyncio.gather(ada.ask(order | {"reuse": True}), ada.api.delete(f"/image/{lender}"))
        image = answer.json()["image_id"]
        await service.work_for(10 * MINUTES, step=5 * MINUTES)
        url = (await ada.status(image))["output_image_url"]
        assert url.removeprefix("https://pictures.test/") in service.storage.pictures
        await ada.api.delete(f"/image/{image}")
        ada._photo = ""
        await service.work_for(10 * MINUTES, step=5 * MINUTES)
    assert service.storage.pictures == {}


# What it would cost


async def test_a_price_changes_nothing(service: Service) -> None:
    ada = await service.customer(credits=3)
    style = await service.style()
    assert await price(ada, views=["front", "left"], style=style) == {
        "credits_required": 2,
        "credits_available_after": 1,
        "eta_seconds": None,
    }
    tables = {table: await service.count(table) for table in ("images", "views", "holds", "outbox", "idempotency_keys")}
    assert tables == dict.fromkeys(tables, 0)
    assert await ada.credits() == (3, 0)


async def test_a_price_takes_no_key_into_account(service: Service) -> None:
    """Neither is its answer kept under the key, nor is a kept answer its own."""
    ada = await service.customer()
    order = await ada.order(style=await service.style())
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        told = await ada.api.post("/image/generate?dry_run=true", json=order, headers=key)
        assert (told.status_code, told.json()["credits_available_after"]) == (200, 2)
    assert (await ada.ask(order, key="k")).status_code == 202
    told = await ada.api.post("/image/generate?dry_run=true", json=order, headers=key)
    assert (told.status_code, told.json()["credits_available_after"]) == (200, 1)


async def test_a_price_knows_what_can_be_shared(service: Service) -> None:
    """Nothing to pay, and no time to wait, for what is there."""
    ada = await service.customer(credits=2)
    style = await service.style()
    await ask(ada, style=style)
    await service.work()
    told = await price(ada, style=style, reuse=True)
    assert told == {"credits_required": 0, "credits_available_after": 1, "eta_seconds": 0.0}
    assert (await price(ada, views=["front", "back"], style=style, reuse=True))["credits_required"] == 1
    assert (await price(ada, style=style))["credits_required"] == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"style_id": 999}, 404, "style_not_found"),
        ({"image_input_url": "https://pictures.test/uploads/x.jpg"}, 422, "image_url_not_allowed"),
        ({"views": ["left"]}, 400, "validation_failed"),
        ({"views": []}, 400, "validation_failed"),
        ({"colour": "red"}, 400, "validation_failed"),
        ({"reuse": "yes"}, 400, "validation_failed"),
        ({"views": ["front", "right", "left", "back"]}, 402, "insufficient_credits"),
    ],
)
async def test_what_would_be_refused_is_refused_without_being_asked_for(
    service: Service, changed: Any, status: int, code: str
) -> None:
    """With the same answer as when it is."""
    ada = await service.customer(credits=3)
    order = await ada.order() | changed
    for query in ("", "?dry_run=true"):
        response = await ada.api.post(f"/image/generate{query}", json=order)
        assert_problem(response, status, code, query)
    assert await service.count("images") == 0


async def test_a_dry_run_is_asked_for_by_true_or_false(service: Service) -> None:
    ada = await service.customer()
    order = await ada.order()
    for query in ("maybe", "", "2", "\x00"):
        response = await ada.api.post("/image/generate", params={"dry_run": query}, json=order)
        assert_problem(response, 400, "validation_failed", query)
    assert (await ada.api.post("/image/generate", params={"dry_run": "false"}, json=order)).status_code == 202
    await service.work()


async def test_who_is_not_signed_in_is_told_no_price(service: Service) -> None:
    order = await (await service.customer()).order()
    assert_problem(await service.browser().post("/image/generate?dry_run=true", json=order), 401, "not_authenticated")


async def test_the_document_shows_both_answers(service: Service) -> None:
    responses = (await document(service))["paths"]["/api/v1/image/generate"]["post"]["responses"]
    shown = {
        status: answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, answer in responses.items()
        if status in {"200", "202"}
    }
    assert shown == {"200": "ImagePrice", "202": "ImageAccepted"}
