"""Everybody sees their own things, and of others' not even that they exist."""

import pytest

from tests.integration.http.stories import Service

each_route = pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/image/status/{}"),
        ("GET", "/image/{}/events"),
        ("PUT", "/image/{}/favourite"),
        ("DELETE", "/image/{}/favourite"),
        ("DELETE", "/image/{}"),
    ],
)


@each_route
async def test_anothers_image_is_as_absent_as_none(service: Service, method: str, path: str) -> None:
    """Under the same request id, the refusals are the same byte for byte, headers included; nothing changes."""
    owner, stranger = await service.customer(), await service.customer()
    image = await owner.generate()
    await owner.api.put(f"/image/{image}/favourite")
    before = await owner.status(image)
    same = {"X-Request-ID": "the-same-id"}
    theirs = await stranger.api.request(method, path.format(image), headers=same)
    assert theirs.status_code == 404
    assert theirs.json()["code"] == "image_not_found"
    for number in (image + 1000, 0, 2**63, 10**30):
        nobodys = await stranger.api.request(method, path.format(number), headers=same)
        assert theirs.content == nobodys.content
        assert theirs.headers == nobodys.headers
    assert await owner.status(image) == before


@each_route
async def test_a_deleted_image_is_as_absent_as_none(service: Service, method: str, path: str) -> None:
    """Its owner gets the same answer as for an image that never was, and the gallery is without it."""
    owner = await service.customer()
    image = await owner.generate()
    await service.work()
    assert (await owner.api.delete(f"/image/{image}")).status_code == 204
    same = {"X-Request-ID": "the-same-id"}
    deleted = await owner.api.request(method, path.format(image), headers=same)
    nobodys = await owner.api.request(method, path.format(image + 1000), headers=same)
    assert (deleted.status_code, deleted.content) == (404, nobodys.content)
    assert deleted.headers == nobodys.headers
    assert (await owner.get("/user/images"))["items"] == []


async def test_lists_hold_only_ones_own(service: Service) -> None:
    """Gallery, history and balance of one customer show nothing of another's work."""
    owner, stranger = await service.customer(credits=2), await service.customer(credits=7)
    await owner.generate()
    await service.work()
    assert (await stranger.get("/user/images"))["items"] == []
    assert [entry["amount"] for entry in (await stranger.get("/user/credits/history"))["items"]] == [7]
    assert await stranger.credits() == (7, 0)


async def test_anothers_cursor_opens_nothing(service: Service) -> None:
    """A cursor is a place in one's own list, whoever made it."""
    owner, stranger = await service.customer(credits=2), await service.customer(credits=1)
    style = await service.style()
    for _ in range(2):
        await owner.generate(style=style)
    mine = await stranger.generate(style=style)
    cursor = (await owner.get("/user/images", limit=1))["next_cursor"]
    assert (await stranger.get("/user/images", cursor=cursor))["items"] == []
    assert [item["id"] for item in (await stranger.get("/user/images"))["items"]] == [mine]
