"""Asking for a try-on: what is refused, and that a refusal costs and changes nothing."""

import asyncio
from collections import Counter

import httpx

from tests.integration.http.stories import Customer, Service


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def assert_nothing_happened(service: Service, customer: Customer, credits_left: int = 3) -> None:
    """No image, no hold, no message to a worker, no call to the provider, no address fetched."""
    await service.work()
    assert await customer.credits() == (credits_left, 0)
    assert [await service.count(table) for table in ("images", "views", "holds", "outbox")] == [0, 0, 0, 0]
    assert service.model.orders == []
    assert service.downloads.fetched == []


async def test_a_style_that_is_not_offered_is_404(service: Service) -> None:
    """There is none of this number, or it is not active any more: the same answer, and nothing changed."""
    customer = await service.customer()
    withdrawn = await service.style(is_active=False)
    for style in (withdrawn, 999_999, 2**63 - 1):
        response = await customer.ask(await customer.order(style=style))
        assert outcome(response) == (404, "style_not_found"), style
        assert [error["field"] for error in response.json()["errors"]] == ["style_id"]
    await assert_nothing_happened(service, customer)


async def test_only_own_uploads_are_taken_as_input_and_nothing_is_fetched(service: Service) -> None:
    """Others' uploads, outputs, made-up keys, foreign hosts, files and nonsense are 422 alike."""
    customer, other = await service.customer(), await service.customer(credits=1)
    finished = await other.generate()
    await service.work()
    seen = await other.status(finished)
    orders, fetched = len(service.model.orders), len(service.downloads.fetched)
    key = "A" * 32
    for address in (
        seen["input_image_url"],
        seen["output_image_url"],
        f"https://pictures.test/uploads/{key}.jpg",
        f"https://evil.example/uploads/{key}.jpg",
        "https://evil.example/me.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:8000/health/live",
        "file:///etc/passwd",
        "gopher://evil.example/x",
        "data:image/png;base64,AAAA",
        "//evil.example/x.jpg",
        "uploads/../images/x.jpg",
        "https://[::1",
        "http://\x00/",
        "\U0001f600",
        " ",
        "",
    ):
        response = await customer.ask(await customer.order(image_input_url=address))
        assert outcome(response) == (422, "image_url_not_allowed"), address
        assert [error["field"] for error in response.json()["errors"]] == ["image_input_url"]
    assert await customer.credits() == (3, 0)
    await service.work()
    assert (len(service.model.orders), len(service.downloads.fetched)) == (orders, fetched)
    assert await service.count("images") == 1


async def test_an_own_upload_is_known_by_its_key_alone(service: Service) -> None:
    """Host, signature and expiry of the address do not matter, for nothing is fetched from it."""
    customer = await service.customer(credits=3)
    key = (await customer.upload()).removeprefix("https://pictures.test/")
    for address in (
        f"https://pictures.test/{key}",
        f"https://cdn.example.com/{key}?expires=1&signature=old",
        f"https://evil.example/media/{key}",
    ):
        image = await customer.generate(image_input_url=address)
        assert (await customer.status(image))["input_image_url"] == f"https://pictures.test/{key}"


async def test_too_few_credits_is_402_and_nothing_is_held(service: Service) -> None:
    """Three views are not had for two credits, nor one for none; afterwards all is as before."""
    for credits_left, views in ((2, ["front", "left", "back"]), (0, ["front"])):
        customer = await service.customer(credits=credits_left)
        response = await customer.ask(await customer.order(views))
        assert outcome(response) == (402, "insufficient_credits")
        assert str(len(views)) in response.json()["detail"]
        await assert_nothing_happened(service, customer, credits_left)


async def test_held_credits_cannot_be_held_again(service: Service) -> None:
    """What is reserved for one try-on is not there for the next, and is free again when the first fails."""
    customer = await service.customer(credits=1)
    body = await customer.order()
    assert (await customer.ask(body)).status_code == 202
    assert outcome(await customer.ask(body)) == (402, "insufficient_credits")
    service.model.plan("failed", error="flagged as sensitive")
    await service.work()
    assert await customer.credits() == (1, 0)
    assert (await customer.ask(body)).status_code == 202


async def test_fifty_requests_at_once_spend_one_credit_once(service: Service) -> None:
    """One is accepted, 49 are refused for want of credits, and the provider is asked once."""
    customer = await service.customer(credits=1)
    body = await customer.order()
    answers = await asyncio.gather(*(customer.ask(body) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 402: 49}
    await service.work()
    assert len(service.model.orders) == 1
    assert await customer.credits() == (0, 0)


async def test_the_front_alone_is_the_default(service: Service) -> None:
    """Without `views` one credit is held for one view."""
    customer = await service.customer()
    body = await customer.order()
    del body["views"]
    accepted = await customer.ask(body)
    assert accepted.json()["credits_held"] == 1
    assert list(await customer.views(accepted.json()["image_id"])) == ["front"]


async def test_views_come_in_one_order_however_they_are_asked_for(service: Service) -> None:
    """Front, right, left, back."""
    customer = await service.customer(credits=4)
    image = await customer.generate(["left", "back", "front", "right"])
    assert list(await customer.views(image)) == ["front", "right", "left", "back"]


async def test_the_bell_is_rung_for_what_can_be_begun(service: Service) -> None:
    """Once it is accepted; not for a request that was refused."""
    customer = await service.customer(credits=2)
    order = await customer.order(["front", "left"])
    rings = service.doorbell.rings
    assert (await customer.ask(order)).status_code == 202
    assert service.doorbell.rings == rings + 1
    assert (await customer.ask(order)).status_code == 402
    assert service.doorbell.rings == rings + 1


async def test_the_queue_position_counts_who_is_before(service: Service) -> None:
    """The third in line is third, and nobody is in line once it is being rendered."""
    customer = await service.customer(credits=3)
    style = await service.style()
    images = [await customer.generate(style=style) for _ in range(3)]
    assert [(await customer.status(image))["queue_position"] for image in images] == [1, 2, 3]
    await service.worker.drain()
    assert [(await customer.status(image))["queue_position"] for image in images] == [None] * 3


async def test_a_prompt_that_is_edited_meanwhile_stays_what_it_was(service: Service) -> None:
    """A try-on is rendered with the prompt version it was accepted with."""
    customer = await service.customer()
    style = await service.style()
    await customer.generate(style=style)
    await service.database.execute(
        """INSERT INTO style_prompts (style_id, version, front, "right", "left", back)
        VALUES ($1, 2, 'new', '', '', '')""",
        style,
    )
    await service.database.execute("UPDATE styles SET prompt_version = 2")
    await service.work()
    assert service.model.orders[0].prompt.startswith("front:")
    await customer.generate(style=style)
    await service.work()
    assert service.model.orders[1].prompt == "new"
