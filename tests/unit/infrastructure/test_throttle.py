"""How password guessing is slowed down, by a clock that tests move."""

import asyncio
import re
import secrets
from itertools import count

import pytest

from domain.errors import Throttled
from infrastructure.throttle import Counters, CountingThrottle, Pace

ADA = "ada@example.com"
HOME = "203.0.113.7"
DAY = 86_400
_NAME = re.compile(r"[0-9a-f]{32}(:\d+)?(:[0-9a-f]{32})?:(epoch|failures|delay|familiar)")


class ClockedCounters(Counters):
    """Keeps what `limits` promises of a storage. Each call gives way to others, as one over a network does."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.kept: dict[str, tuple[int, float]] = {}

    async def get(self, key: str) -> int:
        await asyncio.sleep(0)
        return self._living(key)[0]

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        await asyncio.sleep(0)
        value, ends = self._living(key)
        self.kept[key] = (value + amount, ends if value else self.time + expiry)
        return value + amount

    async def get_expiry(self, key: str) -> float:
        await asyncio.sleep(0)
        return self._living(key)[1]

    async def clear(self, key: str) -> None:
        await asyncio.sleep(0)
        self.kept.pop(key, None)

    def _living(self, key: str) -> tuple[int, float]:
        value, ends = self.kept.get(key, (0, self.time))
        return (value, ends) if ends > self.time else (0, self.time)


class Guard:
    """The throttle, and a clock."""

    def __init__(self) -> None:
        self.counters = ClockedCounters()
        self.throttle = CountingThrottle(self.counters, key=secrets.token_hex(16), now=lambda: self.counters.time)

    async def wait_of(self, email: str = ADA, ip: str = HOME) -> float:
        """Try once: the seconds that one is told to wait, to the nearest; 0 when let in."""
        try:
            await self.throttle.admit(email, ip)
        except Throttled as refusal:
            return (refusal.retry_after or 0) - 0.5
        return 0

    async def guess(self, times: int, email: str = ADA, ip: str = HOME) -> None:
        """Guess wrongly so often, each time as soon as one may."""
        for _ in range(times):
            while wait := await self.wait_of(email, ip):
                self.pass_time(wait)

    def pass_time(self, seconds: float) -> None:
        self.counters.time += seconds


@pytest.fixture
def guard() -> Guard:
    return Guard()


async def test_delays_double_from_a_second_to_a_quarter_of_an_hour(guard: Guard) -> None:
    """Five guesses are free of delay; after each one more, the wait is twice as long, up to 900 seconds."""
    assert [await guard.wait_of() for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(13):
        waits.append(await guard.wait_of())
        guard.pass_time(waits[-1])
        assert await guard.wait_of() == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_who_comes_too_early_is_told_what_is_left_and_makes_it_no_longer(guard: Guard) -> None:
    await guard.guess(9)
    assert await guard.wait_of() == 16
    guard.pass_time(10)
    assert [await guard.wait_of() for _ in range(50)] == [6] * 50
    guard.pass_time(6)
    assert await guard.wait_of() == 0
    assert await guard.wait_of() == 32


async def test_a_burst_gets_no_more_guesses_than_a_line_of_them(guard: Guard) -> None:
    """Fifty at once: five are let in, then one, and those who were refused have not made the delay longer."""
    waits = await asyncio.gather(*(guard.wait_of() for _ in range(50)))
    assert sorted(waits) == [0] * 5 + [1] * 45
    guard.pass_time(1)
    waits = await asyncio.gather(*(guard.wait_of() for _ in range(50)))
    assert sorted(waits) == [0] + [2] * 49


async def test_another_network_is_not_delayed_by_it(guard: Guard) -> None:
    """A /24 or a /64 is one network, also where an IPv4 address is written as IPv6."""
    await guard.guess(5)
    await guard.guess(5, ip="2001:db8:1:2::1")
    for near in ("203.0.113.99", "::ffff:203.0.113.8", "2001:db8:1:2:ffff::9"):
        assert await guard.wait_of(ip=near) == 1, near
    for far in ("203.0.114.7", "2001:db8:1:3::1", "", "a socket"):
        assert await guard.wait_of(ip=far) == 0, far


async def test_another_account_is_not_delayed_by_it(guard: Guard) -> None:
    """Addresses are told apart as the sign-in does it: in lower case."""
    await guard.guess(5)
    assert await guard.wait_of("ADA@Example.com") == 1
    assert await guard.wait_of("bob@example.com") == 0


async def test_many_networks_together_are_delayed_by_a_minute_at_most(guard: Guard) -> None:
    """After twenty guesses from anywhere, the next one waits, wherever it comes from; but never for long."""
    networks = (f"198.51.{number}.1" for number in count())
    assert [await guard.wait_of(ip=next(networks)) for _ in range(21)] == [0] * 21
    waits = []
    for _ in range(9):
        waits.append(await guard.wait_of(ip=next(networks)))
        guard.pass_time(waits[-1])
        assert await guard.wait_of(ip=next(networks)) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_who_is_held_up_by_other_networks_has_not_used_up_a_guess(guard: Guard) -> None:
    """Nor begun a delay of the own network: no password was tried."""
    for number in range(26):
        await guard.guess(1, ip=f"198.51.{number}.1")
    assert [await guard.wait_of() for _ in range(20)] == [32] * 20
    guard.pass_time(32)
    assert await guard.wait_of() == 0
    await guard.guess(4)
    assert await guard.wait_of() == 1


async def test_thirty_days_count_from_the_last_sign_in(guard: Guard) -> None:
    """A network that is used now and then stays familiar for as long."""
    for _ in range(3):
        assert not await guard.wait_of()
        await guard.throttle.succeeded(ADA, HOME)
        guard.pass_time(20 * DAY)
    for number in range(30):
        await guard.wait_of(ip=f"198.51.{number}.1")
    assert not await guard.wait_of()


async def test_a_network_that_was_recognised_today_is_left_at_that(guard: Guard) -> None:
    """A session is refreshed every few minutes: the thirty days are counted to the day."""
    await guard.throttle.recognise(ADA, HOME)
    first = dict(guard.counters.kept)
    guard.pass_time(DAY - 1)
    await guard.throttle.recognise(ADA, HOME)
    assert guard.counters.kept == first
    guard.pass_time(2)
    await guard.throttle.recognise(ADA, HOME)
    ((name, (_, ends)),) = guard.counters.kept.items()
    assert name in first
    assert ends == guard.counters.time + 30 * DAY


async def test_an_owner_at_home_is_not_held_up_by_what_other_networks_do(guard: Guard) -> None:
    """For thirty days after a sign-in from there; the own network's mistakes still count."""
    assert await guard.wait_of() == 0
    await guard.throttle.succeeded(ADA, HOME)
    guard.pass_time(29 * DAY)
    for number in range(40):
        await guard.guess(1, ip=f"198.51.{number}.1")
    assert await guard.wait_of(ip="192.0.2.1") > 0
    assert await guard.wait_of() == 0
    await guard.guess(4)
    assert await guard.wait_of() == 1
    guard.pass_time(DAY)
    for number in range(40):
        await guard.guess(1, ip=f"198.51.{number}.1")
    assert await guard.wait_of() > 0


async def test_the_right_password_forgets_the_failures_of_its_network_only(guard: Guard) -> None:
    await guard.guess(7)
    await guard.guess(7, ip="192.0.2.1")
    await guard.throttle.succeeded(ADA, HOME)
    assert [await guard.wait_of() for _ in range(5)] == [0] * 5
    assert await guard.wait_of(ip="192.0.2.1") == 4


async def test_an_attempt_that_is_withdrawn_was_no_guess(guard: Guard) -> None:
    """However many there were, from here or elsewhere: five guesses are still free."""
    for ip in (HOME, "198.51.100.7"):
        for _ in range(30):
            assert await guard.wait_of(ip=ip) == 0
            await guard.throttle.withdraw(ADA, ip)
    assert [await guard.wait_of() for _ in range(6)] == [0] * 5 + [1]


async def test_signing_in_often_is_no_guessing(guard: Guard) -> None:
    """From many networks, one after the other, a hundred times a day."""
    for number in range(100):
        ip = f"198.51.{number}.1"
        assert await guard.wait_of(ip=ip) == 0
        await guard.throttle.succeeded(ADA, ip)


async def test_a_reset_forgets_the_failures_of_every_network(guard: Guard) -> None:
    """Each reset does, however many there were before."""
    for _ in range(3):
        for number in range(30):
            await guard.guess(1, ip=f"198.51.{number}.1")
        await guard.guess(8)
        assert await guard.wait_of() > 0
        await guard.throttle.reset(ADA)
        assert await guard.wait_of() == 0
        assert await guard.wait_of(ip="198.51.0.1") == 0


async def test_failures_are_forgotten_after_a_day(guard: Guard) -> None:
    await guard.guess(8)
    guard.pass_time(DAY)
    assert [await guard.wait_of() for _ in range(5)] == [0] * 5


async def test_counters_tell_no_address() -> None:
    """Neither in clear nor as a hash that can be made without the key; two keys have nothing in common."""
    guards = [Guard(), Guard()]
    for guard in guards:
        await guard.guess(1)
        await guard.throttle.succeeded(ADA, HOME)
        await guard.throttle.reset(ADA)
        assert all(_NAME.fullmatch(key) for key in guard.counters.kept)
    assert set(guards[0].counters.kept).isdisjoint(guards[1].counters.kept)


def test_delays_stay_within_their_bounds() -> None:
    """However many failures there were."""
    pace = Pace(free=4, first=3, longest=900)
    assert [pace.delay(failures) for failures in (4, 5, 6, 13, 10**9)] == [3, 6, 12, 900, 900]
