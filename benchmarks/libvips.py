"""The bare re-encoding of a picture: what `infrastructure/images.py` has libvips do, with no look at the header first.

As a program it re-encodes a file so many times, in a thread beside an event loop as the product does, and prints the
median of what it took in seconds.
"""

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pyvips

from infrastructure.images import JPEG_QUALITY

LONGEST_SIDE = 2048


def reencode(data: bytes) -> bytes:
    """Decode, turn upright, shrink to what is kept at most, encode."""
    picture = pyvips.Image.thumbnail_buffer(
        data, LONGEST_SIDE, height=LONGEST_SIDE, size="down", option_string="fail_on=error"
    )
    encoded: bytes = picture.jpegsave_buffer(Q=JPEG_QUALITY, keep="none")
    return encoded


def make_threads() -> ThreadPoolExecutor:
    """As many as the product has."""
    pyvips.cache_set_max(0)
    return ThreadPoolExecutor(os.cpu_count() or 1)


async def measure(data: bytes, times: int) -> float:
    loop = asyncio.get_running_loop()
    taken = []
    with make_threads() as threads:
        for _ in range(1 + times):
            began = time.perf_counter()
            await loop.run_in_executor(threads, reencode, data)
            taken.append(time.perf_counter() - began)
    return median(taken[1:])  # the first one warms up


def main() -> None:
    file, times = sys.argv[1:]
    print(asyncio.run(measure(Path(file).read_bytes(), int(times))))


if __name__ == "__main__":
    main()
