"""What only S3 has: presigned addresses, a CDN, a bucket that may be missing."""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import Unavailable
from infrastructure.storage import s3 as module
from infrastructure.storage.s3 import S3Storage
from tests.misbehaving import MisbehavingServer, silence

KEY = "uploads/3f/portrait.jpg"


class Clock:
    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@asynccontextmanager
async def storage(**options: Any) -> AsyncIterator[S3Storage]:
    settings = {"bucket": "pictures", "region": "eu-central-1"} | options
    async with S3Storage(access_key_id="nobody", secret_access_key=secrets.token_hex(16), **settings) as s3:
        yield s3


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
async def test_addresses_name_the_region_and_are_signed_by_version_4(region: str) -> None:
    async with storage(region=region) as s3:
        url = urlsplit(await s3.url(KEY))
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc) == ("https", f"pictures.s3.{region}.amazonaws.com")
    assert url.path == f"/{KEY}"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert "AWSAccessKeyId" not in query


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({}, "https://store.example/pictures/uploads/"),
        ({"addressing": "virtual"}, "https://pictures.store.example/uploads/"),
    ],
)
async def test_another_store_is_addressed_by_path_unless_told(options: dict[str, str], start: str) -> None:
    async with storage(endpoint_url="https://store.example", **options) as s3:
        assert (await s3.url(KEY)).startswith(start)


class CountingStorage(S3Storage):
    signed = 0

    async def _presign(self, key: str) -> str:
        self.signed += 1
        return await super()._presign(key)


async def test_an_address_is_signed_anew_after_half_its_life() -> None:
    clock = Clock()
    async with CountingStorage(
        bucket="pictures",
        region="eu-central-1",
        access_key_id="nobody",
        secret_access_key=secrets.token_hex(16),
        url_life=3600,
        now=clock,
    ) as s3:
        await s3.url(KEY)
        clock.time += 1799
        await s3.url(KEY)
        assert s3.signed == 1
        clock.time += 1
        await s3.url(KEY)
        assert s3.signed == 2


async def test_remembered_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address signed longest ago is forgotten first."""
    monkeypatch.setattr(module, "REMEMBERED_ADDRESSES", 3)
    async with storage() as s3:
        for number in range(5):
            await s3.url(f"uploads/{number}.jpg")
        assert list(s3._addresses) == ["uploads/2.jpg", "uploads/3.jpg", "uploads/4.jpg"]


async def test_a_cdn_takes_the_place_of_signatures() -> None:
    async with storage(cdn_domain="cdn.tryon.example", endpoint_url="http://127.0.0.1:1") as s3:
        assert await s3.url(KEY) == f"https://cdn.tryon.example/{KEY}"
        assert await s3.public_url(KEY) == await s3.url(KEY)


@pytest.mark.parametrize(
    ("endpoint", "reachable"), [(None, True), ("https://store.example", True), ("http://127.0.0.1:9000", False)]
)
async def test_a_store_on_this_machine_is_not_shown_to_the_provider(endpoint: str | None, reachable: bool) -> None:
    async with storage(endpoint_url=endpoint) as s3:
        assert (await s3.public_url(KEY) is not None) == reachable


@pytest.mark.parametrize("life", [0, -1, 604_801])
def test_a_life_that_s3_refuses_is_refused_here(life: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        S3Storage(bucket="pictures", region="eu-central-1", url_life=life)


async def test_pictures_say_what_they_are_and_how_long_they_may_be_kept(s3_endpoint: str) -> None:
    async with storage(bucket=f"pictures-{secrets.token_hex(6)}", endpoint_url=s3_endpoint, region="us-east-1") as s3:
        await s3._client.create_bucket(Bucket=s3._bucket)
        await s3.put(KEY, b"pixels")
        head = await s3._client.head_object(Bucket=s3._bucket, Key=KEY)
    assert head["ContentType"] == "image/jpeg"
    assert head["CacheControl"] == "public, max-age=3600, immutable"


async def test_a_missing_bucket_is_an_outage_not_a_missing_picture(s3_endpoint: str) -> None:
    async with storage(bucket=f"nowhere-{secrets.token_hex(6)}", endpoint_url=s3_endpoint) as s3:
        for call in (s3.get(KEY), s3.put(KEY, b"pixels"), s3.ping()):
            with pytest.raises(Unavailable):
                await call


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
async def test_a_form_permits_one_key_some_sizes_one_type_and_some_minutes(region: str) -> None:
    """What S3 enforces is in the policy that is signed; every field of the form has its condition there."""
    async with storage(region=region) as s3:
        form = await s3.form("incoming/one", largest=10, seconds=900)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    expires = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < expires <= timedelta(minutes=15)
    conditions = policy["conditions"]
    assert ["content-length-range", 1, 10] in conditions
    exact = {
        name: value for condition in conditions if isinstance(condition, dict) for name, value in condition.items()
    }
    assert exact["key"] == "incoming/one"
    assert exact["bucket"] == "pictures"
    assert exact["Content-Type"] == "application/octet-stream"
    signature = {"policy", "x-amz-signature"}
    assert {name: value for name, value in form.fields.items() if name not in signature} == {
        name: value for name, value in exact.items() if name != "bucket"
    }
    assert form.url == f"https://pictures.s3.{region}.amazonaws.com/"
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


async def test_a_store_that_says_nothing_is_given_up() -> None:
    """Also while it is asked whether the body of a picture may be sent: S3's protocol waits for its word on that."""
    async with MisbehavingServer(silence) as mute, storage(endpoint_url=mute.url, timeout=0.5) as s3:
        for call in (s3.get(KEY), s3.put(KEY, b"pixels"), s3.delete(KEY), s3.ping()):
            with pytest.raises(Unavailable):
                await call
