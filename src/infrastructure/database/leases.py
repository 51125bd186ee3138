"""Leases on views, kept by renewing them while the work goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from application.images.ports import Leases
from domain.errors import Unavailable
from domain.views import RenderPolicy
from infrastructure.database.transaction import WritePool

log = structlog.get_logger()

# What another has taken over, or what has been let go, is not taken back.
_RENEW = "UPDATE views SET lease_until = now() + $3 WHERE id = $1 AND claim = $2 AND lease_until IS NOT NULL"
_RENEWALS = 3
"""In the time of one lease, so that one may fail."""


class RenewedLeases(Leases):
    """Renewed by the worker itself, in transactions of their own: its silence is what ends a lease."""

    def __init__(self, pool: WritePool, policy: RenderPolicy) -> None:
        self._pool = pool
        self._lease = policy.lease

    @asynccontextmanager
    async def held(self, view_id: int, claim: int) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(view_id, claim))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, view_id: int, claim: int) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / _RENEWALS)
            try:
                await self._pool.fetch(_RENEW, view_id, claim, self._lease)
            except Unavailable as failure:
                log.warning("lease_not_renewed", view_id=view_id, reason=failure.detail)
