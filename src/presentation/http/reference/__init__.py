"""The API's own description: the OpenAPI document with examples, and a page that shows it, from our own host only."""

import re
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin

from presentation.http.reference.corrections import corrected
from presentation.http.reference.examples import EXAMPLES

Document = dict[str, Any]

_GENERIC_NAME = re.compile(r"Page_[\w.]*?(\w+)_(?=\")")


class ReferenceJson(JsonRenderPlugin):
    """The OpenAPI document, for programs."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:
        return super().render(request, with_examples(openapi_schema))


class ReferencePage(OpenAPIRenderPlugin):
    """The same for people: one page without scripts, so that nothing is fetched from anywhere."""

    def __init__(self) -> None:
        super().__init__(path="/reference", media_type=MediaType.HTML)
        templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = templates.get_template("page.html")

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:  # noqa: ARG002 - Litestar's shape
        document = with_examples(openapi_schema)
        by_tag: dict[str, list[Document]] = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                described = {**operation, "path": path, "method": method.upper(), "body": _body_of(operation)}
                by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(described)
        schemas = document["components"]["schemas"]
        return self._template.render(info=document["info"], tags=by_tag, schemas=schemas, pretty=_pretty).encode()


def with_examples(document: Document) -> Document:
    """Put an example beside every schema that has one. Examples are made of the real types, so they cannot drift."""
    document = corrected(_with_plain_names(document))
    schemas = document.get("components", {}).get("schemas", {})
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name]["examples"] = [msgspec.to_builtins(example)]
    return document


def _with_plain_names(document: Document) -> Document:
    """Name pages after what is on them: Litestar writes out the module, which makes a poor name for a client's type."""
    text = _GENERIC_NAME.sub(r"PageOf\1", msgspec.json.encode(document).decode())
    plain: Document = msgspec.json.decode(text)
    return plain


def _body_of(operation: Document) -> str | None:
    """The name of the schema that a request's body has."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema", {})
        for candidate in (schema, *schema.get("oneOf", [])):
            if "$ref" in candidate:
                return str(candidate["$ref"]).rpartition("/")[2]
    return None


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
