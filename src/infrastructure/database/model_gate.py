"""The gate before the image model, as one row that all workers read and write."""

from datetime import timedelta

import structlog

from application.images.model_gate import (
    FAILURES,
    OVER_IMAGES,
    PROBE_AFTER,
    UNPAID_PAUSE,
    CreateRate,
    ModelGate,
    TurnedAway,
)
from application.ports import Alerts
from domain.views import ViewError
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import Row, Transaction

log = structlog.get_logger()

UNPAID = "provider_credit_exhausted"
PATIENCE = timedelta(seconds=1)
"""So long a transaction waits here for another at most; it is `Unavailable` then, and is begun again later. Whoever has
the row has it for milliseconds, unless it stands still, and those who wait for it keep connections from all others."""

_BE_PATIENT = "SELECT set_config('lock_timeout', $1, true)"
# A transaction may have waited for its turn here: what counts is the present (`clock_timestamp`), not when it began.

# One statement decides: whoever comes second waits for the first one's commit, and sees what is left.
_ADMIT = """
INSERT INTO model_gates AS gate (model, next_create_at) VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (model) DO UPDATE SET
    next_create_at = greatest(gate.next_create_at, clock_timestamp()) + $2::interval,
    closed_until = CASE WHEN gate.closed_until IS NOT NULL THEN clock_timestamp() + $3::interval END
WHERE coalesce(gate.closed_until, clock_timestamp()) <= clock_timestamp()
    AND coalesce(gate.next_create_at, clock_timestamp()) - $4::interval <= clock_timestamp()
RETURNING closed_until
"""
_TURN_AWAY = """
UPDATE model_gates SET next_return_at =
    greatest(next_return_at, closed_until, next_create_at - $2::interval, clock_timestamp()) + $3::interval
WHERE model = $1
RETURNING next_return_at, closed_until
"""
_HAS_FAILED = "SELECT model FROM model_gates WHERE model = $1 AND (failures > 0 OR closed_until IS NOT NULL)"
_LOCK = "SELECT failures, failed_images, closed_until, reason FROM model_gates WHERE model = $1 FOR UPDATE"
_OPEN = "UPDATE model_gates SET failures = 0, failed_images = '{}', closed_until = NULL, reason = NULL WHERE model = $1"
_COUNT = "UPDATE model_gates SET failures = $2, failed_images = $3::bigint[] WHERE model = $1"
_CLOSE = """
UPDATE model_gates SET closed_until = greatest(closed_until, clock_timestamp() + $2::interval), reason = $3
WHERE model = $1
"""


class SqlModelGate(ModelGate):
    """Keeps the rate by the generic cell rate algorithm (ITU-T I.371).

    `next_create_at` is when the next create would be due if all were evenly spread; `next_return_at` is the same for
    those who are told to come back.
    """

    def __init__(self, transaction: Transaction, tally: Tally, alerts: Alerts, *, model: str, rate: CreateRate) -> None:
        self._fetch = transaction.fetch
        self._tally = tally
        self._alerts = alerts
        self._model = model
        self._rate = rate

    async def admit(self) -> TurnedAway | None:
        await self._be_patient()
        admitted = await self._fetch(_ADMIT, self._model, self._rate.interval, PROBE_AFTER, self._rate.allowance)
        if not admitted:
            return await self._turn_away()
        if admitted[0]["closed_until"] is not None:
            log.info("image_model_probed", model=self._model)
        return None

    async def answered(self) -> None:
        if not await self._fetch(_HAS_FAILED, self._model):
            return
        before = await self._locked()
        await self._fetch(_OPEN, self._model)
        if before["closed_until"] is not None:
            log.warning("image_model_gate_opened", model=self._model)
            self._tally.gate_changed("opened")

    async def failed(self, image_id: int) -> None:
        before = await self._locked()
        failures, images = before["failures"] + 1, before["failed_images"]
        if image_id not in images and len(images) < OVER_IMAGES:
            images = [*images, image_id]
        await self._fetch(_COUNT, self._model, failures, images)
        if before["closed_until"] is not None:
            await self._fetch(_CLOSE, self._model, PROBE_AFTER, before["reason"])
        elif failures >= FAILURES and len(images) >= OVER_IMAGES:
            await self._fetch(_CLOSE, self._model, PROBE_AFTER, ViewError.PROVIDER_UNAVAILABLE)
            log.warning("image_model_gate_closed", model=self._model, failures=failures)
            self._tally.gate_changed("closed")

    async def unpaid(self) -> TurnedAway:
        before = await self._locked()
        await self._fetch(_CLOSE, self._model, UNPAID_PAUSE, UNPAID)
        if before["reason"] != UNPAID:
            self._alerts.alert(UNPAID, model=self._model)
            self._tally.gate_changed("unpaid")
        return await self._turn_away()

    async def _locked(self) -> Row:
        """The row, which exists since the first create was let through, kept to this transaction."""
        await self._be_patient()
        (row,) = await self._fetch(_LOCK, self._model)
        return row

    async def _be_patient(self) -> None:
        """For what is left of this transaction."""
        await self._fetch(_BE_PATIENT, f"{PATIENCE // timedelta(milliseconds=1)}ms")

    async def _turn_away(self) -> TurnedAway:
        (told,) = await self._fetch(_TURN_AWAY, self._model, self._rate.allowance, self._rate.between_returns)
        error = ViewError.PROVIDER_BUSY if told["closed_until"] is None else ViewError.PROVIDER_UNAVAILABLE
        return TurnedAway(told["next_return_at"], error)
