"""Who gets to the admin API."""

from litestar import Controller
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler

from application.actor import Actor
from presentation.http.authentication import AnyConnection, AnyRequest, Authenticator
from presentation.http.documentation import SIGNED_IN

_ADMIN = "admin"


async def admins_only(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Refuse everybody else before anything that was sent is looked at; each handler asks once more.

    The role is read with the session, from the database, at every request: a token does not say it, so that an admin
    who is demoted or disabled is none at once. Which methods a path has is told to anybody.
    """
    if connection.scope["type"] == ScopeType.HTTP and connection.scope["method"] == "OPTIONS":
        return
    authenticator: Authenticator = connection.app.state.authenticator
    actor = await authenticator.actor(connection)
    actor.require_operator()
    connection.scope["state"][_ADMIN] = actor


async def provide_admin(request: AnyRequest) -> Actor:
    """Whom `admins_only` has let in."""
    admin: Actor = request.scope["state"][_ADMIN]
    return admin


class AdminController(Controller):
    """What every part of the admin API has in common."""

    tags = ("admin",)
    security = SIGNED_IN
    guards = (admins_only,)
    dependencies = {"actor": Provide(provide_admin)}  # noqa: RUF012 - read by Litestar, and never changed
