"""How often a client may ask. Counters live in the process: the general limits need no Redis."""

import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from msgspec import Struct

from domain.errors import Throttled


class RateLimits(Struct, frozen=True):
    """Each like `5/minute`."""

    generate: str = "5/minute"
    auth: str = "20/minute"
    default: str = "300/minute"


class Limiter:
    """Counts in fixed windows, which is the cheapest count per request and exact enough here."""

    def __init__(self, rates: RateLimits) -> None:
        self._counts = FixedWindowRateLimiter(MemoryStorage())
        self._items: dict[str, RateLimitItem] = {
            "generate": parse(rates.generate),
            "auth": parse(rates.auth),
            "default": parse(rates.default),
        }

    def hit(self, rate: str, client: str) -> None:
        """Count one request, or raise `Throttled` with the seconds until the window ends."""
        item = self._items[rate]
        if not self._counts.hit(item, rate, client):
            ends = self._counts.get_window_stats(item, rate, client).reset_time
            raise Throttled("rate_limited", "Too many requests; please slow down.", retry_after=ends - time.time())


def rate_of(path: str, method: str) -> str | None:
    """Which limit a request counts against; None for what is exempt: webhooks, health, metrics and pictures."""
    if path.startswith("/api/v1/"):
        if path.endswith("/webhook"):
            return None
        if path.startswith("/api/v1/auth/"):
            return "auth"
        return "generate" if path == "/api/v1/image/generate" and method == "POST" else "default"
    return None if path.startswith(("/health/", "/media/", "/metrics")) else "default"
