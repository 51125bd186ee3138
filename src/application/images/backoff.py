"""How long to wait until something is tried again."""

import random
from datetime import timedelta

LONGEST_WAIT = timedelta(days=1)
"""Beyond every deadline; a provider may name any number of seconds, more than a time can hold."""


def backoff(attempt: int, retry_after: float | None = None) -> timedelta:
    """1 s after the first attempt, 2 s after the second, with up to half as much jitter, or what the provider named."""
    if retry_after is not None:
        return timedelta(seconds=min(retry_after, LONGEST_WAIT.total_seconds()))
    return timedelta(seconds=attempt * random.uniform(1, 1.5))  # noqa: S311 - jitter
