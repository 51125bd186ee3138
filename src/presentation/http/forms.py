"""Uploaded files, taken out of multipart bodies by hand.

Litestar reads a form before it asks who sends it, and decodes text parts with whatever charset they name, some of which
take the event loop hours. Here nothing is decoded, and nothing is read before the sender is known.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.openapi.spec import Encoding, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from domain.errors import Invalid, Throttled
from domain.uploads import LARGEST_UPLOAD
from presentation.http.security import network_of

FILE = "file"
LARGEST_FORM = LARGEST_UPLOAD + 64 * 1024
"""Bytes, with what a form puts around its file."""
_MOST_PARTS = 1
_PICTURES = "image/jpeg, image/png, image/gif"
_WANTED = "Send multipart/form-data with one part: the file, named `file`."


@dataclass
class FileUpload(Operation):
    """Describes a body of one file, for the OpenAPI document."""

    def __post_init__(self) -> None:
        part = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
        form = Schema(type=OpenAPIType.OBJECT, properties={FILE: part}, required=[FILE], additional_properties=False)
        pictures = {FILE: Encoding(content_type=_PICTURES)}
        content = {"multipart/form-data": OpenAPIMediaType(schema=form, encoding=pictures)}
        self.request_body = RequestBody(content=content, required=True)


class Intake:
    """Bounds what unfinished uploads take: so many at once, so many of one client, each for so many seconds.

    Each may grow to 10 MB in memory, and a client can be as slow as it likes with the last byte.
    """

    def __init__(self, *, most: int = 64, each: int = 16, seconds: float = 60.0) -> None:
        self._most = most
        self._each = each
        self._seconds = seconds
        self._open: Counter[str] = Counter()

    @asynccontextmanager
    async def admitted(self, client: str) -> AsyncIterator[None]:
        """Read a body inside; raises as `place`, and `Invalid` when the body is too slow."""
        with self.place(client):
            async with in_time(self._seconds):
                yield

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Be counted inside; `Throttled` (`rate_limited`) when there are too many."""
        if self._open.total() >= self._most or self._open[client] >= self._each:
            raise Throttled("rate_limited", "Too many uploads at once; please wait for one to end.", retry_after=5)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Read what a client sends inside; `Invalid` when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Invalid("validation_failed", "The upload took too long.", field=FILE) from None


async def uploaded_file(request: Request[Any, Any, Any]) -> bytes:
    """The bytes of the only part, which is the file; raise as `Intake.admitted`, or `Invalid`."""
    boundary = boundary_of(request)
    if boundary is None:
        raise Invalid("validation_failed", _WANTED, field=FILE)
    intake: Intake = request.app.state.intake
    async with intake.admitted(network_of(request.scope["state"]["client"][0])):
        body = await request.body()
    try:
        return _only_file(body, boundary)
    except (MultipartError, UnicodeError, ValueError) as broken:
        raise Invalid("validation_failed", _WANTED, field=FILE) from broken


def boundary_of(request: Request[Any, Any, Any]) -> str | None:
    """What separates the parts of a form; None when the body is none."""
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    return options.get("boundary") or None if content_type == "multipart/form-data" else None


def _only_file(body: bytes, boundary: str) -> bytes:
    found = bytearray()
    is_there = False
    with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
        for event in [*parser.parse(body), *parser.parse(b"")]:
            if isinstance(event, MultipartSegment):
                if event.name != FILE or event.filename is None:
                    raise ValueError("the part is not the file")
                is_there = True
            elif event is not None:
                found += event
    if not is_there:
        raise ValueError("there is no part")
    return bytes(found)
