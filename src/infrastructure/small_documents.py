"""Small JSON documents over HTTP: read within limits of time and size, and kept for as long as their server says."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import httpx
import msgspec
from msgspec import Struct

from infrastructure.bounded_replies import read_bounded

CALL_SECONDS = 10.0
MAX_BYTES = 256 * 1024
LONGEST_KEPT_SECONDS = 86_400.0
USUALLY_KEPT_SECONDS = 300.0
"""Where the server says nothing."""
FORCED_PAUSE_SECONDS = 10.0

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])", re.IGNORECASE)
_FOR_NOBODY = re.compile(r"\bno-(?:store|cache)\b", re.IGNORECASE)

T = TypeVar("T")


class NoAnswer(Exception):  # noqa: N818 - a state of the server
    """It did not answer, not in time, not briefly, or not what it should."""


class Answer(Struct, frozen=True):
    status: int
    cache_control: str
    body: bytes

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)

    def read(self, shape: type[T]) -> T:
        """The body as this type, or `NoAnswer`."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NoAnswer(f"an answer {self.status} of another form: {error}") from error


class SmallDocuments:
    """Calls that are not repeated here, follow no redirects and take nothing from the environment."""

    def __init__(self, *, timeout: float = CALL_SECONDS) -> None:
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(timeout, connect=5),
            follow_redirects=False,
            trust_env=False,
        )

    async def get(self, url: str) -> Answer:
        return await self._call("GET", url, None)

    async def post(self, url: str, form: Mapping[str, str]) -> Answer:
        return await self._call("POST", url, form)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, url: str, form: Mapping[str, str] | None) -> Answer:
        try:
            async with asyncio.timeout(self._timeout), self._client.stream(method, url, data=form) as response:
                return Answer(
                    response.status_code,
                    response.headers.get("Cache-Control", ""),
                    await read_bounded(response, MAX_BYTES),
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NoAnswer(f"no answer: {error!r}") from error


class KeptDocument(Generic[T]):
    """One document, fetched when it is first asked for and again when it has expired (RFC 9111, section 5.2.2.1)."""

    def __init__(self, documents: SmallDocuments, shape: type[T], now: Callable[[], float] = time.monotonic) -> None:
        self._documents = documents
        self._shape = shape
        self._now = now
        self._fetching: asyncio.Task[T] | None = None
        self._kept: T | None = None
        self._expires = 0.0
        self._may_be_forced = float("-inf")

    async def read(self, url: str, *, anew: bool = False) -> T:
        """The document, or `NoAnswer`. `anew` fetches it though it has not expired, once in ten seconds at most."""
        forced = anew and self._now() >= self._may_be_forced
        if forced:
            self._may_be_forced = self._now() + FORCED_PAUSE_SECONDS
        if self._kept is not None and not forced and self._now() < self._expires:
            return self._kept
        # All who come meanwhile wait for the same answer: a server that is silent costs each of them one time limit.
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(url))
            self._fetching.add_done_callback(self._fetched)
        return await asyncio.shield(self._fetching)

    def _fetched(self, fetching: asyncio.Task[T]) -> None:
        self._fetching = None
        if not fetching.cancelled():
            fetching.exception()  # looked at, also when all who waited have gone

    async def _fetch(self, url: str) -> T:
        answer = await self._documents.get(url)
        if not answer.is_success:
            raise NoAnswer(f"an answer {answer.status} instead of a document")
        self._kept = document = answer.read(self._shape)
        self._expires = self._now() + _seconds_kept(answer.cache_control)
        return document


def _seconds_kept(cache_control: str) -> float:
    if _FOR_NOBODY.search(cache_control):
        return 0.0
    named = _MAX_AGE.search(cache_control)
    return min(float(named[1]), LONGEST_KEPT_SECONDS) if named else USUALLY_KEPT_SECONDS
