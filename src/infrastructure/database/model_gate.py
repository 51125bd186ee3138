"""The gate before the image model, as one row that all workers read and write."""

from datetime import timedelta

import structlog
from sqlalchemy import DateTime, Row, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.images.model_gate import (
    FAILURES,
    OVER_IMAGES,
    PROBE_AFTER,
    UNPAID_PAUSE,
    CreateRate,
    ModelGate,
    TurnedAway,
)
from domain.views import ViewError
from infrastructure.alerts import alert
from infrastructure.database.tables import model_gates

log = structlog.get_logger()

UNPAID = "provider_credit_exhausted"

_MOMENT = DateTime(timezone=True)
_GATE = model_gates.c
# A transaction may have waited for its turn here: what counts is the present, not when it began.
_PRESENT = func.clock_timestamp(type_=_MOMENT)


class SqlModelGate(ModelGate):
    """Keeps the rate by the generic cell rate algorithm (ITU-T I.371).

    `next_create_at` is when the next create would be due if all were evenly spread; `next_return_at` is the same for
    those who are told to come back.
    """

    def __init__(self, session: AsyncSession, *, model: str, rate: CreateRate) -> None:
        self._session = session
        self._model = model
        self._rate = rate

    async def admit(self) -> TurnedAway | None:
        # One statement decides: whoever comes second waits for the first one's commit, and sees what is left.
        taken = await self._session.execute(
            upsert(model_gates)
            .values(model=self._model, next_create_at=_PRESENT + self._rate.interval)
            .on_conflict_do_update(
                index_elements=["model"],
                set_={
                    "next_create_at": func.greatest(_GATE.next_create_at, _PRESENT) + self._rate.interval,
                    "closed_until": case((_GATE.closed_until.is_not(None), _PRESENT + PROBE_AFTER)),
                },
                where=(func.coalesce(_GATE.closed_until, _PRESENT) <= _PRESENT)
                & (func.coalesce(_GATE.next_create_at, _PRESENT) - self._rate.allowance <= _PRESENT),
            )
            .returning(_GATE.closed_until)
        )
        probe = taken.one_or_none()
        if probe is None:
            return await self._turn_away()
        if probe.closed_until is not None:
            log.info("image_model_probed", model=self._model)
        return None

    async def answered(self) -> None:
        to_reset = or_(_GATE.failures > 0, _GATE.closed_until.is_not(None))
        seen = await self._session.scalar(select(_GATE.model).where(_GATE.model == self._model, to_reset))
        if seen is None:
            return
        before = await self._locked()
        await self._write(failures=0, failed_images=[], closed_until=None, reason=None)
        if before.closed_until is not None:
            log.warning("image_model_gate_opened", model=self._model)

    async def failed(self, image_id: int) -> None:
        before = await self._locked()
        failures, images = before.failures + 1, before.failed_images
        if image_id not in images and len(images) < OVER_IMAGES:
            images = [*images, image_id]
        await self._write(failures=failures, failed_images=images)
        if before.closed_until is not None:
            await self._close(PROBE_AFTER, before.reason)
        elif failures >= FAILURES and len(images) >= OVER_IMAGES:
            await self._close(PROBE_AFTER, ViewError.PROVIDER_UNAVAILABLE.value)
            log.warning("image_model_gate_closed", model=self._model, failures=failures)

    async def unpaid(self) -> TurnedAway:
        before = await self._locked()
        await self._close(UNPAID_PAUSE, UNPAID)
        if before.reason != UNPAID:
            alert(UNPAID, model=self._model)
        return await self._turn_away()

    async def _locked(self) -> Row[tuple[object, ...]]:
        """The row, which exists since the first create was let through, kept to this transaction."""
        found = await self._session.execute(select(model_gates).where(_GATE.model == self._model).with_for_update())
        return found.one()

    async def _close(self, pause: timedelta, reason: str | None) -> None:
        await self._write(closed_until=func.greatest(_GATE.closed_until, _PRESENT + pause), reason=reason)

    async def _turn_away(self) -> TurnedAway:
        allowed = _GATE.next_create_at - self._rate.allowance
        free = func.greatest(_GATE.next_return_at, _GATE.closed_until, allowed, _PRESENT, type_=_MOMENT)
        told = await self._session.execute(
            update(model_gates)
            .where(_GATE.model == self._model)
            .values(next_return_at=free + self._rate.between_returns)
            .returning(_GATE.next_return_at, _GATE.closed_until)
        )
        row = told.one()
        return TurnedAway(
            row.next_return_at,
            ViewError.PROVIDER_BUSY if row.closed_until is None else ViewError.PROVIDER_UNAVAILABLE,
        )

    async def _write(self, **values: object) -> None:
        await self._session.execute(update(model_gates).where(_GATE.model == self._model).values(**values))
