"""Output pictures, as Replicate's file host hands them out: to anyone who has the address, for an hour."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect as RedirectResponse
from litestar.response import Stream

from sandbox.replicate.account import Account
from sandbox.replicate.errors import error
from sandbox.replicate.model import fixed_picture
from sandbox.script import Bomb, Delivery, Expired, HtmlPage, LargeFile, Redirect, Rule, SlowFile
from sandbox.wire import OPERATION, RULE

PIECES = 64
BLOCK = 64 * 1024


class DeliveryController(Controller):
    path = "/delivery"

    @get("/{prediction_id:str}/output.jpg", opt={OPERATION: "output"})
    async def deliver(
        self, prediction_id: FromPath[str], request: Request[Any, Any, Any], account: NamedDependency[Account]
    ) -> Response[Any]:
        run = account.predictions.find(prediction_id)
        if run is None or not run.prediction.finished or run.prediction.data_removed:
            return error(404)
        picture = fixed_picture() if run.settings.picture == "fixed" else await account.outputs.get(prediction_id)
        if picture is None:
            return error(404)
        rule: Rule | None = request.scope["state"].get(RULE)
        if rule is None or rule.delivery is None:
            return Response(picture, media_type="image/jpeg")
        return misdeliver(rule.delivery, picture)


def misdeliver(delivery: Delivery, picture: bytes) -> Response[Any]:
    match delivery:
        case HtmlPage():
            return Response("<!doctype html><title>Sandbox</title><p>No picture.</p>", media_type="text/html")
        case LargeFile(size, declared):
            headers = {"content-length": str(size)} if declared else {}
            return Stream(padded(picture, size), media_type="image/jpeg", headers=headers)
        case SlowFile(seconds):
            headers = {"content-length": str(len(picture))}
            return Stream(dripping(picture, seconds), media_type="image/jpeg", headers=headers)
        case Redirect(to, status):
            return RedirectResponse(to, status_code=status)
        case Bomb(width, height):
            return Response(png_of(width, height), media_type="image/png")
        case Expired(status):
            return error(status)


async def padded(picture: bytes, size: int) -> AsyncIterator[bytes]:
    """The picture, then zeros up to so many bytes."""
    yield picture[:size]
    left = size - len(picture)
    while left > 0:
        yield bytes(min(left, BLOCK))
        left -= BLOCK


async def dripping(picture: bytes, seconds: float) -> AsyncIterator[bytes]:
    step = -(-len(picture) // PIECES)
    for start in range(0, len(picture), step):
        await asyncio.sleep(seconds / PIECES)
        yield picture[start : start + step]


def png_of(width: int, height: int) -> bytes:
    """A valid black PNG, one bit a pixel: the file is small, and decoded it is width x height."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-width // 8))
    packed = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
