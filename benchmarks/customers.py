"""The requests of many customers, as they go over the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from benchmarks.data import PASSWORD, USERS, email_of, images_of
from domain.sessions import Session, SignInMethod
from infrastructure.tokens import JwtTokens

_REQUESTS = 4_000
_SEED = 1
_HEADERS = "Host: localhost\r\nAccept: application/json\r\nUser-Agent: benchmark\r\n"


class Customers:
    """All are signed in. Each request is another's, in an order that is the same in every run."""

    def __init__(self, secret_key: str) -> None:
        tokens = JwtTokens(secret_key, "", access_life=timedelta(hours=2), refresh_life=timedelta(days=7))
        now = datetime.now(UTC)
        self._tokens = {user: tokens.access(_session_of(user, now), now) for user in range(1, USERS + 1)}

    def get(self, path: str) -> list[str]:
        """Ask for `path`, in which `{image}` is one of the customer's own try-ons."""
        return [
            f"GET {path.format(image=image)} HTTP/1.1\r\n{_HEADERS}Authorization: Bearer {self._tokens[user]}\r\n\r\n"
            for user, image in _picks()
        ]

    def log_in(self, path: str) -> list[str]:
        bodies = (msgspec.json.encode({"email": email_of(user), "password": PASSWORD}).decode() for user, _ in _picks())
        return [
            f"POST {path} HTTP/1.1\r\n{_HEADERS}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
            for body in bodies
        ]


def _picks() -> Iterator[tuple[int, int]]:
    """Customers at random, and one image of each."""
    dice = Random(_SEED)  # noqa: S311 - a fair spread, no secret
    for _ in range(_REQUESTS):
        user = dice.randint(1, USERS)
        yield user, dice.choice(images_of(user))


def _session_of(user: int, now: datetime) -> Session:
    session = Session(
        user_id=user,
        user_agent="benchmark",
        ip="127.0.0.1",
        signed_in_by=SignInMethod.PASSWORD,
        created_at=now,
        rotated_at=now,
        last_used_at=now,
    )
    session.id = user
    return session
