from dataclasses import dataclass
from datetime import datetime, timedelta

from application.images.ports import ImageRepository

BEGUN_A_DAY = 5
"""So many times a day a customer may cancel what was begun: the provider may bill it all the same."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationAllowance:
    """How often a customer may yet stop what was begun, by cancelling or deleting a try-on."""

    images: ImageRepository

    async def is_used_up(self, owner: int, now: datetime) -> bool:
        return await self.images.cancellations(owner, since=now - _DAY) >= BEGUN_A_DAY
