"""Work side by side: so much at once, and nothing twice."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial


class Places:
    """Each piece of work takes up a place, under an id of its own, until it has ended.

    It does not end with whoever began it.
    """

    def __init__(self, number: int, *, on_end: Callable[[], object] = lambda: None) -> None:
        """`on_end` is called whenever a place has become free."""
        self._number = number
        self._on_end = on_end
        self._begun: dict[int, asyncio.Task[None]] = {}

    @property
    def free(self) -> int:
        return self._number - len(self._begun)

    @property
    def under_way(self) -> list[int]:
        return list(self._begun)

    def begin(self, work_id: int, work: Coroutine[object, object, None]) -> None:
        """Take up a place that is free, with work that is not under way."""
        task = self._begun[work_id] = asyncio.create_task(work)
        task.add_done_callback(partial(self._end, work_id))

    async def one_free(self) -> None:
        """Wait until a place is free."""
        if not self.free:
            await asyncio.wait(self._begun.values(), return_when=asyncio.FIRST_COMPLETED)

    async def drain(self, seconds: float) -> None:
        """Let what has begun come to its end, or cut it off after so many seconds."""
        if self._begun:
            _, late = await asyncio.wait(self._begun.values(), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _end(self, work_id: int, _: asyncio.Task[None]) -> None:
        del self._begun[work_id]
        self._on_end()
