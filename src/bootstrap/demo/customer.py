"""A customer who speaks to the API as a frontend would, and reads mail where the sandbox keeps it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import msgspec
from msgspec import Struct

TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED"})

_LOOK_AGAIN_SECONDS = 0.3
_MAIL_SECONDS = 30.0
_RENDER_SECONDS = 300.0

Answer = TypeVar("Answer")


class JourneyError(RuntimeError):
    """A step did not go as it should; the message says what was asked and what came back."""


class Tokens(Struct):
    access_token: str


class Profile(Struct):
    email: str
    is_verified: bool
    credits: int
    credits_held: int


class Style(Struct):
    id: int
    name: str
    description: str


class Styles(Struct):
    items: list[Style]


class Upload(Struct):
    image_input_url: str
    width: int
    height: int


class Accepted(Struct):
    image_id: int
    credits_held: int


class View(Struct):
    view: str
    status: str
    url: str | None
    error: str | None
    time_taken: float | None


class Image(Struct):
    status: str
    input_image_url: str
    views: list[View]


class Event(Struct):
    """What happened to a try-on, as its stream tells it; without a view, to the whole of it."""

    view: str | None
    status: str
    at: datetime


class Mail(Struct):
    subject: str
    links: list[str]


class Mails(Struct):
    mails: list[Mail]


class Problem(Struct):
    code: str = ""
    detail: str = ""
    request_id: str = ""


class Customer:
    """`api` is the API's address, `outbox` where the sandbox lists the mails it was given.

    `before_each_call` may raise, to end the journey.
    """

    def __init__(self, api: str, outbox: str, *, before_each_call: Callable[[], None]) -> None:
        self._before_each_call = before_each_call
        self._api = f"{api}/api/v1"
        self._outbox = outbox
        self._client = httpx.Client(timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def register(self, email: str, password: str, name: str) -> None:
        self._call("POST", f"{self._api}/auth/register", Any, json={"email": email, "password": password, "name": name})

    def wait_for_mail(self, email: str) -> Mail:
        """The newest mail to this address, once there is one."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while not (mails := self._call("GET", self._outbox, Mails, params={"to": email}).mails):
            if time.monotonic() > deadline:
                raise JourneyError(f"No mail has come to {email} within {_MAIL_SECONDS:.0f} s.")
            time.sleep(_LOOK_AGAIN_SECONDS)
        return mails[0]

    def follow(self, link: str) -> None:
        self._call("GET", link, Any)

    def log_in(self, email: str, password: str) -> None:
        """From now on, every call is made as this customer."""
        tokens = self._call("POST", f"{self._api}/auth/login", Tokens, json={"email": email, "password": password})
        self._client.headers["Authorization"] = f"Bearer {tokens.access_token}"

    def profile(self) -> Profile:
        return self._call("GET", f"{self._api}/user/me", Profile)

    def styles(self) -> list[Style]:
        return self._call("GET", f"{self._api}/image/styles", Styles).items

    def upload(self, photo: Path) -> Upload:
        with photo.open("rb") as file:
            return self._call("POST", f"{self._api}/image/upload", Upload, files={"file": (photo.name, file)})

    def generate(self, style: Style, photo: Upload, views: list[str]) -> Accepted:
        body = {"style_id": style.id, "image_input_url": photo.image_input_url, "views": views}
        return self._call("POST", f"{self._api}/image/generate", Accepted, json=body)

    def watch(self, image_id: int, tell: Callable[[Event], None]) -> Image:
        """Follow the try-on's stream to its end; where it breaks off, connect again and go on from there."""
        deadline = time.monotonic() + _RENDER_SECONDS
        url, seen = f"{self._api}/image/{image_id}/events", "0"
        while True:
            self._before_each_call()
            try:
                with self._client.stream("GET", url, headers={"Last-Event-ID": seen}) as response:
                    if response.status_code == HTTPStatus.NO_CONTENT:
                        break
                    if not response.is_success:
                        response.read()
                        raise _refusal(response)
                    for seen, event in _events(response.iter_lines()):  # noqa: B007 - where to go on from
                        tell(event)
            except httpx.TransportError:
                time.sleep(_LOOK_AGAIN_SECONDS)
            if time.monotonic() > deadline:
                raise JourneyError(f"The try-on has not ended after {_RENDER_SECONDS:.0f} s.")
        return self._call("GET", f"{self._api}/image/status/{image_id}", Image)

    def download(self, url: str, to: Path) -> None:
        """A picture's address needs no session."""
        to.write_bytes(self._ask("GET", url, headers={"Authorization": ""}).content)

    def _call(self, method: str, url: str, answer: type[Answer], **request: Any) -> Answer:
        response = self._ask(method, url, **request)
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.DecodeError as error:
            raise JourneyError(f"{method} {url} answered something else than expected: {error}") from error

    def _ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        self._before_each_call()
        try:
            response = self._client.request(method, url, **request)
        except httpx.HTTPError as error:
            raise JourneyError(f"{method} {url} was not answered: {error!r}") from error
        if response.is_success:
            return response
        raise _refusal(response)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Event]]:
    """The events in a stream of Server-Sent Events, each with its id."""
    seen = "0"
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            seen = value
        elif name == "data":
            yield seen, msgspec.json.decode(value, type=Event)


def _refusal(response: httpx.Response) -> JourneyError:
    try:
        problem = msgspec.json.decode(response.content, type=Problem)
    except msgspec.DecodeError:
        problem = Problem(detail=response.text[:200])
    return JourneyError(
        f"{response.request.method} {response.request.url} was refused: {response.status_code} {problem.code}. "
        f"{problem.detail} (request {problem.request_id})"
    )
