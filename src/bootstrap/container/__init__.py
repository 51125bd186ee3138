"""Who gets what. Several providers, so that a test replaces one."""

from dishka import AsyncContainer, Provider, make_async_container

from bootstrap.container.gateways import Gateways
from bootstrap.container.handlers import Handlers
from bootstrap.container.observation import Metrics, Outgoing
from bootstrap.container.persistence import Persistence
from bootstrap.container.storages import storage_of
from bootstrap.container.try_ons import try_ons
from bootstrap.settings import Settings
from infrastructure.metrics.exchange import COMMAND, ProcessName, process_name

__all__ = ["Gateways", "Handlers", "Persistence", "create_container"]


def create_container(settings: Settings, *overrides: Provider, role: str = COMMAND) -> AsyncContainer:
    """Tie everything together, for a process of this role.

    A dependency that nobody provides fails here, not at the first request.
    """
    return make_async_container(
        *(Metrics(), Persistence(), Gateways(), storage_of(settings), Handlers(), *try_ons(), *overrides, Outgoing()),
        context={Settings: settings, ProcessName: process_name(role)},
    )
