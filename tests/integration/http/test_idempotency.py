"""`Idempotency-Key`: a request that is repeated does its work once."""

import asyncio
from collections import Counter

from tests.integration.http.stories import Service


async def test_a_repeated_request_is_answered_as_the_first_was(service: Service) -> None:
    """Same status, same body, one image, one hold; also after the work is done."""
    customer = await service.customer()
    body = await customer.order(["front", "back"])
    first = await customer.ask(body, key="a-key")
    assert first.status_code == 202
    again = await customer.ask(body, key="a-key")
    await service.work()
    later = await customer.ask(body, key="a-key")
    for answer in (again, later):
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
    assert await service.count("images") == 1
    assert await customer.credits() == (1, 0)


async def test_what_counts_is_what_is_asked_not_how_it_is_written(service: Service) -> None:
    """Views in another order and the same photo under another address are the same request."""
    customer = await service.customer()
    body = await customer.order(["front", "back"])
    first = await customer.ask(body, key="a-key")
    reworded = {**body, "views": ["back", "front"], "image_input_url": f"{body['image_input_url']}?signature=other"}
    assert (await customer.ask(reworded, key="a-key")).content == first.content


async def test_a_key_with_another_request_is_422(service: Service) -> None:
    """Another style, photo or set of views under a used key is refused and does nothing."""
    customer = await service.customer()
    body = await customer.order()
    await customer.ask(body, key="a-key")
    for change in (
        {"style_id": await service.style()},
        {"image_input_url": await customer.upload()},
        {"views": ["front", "left"]},
    ):
        response = await customer.ask({**body, **change}, key="a-key")
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused"), change
    assert await service.count("images") == 1
    assert await customer.credits() == (3, 1)


async def test_twenty_at_once_make_one_image(service: Service) -> None:
    """Each is answered with the one image, or told that it is being worked on."""
    customer = await service.customer()
    body = await customer.order()
    answers = await asyncio.gather(*(customer.ask(body, key="a-key") for _ in range(20)))
    accepted = [answer for answer in answers if answer.status_code == 202]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert accepted
    assert len(accepted) + len(busy) == 20
    assert len({answer.content for answer in accepted}) == 1
    assert {answer.json()["code"] for answer in busy} <= {"idempotency_in_progress"}
    assert await service.count("images") == 1
    await service.work()
    assert len(service.model.orders) == 1
    assert await customer.credits() == (2, 0)


async def test_a_refusal_is_not_kept(service: Service) -> None:
    """Successes alone are replayed: what failed for want of credits may be tried again under its key."""
    customer = await service.customer(credits=1)
    body = await customer.order(["front", "back"])
    assert (await customer.ask(body, key="a-key")).status_code == 402
    await service.database.execute("UPDATE users SET credits = 2 WHERE id = $1", customer.id)
    await service.database.execute(
        """INSERT INTO ledger_entries (user_id, amount, cause, natural_key, balance_after, created_at)
        VALUES ($1, 1, 'grant', 'grant:late', 2, now())""",
        customer.id,
    )
    assert (await customer.ask(body, key="a-key")).status_code == 202


async def test_keys_of_different_customers_have_nothing_to_do_with_each_other(service: Service) -> None:
    """The same key in two hands makes two images."""
    for customer in [await service.customer() for _ in range(2)]:
        assert (await customer.ask(await customer.order(), key="a-key")).status_code == 202
    assert await service.count("images") == 2


async def test_without_a_key_every_request_counts(service: Service) -> None:
    """Two requests, two images."""
    customer = await service.customer()
    body = await customer.order()
    answers = [await customer.ask(body) for _ in range(2)]
    assert Counter(answer.status_code for answer in answers) == {202: 2}
    assert await service.count("images") == 2
