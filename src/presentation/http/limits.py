"""How often a client may ask. Counters live in the process: the general limits need no Redis."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl

from msgspec import Struct

from domain.errors import Throttled

_WEBHOOKS = frozenset({"/api/v1/image/webhook", "/api/v1/payment/webhook"})
_TRUE = {"true", "1"}
"""How a query may say it, in any case."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


class RateLimits(Struct, frozen=True):
    """Each like `5/minute`; the periods are `second`, `minute`, `hour` and `day`."""

    generate: str = "5/minute"
    auth: str = "20/minute"
    default: str = "300/minute"


@dataclass(slots=True)
class _Window:
    ends: float
    hits: int = 0


class _Windows:
    """One rate's windows. All are equally long, so that they stand in the order of their ends."""

    def __init__(self, rate: str) -> None:
        most, _, period = rate.partition("/")
        self.most = int(most)
        self._seconds = _SECONDS[period]
        self._by_client: dict[str, _Window] = {}

    def of(self, client: str, now: float) -> _Window:
        window = self._by_client.get(client)
        if window is None or window.ends <= now:
            self._by_client.pop(client, None)
            self._forget_some(now)
            window = self._by_client[client] = _Window(now + self._seconds)
        return window

    def _forget_some(self, now: float) -> None:
        """Drop up to two windows that have ended, for each that begins: so no request has to drop them all."""
        for client in list(islice(self._by_client, 2)):
            if self._by_client[client].ends <= now:
                del self._by_client[client]


class Limiter:
    """Counts in fixed windows, which begin with a client's first request: cheap per request, and exact enough here."""

    def __init__(self, rates: RateLimits, now: Callable[[], float] = time.monotonic) -> None:
        self._windows = {
            "generate": _Windows(rates.generate),
            "auth": _Windows(rates.auth),
            "default": _Windows(rates.default),
        }
        self._now = now

    def hit(self, rate: str, client: str) -> None:
        """Count one request, or raise `Throttled` with the seconds until the window ends."""
        windows, now = self._windows[rate], self._now()
        window = windows.of(client, now)
        window.hits += 1
        if window.hits > windows.most:
            raise Throttled("rate_limited", "Too many requests; please slow down.", retry_after=window.ends - now)


def rate_of(path: str, method: str, query: bytes) -> str | None:
    """Which limit a request counts against; None for what is exempt: webhooks, health, metrics and pictures."""
    if path.startswith("/api/v1/"):
        if path in _WEBHOOKS:
            return None
        if path.startswith("/api/v1/auth/"):
            return "auth"
        is_generate = path == "/api/v1/image/generate" and method == "POST"
        return "generate" if is_generate and not _is_dry_run(query) else "default"
    return None if path.startswith(("/health/", "/media/", "/metrics")) else "default"


def _is_dry_run(query: bytes) -> bool:
    """Whether the query says so and nothing else: where it says both, the route decides, and renders are counted."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {value.lower() in _TRUE for name, value in pairs if name == "dry_run"} == {True}
