"""Who asks every route, and what a request says."""

from dataclasses import dataclass
from typing import Any

import httpx

from domain.users import Role
from tests.factories import photo
from tests.integration.http.shop import buy
from tests.integration.http.stories import Customer, Service

CREDITS = 100


class Ask:
    """A request: who sends it, what stands in its path, and the rest as httpx takes it."""

    def __init__(self, who: httpx.AsyncClient, path: dict[str, object] | None = None, **arguments: Any) -> None:
        self.who = who
        self.path = path or {}
        self.arguments = arguments


@dataclass(frozen=True)
class Cast:
    """A customer who has several of everything, so that a statement for each of them shows, and an admin."""

    service: Service
    ada: Customer
    grace: Customer
    style: int
    image: int
    """Finished, from all sides."""
    purchase: int

    @classmethod
    async def of(cls, service: Service) -> "Cast":
        service.expected_alerts = ["payment_quarantined"]
        ada = await service.customer(credits=CREDITS)
        grace = await service.customer(role=Role.ADMIN, credits=0)
        style, _ = await service.style(), await service.style()
        for _ in range(3):
            await ada.upload(photo())
        images = [await ada.generate(["front", "right", "left", "back"], style=style) for _ in range(3)]
        await service.work()
        purchases = [(await buy(service, ada))[0] for _ in range(3)]
        return cls(service, ada, grace, style, images[0], purchases[0])

    @property
    def visitor(self) -> httpx.AsyncClient:
        """Somebody new who is not signed in."""
        return self.service.browser()
