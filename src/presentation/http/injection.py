"""Where the parts come from that a route asks for: most live as long as the process, and a request need make none.

dishka's own middleware opens a container for each request, and one around it, which is a twelfth of what a quick read
takes. Here a request gets one when it first asks for what the process's container does not have.
"""

from typing import Any

from dishka import DEFAULT_COMPONENT, AsyncContainer, Scope
from dishka.exceptions import NoFactoryError
from litestar import Request, WebSocket
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as Connection

Part = tuple[Any, str | None]
"""A type and the component of the container that it belongs to."""


class RequestContainers:
    """An ASGI layer that leaves `Parts` where dishka's injection looks for the container of a request or a socket."""

    def __init__(self, app: ASGIApp, container: AsyncContainer) -> None:
        self._app = app
        self._container = container
        self._made_for_each: set[Part] = set()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] not in {ScopeType.HTTP, ScopeType.WEBSOCKET}:
            await self._app(scope, receive, send)
            return
        parts = Parts(self._container, self._made_for_each, scope)
        scope["state"]["dishka_container"] = parts
        try:
            await self._app(scope, receive, send)
        except BaseException as failure:
            await parts.close(failure)
            raise
        await parts.close()


class Parts:
    """What one request or socket asks for its parts."""

    __slots__ = ("_connection", "_container", "_made_for_each", "_own")

    def __init__(self, container: AsyncContainer, made_for_each: set[Part], connection: Connection) -> None:
        self._container = container
        self._made_for_each = made_for_each
        self._connection = connection
        self._own: AsyncContainer | None = None

    async def get(self, wanted: Any, component: str | None = DEFAULT_COMPONENT) -> Any:
        if self._own is None and (wanted, component) not in self._made_for_each:
            try:
                return await self._container.get(wanted, component=component)
            except NoFactoryError:  # the inner one has it: who asks for what nobody makes is found out at the start
                self._made_for_each.add((wanted, component))
        if self._own is None:
            self._own = self._open()
        return await self._own.get(wanted, component=component)

    async def close(self, failure: BaseException | None = None) -> None:
        if self._own is not None:
            await self._own.close(failure)

    def _open(self) -> AsyncContainer:
        if self._connection["type"] == ScopeType.HTTP:
            return self._container({Request: Request(self._connection)}, scope=Scope.REQUEST)
        return self._container({WebSocket: WebSocket(self._connection)}, scope=Scope.SESSION)
