from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.queue.ports import Backlog, BacklogReader, JobQueue


class ShowQueue(Struct, frozen=True):
    pass


class QueueStatus(Struct, frozen=True, kw_only=True):
    backlog: Backlog
    jobs_queued: int | None
    """In Redis, which only rings for what the backlog counts; None when it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowQueueHandler:
    """Show an operator what is to be done, and what holds it up."""

    backlogs: BacklogReader
    jobs: JobQueue

    async def __call__(self, query: ShowQueue, actor: Actor) -> QueueStatus:
        actor.require_operator()
        return QueueStatus(backlog=await self.backlogs.backlog(), jobs_queued=await self.jobs.length())
