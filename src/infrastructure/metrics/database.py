"""What the database takes, by kind of work."""

from collections.abc import Callable
from time import perf_counter

from prometheus_client import CollectorRegistry, Histogram
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20)
_BEGAN = "began"


class DatabaseMetrics:
    """Waiting for a connection counts: a pool that is too small shows as a database that is slow."""

    def __init__(self, registry: CollectorRegistry) -> None:
        seconds = Histogram(
            "hairtryon_database_seconds",
            "Seconds that reads, statements which are a transaction, and transactions took.",
            ["kind"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.read = seconds.labels("read").observe
        self.session_check = seconds.labels("session_check").observe
        self.statement = seconds.labels("statement").observe
        self.transaction = seconds.labels("transaction").observe


def time_transactions(engine: AsyncEngine, observe: Callable[[float], object]) -> None:
    """Those that SQLAlchemy begins by itself, from their first statement to their end, however they end."""

    def begin(connection: Connection) -> None:
        connection.info[_BEGAN] = perf_counter()

    def end(connection: Connection) -> None:
        began = connection.info.pop(_BEGAN, None)
        if began is not None:
            observe(perf_counter() - began)

    event.listen(engine.sync_engine, "begin", begin)
    event.listen(engine.sync_engine, "commit", end)
    event.listen(engine.sync_engine, "rollback", end)
