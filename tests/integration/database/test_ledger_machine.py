"""Two transactions side by side that hold, post, void and record in any order, against a ledger kept in the head."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import asyncpg
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from domain.credits import Cause, HoldStatus, InsufficientCredits
from domain.errors import Unavailable
from domain.renders import ViewRender
from domain.views import View
from infrastructure.database.engine import create_sessions
from tests.integration.database.stage import Desk, Stage, open_stage

DESKS = st.integers(0, 1)
PLACES = st.integers(0, 3)
_MOST_EXAMPLES = 150


@dataclass
class Books:
    """What the ledger of one customer must say."""

    credits: int = 0
    keys: set[str] = field(default_factory=set)
    holds: dict[int, HoldStatus] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return list(self.holds.values()).count(HoldStatus.PENDING)


class Ledger(RuleBasedStateMachine):
    def __init__(self, runner: asyncio.Runner, stage: Stage) -> None:
        super().__init__()
        self._run = runner.run
        self._stage = stage
        self._open: list[Desk | None] = [None, None]
        self._pending: list[Books | None] = [None, None]
        self._books = Books()

    @initialize(credits_=st.integers(0, 3))
    def begin(self, credits_: int) -> None:
        self._books.credits = credits_
        self._user = self._run(self._stage.user(credits_=credits_))
        self._views: list[ViewRender] = self._run(self._stage.image(self._user, *list(View)[1:])).views

    def _attempt(
        self, place: int, work: Callable[[Desk], Awaitable[object]], expected: Callable[[Books], object]
    ) -> None:
        """Do the same at a desk and in its copy of the books; both must come to the same.

        A desk that would have to wait for the other one is given up.
        """
        try:
            outcome = self._run(self._at(place, work))
        except Unavailable as failure:
            cause = failure.__cause__.__cause__ if failure.__cause__ else None
            if not isinstance(cause, asyncpg.LockNotAvailableError) or self._open[1 - place] is None:
                raise
            self._abandon(place)
            return
        books = self._pending[place] or copy.deepcopy(self._books)
        assert outcome == expected(books)
        if books != self._books:
            self._pending[place] = books

    async def _at(self, place: int, work: Callable[[Desk], Awaitable[object]]) -> object:
        desk = self._open[place]
        if desk is None:
            session = create_sessions(self._stage.engine)()
            await session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            desk = self._open[place] = self._stage.desk_of(session)
        try:
            return await work(desk)
        except InsufficientCredits:
            return InsufficientCredits

    @rule(place=DESKS, number=PLACES)
    def hold(self, place: int, number: int) -> None:
        view = self._views[number]
        if view.id in (self._pending[place] or self._books).holds:
            return

        def expected(books: Books) -> object:
            if books.credits - books.held < 1:
                return InsufficientCredits
            books.holds[view.id] = HoldStatus.PENDING
            return None

        self._attempt(place, lambda desk: desk.holds.place(self._user.id, [view]), expected)

    @rule(place=DESKS, number=PLACES)
    def post(self, place: int, number: int) -> None:
        view = self._views[number]

        def expected(books: Books) -> None:
            if books.holds.get(view.id) is HoldStatus.PENDING:
                books.holds[view.id] = HoldStatus.POSTED
                books.credits -= 1

        self._attempt(place, lambda desk: desk.holds.post(view), expected)

    @rule(place=DESKS, number=PLACES)
    def void(self, place: int, number: int) -> None:
        view = self._views[number]

        def expected(books: Books) -> None:
            if books.holds.get(view.id) is HoldStatus.PENDING:
                books.holds[view.id] = HoldStatus.VOIDED

        self._attempt(place, lambda desk: desk.holds.void(view), expected)

    @rule(place=DESKS, number=PLACES, amount=st.sampled_from([-2, -1, 1, 2]))
    def record(self, place: int, number: int, amount: int) -> None:
        key = f"{self._user.id}:{number}"
        cause = Cause.PURCHASE if amount > 0 else Cause.REFUND

        def expected(books: Books) -> bool:
            if key in books.keys:
                return False
            books.keys.add(key)
            books.credits += amount
            return True

        self._attempt(place, lambda desk: desk.accounts.record(self._user.id, amount, cause, natural_key=key), expected)

    @precondition(lambda self: any(self._open))
    @rule(place=DESKS, keep=st.booleans())
    def end(self, place: int, *, keep: bool) -> None:
        desk = self._open[place]
        if desk is None:
            return
        if keep:
            self._run(desk.uow.commit())
            self._books = self._pending[place] or self._books
            self._check()
        self._abandon(place)

    def _abandon(self, place: int) -> None:
        """Close a desk; what it committed stays, whatever else it did has not happened."""
        desk, self._open[place], self._pending[place] = self._open[place], None, None
        if desk is not None:
            self._run(desk.session.close())

    def _check(self) -> None:
        assert self._run(self._stage.sums(self._user)) == (self._books.credits, self._books.held)
        assert self._run(self._stage.audit()).differences == []

    def teardown(self) -> None:
        for place in (0, 1):
            self._abandon(place)
        self._check()


@pytest.mark.hypothesis
def test_the_ledger_keeps_its_books_whatever_two_transactions_do(runner: asyncio.Runner, database_url: str) -> None:
    """Sums follow from entries and holds, each of which counts once, and nobody spends what is not there."""
    stack = AsyncExitStack()

    stage = runner.run(stack.enter_async_context(open_stage(database_url)))
    try:
        # Each step is a round trip or two: fewer examples than where no server is asked, and none made smaller.
        phases = [phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}]
        fewer = settings(max_examples=min(settings().max_examples // 3, _MOST_EXAMPLES), phases=phases)
        run_state_machine_as_test(partial(Ledger, runner, stage), settings=fewer)  # type: ignore[arg-type] # any factory
    finally:
        runner.run(stack.aclose())
