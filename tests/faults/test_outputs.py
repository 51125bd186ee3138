"""Outputs that are no picture: FAILED and the credit back, after one create, with nothing else touched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import Provider
from tests.faults.rig import Rig

ANSWERS: dict[str, Any] = {
    "null": None,
    "an empty list": [],
    "a dict": {"url": "{output}"},
    "a list of lists": [["{output}"]],
    "a strange scheme": ["file:///etc/hostname"],
    "another host": ["http://example.com/output.jpg"],
    "the metadata service": ["http://169.254.169.254/latest/meta-data"],
    "no address": ["\u0000"],
}
"""What a prediction that succeeded may name as its output."""

DELIVERIES: dict[str, dict[str, Any]] = {
    "a page": {"delivery": {"kind": "html"}},
    "half a picture": {"truncate": 2000},
    "too large, and says so": {"delivery": {"kind": "large"}},
    "too large, and does not say so": {"delivery": {"kind": "large", "declared": False}},
    "a bomb": {"delivery": {"kind": "bomb"}},
    "expired": {"delivery": {"kind": "expired", "status": 403}},
    "a redirect inside": {"delivery": {"kind": "redirect", "to": "http://127.0.0.1:1/"}},
}
"""What the download of an output may yield."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("output", ANSWERS)
async def test_an_output_that_names_no_picture_fails_its_view(rig: Rig, customer: Customer, output: str) -> None:
    """FAILED provider_bad_output, and nothing is fetched."""
    outcome = {"status": "succeeded", "output": ANSWERS[output]}
    await fails_alone(rig.provider, customer, {"on": "create", "outcome": outcome})
    assert await rig.provider.count("output") == 1, "the neighbour's, and no other"


@pytest.mark.exhaustive
@pytest.mark.parametrize("delivery", DELIVERIES)
async def test_a_download_that_yields_no_picture_fails_its_view(rig: Rig, customer: Customer, delivery: str) -> None:
    """FAILED provider_bad_output."""
    await fails_alone(rig.provider, customer, {"on": "output", **DELIVERIES[delivery]})


@pytest.mark.exhaustive
async def test_a_download_that_takes_too_long_fails_its_view(rig: Rig, customer: Customer) -> None:
    """Drop by drop, for longer than a download may last."""
    await fails_alone(rig.provider, customer, {"on": "output", "delivery": {"kind": "slow", "seconds": 120}})


@pytest.mark.exhaustive
async def test_the_worker_stays_small_whatever_it_is_sent(rig: Rig, customer: Customer) -> None:
    """Gigabytes that call themselves pictures are refused unread: its memory is what it was."""
    rig.provider.expect(creates=7)
    assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
    before = largest_size(rig.worker.pid)
    for kind in (
        {"kind": "large", "bytes": 2**30, "declared": False},
        {"kind": "large", "bytes": 2**30},
        {"kind": "bomb"},
    ):
        await rig.provider.script({"on": "output", "times": 2, "delivery": kind})
    images = [await customer.generate() for _ in range(6)]
    assert {error for image in images for error in (await customer.outcome(image)).errors} == {"provider_bad_output"}
    assert largest_size(rig.worker.pid) < before + 150 * 2**20


def largest_size(pid: int) -> int:
    """The most memory that a process has had at any time, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def fails_alone(provider: Provider, customer: Customer, rule: dict[str, Any]) -> None:
    """The try-on that meets with this rule fails; the next one, asked for at the same time, is rendered."""
    provider.expect(creates=2)
    await provider.script(rule)
    async with customer.charged(1):
        images = [await customer.outcome(image) for image in [await customer.generate() for _ in range(2)]]
        assert sorted(image.status for image in images) == ["COMPLETED", "FAILED"]
        assert {error for image in images for error in image.errors} == {None, "provider_bad_output"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", [{"reply": {"status": 503}}, {"reset": True}, {"hang": 1}])
async def test_a_download_that_fails_is_repeated_without_a_second_create(
    rig: Rig, customer: Customer, fault: dict[str, Any]
) -> None:
    """The picture exists; only the way to it was blocked."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "output", **fault})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
@pytest.mark.parametrize("output", [["{output}", "http://example.com/second.jpg"], "{output}"])
async def test_the_first_of_several_outputs_is_the_picture(rig: Rig, customer: Customer, output: object) -> None:
    """A list of two addresses, and an address without a list."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "outcome": {"output": output}})
    async with customer.charged(1):
        image = await customer.outcome(await customer.generate())
        assert image.status == "COMPLETED"
        assert (await customer.download(image))[0].startswith(b"\xff\xd8")


@pytest.mark.exhaustive
async def test_a_storage_that_fails_for_a_while_costs_no_second_create(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """However often it fails: the picture is stored when storage is back."""
    rig.provider.expect(creates=1)
    async with customer.charged(1):
        with unusable(rig.media / "images"):
            image = await customer.generate()
            failed_often = "SELECT claim > 5 AND error = 'storage_unavailable' FROM views WHERE image_id = $1"
            await eventually(lambda: database.fetchval(failed_often, image))
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_photo_that_cannot_be_read_for_a_while_costs_no_attempt(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """However often storage is asked in vain: the provider has not been, and the render waits."""
    rig.provider.expect(creates=1)
    async with customer.charged(1):
        with unusable(rig.media / "uploads"):
            image = await customer.generate()

            async def asked_often() -> bool:
                await database.execute("UPDATE views SET due_at = now() WHERE image_id = $1", image)
                await database.execute("UPDATE outbox SET due_at = now()")
                claims: int = await database.fetchval("SELECT claim FROM views WHERE image_id = $1", image)
                return claims > 3

            await eventually(asked_often)
        assert (await customer.outcome(image)).status == "COMPLETED"


@contextmanager
def unusable(folder: Path) -> Iterator[None]:
    """Meanwhile, a folder of the storage is a link that leads in a circle, which not even root can follow."""
    aside = folder.with_name("aside")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(aside)
    folder.symlink_to(folder)
    try:
        yield
    finally:
        folder.unlink()
        try:
            aside.rename(folder)
        except OSError:  # the product was quicker, and has made the folder anew
            shutil.copytree(aside, folder, dirs_exist_ok=True)
            shutil.rmtree(aside)
