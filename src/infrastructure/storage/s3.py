"""Pictures in S3 or a store that speaks its protocol, read through presigned addresses or a CDN."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from application.images.ports import PictureStorage, UploadForm
from domain.errors import NotFound, TooLarge, Unavailable
from infrastructure.storage.addresses import reachable_from_outside

CALL_SECONDS = 10.0
"""For a call with its repetition; a customer waits for some of them. The client's own limits begin with the reply, and
a store that says nothing before the body of a `PUT` is sent, for which it is asked, would be waited for without end."""
LONGEST_LIFE = 7 * 86_400
"""Seconds. S3 refuses presigned addresses that live longer, though botocore makes them."""
REMEMBERED_ADDRESSES = 10_000

_UNKNOWN = "application/octet-stream"
"""A browser that finds such a file behind a CDN shows nothing of it, and runs nothing in it."""
_CACHING = "public, max-age=3600, immutable"


class S3Storage(PictureStorage):
    """One bucket, over one client that lives while this is entered (`async with`).

    Needs `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject`, and `s3:ListBucket`, without which S3 answers 403 and not
    404 to a key that is not there. Without keys of its own the client takes the machine's role.
    """

    def __init__(
        self,
        *,
        bucket: str,
        region: str,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        endpoint_url: str | None = None,
        addressing: Literal["path", "virtual"] | None = None,
        cdn_domain: str | None = None,
        url_life: int = 3600,
        now: Callable[[], float] = time.monotonic,
        timeout: float = CALL_SECONDS,
    ) -> None:
        if not 0 < url_life <= LONGEST_LIFE:
            raise ValueError(f"an address lives 1 to {LONGEST_LIFE} seconds, not {url_life}")
        self._bucket = bucket
        self._cdn_domain = cdn_domain
        self._reachable = bool(cdn_domain) or endpoint_url is None or reachable_from_outside(endpoint_url)
        self._url_life = url_life
        self._now = now
        self._timeout = timeout
        self._addresses: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._client_arguments = {
            "region_name": region,
            "endpoint_url": endpoint_url,
            "aws_access_key_id": access_key_id,
            "aws_secret_access_key": secret_access_key,
            "config": _config(addressing or ("path" if endpoint_url else "virtual"), foreign=endpoint_url is not None),
        }
        self._open = AsyncExitStack()
        self._client: Any = None

    async def __aenter__(self) -> Self:
        self._client = await self._open.enter_async_context(get_session().create_client("s3", **self._client_arguments))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        async with self._call():
            await self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, CacheControl=_CACHING
            )

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        async with self._call():
            answer = await self._client.get_object(Bucket=self._bucket, Key=key)
            async with answer["Body"] as body:
                if largest is not None and answer["ContentLength"] > largest:
                    raise TooLarge("payload_too_large", "The picture is larger than allowed.", field="file")
                data: bytes = await body.read()
        return data

    async def delete(self, key: str) -> None:
        async with self._call():
            await self._client.delete_object(Bucket=self._bucket, Key=key)

    async def url(self, key: str) -> str:
        """Signing takes a fifth of a millisecond, so an address is kept for half its life, and the oldest forgotten."""
        if self._cdn_domain:
            return f"https://{self._cdn_domain}/{quote(key)}"
        address, fresh_until = self._addresses.get(key, ("", 0.0))
        if self._now() >= fresh_until:
            address = await self._presign(key)
            self._addresses[key] = (address, self._now() + self._url_life / 2)
            self._addresses.move_to_end(key)
            if len(self._addresses) > REMEMBERED_ADDRESSES:
                self._addresses.popitem(last=False)
        return address

    async def form(self, key: str, *, largest: int, seconds: int) -> UploadForm:
        """A POST policy: this key, these sizes, this type. What the bytes are nobody checks, and so no type says it.

        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
        """
        fields = {"Content-Type": _UNKNOWN}
        async with self._call():
            post = await self._client.generate_presigned_post(
                Bucket=self._bucket,
                Key=key,
                Fields=fields,
                Conditions=[fields, ["content-length-range", 1, largest]],
                ExpiresIn=seconds,
            )
        return UploadForm(post["url"], post["fields"])

    async def public_url(self, key: str) -> str | None:
        return await self.url(key) if self._reachable else None

    async def ping(self) -> None:
        async with self._call():
            await self._client.head_bucket(Bucket=self._bucket)

    async def _presign(self, key: str) -> str:
        async with self._call():
            address: str = await self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=self._url_life
            )
        return address

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        """Bound the whole call, and turn its failures into the port's."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                raise NotFound("not_found", "There is no such picture.") from error
            raise _unavailable() from error
        except (BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unavailable() from error


def _config(addressing: str, *, foreign: bool) -> AioConfig:
    """Signature v4 always, for us-east-1 would still presign with v2; regional hosts, for the global one redirects.

    Stores that only speak S3's protocol often choke on the checksums that newer clients add unasked.
    """
    checksums = "when_required" if foreign else "when_supported"
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": addressing, "us_east_1_regional_endpoint": "regional"},
        connect_timeout=3,
        read_timeout=5,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=50,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )


def _unavailable() -> Unavailable:
    return Unavailable("storage_unavailable", "Pictures cannot be stored or read just now.", retry_after=5)
