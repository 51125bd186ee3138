"""How each route of the API is asked so that it does what it is for.

For every operation of the OpenAPI document there is a method of `Visits` or `AdminVisits` by its name (`getStatus`:
`get_status`), which prepares what the request needs and says what is sent.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.http.routes_of_admins import AdminVisits
from tests.integration.http.routes_of_customers import Visits
from tests.integration.http.stories import Service
from tests.integration.http.visits import Ask, Cast


@dataclass(frozen=True)
class Answered:
    operation: str
    method: str
    path: str
    """As the document has it."""
    signed_in: bool
    response: httpx.Response
    noted: Any
    """What `note` gave for it."""


async def operations(service: Service) -> dict[str, tuple[str, str]]:
    """Method and path of every operation in the document."""
    document = (await service.browser().get(service.root("/schema/openapi.json"))).json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def ask_every_route(
    service: Service, note: Callable[[Awaitable[httpx.Response]], Awaitable[tuple[httpx.Response, Any]]]
) -> AsyncIterator[Answered]:
    """Ask each once, one after the other; `note` sends the request, when all that it needs is there."""
    cast = await Cast.of(service)
    for operation, (method, path) in (await operations(service)).items():
        ask = await _visit(cast, operation)
        address = service.root(path.format(**ask.path))
        response, noted = await note(ask.who.request(method, address, **ask.arguments))
        assert response.is_success or response.status_code == 303, (operation, response.status_code, response.text)
        signed_in = "Authorization" in ask.who.headers
        yield Answered(operation, method, path, signed_in, response, noted)


async def _visit(cast: Cast, operation: str) -> Ask:
    name = re.sub(r"(?=[A-Z])", "_", operation).lower()
    visits = next((one for one in (Visits(cast), AdminVisits(cast)) if hasattr(one, name)), None)
    assert visits is not None, f"There is no way to ask {operation} yet: add `{name}` to a class of visits."
    ask: Ask = await getattr(visits, name)()
    return ask
