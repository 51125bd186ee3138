"""Anything that workers, the provider, the sweeper and their owner can do to try-ons, by the real handlers and on the
real database: what must never break, after every step.

A step of a worker ends where it asks the provider or fetches an output; answers come later, in any order, or never.
"""

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import msgspec
import pytest
from dishka import AsyncContainer, Provider, Scope
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import DateTime, update
from sqlalchemy.ext.asyncio import AsyncEngine

from application.actor import Actor
from application.events import ViewSubmittable
from application.images.add_views import AddViews, AddViewsHandler
from application.images.cancel_image import CancelImage, CancelImageHandler
from application.images.delete_image import DeleteImage, DeleteImageHandler
from application.images.poll_prediction import PollPrediction, PollPredictionHandler
from application.images.ports import (
    BadOutput,
    ImageModel,
    ModelBusy,
    ModelRefused,
    ModelUnavailable,
    OutputDownloads,
    OutputUnavailable,
    PictureStorage,
    Prediction,
    RenderReader,
)
from application.images.record_prediction import RecordPrediction, RecordPredictionHandler
from application.images.retry_image import RetryImage, RetryImageHandler
from application.images.sweep_view import SweepView, SweepViewHandler
from bootstrap.container import create_container
from bootstrap.settings import load_settings
from domain.errors import Conflict, NotFound, Unavailable, Unpaid
from domain.views import View
from infrastructure.database.engine import ReadPool
from infrastructure.database.outbox import Doorbell, OutboxQueue
from infrastructure.database.tables import model_gates, outbox, views
from infrastructure.database.transaction import WritePool
from presentation.worker.jobs import CONSUMERS, WORKER
from tests.factories import photo
from tests.fakes import FakeDoorbell
from tests.integration.database.held_world import OUTPUT, Create, HeldWorld
from tests.integration.database.stage import Stage

CREDITS = 12
ANY = st.integers(0, 99)
"""Which of those that there are; counted round."""
SIDES = st.sets(st.sampled_from([View.RIGHT, View.LEFT, View.BACK]))
PICTURE = photo(300, 300)
EVENTS = {event.job: event for event in CONSUMERS}
_MOST_EXAMPLES = 100
_STEPS = 40

_VIEWS = """
SELECT views.*, holds.status AS hold, images.deleted_at
FROM views JOIN images ON images.id = views.image_id
LEFT JOIN holds ON holds.view_id = views.id AND holds.round = views.round
WHERE images.user_id = $1 ORDER BY views.id
"""
_HOLDS = "SELECT status, count(*) FROM holds WHERE user_id = $1 GROUP BY status"
HOLD_OF = {"COMPLETED": "POSTED", "FAILED": "VOIDED", "CANCELLED": "VOIDED"}


class TryOns(RuleBasedStateMachine):
    def __init__(self, runner: asyncio.Runner, stage: Stage, container: AsyncContainer, world: HeldWorld) -> None:
        super().__init__()
        self._run = runner.run
        self._stage = stage
        self._container = container
        self._world = world

    @initialize(sides=SIDES)
    def begin(self, sides: set[View]) -> None:
        self._world.creates.clear()
        self._unpaid: Counter[int] = Counter()
        self._ends: dict[tuple[int, int], tuple[object, ...]] = {}
        self._run(self._stage.database.execute("DELETE FROM model_gates"))
        self._user = self._run(self._stage.user(credits_=CREDITS))
        self._owner = Actor.user(self._user.id, session_id=1)
        self._images: list[int] = []
        self.another_try_on_is_accepted(sides)

    @precondition(lambda self: len(self._images) < 2)
    @rule(sides=SIDES)
    def another_try_on_is_accepted(self, sides: set[View]) -> None:
        async def accept() -> int:
            image = await self._stage.image(self._user, *sorted(sides), held=True)
            async with self._stage.desk() as desk:
                desk.outbox.add(ViewSubmittable(image.front.id))
                await desk.uow.commit()
            return image.id

        if self._credits_free() > len(sides):
            self._images.append(self._run(accept()))

    def _credits_free(self) -> int:
        credits_, held = self._run(self._stage.sums(self._user))
        return credits_ - held

    # Workers

    @rule(which=ANY, again=st.booleans())
    def the_bell_rings(self, which: int, again: bool) -> None:
        """A row reaches a worker, too early or in time; `again` means that nobody notes that it was done."""
        rows = self._run(self._stage.outbox())
        if rows:
            self._run(self._world.begin(self._deliver(rows[which % len(rows)], again=again)))

    async def _deliver(self, row: asyncpg.Record, *, again: bool = False) -> None:
        event = msgspec.convert(msgspec.json.decode(row["payload"]), EVENTS[row["job"]])
        async with self._container() as scope:
            handle: Any = await scope.get(CONSUMERS[type(event)])
            try:
                await handle(event, WORKER)
            except Unavailable:
                return
        if not again:
            await (await self._container.get(OutboxQueue)).exchange([row["id"]], 0, [])

    @precondition(lambda self: self._world.begun)
    @rule(which=ANY)
    def a_worker_is_killed(self, which: int) -> None:
        self._run(self._world.kill(self._begun(which)))

    def _begun(self, which: int) -> Any:
        return self._world.begun[which % len(self._world.begun)]

    @precondition(lambda self: self._world.begun)
    @rule(which=ANY, how=st.sampled_from(["well", "well", "well", "lost", "away", "busy", "refused", "unpaid"]))
    def an_answer_comes(self, which: int, how: str) -> None:
        """To a create or to a download."""
        work = self._begun(which)
        if isinstance(work.waits_for, Create):
            self._answer_create(work.waits_for, how)
        else:
            troubles = {"lost": OutputUnavailable("reset"), "refused": BadOutput("a page"), "unpaid": None}
            trouble = troubles.get(how)
            if trouble is not None:
                work.waits_for.set_exception(trouble)
            else:
                work.waits_for.set_result(b"no picture" if how == "unpaid" else PICTURE)
        self._run(self._world.finish(work))

    def _answer_create(self, create: Create, how: str) -> None:
        troubles = {
            "lost": ModelUnavailable("reset"),
            "away": ModelUnavailable("503"),
            "busy": ModelBusy("429"),
            "refused": ModelRefused("422", status=422),
            "unpaid": ModelRefused("402", status=402),
        }
        if create.is_made and how != "lost":
            how = "well"
        if how in {"well", "lost"}:
            self._make(create)
        self._unpaid[create.view_id] += how == "unpaid"
        if how == "well":
            create.answer.set_result(Prediction(create.prediction_id, "starting"))
        else:
            create.answer.set_exception(troubles[how])

    @precondition(lambda self: self._world.begun)
    @rule()
    def all_workers_sleep_through_their_leases(self) -> None:
        """And others take over."""
        self.time_passes(31)
        self.the_sweeper_comes_by()
        self._deliver_all()

    def _deliver_all(self) -> None:
        for row in self._run(self._stage.outbox()):
            self._run(self._world.begin(self._deliver(row)))

    @rule()
    def all_goes_well_for_once(self) -> None:
        """Whatever waits goes on by a step of its path, so that ends are reached often."""
        self._deliver_all()
        for _ in list(self._world.begun):
            self.an_answer_comes(0, "well")
        for number, create in enumerate(self._world.creates):
            if create.is_made:
                self.a_prediction_ends(number, "succeeded", told=True)

    # The provider

    def _make(self, create: Create) -> None:
        create.is_made = True
        self._world.states.setdefault(create.prediction_id, Prediction(create.prediction_id, "starting"))

    @precondition(lambda self: self._world.creates)
    @rule(which=ANY, status=st.sampled_from(["succeeded", "succeeded", "failed"]), told=st.booleans())
    def a_prediction_ends(self, which: int, status: str, *, told: bool) -> None:
        """Perhaps before its create is answered; perhaps told, perhaps twice, perhaps left to be looked for."""
        create = self._world.creates[which % len(self._world.creates)]
        if not create.is_made and create.answer.done():
            return
        self._make(create)
        ended = Prediction(create.prediction_id, status, [OUTPUT] if status == "succeeded" else None)
        if not self._world.states[create.prediction_id].finished:
            self._world.states[create.prediction_id] = ended
        if told:
            state = self._world.states[create.prediction_id]
            news = RecordPrediction(create.view_id, create.attempt, state)
            self._handle(RecordPredictionHandler, news, Actor.system("replicate"))

    # The clock

    @rule(seconds=st.sampled_from([1, 3, 10, 31, 61, 130, 400]))
    def time_passes(self, seconds: float) -> None:
        self._run(self._pass(seconds))

    async def _pass(self, seconds: float) -> None:
        """Everything that is waited for comes so much nearer."""
        async with self._stage.engine.begin() as connection:
            for table in (views, outbox, model_gates):
                moments = [column for column in table.columns if isinstance(column.type, DateTime)]
                earlier = {column.name: column - timedelta(seconds=seconds) for column in moments}
                await connection.execute(update(table).values(earlier))

    @rule()
    def the_sweeper_comes_by(self) -> None:
        for view_id in self._run(self._renders("overdue")):
            self._handle(SweepViewHandler, SweepView(view_id), WORKER)

    @rule()
    def the_poller_comes_by(self) -> None:
        for view_id in self._run(self._renders("due_for_poll")):
            self._handle(PollPredictionHandler, PollPrediction(view_id), WORKER)

    async def _renders(self, which: str) -> list[int]:
        reader = await self._container.get(RenderReader)
        found: list[int] = await getattr(reader, which)(100)
        return found

    # The owner

    @rule(which=ANY)
    def its_owner_may_cancel_one(self, which: int) -> None:
        if which < 40:
            self._ask(CancelImageHandler, CancelImage(self._images[which % len(self._images)]))

    @rule(which=ANY)
    def its_owner_retries_one(self, which: int) -> None:
        self._ask(RetryImageHandler, RetryImage(self._images[which % len(self._images)]))

    @rule(which=ANY, sides=SIDES.filter(bool))
    def its_owner_adds_views(self, which: int, sides: set[View]) -> None:
        image_id = self._images[which % len(self._images)]
        self._ask(AddViewsHandler, AddViews(tuple(sorted(sides))), image_id=image_id)

    @rule(which=ANY)
    def its_owner_may_delete_one(self, which: int) -> None:
        if which < 10:
            self._ask(DeleteImageHandler, DeleteImage(self._images[which % len(self._images)]))

    def _ask(self, handler: type[Callable[..., Awaitable[object]]], command: object, **more: int) -> None:
        """What is not possible now is refused, and changes nothing."""
        try:
            self._handle(handler, command, self._owner, **more)
        except (Conflict, NotFound, Unpaid):
            return

    def _handle(
        self, handler: type[Callable[..., Awaitable[object]]], command: object, actor: Actor, **more: int
    ) -> None:
        async def handle() -> None:
            async with self._container() as scope:
                await (await scope.get(handler))(command, actor, **more)

        self._run(handle())

    # What must never break

    def _views(self) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = self._run(self._stage.database.fetch(_VIEWS, self._user.id))
        return rows

    @invariant()
    def holds_fit_statuses_and_sums_fit_holds(self) -> None:
        for view in self._views():
            assert view["hold"] == HOLD_OF.get(view["status"], "PENDING"), dict(view)
        holds = dict(self._run(self._stage.database.fetch(_HOLDS, self._user.id)))
        sums = CREDITS - holds.get("POSTED", 0), holds.get("PENDING", 0)
        assert self._run(self._stage.sums(self._user)) == sums
        assert self._run(self._stage.audit()).differences == []

    @invariant()
    def what_has_ended_stays_so_within_its_round(self) -> None:
        for view in self._views():
            if view["status"] in HOLD_OF:
                end = (view["status"], view["error"], view["output_key"])
                assert self._ends.setdefault((view["id"], view["round"]), end) == end

    @invariant()
    def creates_are_bounded_by_attempts_and_attempts_by_the_policy(self) -> None:
        """A create that the provider wants money for first is none."""
        creates = Counter(create.view_id for create in self._world.creates)
        for view in self._views():
            assert creates[view["id"]] - self._unpaid[view["id"]] <= view["attempt"]
            assert 0 <= view["attempt"] - view["attempts_before"] <= 3

    @invariant()
    def what_is_noted_is_of_the_present_attempt(self) -> None:
        made = {create.prediction_id: create for create in self._world.creates}
        for view in self._views():
            if view["prediction_id"] is not None and view["status"] != "CANCELLED":
                create = made[view["prediction_id"]]
                assert (create.view_id, create.attempt) == (view["id"], view["attempt"])

    @invariant()
    def what_is_completed_is_there(self) -> None:
        for view in self._views():
            if view["status"] == "COMPLETED" and view["deleted_at"] is None:
                assert self._world.storage.pictures[view["output_key"]].startswith(b"\xff\xd8")

    def teardown(self) -> None:
        """After the last fault, 15 minutes later: everything is terminal, and every row of the outbox is done."""
        if not hasattr(self, "_images"):
            return
        for work in list(self._world.begun):
            self._run(self._world.kill(work))
        self._run(self._pass(1000))
        self.the_sweeper_comes_by()
        assert {view["status"] for view in self._views()} <= HOLD_OF.keys()
        self.holds_fit_statuses_and_sums_fit_holds()
        self.what_has_ended_stays_so_within_its_round()
        for _ in range(20):
            self._deliver_all()
        assert self._run(self._stage.outbox()) == []
        assert self._world.begun == []


def environment(database_url: str) -> dict[str, str]:
    return {
        "HAIRTRYON_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "PUBLIC_URL": "https://api.example.com",
        "SECRET_KEY": secrets.token_urlsafe(32),
        "PSEUDONYM_KEY": secrets.token_urlsafe(32),
        "REPLICATE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        "REPLICATE_CREATES_PER_MINUTE": "1000000",
    }


@pytest.mark.hypothesis
def test_try_ons_keep_their_promises_whatever_happens_in_whatever_order(
    runner: asyncio.Runner, database_url: str
) -> None:
    """Nothing is charged without a picture, nothing is lost, and nothing is written by who came too late."""
    stack = AsyncExitStack()

    async def open_stage() -> tuple[Stage, AsyncContainer, HeldWorld]:
        world, doorbell = HeldWorld(), FakeDoorbell()
        fakes = Provider(scope=Scope.APP)
        fakes.provide(lambda: world.storage, provides=PictureStorage, override=True)
        fakes.provide(lambda: world, provides=ImageModel, override=True)
        fakes.provide(lambda: world, provides=OutputDownloads, override=True)
        fakes.provide(lambda: doorbell, provides=Doorbell, override=True)
        container = create_container(load_settings(environment(database_url)), fakes)
        stack.push_async_callback(container.close)
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        engine, pool = await container.get(AsyncEngine), await container.get(ReadPool)
        write_pool = await container.get(WritePool)
        return Stage(engine, pool, write_pool, database, doorbell), container, world

    stage, container, world = runner.run(open_stage())
    try:
        # Each step is some round trips: fewer examples than where no server is asked, and none made smaller.
        phases = [phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}]
        examples = min(settings().max_examples // 4, _MOST_EXAMPLES)
        fewer = settings(max_examples=examples, stateful_step_count=_STEPS, phases=phases)
        machine = partial(TryOns, runner, stage, container, world)
        run_state_machine_as_test(machine, settings=fewer)  # type: ignore[arg-type] # any factory
    finally:
        runner.run(stack.aclose())
