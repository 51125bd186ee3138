"""What the model takes: https://replicate.com/bytedance/seedream-4/api/schema."""

from typing import Any

import httpx
import pytest

from tests.unit.sandbox.talking import CREATE


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"prompt": 1}, "input.prompt"),
        ({"image_input": "https://example.com/a.jpg"}, "input.image_input"),
        ({"image_input": ["not an address"]}, "input.image_input"),
        ({"image_input": ["https://example.com/a.jpg"] * 11}, "input.image_input"),
        ({"size": "3K"}, "input.size"),
        ({"aspect_ratio": "5:4"}, "input.aspect_ratio"),
        ({"width": 100, "size": "custom"}, "input.width"),
        ({"height": 5000}, "input.height"),
        ({"width": True}, "input.width"),
        ({"sequential_image_generation": "on"}, "input.sequential_image_generation"),
        ({"max_images": 16}, "input.max_images"),
        ({"enhance_prompt": "no"}, "input.enhance_prompt"),
        (
            {
                "sequential_image_generation": "auto",
                "max_images": 15,
                "image_input": ["https://example.com/a.jpg"],
            },
            "input.max_images",
        ),
    ],
)
async def test_an_input_outside_the_schema_is_a_422_that_names_the_field(
    client: httpx.AsyncClient, wrong: dict[str, Any], field: str
) -> None:
    answer = await client.post(CREATE, json={"input": {"prompt": "A", **wrong}})
    assert answer.status_code == 422
    assert answer.json()["title"] == "Input validation failed"
    assert [each["field"] for each in answer.json()["invalid_fields"]] == [field]


async def test_every_wrong_field_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(CREATE, json={"input": {"size": "0K", "max_images": 0}, "webhook": "ftp://example.com"})
    fields = {each["field"] for each in answer.json()["invalid_fields"]}
    assert fields == {"input", "input.size", "input.max_images", "webhook"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"input": 1}', b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_creation_is_a_422(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post(CREATE, content=body)).status_code == 422


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/hook", 201),
        ("http://127.0.0.1:9/hook", 201),
        ("http://localhost:9/hook", 201),
        ("http://example.com/hook", 422),
        ("http://", 422),
    ],
)
async def test_a_webhook_is_https_or_on_this_machine(client: httpx.AsyncClient, url: str, status: int) -> None:
    body = {"input": {"prompt": "A"}, "webhook": url, "webhook_events_filter": []}
    assert (await client.post(CREATE, json=body)).status_code == status


async def test_unknown_webhook_events_are_refused(client: httpx.AsyncClient) -> None:
    body = {"input": {"prompt": "A"}, "webhook": "https://example.com", "webhook_events_filter": ["done"]}
    assert (await client.post(CREATE, json=body)).status_code == 422
