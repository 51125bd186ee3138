import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from application.auth.ports import AccessClaims
from domain.errors import Forbidden, Unauthenticated, Unavailable
from domain.sessions import Session
from domain.users import Role, User
from infrastructure.database.engine import ReadPool, database_unavailable
from infrastructure.database.session_gate import BatchingSessionGate
from tests.integration.database.stage import Stage


class WatchedPool(ReadPool):
    """Lets queries through while `open`, counts the questions in each, and raises `trouble` instead of the next one."""

    def __init__(self, real: ReadPool) -> None:
        self._real = real
        self.open = asyncio.Event()
        self.open.set()
        self.batches: list[int] = []
        self.trouble: Exception | None = None

    async def fetch(self, query: str, *args: object, seconds: float = 7) -> list[asyncpg.Record]:
        sessions = args[0]
        assert isinstance(sessions, list)
        self.batches.append(len(sessions))
        await self.open.wait()
        trouble, self.trouble = self.trouble, None
        if trouble:
            raise trouble
        return await self._real.fetch(query, *args, seconds=seconds)


@pytest.fixture
def pool(stage: Stage) -> WatchedPool:
    return WatchedPool(stage.pool)


@pytest.fixture
def gate(pool: WatchedPool) -> BatchingSessionGate:
    return BatchingSessionGate(pool, timedelta(days=7))


async def signed_in(stage: Stage, **fields: Any) -> tuple[User, Session, AccessClaims]:
    user = await stage.user(**fields)
    session = await stage.session_of(user)
    return user, session, AccessClaims(user.id, session.id, f"token of {session.id}", 4_102_444_800)


async def gather(gate: BatchingSessionGate, pool: WatchedPool, questions: list[AccessClaims]) -> list[object]:
    """Ask them all while the first one's query is under way."""
    pool.open.clear()
    asking = [asyncio.create_task(gate.admit(claims)) for claims in questions[:1]]
    await asyncio.sleep(0.01)
    asking += [asyncio.create_task(gate.admit(claims)) for claims in questions[1:]]
    await asyncio.sleep(0.01)
    pool.open.set()
    return list(await asyncio.gather(*asking, return_exceptions=True))


@pytest.mark.parametrize("role", Role)
async def test_a_living_session_is_admitted_as_its_user(gate: BatchingSessionGate, stage: Stage, role: Role) -> None:
    """With the role that the user has now, and the token's id for signing out."""
    user, session, claims = await signed_in(stage, role=role)
    actor = await gate.admit(claims)
    assert (actor.user_id, actor.session_id, actor.role) == (user.id, session.id, role)
    assert (actor.token_id, actor.token_expires_at) == (claims.token_id, claims.expires_at)


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE sessions SET revoked_at = now()",
        "UPDATE sessions SET created_at = now() - interval '30 days'",
        "UPDATE sessions SET rotated_at = now() - interval '7 days'",
        "DELETE FROM sessions",
        "DELETE FROM users",
        "INSERT INTO blacklist_tokens SELECT 'token of ' || id, now() + interval '1 hour' FROM sessions",
    ],
)
async def test_a_session_that_ended_a_moment_ago_is_refused(
    gate: BatchingSessionGate, stage: Stage, ending: str
) -> None:
    """Nothing is remembered from the request before."""
    _, _, claims = await signed_in(stage)
    await gate.admit(claims)
    await stage.database.execute(ending)
    with pytest.raises(Unauthenticated) as refusal:
        await gate.admit(claims)
    assert refusal.value.code == "not_authenticated"


async def test_a_blacklisted_token_ends_no_other_token_of_its_session(gate: BatchingSessionGate, stage: Stage) -> None:
    user, session, claims = await signed_in(stage)
    async with stage.desk() as desk:
        await desk.revoked.spend("another token", await stage.now() + timedelta(hours=1))
        await desk.uow.commit()
    assert await gate.admit(claims)
    with pytest.raises(Unauthenticated):
        await gate.admit(AccessClaims(user.id, session.id, "another token", 4_102_444_800))


async def test_a_session_admits_its_own_user_only(gate: BatchingSessionGate, stage: Stage) -> None:
    _, session, _ = await signed_in(stage)
    other, _, _ = await signed_in(stage)
    for user_id, session_id in ((other.id, session.id), (other.id, 2**63 - 1), (2**63 - 1, session.id)):
        with pytest.raises(Unauthenticated):
            await gate.admit(AccessClaims(user_id, session_id, "token", 4_102_444_800))


async def test_a_disabled_user_is_told_so(gate: BatchingSessionGate, stage: Stage) -> None:
    _, _, claims = await signed_in(stage, is_disabled=True)
    with pytest.raises(Forbidden) as refusal:
        await gate.admit(claims)
    assert refusal.value.code == "account_disabled"


async def test_a_disabled_user_is_told_so_though_every_session_was_ended_with_it(
    gate: BatchingSessionGate, stage: Stage
) -> None:
    """What expired by itself, and what was logged out, stays as unknown as ever."""
    user, session, claims = await signed_in(stage, is_disabled=True)
    await stage.database.execute("UPDATE sessions SET revoked_at = now()")
    with pytest.raises(Forbidden):
        await gate.admit(claims)
    await stage.database.execute("INSERT INTO blacklist_tokens VALUES ($1, now())", claims.token_id)
    with pytest.raises(Unauthenticated):
        await gate.admit(claims)
    await stage.database.execute("UPDATE sessions SET created_at = now() - interval '31 days'")
    with pytest.raises(Unauthenticated):
        await gate.admit(AccessClaims(user.id, session.id, "another token", 4_102_444_800))


async def test_those_who_come_during_a_query_share_the_next_one(
    gate: BatchingSessionGate, pool: WatchedPool, stage: Stage
) -> None:
    _, _, claims = await signed_in(stage)
    answers = await gather(gate, pool, [claims] * 51)
    assert pool.batches == [1, 50]
    assert all(answer == answers[0] for answer in answers)


async def test_no_query_asks_for_more_than_200(gate: BatchingSessionGate, pool: WatchedPool, stage: Stage) -> None:
    _, _, claims = await signed_in(stage)
    await gather(gate, pool, [claims] * 451)
    assert pool.batches == [1, 200, 200, 50]


async def test_everybody_gets_their_own_answer(gate: BatchingSessionGate, pool: WatchedPool, stage: Stage) -> None:
    """Living, ended, unknown and disabled, side by side in one query."""
    people = [await signed_in(stage, is_disabled=number % 4 == 3) for number in range(12)]
    async with stage.desk() as desk:
        for _, session, _ in people[1::4]:
            ending = await desk.sessions.claim(session.id)
            assert ending is not None
            ending.revoke(await desk.uow.now())
        await desk.uow.commit()
    unknown = AccessClaims(1, 2**62, "token", 4_102_444_800)
    questions = [unknown if number % 4 == 2 else claims for number, (_, _, claims) in enumerate(people)]
    answers = await gather(gate, pool, [unknown, *questions])
    for number, answer in enumerate(answers[1:]):
        if number % 4 == 0:
            assert getattr(answer, "user_id", None) == people[number][0].id
        else:
            assert isinstance(answer, Forbidden if number % 4 == 3 else Unauthenticated)


@pytest.mark.parametrize("trouble", [database_unavailable(), RuntimeError("a mistake of ours")], ids=repr)
async def test_trouble_with_the_database_reaches_everybody_who_waits_for_it(
    gate: BatchingSessionGate, pool: WatchedPool, stage: Stage, trouble: Exception
) -> None:
    """Nobody hangs, nobody is let in, and the next request is answered as if nothing had been."""
    _, _, claims = await signed_in(stage)
    pool.trouble = trouble
    answers = await gather(gate, pool, [claims] * 3)
    assert answers[0] is trouble
    assert [getattr(answer, "user_id", None) for answer in answers[1:]] == [claims.user_id] * 2
    pool.open.clear()
    waiting = [asyncio.create_task(gate.admit(claims)) for _ in range(5)]
    await asyncio.sleep(0.01)
    pool.trouble = trouble
    pool.open.set()
    assert await asyncio.gather(*waiting, return_exceptions=True) == [trouble] * 5
    assert await gate.admit(claims)


async def test_a_request_that_is_given_up_harms_no_other(
    gate: BatchingSessionGate, pool: WatchedPool, stage: Stage
) -> None:
    """Its client went away, whether its query was under way or still to come."""
    _, _, claims = await signed_in(stage)
    pool.open.clear()
    first, second = (asyncio.create_task(gate.admit(claims)) for _ in range(2))
    await asyncio.sleep(0.01)
    third, fourth = (asyncio.create_task(gate.admit(claims)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    third.cancel()
    pool.open.set()
    answers = await asyncio.gather(first, second, third, fourth, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False, True, False]
    assert await gate.admit(claims)


async def test_a_gate_whose_requests_are_all_given_up_opens_for_the_next(
    gate: BatchingSessionGate, pool: WatchedPool, stage: Stage
) -> None:
    _, _, claims = await signed_in(stage)
    pool.open.clear()
    asking = [asyncio.create_task(gate.admit(claims)) for _ in range(3)]
    await asyncio.sleep(0.01)
    for request in asking:
        request.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    pool.open.set()
    assert await gate.admit(claims)


async def test_without_a_database_nobody_is_let_in(gate: BatchingSessionGate, pool: WatchedPool, stage: Stage) -> None:
    _, _, claims = await signed_in(stage)
    await gate.admit(claims)
    pool.trouble = database_unavailable()
    with pytest.raises(Unavailable):
        await gate.admit(claims)
