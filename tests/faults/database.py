"""Waiting for what a test cannot ask the API about."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

_PATIENCE_SECONDS = 60.0


async def eventually(condition: Callable[[], Awaitable[object] | object]) -> None:
    """Ask again and again until the answer is yes; fail after a minute."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = condition()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.05)
