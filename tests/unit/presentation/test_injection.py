"""Which container the parts of a request come from."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from dishka import AsyncContainer, Provider, Scope, make_async_container
from dishka.integrations.litestar import LitestarProvider
from litestar import Request

from presentation.http.injection import Parts, RequestContainers


class Catalogue:
    """Made once per process."""


class Session:
    """Made for each request, and closed with it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.ended_by: BaseException | str | None = "nobody"


class Desk:
    """Made for each request, and told which it is."""

    def __init__(self, session: Session, request: Request) -> None:  # type: ignore[type-arg]
        self.session = session
        self.path = request.url.path


@pytest.fixture
def sessions() -> list[Session]:
    return []


@pytest.fixture
async def container(sessions: list[Session]) -> AsyncIterator[AsyncContainer]:
    provider = Provider(scope=Scope.REQUEST)
    provider.provide(Catalogue, scope=Scope.APP)

    async def open_session(catalogue: Catalogue) -> AsyncIterator[Session]:
        session = Session(catalogue)
        sessions.append(session)
        session.ended_by = yield session

    provider.provide(open_session)
    provider.provide(Desk)
    container = make_async_container(provider, LitestarProvider())
    yield container
    await container.close()


async def ask(container: AsyncContainer, *wanted: type[Any], path: str = "/", failure: Exception | None = None) -> Any:
    """Play a request whose handler asks for these parts."""
    found: list[Any] = []

    async def app(scope: Any, *_: Any) -> None:
        parts: Parts = scope["state"]["dishka_container"]
        found.extend([await parts.get(each) for each in wanted])
        if failure:
            raise failure

    scope: Any = {"type": "http", "path": path, "state": {}, "headers": [], "server": ("example.com", 80)}
    await RequestContainers(app, container)(scope, None, None)  # type: ignore[arg-type]
    return found


async def test_what_the_process_has_costs_a_request_nothing(container: AsyncContainer, sessions: list[Session]) -> None:
    first, second = await ask(container, Catalogue), await ask(container, Catalogue)
    assert first == second
    assert sessions == []


async def test_each_request_has_its_own_of_what_belongs_to_a_request(
    container: AsyncContainer, sessions: list[Session]
) -> None:
    """One of each, however often it is asked for, and whatever was asked of the process before."""
    catalogue, session, desk, again = await ask(container, Catalogue, Session, Desk, Session, path="/one")
    (other,) = await ask(container, Desk, path="/two")
    assert desk.session is session is again
    assert session.catalogue is other.session.catalogue is catalogue
    assert other.session is not session
    assert (desk.path, other.path) == ("/one", "/two")
    assert [each.ended_by for each in sessions] == [None, None]


async def test_what_belongs_to_a_request_hears_how_it_failed(
    container: AsyncContainer, sessions: list[Session]
) -> None:
    failure = ValueError("no such thing")
    with pytest.raises(ValueError, match="no such thing"):
        await ask(container, Session, failure=failure)
    assert [each.ended_by for each in sessions] == [failure]
