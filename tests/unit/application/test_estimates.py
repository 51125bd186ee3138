"""How long a try-on will take yet."""

from datetime import UTC, datetime, timedelta

import pytest

from application.images.estimates import Pace, Paces, ViewTimes
from domain.views import View

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
PACES = Paces({View.FRONT: Pace(20, 50), View.LEFT: Pace(30, 60), View.RIGHT: Pace(10, 15)})


def waiting(view: View, seconds: float = 0) -> ViewTimes:
    """Accepted so many seconds ago, and not ended."""
    return ViewTimes(view, True, NOW - timedelta(seconds=seconds), None)


def ended(view: View, seconds: float, accepted: float = 1000) -> ViewTimes:
    """Ended so many seconds ago."""
    return ViewTimes(view, False, NOW - timedelta(seconds=accepted), NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("elapsed", "expected"), [(0, 20), (5, 15), (19.5, 0.5), (20, 30), (49, 1), (50, None), (500, None)]
)
def test_a_front_takes_the_median_then_the_slowest_tenth_and_then_nobody_knows(
    elapsed: float, expected: float | None
) -> None:
    assert PACES.eta([waiting(View.FRONT, elapsed)], NOW) == expected


def test_a_side_begins_when_its_front_is_there() -> None:
    """Until then it takes what the front takes yet and its own median; from then on its time runs."""
    assert PACES.eta([waiting(View.FRONT, 5), waiting(View.LEFT, 5)], NOW) == 15 + 30
    assert PACES.eta([ended(View.FRONT, 12), waiting(View.LEFT, 40)], NOW) == 30 - 12


def test_a_side_that_was_added_later_begins_when_it_was_asked_for() -> None:
    assert PACES.eta([ended(View.FRONT, 500), waiting(View.LEFT, 10)], NOW) == 20


def test_a_try_on_takes_as_long_as_its_slowest_view() -> None:
    views = [ended(View.FRONT, 5), waiting(View.LEFT, 30), waiting(View.RIGHT, 30)]
    assert PACES.eta(views, NOW) == 25


def test_one_view_that_nobody_can_tell_leaves_the_whole_untold() -> None:
    """It is past what nine of ten took, or there is no history of it."""
    assert PACES.eta([ended(View.FRONT, 20), waiting(View.LEFT, 30), waiting(View.RIGHT, 30)], NOW) is None
    assert PACES.eta([waiting(View.FRONT), waiting(View.BACK)], NOW) is None
    assert PACES.eta([waiting(View.FRONT, 60), waiting(View.LEFT, 60)], NOW) is None
    assert Paces().eta([waiting(View.FRONT)], NOW) is None


def test_what_has_ended_takes_no_time() -> None:
    assert PACES.eta([ended(View.FRONT, 5), ended(View.LEFT, 5)], NOW) is None
