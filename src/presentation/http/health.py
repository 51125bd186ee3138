"""Whether the process lives, what it depends on, and what it counts."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import structlog
from litestar import Controller, Response, get
from msgspec import Struct

from domain.errors import Unauthenticated
from presentation.http.authentication import AnyRequest
from presentation.http.metrics import CONTENT_TYPE

log = structlog.get_logger()

Probe = Callable[[], Awaitable[object]]
Exposition = Callable[[], Awaitable[bytes]]
"""All that is counted, as Prometheus reads it."""

_PATIENCE_SECONDS = 3.0
_FRESH_SECONDS = 1.0


class Alive(Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Check(Struct, frozen=True):
    ok: bool
    seconds: float


class Readiness(Struct, frozen=True):
    status: Literal["ok", "degraded", "unavailable"]
    checks: Mapping[str, Check]


class HealthProbes:
    """Asks each dependency whether it answers; without the database nothing works, without another something does.

    Anybody may ask how things stand, and no limit applies: so all who ask within a second get one answer.
    """

    def __init__(
        self, essential: Mapping[str, Probe], others: Mapping[str, Probe], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._essential = essential
        self._others = others
        self._now = now
        self._asking: asyncio.Task[Readiness] | None = None
        self._stale_at = 0.0

    async def readiness(self) -> Readiness:
        if self._asking is None or (self._asking.done() and self._now() >= self._stale_at):
            self._asking = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._asking)

    async def _ask_all(self) -> Readiness:
        probes = {**self._essential, **self._others}
        results = await asyncio.gather(*(self._ask(name, probe) for name, probe in probes.items()))
        self._stale_at = self._now() + _FRESH_SECONDS
        checks = dict(zip(probes, results, strict=True))
        if not all(checks[name].ok for name in self._essential):
            return Readiness("unavailable", checks)
        return Readiness("ok" if all(check.ok for check in results) else "degraded", checks)

    async def _ask(self, name: str, probe: Probe) -> Check:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await probe()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the dependency does not answer
            log.warning("not_ready", dependency=name, reason=type(failure).__name__)
            return Check(ok=False, seconds=time.perf_counter() - began)
        return Check(ok=True, seconds=time.perf_counter() - began)


class HealthController(Controller):
    path = "/"
    tags = ("health",)

    @get("/health/live", operation_id="isAlive")
    async def live(self) -> Alive:
        return Alive()

    @get("/health/ready", operation_id="isReady")
    async def ready(self, request: AnyRequest) -> Response[Readiness]:
        probes: HealthProbes = request.app.state.probes
        readiness = await probes.readiness()
        return Response(readiness, status_code=503 if readiness.status == "unavailable" else 200)

    @get("/metrics", operation_id="getMetrics", media_type=CONTENT_TYPE)
    async def metrics(self, request: AnyRequest) -> bytes:
        token: str = request.app.state.metrics_token
        shown = request.headers.get("authorization", "").encode()
        if token and not hmac.compare_digest(shown, f"Bearer {token}".encode()):
            raise Unauthenticated("not_authenticated", "Metrics need their token.")
        exposition: Exposition = request.app.state.exposition
        return await exposition()
