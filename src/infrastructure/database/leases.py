"""Leases on views, kept by renewing them while the work goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncEngine

from application.images.ports import Leases
from domain.errors import Unavailable
from domain.views import RenderPolicy
from infrastructure.database.tables import views

log = structlog.get_logger()

_RENEWALS = 3
"""In the time of one lease, so that one may fail."""


class RenewedLeases(Leases):
    """Renewed by the worker itself, in transactions of their own: its silence is what ends a lease."""

    def __init__(self, engine: AsyncEngine, policy: RenderPolicy) -> None:
        self._engine = engine
        self._lease = policy.lease

    @asynccontextmanager
    async def held(self, view_id: int, claim: int) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(view_id, claim))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, view_id: int, claim: int) -> None:
        # What another has taken over, or what has been let go, is not taken back.
        ours = (views.c.id == view_id, views.c.claim == claim, views.c.lease_until.is_not(None))
        renewal = update(views).where(*ours).values(lease_until=func.now() + self._lease)
        while True:
            await asyncio.sleep(self._lease.total_seconds() / _RENEWALS)
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(renewal)
            except Unavailable as failure:
                log.warning("lease_not_renewed", view_id=view_id, reason=failure.detail)
