"""A real PostgreSQL 18 and a real Valkey 9 from wheels, as children of this process: for development, demo and tests.

Each listens on a free port of 127.0.0.1, keeps its data in the folder it is given and writes its log beside it
(`DIR/postgres` and `DIR/postgres.log`).
"""

from bootstrap.embedded.postgres import PostgresServer, start_postgres
from bootstrap.embedded.server import AlreadyRunningError, EmbeddedServer, EmbeddedServerError, free_port
from bootstrap.embedded.valkey import ValkeyServer, start_valkey

__all__ = [
    "AlreadyRunningError",
    "EmbeddedServer",
    "EmbeddedServerError",
    "PostgresServer",
    "ValkeyServer",
    "free_port",
    "start_postgres",
    "start_valkey",
]
