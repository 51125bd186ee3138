from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerReader
from application.images.estimates import Estimates, ViewTimes
from application.images.wanted_try_on import GenerateImage, TryOnRequests, WantedTryOn
from domain.credits import InsufficientCredits
from domain.errors import NotFound


class PriceImage(Struct, frozen=True):
    request: GenerateImage


class ImagePrice(Struct, frozen=True):
    credits_required: int
    credits_available_after: int
    eta_seconds: float | None
    """Until the last view would be there; None when nobody can honestly say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceImageHandler:
    """What a try-on would cost and how long it would take, checked as when it is asked for. Nothing changes."""

    requests: TryOnRequests
    ledger: LedgerReader
    estimates: Estimates

    async def __call__(self, query: PriceImage, actor: Actor) -> ImagePrice:
        owner = actor.require_user()
        wanted = await self.requests.check(query.request, owner=owner)
        balance = await self.ledger.balance(owner)
        if balance is None:
            raise NotFound("user_not_found", "There is no such user.")
        if wanted.price > 0 and wanted.price > balance.credits_available:
            raise InsufficientCredits(wanted.price)
        return ImagePrice(wanted.price, balance.credits_available - wanted.price, await self._eta(wanted))

    async def _eta(self, wanted: WantedTryOn) -> float | None:
        if not wanted.price:
            return 0.0
        now = wanted.asked_at
        views = [
            ViewTimes(view, view not in wanted.lent, now, now if view in wanted.lent else None) for view in wanted.views
        ]
        return (await self.estimates.paces()).eta(views, now)
