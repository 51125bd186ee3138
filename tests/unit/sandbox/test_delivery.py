"""Output pictures, delivered rightly and wrongly."""

import io

import httpx
from PIL import Image

from tests.unit.sandbox.talking import rendered, script


async def delivered(client: httpx.AsyncClient, **delivery: object) -> httpx.Response:
    await script(client, {"on": "output", "delivery": delivery})
    return await client.get((await rendered(client))["output"][0])


async def test_the_fixed_picture_is_small_and_always_the_same(client: httpx.AsyncClient) -> None:
    pictures = [(await client.get((await rendered(client))["output"][0])).content for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert Image.open(io.BytesIO(pictures[0])).size == (256, 256)


async def test_a_page_in_place_of_a_picture(client: httpx.AsyncClient) -> None:
    answer = await delivered(client, kind="html")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


async def test_a_file_that_is_too_large_declared_or_not(client: httpx.AsyncClient) -> None:
    declared = await delivered(client, kind="large", bytes=3_000_000)
    assert declared.headers["content-length"] == "3000000"
    assert len(declared.content) == 3_000_000
    silent = await delivered(client, kind="large", bytes=3_000_000, declared=False)
    assert "content-length" not in silent.headers
    assert len(silent.content) == 3_000_000


async def test_a_slow_picture_is_whole_in_the_end(client: httpx.AsyncClient) -> None:
    slow = await delivered(client, kind="slow", seconds=0.1)
    quick = await client.get((await rendered(client))["output"][0])
    assert slow.content == quick.content


async def test_a_redirect_to_where_the_script_says(client: httpx.AsyncClient) -> None:
    answer = await delivered(client, kind="redirect", to="http://169.254.169.254/latest", status=307)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://169.254.169.254/latest")


async def test_a_bomb_is_a_small_file_of_giant_pixels(client: httpx.AsyncClient) -> None:
    answer = await delivered(client, kind="bomb", width=20_000, height=9_000)
    assert len(answer.content) < 100_000
    assert answer.content[16:24] == (20_000).to_bytes(4, "big") + (9_000).to_bytes(4, "big")


async def test_a_bomb_can_be_decoded_by_who_dares(client: httpx.AsyncClient) -> None:
    answer = await delivered(client, kind="bomb", width=1_000, height=700)
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    assert image.size == (1_000, 700)


async def test_an_expired_picture(client: httpx.AsyncClient) -> None:
    assert (await delivered(client, kind="expired", status=410)).status_code == 410
