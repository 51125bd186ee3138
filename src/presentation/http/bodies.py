"""JSON bodies, read by the letter: a number in quotes is no number."""

import re
from functools import cache
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException

from domain.errors import Invalid

LARGEST_WEBHOOK = 256 * 1024
"""Bytes."""

_PLACE = re.compile(r" - at `\$\.?(?P<path>.*)`$", re.DOTALL)
_NAMED = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<name>.*?)`", re.DOTALL)


class StrictRequest(Request[Any, Any, Any]):
    async def json(self) -> Any:
        """The body as what the route takes as `data`.

        Litestar's own way decodes first and converts then, leniently, for it treats bodies like queries, where all is
        text. It takes what is of the right type already as it is.

        Raises `ValidationException` naming the field, or `Invalid` (`malformed_json`).
        """
        field = self.route_handler.parsed_data_field
        body = await self.body()
        try:
            return _decoder(field.annotation if field else Any).decode(body)
        except msgspec.ValidationError as fault:
            _require_json(body)
            raise ValidationException(extra=[{"message": _without_place(fault), "key": _field_of(fault)}]) from fault
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise _malformed() from fault


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _require_json(body: bytes) -> None:
    """What is no JSON is told to be none, though its beginning was of the wrong shape already."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _malformed() from fault


def _malformed() -> Invalid:
    return Invalid("malformed_json", "The body is not valid JSON.")


def _without_place(fault: msgspec.ValidationError) -> str:
    return _PLACE.sub("", str(fault))


def _field_of(fault: msgspec.ValidationError) -> str:
    """Where the fault is, such as `views[0]`; empty for the body as a whole."""
    place, named = _PLACE.search(str(fault)), _NAMED.search(str(fault))
    return ".".join(filter(None, (place and place["path"], named and named["name"])))
