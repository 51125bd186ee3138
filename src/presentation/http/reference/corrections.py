"""What Litestar's OpenAPI document says otherwise than the API does, put right."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]

_WITHOUT_BODY = {"204", "303", "304"}
_LARGEST_INTEGER = 2**63 - 1


def corrected(document: Document) -> Document:
    """The document itself, changed.

    - Bodies take no unknown fields.
    - A body that may be left out is not required; an answer that has none (204, 303, 304) describes none.
    - Items of a list are of its one type; of `tuple[X, ...]`, Litestar makes "either an X or anything".
    - Bounds of integers are integers, the largest of which no float can say.
    """
    schemas = document.get("components", {}).get("schemas", {})
    for operation in _operations(document):
        _correct_body(operation.get("requestBody", {}), schemas)
        for status in _WITHOUT_BODY & operation.get("responses", {}).keys():
            operation["responses"][status].pop("content", None)
    for schema in _objects(document):
        _correct_items(schema)
        _correct_bounds(schema)
    return document


def _correct_body(body: Document, schemas: Document) -> None:
    for content in body.get("content", {}).values():
        choices = [content["schema"], *content["schema"].get("oneOf", [])]
        body["required"] = not any(choice.get("type") == "null" for choice in choices)
        for choice in choices:
            name = choice.get("$ref", "").rpartition("/")[2]
            if name in schemas:
                schemas[name]["additionalProperties"] = False


def _correct_items(schema: Document) -> None:
    items = schema.get("items")
    if isinstance(items, dict) and {} in items.get("oneOf", []):
        schema["items"] = items["oneOf"][0]


def _correct_bounds(schema: Document) -> None:
    for bound in ("minimum", "maximum"):
        if schema.get("type") == "integer" and isinstance(schema.get(bound), float):
            schema[bound] = min(int(schema[bound]), _LARGEST_INTEGER)


def _operations(document: Document) -> Iterator[Document]:
    for path in document.get("paths", {}).values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _objects(value: object) -> Iterator[Document]:
    """Every object in it, itself the first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
