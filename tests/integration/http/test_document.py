"""The OpenAPI document says what the API does; `just fuzz` asks at length."""

import re
from typing import Any

from tests.integration.http.stories import Service


async def document(service: Service) -> Any:
    return (await service.browser().get(service.root("/schema/openapi.json"))).json()


async def test_bodies_are_described_as_they_are_read(service: Service) -> None:
    """They take no unknown fields; those that may be left out are not required; lists are of one type."""
    described = await document(service)
    schemas = described["components"]["schemas"]
    for name in ("Register", "LogIn", "LogOut", "GenerateImage"):
        assert schemas[name]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Profile"]
    required = {
        path: described["paths"][f"/api/v1/auth/{path}"]["post"]["requestBody"]["required"]
        for path in ("login", "refresh", "logout")
    }
    assert required == {"login": True, "refresh": False, "logout": False}
    order = schemas["GenerateImage"]["properties"]
    assert order["views"]["items"] == {"$ref": "#/components/schemas/View"}
    assert (order["style_id"]["minimum"], order["style_id"]["maximum"]) == (1, 2**63 - 1)


async def test_an_answer_without_a_body_describes_none(service: Service) -> None:
    described = await document(service)
    answers = [
        (path, status, answer)
        for path, methods in described["paths"].items()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
    ]
    empty = {(path, status) for path, status, answer in answers if "content" not in answer}
    assert {status for _, status in empty} <= {"204", "303", "304"}
    assert ("/api/v1/auth/logout", "204") in empty


async def test_options_name_every_method_of_a_path(service: Service) -> None:
    described = await document(service)
    for path, methods in described["paths"].items():
        response = await service.browser().options(service.root(re.sub(r"{\w+}", "1", path)))
        allowed = set(response.headers["Allow"].split(", "))
        assert allowed == {"OPTIONS", *(method.upper() for method in methods)}, path
