"""The life of predictions, from `starting` to an end. https://replicate.com/docs/topics/predictions/lifecycle"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sandbox.replicate.creation import Creation
from sandbox.replicate.events import Announcer
from sandbox.replicate.model import Model, ModelError, ModelSettings
from sandbox.replicate.prediction import Prediction, PredictionUrls, make_id, timestamp
from sandbox.replicate.seedream import MODEL
from sandbox.script import Outcome, WebhookBehaviour
from sandbox.tasks import Tasks
from sandbox.webhooks import WebhookSender

KEPT = 20_000
STARTING_SHARE = 0.2
"""The part of the latency that passes before the run starts."""

WITHOUT_OUTPUT = frozenset({"failed", "canceled", "aborted"})


@dataclass(slots=True, kw_only=True)
class Run:
    """One prediction, and what was said about it when it was created."""

    prediction: Prediction
    cancel_after_seconds: int | None
    outcome: Outcome
    settings: ModelSettings
    announcer: Announcer
    output_url: str
    latency_seconds: float
    created: float = field(default_factory=time.monotonic)
    started: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def input_text(self) -> str:
        return msgspec.json.encode(self.prediction.input).decode()


class Predictions:
    """The predictions of this process, 20,000 at most: beyond that the oldest finished one goes.

    After `retention` seconds they forget their data.
    """

    def __init__(
        self,
        *,
        root: str,
        model: Model,
        webhooks: WebhookSender,
        webhook_secret: str,
        retry_seconds: tuple[float, ...],
        retention: float,
    ) -> None:
        self._root = root
        self._model = model
        self._webhooks = webhooks
        self._webhook_secret = webhook_secret
        self._retry_seconds = retry_seconds
        self._retention = retention
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._remembered: deque[Run] = deque()
        self._tasks = Tasks()

    def create(self, creation: Creation, outcome: Outcome, behaviour: WebhookBehaviour, settings: ModelSettings) -> Run:
        prediction_id = make_id()
        address = f"{self._root}/v1/predictions/{prediction_id}"
        created = datetime.now(UTC)
        limit = creation.cancel_after_seconds
        prediction = Prediction(
            id=prediction_id,
            model=MODEL,
            version=creation.version,
            input=creation.input,
            urls=PredictionUrls(address, f"{address}/cancel", f"{self._root}/p/{prediction_id}"),
            created_at=timestamp(created),
            deadline=msgspec.UNSET if limit is None else timestamp(created + timedelta(seconds=limit)),
        )
        latency = settings.latency_seconds if outcome.latency_seconds is None else outcome.latency_seconds
        run = Run(
            prediction=prediction,
            cancel_after_seconds=limit,
            outcome=outcome,
            settings=settings,
            announcer=Announcer(
                self._webhooks,
                self._webhook_secret,
                self._tasks,
                self._retry_seconds,
                creation.webhook,
                creation.events,
                behaviour,
            ),
            output_url=f"{self._root}/delivery/{prediction_id}/output.jpg",
            latency_seconds=latency,
        )
        self._runs[prediction_id] = run
        self._remembered.append(run)
        self._forget()
        self._tasks.start(self._live(run))
        return run

    def find(self, prediction_id: str) -> Run | None:
        self._forget()
        return self._runs.get(prediction_id)

    def newest_first(self) -> list[Prediction]:
        self._forget()
        return [run.prediction for run in reversed(self._runs.values())]

    def cancel(self, run: Run) -> None:
        self._end(run, "canceled")

    async def close(self) -> None:
        await self._tasks.cancel()

    async def _live(self, run: Run) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(run.cancel_after_seconds):
                await self._work(run)
                await run.finished.wait()
        self._end(run, "aborted" if run.started is None else "canceled")

    async def _work(self, run: Run) -> None:
        """Bring the prediction to its end, or to the state in which its script leaves it."""
        planned = run.outcome.status
        await asyncio.sleep(run.latency_seconds * STARTING_SHARE)
        if planned == "aborted":
            self._end(run, planned, error=run.outcome.error)
        if planned == "starting" or run.prediction.finished:
            return
        self._begin(run)
        if planned == "processing":
            return
        try:
            await asyncio.gather(self._render(run), asyncio.sleep(run.latency_seconds * (1 - STARTING_SHARE)))
        except ModelError as error:
            self._end(run, "failed", error=str(error))
        error_text = run.outcome.error or ("Prediction failed." if planned == "failed" else None)
        self._end(run, planned, error=error_text, output=self._output(run))

    async def _render(self, run: Run) -> None:
        if run.outcome.status not in WITHOUT_OUTPUT and run.settings.picture == "drawn":
            await self._model.render(run.prediction.id, run.prediction.input)

    def _output(self, run: Run) -> Any:
        if run.outcome.output is not msgspec.UNSET:
            return with_address(run.outcome.output, run.output_url)
        return None if run.outcome.status in WITHOUT_OUTPUT else [run.output_url]

    def _begin(self, run: Run) -> None:
        run.started = time.monotonic()
        run.prediction.status, run.prediction.started_at = "processing", timestamp()
        self._announce(run, "start")

    def _end(self, run: Run, status: str, *, error: str | None = None, output: Any = None) -> None:
        """Finish a prediction; one that is finished stays as it is."""
        prediction = run.prediction
        if prediction.finished:
            return
        if output is not None:
            prediction.output = output
            self._announce(run, "output")
        if run.started is not None:
            prediction.logs = f"Drawn by the sandbox, not by {MODEL}.\n"
            self._announce(run, "logs")
            prediction.metrics = {"predict_time": time.monotonic() - run.started}
        prediction.metrics["total_time"] = time.monotonic() - run.created
        prediction.status, prediction.error, prediction.completed_at = status, error, timestamp()
        run.finished.set()
        self._announce(run, "completed")
        if prediction.data_removed:
            prediction.forget()

    def _announce(self, run: Run, event: str) -> None:
        run.announcer.announce(event, run.prediction)

    def _forget(self) -> None:
        past = time.monotonic() - self._retention
        while self._remembered and self._remembered[0].created < past:
            self._remembered.popleft().prediction.forget()
        if len(self._runs) > KEPT:
            oldest = next((key for key, run in self._runs.items() if run.prediction.finished), None)
            if oldest is not None:
                del self._runs[oldest]


def with_address(value: Any, url: str) -> Any:
    """Put the address of the true picture where a scripted output says `{output}`."""
    if isinstance(value, str):
        return value.replace("{output}", url)
    if isinstance(value, list):
        return [with_address(each, url) for each in value]
    if isinstance(value, dict):
        return {key: with_address(each, url) for key, each in value.items()}
    return value
