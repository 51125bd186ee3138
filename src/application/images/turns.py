import asyncio
from weakref import WeakValueDictionary


class Turns:
    """Lets one at a time work on a key, in this process. Whoever waits should hold nothing meanwhile."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """To be held by whoever works on the key, and forgotten with the last one who has it."""
        return self._locks.setdefault(key, asyncio.Lock())
