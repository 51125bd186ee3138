from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import CreditAccounts
from application.images.estimates import Estimates, ViewTimes
from application.images.wanted_try_on import TryOnRequest, TryOnRequests, WantedTryOn
from application.ports import UnitOfWork
from domain.credits import InsufficientCredits


class PriceImage(Struct, frozen=True):
    request: TryOnRequest


class ImagePrice(Struct, frozen=True):
    credits_required: int
    credits_available_after: int
    eta_seconds: float | None
    """Until the last view would be there; None when nobody can honestly say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceImageHandler:
    """What a try-on would cost and how long it would take, checked as when it is asked for. Nothing changes."""

    requests: TryOnRequests
    accounts: CreditAccounts
    estimates: Estimates
    uow: UnitOfWork

    async def __call__(self, query: PriceImage, actor: Actor) -> ImagePrice:
        owner = actor.require_user()
        wanted = await self.requests.check(query.request, owner=owner)
        balance = await self.accounts.balance(owner)
        now = await self.uow.now()
        await self.uow.rollback()
        if wanted.price > 0 and wanted.price > balance.credits_available:
            raise InsufficientCredits(wanted.price)
        return ImagePrice(wanted.price, balance.credits_available - wanted.price, await self._eta(wanted, now))

    async def _eta(self, wanted: WantedTryOn, now: datetime) -> float | None:
        if not wanted.price:
            return 0.0
        views = [
            ViewTimes(view, view not in wanted.lent, now, now if view in wanted.lent else None) for view in wanted.views
        ]
        return (await self.estimates.paces()).eta(views, now)
