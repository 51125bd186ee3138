"""The requests of many customers, as they go over the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

import msgspec

from benchmarks.data import PASSWORD, USUAL, Population, email_of, upload_key
from domain.sessions import Session, SignInMethod
from infrastructure.tokens import JwtTokens

_REQUESTS = 4_000
_SEED = 1
_HEADERS = "Host: localhost\r\nAccept: application/json\r\nUser-Agent: benchmark\r\n"


class Customers:
    """All are signed in. Each request is another's, in an order that is the same in every run."""

    def __init__(self, secret_key: str, size: Population = USUAL) -> None:
        tokens = JwtTokens(secret_key, "", access_life=timedelta(hours=2), refresh_life=timedelta(days=7))
        now = datetime.now(UTC)
        self._size = size
        self._token_of = cache(lambda user: tokens.access(_session_of(user, now), now))

    def get(self, path: str) -> list[bytes]:
        """Ask for `path`, in which `{image}` is one of the customer's own try-ons."""
        return [self._request("GET", path.format(image=image), user) for user, image in self._picks()]

    def admins_get(self, path: str) -> list[bytes]:
        """The first user asks, whom `data.populate` makes an admin when it keeps books."""
        return [self._request("GET", path, 1)]

    def log_in(self, path: str) -> list[bytes]:
        return [
            _with_body(f"POST {path} HTTP/1.1\r\n{_HEADERS}", {"email": email_of(user), "password": PASSWORD})
            for user, _ in self._picks()
        ]

    def generate(self, path: str) -> list[bytes]:
        """Ask for the front view of a photo of the customer's own."""
        return [
            _with_body(
                self._head("POST", path, user),
                {"style_id": 1, "image_input_url": f"https://api.example.com/media/{upload_key(user)}"},
            )
            for user, _ in self._picks()
        ]

    def upload(self, path: str, photo: bytes, count: int) -> list[bytes]:
        """Send a photo, each request another customer."""
        boundary = "-" * 16
        disposition = 'form-data; name="file"; filename="photo.jpg"'
        part = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
        body = part.encode() + photo + f"\r\n--{boundary}--\r\n".encode()
        kind = f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {len(body)}\r\n\r\n"
        return [f"{self._head('POST', path, user)}{kind}".encode() + body for user in range(1, count + 1)]

    def watch(self, path: str, count: int) -> list[bytes]:
        """Watch a try-on that is in progress, each request another customer's."""
        return [
            self._request("GET", path.format(image=self._size.open_image_of(user)), user)
            for user in range(1, count + 1)
        ]

    def _request(self, method: str, path: str, user: int) -> bytes:
        return f"{self._head(method, path, user)}\r\n".encode()

    def _head(self, method: str, path: str, user: int) -> str:
        return f"{method} {path} HTTP/1.1\r\n{_HEADERS}Authorization: Bearer {self._token_of(user)}\r\n"

    def _picks(self) -> Iterator[tuple[int, int]]:
        """Customers at random, and one image of each."""
        dice = Random(_SEED)  # noqa: S311 - a fair spread, no secret
        for _ in range(_REQUESTS):
            user = dice.randint(1, self._size.users)
            yield user, dice.choice(self._size.images_of(user))


def _with_body(head: str, content: object) -> bytes:
    body = msgspec.json.encode(content)
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


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
