"""Uploaded files, taken out of multipart bodies by hand.

Litestar reads a form before it asks who sends it, and decodes text parts with whatever charset they name, some of which
take the event loop hours. Here nothing is decoded, and nothing is read before the sender is known.
"""

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.openapi.spec import Encoding, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from application.images.upload_photo import LARGEST_UPLOAD
from domain.errors import Invalid

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


async def uploaded_file(request: Request[Any, Any, Any]) -> bytes:
    """The bytes of the only part, which is the file, or `Invalid`."""
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    if content_type != "multipart/form-data" or not options.get("boundary"):
        raise Invalid("validation_failed", _WANTED, field=FILE)
    try:
        return _only_file(await request.body(), options["boundary"])
    except (MultipartError, UnicodeError, ValueError) as broken:
        raise Invalid("validation_failed", _WANTED, field=FILE) from broken


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
