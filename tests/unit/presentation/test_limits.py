"""How often a client may ask."""

import pytest

from domain.errors import Throttled
from presentation.http.limits import Limiter, RateLimits, rate_of


class Clock:
    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return Limiter(RateLimits(generate="1/day", auth="2/hour", default="3/minute"), clock)


def test_a_client_is_refused_beyond_its_rate_until_the_window_ends(limiter: Limiter, clock: Clock) -> None:
    """The refusal tells the seconds left; the next window begins with the next request after them."""
    for _ in range(3):
        limiter.hit("default", "one")
    clock.time += 45
    with pytest.raises(Throttled) as refused:
        limiter.hit("default", "one")
    assert refused.value.retry_after == 15
    clock.time += 15
    for _ in range(3):
        limiter.hit("default", "one")


def test_clients_and_rates_are_counted_apart(limiter: Limiter) -> None:
    """Who has used up one rate has used up nothing else, and nobody else's."""
    limiter.hit("generate", "one")
    with pytest.raises(Throttled):
        limiter.hit("generate", "one")
    limiter.hit("generate", "two")
    limiter.hit("auth", "one")


@pytest.mark.parametrize(("period", "seconds"), [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)])
def test_a_window_is_as_long_as_its_period(clock: Clock, period: str, seconds: int) -> None:
    limiter = Limiter(RateLimits(default=f"1/{period}"), clock)
    limiter.hit("default", "one")
    with pytest.raises(Throttled) as refused:
        limiter.hit("default", "one")
    assert refused.value.retry_after == seconds


def test_clients_that_stay_away_are_forgotten(limiter: Limiter, clock: Clock) -> None:
    """A thousand clients a minute, each seen once: what is kept does not grow with the hours."""
    for minute in range(10):
        for number in range(1_000):
            limiter.hit("default", f"{minute}:{number}")
        clock.time += 60
    assert len(limiter._windows["default"]._by_client) <= 1_000


def test_a_client_that_comes_back_has_a_new_window_in_its_place(limiter: Limiter, clock: Clock) -> None:
    """Windows stay in the order of their ends: one that has begun anew keeps no older one from being dropped."""
    limiter.hit("default", "early")
    clock.time += 30
    limiter.hit("default", "late")
    clock.time += 30
    limiter.hit("default", "early")
    clock.time += 30
    limiter.hit("default", "newcomer")
    assert list(limiter._windows["default"]._by_client) == ["early", "newcomer"]


@pytest.mark.parametrize("query", [b"dry_run=true", b"dry_run=True", b"x=2&dry_run=1", b"dry_run=%74rue&dry_run=1"])
def test_a_dry_run_counts_with_everything_else(query: bytes) -> None:
    assert rate_of("/api/v1/image/generate", "POST", query) == "default"


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"dry_run=false",
        b"dry_run",
        b"dry_run=yes",
        b"dry_run=true;x",
        b"dry_run=true&dry_run=false",
        b"dry_run=false&dry_run=true",
        b"dry_run=true&%64ry_run=0",
        b"dry_run=true&dry_run=",
        b"x=dry_run=true",
        b"dry_run=\xff",
    ],
)
def test_what_may_be_a_render_counts_as_one(query: bytes) -> None:
    """Also where the query says both, or what nobody can read."""
    assert rate_of("/api/v1/image/generate", "POST", query) == "generate"
