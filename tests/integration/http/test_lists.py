"""Lists: pages, their order, their limits; and the public catalogue."""

from typing import Any

import pytest

from domain.styles import Category
from tests.integration.http.stories import Customer, Service


async def pages(customer: Customer, path: str, limit: int) -> list[list[Any]]:
    """Every page of a list, cursor by cursor."""
    found, cursor = [], None
    while True:
        page = await customer.get(path, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert set(page) == {"items", "next_cursor"}
        found.append(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_the_gallery_shows_every_try_on_once_and_the_newest_first(service: Service) -> None:
    """Three pages of two hold five try-ons in order, each as its status shows it, without queue and ETA."""
    customer = await service.customer(credits=5)
    style = await service.style()
    images = [await customer.generate(style=style) for _ in range(5)]
    await service.work()
    found = await pages(customer, "/user/images", 2)
    assert [[item["id"] for item in page] for page in found] == [images[:2:-1], images[2:0:-1], images[:1]]
    status = await customer.status(images[-1])
    assert status.pop("queue_position", "gone") != "gone"
    assert status.pop("eta_seconds", "gone") != "gone"
    assert found[0][0] == status


async def test_a_page_that_is_exactly_full_and_last_has_no_next(service: Service) -> None:
    """A cursor is only given when something comes after it."""
    customer = await service.customer(credits=2)
    style = await service.style()
    for _ in range(2):
        await customer.generate(style=style)
    assert [len(page) for page in await pages(customer, "/user/images", 2)] == [2]


async def test_pages_stay_steady_while_the_gallery_grows(service: Service) -> None:
    """A try-on made between two pages neither repeats nor hides another."""
    customer = await service.customer(credits=3)
    style = await service.style()
    images = [await customer.generate(style=style) for _ in range(2)]
    first = await customer.get("/user/images", limit=1)
    await customer.generate(style=style)
    second = await customer.get("/user/images", limit=1, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + second["items"]] == images[::-1]


async def test_the_history_of_credits_has_pages_too(service: Service) -> None:
    """Every entry is on one page, the newest first."""
    customer = await service.customer(credits=4)
    style = await service.style()
    for _ in range(4):
        await customer.generate(style=style)
    await service.work()
    found = await pages(customer, "/user/credits/history", 2)
    assert [[entry["balance_after"] for entry in page] for page in found] == [[0, 1], [2, 3], [4]]


async def test_lists_of_a_newcomer_are_empty(service: Service) -> None:
    """Nothing is a page without items and without a cursor."""
    customer = await service.customer(credits=0)
    nothing: dict[str, Any] = {"items": [], "next_cursor": None}
    assert await customer.get("/user/images") == nothing
    assert await customer.get("/user/credits/history") == nothing


NONSENSE: list[dict[str, Any]] = [
    {"limit": 0},
    {"limit": 101},
    {"limit": -1},
    {"limit": 2**70},
    {"limit": "many"},
    {"limit": ""},
    {"limit": "1.5"},
    {"cursor": ""},
    {"cursor": "!"},
    {"cursor": "bm9uc2Vuc2U"},
    {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"},
    {"cursor": "LTE"},
    {"cursor": "x" * 201},
    {"cursor": "\x00"},
    {"cursor": "\u20ac"},
]


@pytest.mark.parametrize("path", ["/user/images", "/user/credits/history"])
async def test_nonsense_about_pages_is_refused(service: Service, path: str) -> None:
    """A limit outside 1 to 100, or a cursor that this API did not make, is 400 and names its field."""
    customer = await service.customer(credits=0)
    for query in NONSENSE:
        response = await customer.api.get(path, params=query)
        assert response.status_code == 400, query
        problem = response.json()
        assert problem["code"] == "validation_failed", query
        assert [error["field"] for error in problem["errors"]] == list(query)


async def test_the_largest_page_has_a_hundred_items(service: Service) -> None:
    """100 is a limit that is allowed."""
    customer = await service.customer(credits=0)
    assert (await customer.get("/user/images", limit=100))["items"] == []


async def test_the_catalogue_is_public_in_order_and_shows_no_prompt(service: Service) -> None:
    """Active styles in their order, on one page, with exactly the fields that customers need."""
    second = await service.style(position=20, name="Bob", description="Short.", thumbnail="styles/bob.png")
    first = await service.style(position=10)
    await service.style(position=5, is_active=False)
    response = await service.browser().get("/image/styles")
    page = response.json()
    assert page["next_cursor"] is None
    assert [style["id"] for style in page["items"]] == [first, second]
    assert page["items"][1] == {
        "id": second,
        "name": "Bob",
        "description": "Short.",
        "category": "standard",
        "thumbnail_url": "https://pictures.test/styles/bob.png",
    }
    assert "front:" not in response.text


async def test_the_catalogue_can_be_asked_for_one_category(service: Service) -> None:
    """A category filters; a category that there is not is 400."""
    await service.style()
    star = await service.style(category=Category.CELEBRITY)
    browser = service.browser()
    page = (await browser.get("/image/styles", params={"category": "celebrity"})).json()
    assert [(style["id"], style["category"]) for style in page["items"]] == [(star, "celebrity")]
    refused = await browser.get("/image/styles", params={"category": "royal"})
    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")


async def test_the_catalogue_is_sent_again_only_when_it_changed(service: Service) -> None:
    """A known ETag is answered 304 without a body; after a change the catalogue comes anew."""
    await service.style()
    browser = service.browser()
    first = await browser.get("/image/styles")
    assert first.headers["Cache-Control"].startswith("public, max-age=")
    again = await browser.get("/image/styles", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    await service.style()
    changed = await browser.get("/image/styles", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert len(changed.json()["items"]) == 2
