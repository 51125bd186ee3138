"""Forms that carry their own permission: signed fields first, the file last, as S3 takes them."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from domain.errors import Invalid, TooLarge
from presentation.http.forms import FILE, Intake, boundary_of, in_time

Admit = Callable[[Mapping[str, str]], tuple[str, int]]
"""What the fields permit: the key to store under, and how many bytes; `Forbidden` when they permit nothing."""

FORM_PATH = "/media-upload"
_MOST_PARTS = 16
_LONGEST_FIELD = 1024
_MOST_BEFORE_FILE = 32 * 1024
"""Bytes: twice what sixteen of the longest fields are, for what is around them."""
_FIELDS_SECONDS = 5.0
_WANTED = "Send multipart/form-data with the fields of the form as they are, and then the file, named `file`."


async def signed_file(
    request: Request[Any, Any, Any], intake: Intake, admit: Admit, *, seconds: float = _FIELDS_SECONDS
) -> tuple[str, bytes]:
    """The key and the bytes of the file; `seconds` is how long its fields may take to come.

    Anybody may send fields: few, short and soon, they take up next to nothing. For the file there is a limited number
    of places, and whoever shows a good form gets one, for each form one at a time: strangers take nobody's. Raises as
    `Intake.admitted`, or `Invalid`, `TooLarge`, and what `admit` raises.
    """
    boundary = boundary_of(request)
    if boundary is None:
        raise _malformed()
    form = _SignedForm(admit)
    chunks = request.stream()
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
            async with in_time(seconds):
                await _take_fields(form, parser, chunks)
            async with intake.admitted(form.key):
                async for chunk in chunks:
                    form.take_all(parser.parse(chunk))
    except (MultipartError, UnicodeError, ValueError) as broken:
        raise _malformed() from broken
    if not form.file:
        raise _malformed()
    return form.key, bytes(form.file)


async def _take_fields(form: "_SignedForm", parser: PushMultipartParser, chunks: AsyncIterator[bytes]) -> None:
    """Read until the file begins, whose first bytes may be in the last chunk that is read here."""
    received = 0
    async for chunk in chunks:
        form.take_all(parser.parse(chunk))
        if form.file is not None:
            return
        received += len(chunk)
        if received > _MOST_BEFORE_FILE:
            raise ValueError("the file does not begin")
    raise ValueError("there is no file")


class _SignedForm:
    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._fields: dict[str, str] = {}
        self._name = ""
        self._value = bytearray()
        self._largest = 0
        self.key = ""
        self.file: bytearray | None = None

    def take_all(self, events: Iterable[MultipartSegment | bytearray | None]) -> None:
        """Beginnings of parts, some bytes of them, and ends; raises `ValueError` where one makes no sense."""
        for event in events:
            self._take(event)

    def _take(self, event: MultipartSegment | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif self.file is not None:
            self.file += event or b""
            if len(self.file) > self._largest:
                raise TooLarge("payload_too_large", "The file is larger than its form allows.", field=FILE)
        elif event is not None:
            self._value += event
            if len(self._value) > _LONGEST_FIELD:
                raise ValueError("a field is too long")
        else:
            self._fields[self._name] = self._value.decode()

    def _begin(self, part: MultipartSegment) -> None:
        if self.file is not None:
            raise ValueError("the file is not the last part")
        if part.name == FILE:
            self.key, self._largest = self._admit(self._fields)
            self.file = bytearray()
        elif not part.name or part.name in self._fields or part.filename is not None:
            raise ValueError("not a field")
        self._name, self._value = part.name or "", bytearray()


def _malformed() -> Invalid:
    return Invalid("validation_failed", _WANTED, field=FILE)
