"""Password hashing with argon2id, off the event loop."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from application.auth.ports import Passwords
from domain.errors import Throttled
from infrastructure.background_threads import background_threads

MEMORY_KIB = 19_456
TIME_COST = 2
PARALLELISM = 1
"""The OWASP password storage cheat sheet's first choice for argon2id with m = 19 MiB."""
COMMON = 3_000
MOST_WAITING = 64
"""Some seconds of work: who asks when so many wait already would have given up before the turn came."""

T = TypeVar("T")


class Argon2Passwords(Passwords):
    """Hashes in as many threads as there are cores to spare: argon2 lets go of the interpreter while it works.

    The pool is the semaphore: excess work queues there, and the event loop goes on answering. Beyond a number of
    waiting hashes the next is refused (`Throttled`, `rate_limited`), whatever it is for. Where cores are short, the
    threads give way to the event loop.
    """

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM, type=Type.ID
        )
        threads = max((os.cpu_count() or 2) - 1, 1)
        self._threads = background_threads(threads, name="argon2")
        self._free_places = threads + most_waiting
        self._common = frozenset(FREQUENCY_LISTS["passwords"][:COMMON])
        self._nobodys_hash = self._hasher.hash(os.urandom(16).hex())

    async def hash(self, password: str) -> str:
        return await self._away(partial(self._hasher.hash, password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        matches = await self._away(partial(self._matches, password_hash or self._nobodys_hash, password))
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def common(self, password: str) -> bool:
        return password.lower() in self._common

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _away(self, work: Callable[[], T]) -> T:
        if not self._free_places:
            raise Throttled("rate_limited", "Too many people are signing in; please try again.", retry_after=1)
        self._free_places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._free_places += 1
