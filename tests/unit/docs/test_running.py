"""What the guide to running says of secrets and sizes is so."""

from typing import Annotated, Any, get_args, get_origin, get_type_hints

from bootstrap.container.persistence import READ_CONNECTIONS, SESSION_CONNECTIONS, WRITE_CONNECTIONS
from bootstrap.settings import Settings
from bootstrap.settings.values import Kind
from tests.unit.docs.documents import ROOT, section, spans

RUNNING = ROOT / "docs" / "running.md"


def is_secret(hint: Any) -> bool:
    about = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return any(isinstance(kind, Kind) and kind.is_secret for kind in about)


def test_every_secret_can_be_replaced() -> None:
    """The guide names each setting that is one, with the steps by which nobody notices."""
    named = set(spans(section(RUNNING, "Secrets, replaced one by one")))
    secrets = {name.upper() for name, hint in get_type_hints(Settings, include_extras=True).items() if is_secret(hint)}
    assert {"SECRET_KEY", "DATABASE_URL", "LOGFIRE_TOKEN"} <= secrets
    assert secrets - named == set()


def test_the_connections_of_a_process_are_what_the_guide_says() -> None:
    table = section(RUNNING, "Sizes")
    pools = (READ_CONNECTIONS, WRITE_CONNECTIONS, SESSION_CONNECTIONS)
    assert "| {} | {} for reading, {} for try-ons, {} for all else".format(sum(pools) + 2, *pools) in table
