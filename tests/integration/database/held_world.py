"""A provider and downloads whose every answer waits for a test to give it, so that steps of many workers interleave."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from application.images.ports import ImageModel, OutputDownloads, Prediction
from tests.fakes import InMemoryStorage

OUTPUT = "https://replicate.delivery/output.jpg"


@dataclass
class Create:
    """A create that has arrived at the provider."""

    view_id: int
    attempt: int
    prediction_id: str
    answer: asyncio.Future[Prediction]
    is_made: bool = False


@dataclass
class Work:
    """A job that a worker has begun, and what it waits for."""

    task: asyncio.Task[None]
    waits_for: "Create | asyncio.Future[bytes]"


@dataclass
class HeldWorld(ImageModel, OutputDownloads):
    creates: list[Create] = field(default_factory=list)
    """All that ever arrived."""
    cancelled: set[str] = field(default_factory=set)
    states: dict[str, Prediction] = field(default_factory=dict)
    """What a look at a prediction finds."""
    begun: list[Work] = field(default_factory=list)
    """Jobs under way."""
    storage: InMemoryStorage = field(default_factory=InMemoryStorage)
    _last: "Create | asyncio.Future[bytes] | None" = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def upload(self, data: bytes, *, name: str) -> str:
        raise AssertionError(f"the photos of this world can be reached: {name}, {len(data)} bytes")

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        assert prompt
        assert inputs
        query = parse_qs(urlsplit(webhook or "").query)
        number = len(self.creates) + 1
        answer: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        made = Create(int(query["view_id"][0]), int(query["attempt"][0]), f"prediction{number}", answer)
        self.creates.append(made)
        self._arrive(made)
        return await answer

    async def get(self, prediction_id: str) -> Prediction | None:
        return self.states.get(prediction_id)

    async def cancel(self, prediction_id: str) -> None:
        self.cancelled.add(prediction_id)

    async def fetch(self, url: str) -> bytes:
        assert url == OUTPUT
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._arrive(answer)
        return await answer

    def _arrive(self, waits_for: "Create | asyncio.Future[bytes]") -> None:
        self._last = waits_for
        self._arrived.set()

    async def begin(self, job: Coroutine[Any, Any, None]) -> None:
        """Let a job run until it is done, or waits for an answer of this world."""
        self._arrived.clear()
        task = asyncio.create_task(job)
        arrived = asyncio.create_task(self._arrived.wait())
        await asyncio.wait({task, arrived}, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        if task.done():
            task.result()
        elif self._last is not None:
            self.begun.append(Work(task, self._last))

    async def finish(self, work: Work) -> None:
        """Its answer is given: let it run to its end."""
        self.begun.remove(work)
        await work.task

    async def kill(self, work: Work) -> None:
        """Its process dies: what it did not commit has not happened."""
        self.begun.remove(work)
        work.task.cancel()
        await asyncio.gather(work.task, return_exceptions=True)
