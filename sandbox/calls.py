import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

KEPT = 5_000
LARGEST_BODY = 16 * 1024
SECRET_HEADERS = frozenset({"authorization", "api-key", "cookie", "proxy-authorization"})


class Call(Struct, kw_only=True):
    """One call that came in (or a webhook that went out), as `GET __control` tells it."""

    number: int
    at: str
    operation: str
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: Any = None
    size: int = 0
    status: int | None = None
    fault: str | None = None
    seconds: float | None = None

    @property
    def taken(self) -> bool:
        """Whether it was answered with a 2xx, which for a webhook means that it need not be sent again."""
        return self.status is not None and 200 <= self.status < 300


class CallLog:
    """The latest calls, and the count of all of them by operation since the last reset."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()

    def add(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Call:
        self._counts[operation] += 1
        call = Call(
            number=self._counts.total(),
            at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            operation=operation,
            method=method,
            path=path,
            query=query,
            headers={name: "[hidden]" if name in SECRET_HEADERS else value for name, value in headers},
            body=readable(body),
            size=len(body),
        )
        self._calls.append(call)
        return call

    def clear(self) -> None:
        self._calls.clear()
        self._counts.clear()

    def listing(self, operation: str | None, since: int) -> list[Call]:
        return [call for call in self._calls if call.number > since and operation in {None, call.operation}]

    @property
    def counts(self) -> Mapping[str, int]:
        return self._counts


def readable(body: bytes) -> Any:
    """The JSON of a body, else its text; None for what is neither, empty or large."""
    if not body or len(body) > LARGEST_BODY:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return body.decode()
        except UnicodeDecodeError:
            return None


class Stopwatch:
    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        return round(time.perf_counter() - self._start, 4)
