"""Holds up who guesses passwords: counts in Redis, and in the process while Redis is away."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

import structlog
from limits.aio.storage import MemoryStorage, RedisStorage
from msgspec import Struct
from redis.exceptions import RedisError

from application.auth.ports import LoginThrottle
from domain.errors import Throttled
from infrastructure.pseudonyms import Pseudonyms
from infrastructure.redis import open_pool

log = structlog.get_logger()

PREFIX = "hairtryon:logins"
_DAY = 86_400
_FAMILIAR = 30 * _DAY
_CONNECTIONS = 20
_ANSWER_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
"""For all that one attempt asks of Redis."""
_RETRY_SECONDS = 5.0


class Pace(Struct, frozen=True):
    """So many failures are free; each one after them delays the next attempt twice as long as the one before."""

    free: int
    first: int = 1
    """Seconds."""
    longest: int = 900

    def delay(self, failures: int) -> int:
        """Seconds from one attempt to the next, after so many failures within a day."""
        doublings = min(failures - self.free, self.longest.bit_length())
        return min(self.first << doublings, self.longest)


class Paces(Struct, frozen=True):
    """For one account."""

    one_network: Pace = Pace(free=4)
    all_networks: Pace = Pace(free=20, longest=60)
    """Its delays may hit the owner too, so they are short: enough against guessing from many addresses at once."""


class Counters(Protocol):
    """What `limits` promises of its storages. Each call is atomic; a counter is gone when it expires."""

    async def get(self, key: str) -> int: ...

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The new value; `expiry` (seconds) counts from the first increment."""
        ...

    async def get_expiry(self, key: str) -> float:
        """When it expires, in seconds since the epoch; now, if there is no such counter."""
        ...

    async def clear(self, key: str) -> None: ...


class CountingThrottle(LoginThrottle):
    """Counts failures per account and client network (/24, /64), and per account over all networks.

    From the fifth failure on, one attempt at a time is let in, each after twice the delay. A network from which the
    owner came lately, by password, mailed link, Google or refresh token, is not held up by what other networks do: so
    an owner is never locked out.

    An attempt counts before its password is looked at, so that a burst gains nothing. Accounts and networks are keyed
    by an HMAC: whoever reads the counters learns no address of either kind.
    """

    def __init__(
        self,
        counters: Counters,
        *,
        key: str,
        paces: Paces = Paces(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
    ) -> None:
        self._counters = counters
        self._pseudonyms = Pseudonyms(key)
        self._paces = paces
        self._now = now

    async def admit(self, email: str, client_ip: str) -> None:
        account, place = await self._names(email, client_ip)
        here = self._door(place, self._paces.one_network)
        await here.enter()
        if not await self._counters.get(f"{place}:familiar"):
            try:
                await self._door(account, self._paces.all_networks).enter()
            except Throttled:
                await here.step_back()
                raise

    async def withdraw(self, email: str, client_ip: str) -> None:
        account, place = await self._names(email, client_ip)
        await self._door(place, self._paces.one_network).forgive()
        if not await self._counters.get(f"{place}:familiar"):
            await self._door(account, self._paces.all_networks).forgive()

    async def succeeded(self, email: str, client_ip: str) -> None:
        account, place = await self._names(email, client_ip)
        await self._door(place, self._paces.one_network).open()
        if not await self._counters.get(f"{place}:familiar"):
            await self._door(account, self._paces.all_networks).forgive()
        await self._recognise(place)

    async def recognise(self, email: str, client_ip: str) -> None:
        _, place = await self._names(email, client_ip)
        await self._recognise(place)

    async def reset(self, email: str) -> None:
        # Counters are named after a number that is drawn anew: nobody has to find those of all networks.
        await self._counters.incr(f"{self._digest(email)}:epoch", _FAMILIAR, secrets.randbelow(2**31) + 1)

    async def _recognise(self, place: str) -> None:
        if await self._counters.get_expiry(f"{place}:familiar") > self._now() + _FAMILIAR - _DAY:
            return  # it was set today
        # Set anew, for a counter expires so long after its first increment.
        await self._counters.clear(f"{place}:familiar")
        await self._counters.incr(f"{place}:familiar", _FAMILIAR)

    async def _names(self, email: str, client_ip: str) -> tuple[str, str]:
        """What the counters of an account are named after, and those of this network."""
        account = self._digest(email)
        account = f"{account}:{await self._counters.get(f'{account}:epoch')}"
        return account, f"{account}:{self._digest(email, _network_of(client_ip))}"

    def _digest(self, *parts: str) -> str:
        return self._pseudonyms.of("logins", "\n".join(parts).lower()).hex()[:32]

    def _door(self, name: str, pace: Pace) -> "_Door":
        return _Door(self._counters, name, pace, self._now)


class _Door:
    """What one attempt has to pass: a count of failures, and a delay that only one attempt can begin."""

    def __init__(self, counters: Counters, name: str, pace: Pace, now: Callable[[], float]) -> None:
        self._counters = counters
        self._failures = f"{name}:failures"
        self._delay = f"{name}:delay"
        self._pace = pace
        self._now = now
        self._began_delay = False

    async def enter(self) -> None:
        failures = await self._counters.get(self._failures)
        if failures >= self._pace.free:
            await self._begin_delay(failures)
            await self._count(1)
        elif await self._count(1) > self._pace.free:
            try:
                await self._begin_delay(self._pace.free)
            except Throttled:
                await self._count(-1)
                raise

    async def forgive(self) -> None:
        """It was no failure: one less. The delay that it began goes on, for whoever guesses."""
        await self._count(-1)

    async def step_back(self) -> None:
        """Undo what entering did: no password was tried."""
        await self._count(-1)
        if self._began_delay:
            await self._counters.clear(self._delay)

    async def open(self) -> None:
        await self._counters.clear(self._failures)
        await self._counters.clear(self._delay)

    async def _begin_delay(self, failures: int) -> None:
        self._began_delay = await self._counters.incr(self._delay, self._pace.delay(failures)) == 1
        if not self._began_delay:
            # Redis tells whole seconds, to the nearest: half a second more, and coming back then is not too early.
            wait = await self._counters.get_expiry(self._delay) - self._now() + 0.5
            raise Throttled("rate_limited", "Too many attempts; please try again later.", retry_after=max(wait, 1))

    async def _count(self, attempts: int) -> int:
        return await self._counters.incr(self._failures, _DAY, attempts)


class RedisThrottle(LoginThrottle):
    """One count for all processes, in Redis; while Redis is away or slow, each process counts for itself.

    It is never open: whoever stops Redis has another few guesses, at the same pace.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        paces: Paces = Paces(),  # noqa: B008 - frozen
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = open_pool(url, connections=_CONNECTIONS, answer_seconds=_ANSWER_SECONDS)
        shared = RedisStorage("redis://", implementation="redispy", key_prefix=PREFIX, connection_pool=self._pool)  # type: ignore[arg-type]
        self._shared = CountingThrottle(shared, key=key, paces=paces)
        self._own = CountingThrottle(MemoryStorage(), key=key, paces=paces)
        self._monotonic = monotonic
        self._is_away = False
        self._ask_again_at = 0.0

    async def admit(self, email: str, client_ip: str) -> None:
        await self._count(lambda throttle: throttle.admit(email, client_ip))

    async def withdraw(self, email: str, client_ip: str) -> None:
        await self._count(lambda throttle: throttle.withdraw(email, client_ip))

    async def succeeded(self, email: str, client_ip: str) -> None:
        await self._count(lambda throttle: throttle.succeeded(email, client_ip))

    async def recognise(self, email: str, client_ip: str) -> None:
        await self._count(lambda throttle: throttle.recognise(email, client_ip))

    async def reset(self, email: str) -> None:
        await self._count(lambda throttle: throttle.reset(email))

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _count(self, work: Callable[[LoginThrottle], Awaitable[None]]) -> None:
        if self._may_ask():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await work(self._shared)
            except (RedisError, OSError) as failure:
                self._go_on_alone(failure)
            except Throttled:
                self._is_away = False
                raise
            else:
                self._is_away = False
                return
        await work(self._own)

    def _go_on_alone(self, failure: Exception) -> None:
        self._ask_again_at = self._monotonic() + _RETRY_SECONDS
        if not self._is_away:
            self._is_away = True
            log.warning("throttle_counts_alone", reason=type(failure).__name__)

    def _may_ask(self) -> bool:
        """While Redis is away one attempt at a time asks whether it is back; the others do not wait for the answer."""
        if not self._is_away:
            return True
        now = self._monotonic()
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + _RETRY_SECONDS
        return True


def _network_of(ip: str) -> str:
    """The /24 or /64 of an address; what is no address stands for itself."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))  # noqa: PLR2004 - of IP
