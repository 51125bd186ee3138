"""Outputs as the sandbox delivers them, through the download and the picture processor that check them."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from application.images.ports import BadOutput
from domain.errors import Unprocessable
from infrastructure.downloads import GuardedDownloads
from infrastructure.images import VipsPictureProcessor
from infrastructure.replicate import ReplicateModel
from tests.contract.conftest import RunningSandbox
from tests.contract.test_image_model import SandboxProvider


@pytest.fixture
async def downloads(sandbox: RunningSandbox) -> AsyncIterator[GuardedDownloads]:
    guarded = GuardedDownloads(
        hosts=["replicate.delivery"],
        plain_http=[urlsplit(sandbox.url).netloc],
        max_bytes=1_000_000,
        total_seconds=2,
    )
    yield guarded
    await guarded.aclose()


async def delivered(sandbox: RunningSandbox, delivery: dict[str, Any] | None) -> str:
    """The address of an output that will be delivered so; None: as it should be."""
    rules = [] if delivery is None else [{"on": "output", "delivery": delivery}]
    sandbox.script("replicate", *rules)
    provider = SandboxProvider(sandbox)
    model: ReplicateModel = provider.model
    made = await model.create(prompt="a bob", inputs=["https://tryon.example/a.jpg"], webhook=None)
    ended = await provider.settled(made)
    await model.aclose()
    assert isinstance(ended.output, list)
    return str(ended.output[0])


async def test_a_true_output_becomes_a_picture(sandbox: RunningSandbox, downloads: GuardedDownloads) -> None:
    data = await downloads.fetch(await delivered(sandbox, None))
    picture = await VipsPictureProcessor(threads=1).normalise(data)
    assert picture.data.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "delivery",
    [
        {"kind": "large", "bytes": 2_000_000, "declared": True},
        {"kind": "large", "bytes": 2_000_000, "declared": False},
        {"kind": "slow", "seconds": 30},
        {"kind": "redirect", "to": "http://169.254.169.254/", "status": 302},
        {"kind": "expired", "status": 403},
    ],
    ids=["large", "large and undeclared", "slow", "redirected inside", "expired"],
)
async def test_a_bad_delivery_is_a_bad_output(
    sandbox: RunningSandbox, downloads: GuardedDownloads, delivery: dict[str, Any]
) -> None:
    url = await delivered(sandbox, delivery)
    with pytest.raises(BadOutput):
        await downloads.fetch(url)


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        ({"kind": "html"}, "image_unreadable"),
        ({"kind": "bomb", "width": 30_000, "height": 30_000}, "image_too_many_pixels"),
    ],
    ids=["html", "bomb"],
)
async def test_what_arrives_whole_but_is_no_picture_is_refused(
    sandbox: RunningSandbox, downloads: GuardedDownloads, delivery: dict[str, Any], code: str
) -> None:
    data = await downloads.fetch(await delivered(sandbox, delivery))
    with pytest.raises(Unprocessable) as refused:
        await VipsPictureProcessor(threads=1).normalise(data)
    assert refused.value.code == code
