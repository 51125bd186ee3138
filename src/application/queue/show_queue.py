from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.queue.ports import Backlog, BacklogReader, Bell


class ShowQueue(Struct, frozen=True):
    pass


class QueueStatus(Struct, frozen=True, kw_only=True):
    backlog: Backlog
    bell_answers: bool
    """False while Redis is away: workers then look by the clock, twice a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowQueueHandler:
    """Show an operator what is to be done, and what holds it up."""

    backlogs: BacklogReader
    bell: Bell

    async def __call__(self, query: ShowQueue, actor: Actor) -> QueueStatus:
        actor.require_operator()
        return QueueStatus(backlog=await self.backlogs.backlog(), bell_answers=await self.bell.answers())
