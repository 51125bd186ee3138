"""Forms that carry their own permission: signed fields first, the file last, as S3 takes them."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from domain.errors import Invalid, TooLarge
from presentation.http.forms import FILE, Intake, boundary_of

Admit = Callable[[Mapping[str, str]], tuple[str, int]]
"""What the fields permit: the key to store under, and how many bytes; `Forbidden` when they permit nothing."""

FORM_PATH = "/media-upload"
_MOST_PARTS = 16
_LONGEST_FIELD = 1024
"""Bytes."""
_WANTED = "Send multipart/form-data with the fields of the form as they are, and then the file, named `file`."


async def signed_file(request: Request[Any, Any, Any], intake: Intake, admit: Admit) -> tuple[str, bytes]:
    """The key and the bytes of the file. Not before its fields have been admitted is anything of the file kept."""
    boundary = boundary_of(request)
    if boundary is None:
        raise _malformed()
    form = _SignedForm(admit)
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
            async with intake.admitted(request):
                async for chunk in request.stream():
                    for event in parser.parse(chunk):
                        form.take(event)
    except (MultipartError, UnicodeError, ValueError) as broken:
        raise _malformed() from broken
    if not form.file:
        raise _malformed()
    return form.key, bytes(form.file)


class _SignedForm:
    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._fields: dict[str, str] = {}
        self._name = ""
        self._value = bytearray()
        self._largest = 0
        self.key = ""
        self.file: bytearray | None = None

    def take(self, event: MultipartSegment | bytearray | None) -> None:
        """The beginning of a part, some bytes of it, or its end; raises `ValueError` when it makes no sense here."""
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
