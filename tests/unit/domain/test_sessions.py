from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sessions import REFRESH_GRACE, SESSION_LIFE, Refresh
from tests.unit.factories import NOW, SessionFactory

LATER = NOW + timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


def test_the_unspent_token_is_spent_for_the_next_one() -> None:
    """The counter goes up by one, and the session was used now."""
    session = SessionFactory.build(user_id=1, counter=4)
    assert session.refresh(4, LATER) is Refresh.ROTATED
    assert (session.counter, session.rotated_at, session.last_used_at) == (5, LATER, LATER)
    assert session.alive(LATER)


@pytest.mark.parametrize("after", [timedelta(0), REFRESH_GRACE])
def test_two_tabs_that_refresh_at_once_are_no_thief(after: timedelta) -> None:
    """Within 10 seconds the token spent last yields the same successor, and no new branch."""
    session = SessionFactory.build(user_id=1)
    session.refresh(0, LATER)
    assert session.refresh(0, LATER + after) is Refresh.REPEATED
    assert (session.counter, session.rotated_at) == (1, LATER)
    assert session.alive(LATER)


def test_repeating_does_not_stretch_the_grace() -> None:
    session = SessionFactory.build(user_id=1)
    session.refresh(0, LATER)
    session.refresh(0, LATER + REFRESH_GRACE)
    assert session.refresh(0, LATER + REFRESH_GRACE + MOMENT) is Refresh.REUSED


@pytest.mark.parametrize(
    ("counter", "after"),
    [(4, REFRESH_GRACE + MOMENT), (3, timedelta(0)), (0, timedelta(0)), (6, timedelta(0))],
    ids=["spent, after the grace", "the one before, within the grace", "the first", "one never made"],
)
def test_an_older_token_ends_the_session(counter: int, after: timedelta) -> None:
    """Somebody holds a copy, and nobody can tell who is the owner."""
    session = SessionFactory.build(user_id=1, counter=4)
    session.refresh(4, LATER)
    assert session.refresh(counter, LATER + after) is Refresh.REUSED
    assert not session.alive(LATER + after)
    assert session.counter == 5


def test_a_session_lives_30_days_at_most() -> None:
    """However often it is refreshed."""
    session = SessionFactory.build(user_id=1)
    session.refresh(0, NOW + SESSION_LIFE - MOMENT)
    assert session.alive(NOW + SESSION_LIFE - MOMENT)
    assert not session.alive(NOW + SESSION_LIFE)


def test_the_time_of_ending_is_that_of_the_first() -> None:
    session = SessionFactory.build(user_id=1)
    session.revoke(LATER)
    session.revoke(LATER + timedelta(days=1))
    assert session.revoked_at == LATER
    assert not session.alive(LATER)


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 25)), max_size=30))
def test_the_counter_only_grows_and_a_reuse_is_final(shown: list[tuple[int, float]]) -> None:
    """Whatever tokens come in whatever order: each rotation adds one, and an ended session stays ended."""
    session = SessionFactory.build(user_id=1)
    now, ended = NOW, False
    for counter, wait in shown:
        now += timedelta(seconds=wait)
        before = session.counter
        outcome = session.refresh(counter, now) if session.alive(now) else None
        assert session.counter == before + (outcome is Refresh.ROTATED)
        assert not (ended and session.alive(now))
        ended = ended or outcome is Refresh.REUSED
