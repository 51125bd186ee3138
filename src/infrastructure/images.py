"""Pictures that nobody vouches for, decoded and encoded anew by libvips."""

import asyncio
import os
from functools import partial

import pyvips

from application.images.ports import Picture, PictureProcessor
from domain.errors import Unprocessable
from infrastructure.background_threads import background_threads

MAX_PIXELS = 25_000_000
JPEG_QUALITY = 90

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_LOADERS = ("VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadNsgif")


class VipsPictureProcessor(PictureProcessor):
    """JPEG, PNG and GIF (its first frame) by libvips, in threads of its own.

    libvips leaves the interpreter's lock while it works, so threads are enough. There are as many as cores but one,
    which is the event loop's, and they give way to it: more would only hold more decoded pixels in memory. What waits,
    waits in the pool's queue, and is dropped when its caller is cancelled.

    Making one forbids libvips every other loader, in the whole process: a file that hides, say, an SVG or a PDF behind
    a picture's name never meets the code that would read it.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        pyvips.block_untrusted_set(True)
        pyvips.operation_block_set("VipsForeignLoad", True)
        for loader in _LOADERS:
            pyvips.operation_block_set(loader, False)
        pyvips.cache_set_max(0)  # no two uploads are alike, and a cache would keep their pixels
        self._threads = background_threads(threads or max((os.cpu_count() or 2) - 1, 1), name="pictures")

    async def normalise(self, data: bytes, *, max_side: int = 2048, min_side: int = 256) -> Picture:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _normalise, data, max_side, min_side)

    async def square(self, data: bytes, *, side: int, min_side: int) -> Picture:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(_normalise, data, side, min_side, square=True))


def _normalise(data: bytes, max_side: int, min_side: int, *, square: bool = False) -> Picture:
    if not data.startswith(_MAGIC):
        raise Unprocessable("image_unreadable", "The file is not a JPEG, PNG or GIF picture.")
    try:
        header = pyvips.Image.new_from_buffer(data, "", access="sequential")
        _check_size(header, min_side)
        in_other_colours = header.get_typeof("icc-profile-data") != 0
        # libvips cuts, but does not enlarge: a square of more than the short side would come out as an oblong.
        side = min(max_side, header.width, header.height) if square else max_side
        picture = _upright_srgb(data, side, in_other_colours=in_other_colours, cut="centre" if square else "none")
        encoded: bytes = picture.jpegsave_buffer(Q=JPEG_QUALITY, keep="none")
    except pyvips.Error as error:
        raise Unprocessable("image_unreadable", "The picture is broken or incomplete.") from error
    return Picture(data=encoded, width=picture.width, height=picture.height)


def _check_size(header: pyvips.Image, min_side: int) -> None:
    """Judge the header alone: opening decodes no pixel."""
    if header.width * header.height > MAX_PIXELS:
        raise Unprocessable("image_too_many_pixels", f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.")
    if min(header.width, header.height) < min_side:
        raise Unprocessable("image_too_small", f"The picture's short side has fewer than {min_side} pixels.")


def _upright_srgb(data: bytes, max_side: int, *, in_other_colours: bool, cut: str) -> pyvips.Image:
    """Turned as its EXIF orientation says, 8-bit sRGB, without alpha; shrunk while it is decoded.

    The loader is told through `option_string`: libvips 8.18 does not hand the `fail_on` of `thumbnail_buffer` on to it,
    so that truncated files came out as pictures with a grey rest. A conversion between profiles costs several times
    what the rest does, so it is asked for only where a picture brings a profile of its own.
    """
    conversion = {"output_profile": "srgb"} if in_other_colours else {}
    picture = pyvips.Image.thumbnail_buffer(
        data, max_side, height=max_side, size="down", crop=cut, option_string="fail_on=error", **conversion
    )
    if picture.interpretation != "srgb":
        picture = picture.colourspace("srgb")
    if picture.hasalpha():
        picture = picture.flatten(background=[255, 255, 255])
    return picture
