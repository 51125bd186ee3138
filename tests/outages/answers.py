"""What was asked and what was heard, and what is heard as a rule."""

from collections.abc import Mapping

import httpx
from msgspec import Struct

NORMAL: Mapping[str, str] = {
    "live": "200",
    "ready": "200 ok",
    "styles": "200",
    "status": "200",
    "gallery": "200",
    "credits": "200",
    "upload": "201",
    "generate": "202",
    "register": "202",
    "login": "200",
    "checkout": "201",
    "webhook": "200",
    "try-on": "COMPLETED",
    "mail": "came",
}
"""The answer of each route while nothing is away."""

IN_THE_END = frozenset({"try-on", "mail"})
"""No answers of the API but what comes of one later: they take as long as they take."""

PROBE = "ready"
"""It tells how things stood up to a second ago, and its 503 is for a proxy: nobody is asked to come back."""


class Answer(Struct, frozen=True):
    """Times are of the monotonic clock."""

    route: str
    asked: float
    heard: float
    what: str
    says_when: bool = False
    """With `Retry-After`."""

    @property
    def seconds(self) -> float:
        return self.heard - self.asked

    @property
    def is_normal(self) -> bool:
        return self.what == NORMAL[self.route]

    @property
    def may_be_asked_again(self) -> bool:
        """A 503 says when to come back."""
        return self.says_when or self.route == PROBE or not self.what.startswith("503")


def spelled(answer: httpx.Response) -> str:
    """Status and code."""
    told = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if not isinstance(told, dict):
        return str(answer.status_code)
    word = told.get("code", "") if answer.is_error else ""
    if "checks" in told:
        word = told["status"]
    return f"{answer.status_code} {word}".strip()
