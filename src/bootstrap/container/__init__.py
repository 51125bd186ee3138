"""Who gets what. Several providers, so that a test replaces one."""

from dishka import AsyncContainer, Provider, make_async_container

from bootstrap.container.gateways import Gateways
from bootstrap.container.handlers import Handlers
from bootstrap.container.persistence import Persistence
from bootstrap.container.try_ons import try_ons
from bootstrap.settings import Settings

__all__ = ["Gateways", "Handlers", "Persistence", "create_container"]


def create_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Tie everything together. A dependency that nobody provides fails here, not at the first request."""
    return make_async_container(
        Persistence(), Gateways(), Handlers(), *try_ons(), *overrides, context={Settings: settings}
    )
