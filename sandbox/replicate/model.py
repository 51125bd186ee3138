"""Runs the model: fetches the input photo, has it drawn on off the event loop, keeps the output."""

import asyncio
import base64
import binascii
import io
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

import httpx
from msgspec import Meta, Struct
from PIL import Image, ImageDraw, ImageFont

from sandbox.hair.drawing import Artist, UnreadablePhotoError
from sandbox.replicate.shelf import Shelf

INPUT_LIMIT = 30_000_000


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    latency_seconds: Annotated[float, Meta(ge=0)] = 1.5
    picture: Literal["drawn", "fixed"] = "drawn"


class ModelError(Exception):
    """The prediction fails; the message is its error."""


class Model:
    def __init__(self, client: httpx.AsyncClient, uploads: Shelf, outputs: Shelf, files_url: str) -> None:
        self._client = client
        self._uploads = uploads
        self._outputs = outputs
        self._files_url = files_url
        # Two drawings at a time leave the event loop its share of a small machine.
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="drawing")
        self._artist = Artist()

    async def render(self, prediction_id: str, model_input: dict[str, Any]) -> None:
        """Draw, and keep the picture as this prediction's output. ModelError when the input is no picture."""
        images = model_input.get("image_input") or []
        photo = await self._fetch(images[0]) if images else None
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self._pool, self._draw, photo, model_input["prompt"])
        await self._outputs.put(prediction_id, picture)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _draw(self, photo: bytes | None, prompt: str) -> bytes:
        try:
            return self._artist.draw(photo, prompt)
        except UnreadablePhotoError as error:
            raise ModelError(f"Could not read the input image: {error}") from error

    async def _fetch(self, url: str) -> bytes:
        if url.startswith("data:"):
            return data_of(url)
        if url.startswith(self._files_url + "/"):
            # Replicate's runners read an uploaded file by the address of its record.
            content = await self._uploads.get(url.removeprefix(self._files_url + "/").split("/")[0])
            if content is None:
                raise ModelError(f"Could not read the input image: {url} does not exist or has expired")
            return content
        received = bytearray()
        try:
            async with self._client.stream("GET", url, follow_redirects=True) as response:
                response.raise_for_status()
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > INPUT_LIMIT:
                        raise ModelError("Could not read the input image: it is larger than 30 MB")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelError(f"Could not read the input image: {error}") from error
        return bytes(received)


def data_of(url: str) -> bytes:
    head, _, content = url.partition(",")
    try:
        return base64.b64decode(content, validate=True) if head.endswith(";base64") else unquote_to_bytes(content)
    except binascii.Error as error:
        raise ModelError("Could not read the input image: bad base64 in its data URI") from error


@cache
def fixed_picture() -> bytes:
    """A small picture that stands for any output where only the work around it counts."""
    image = Image.radial_gradient("L").convert("RGB")
    text = "SANDBOX\nfixed picture"
    ImageDraw.Draw(image).text((128, 128), text, fill="white", anchor="mm", font=ImageFont.load_default(22))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()
