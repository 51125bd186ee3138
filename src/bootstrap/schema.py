"""Whether a database has the migrations that this version needs: asked at every start, and so without Alembic."""

from pathlib import Path

import asyncpg

from domain.errors import Unavailable
from infrastructure.database.engine import AWAY

_HERE = Path(__file__).resolve()
_FOLDERS = (_HERE.parents[2] / "migrations", _HERE.parents[1] / "migrations")
"""In a checkout, and in an installed wheel."""
_PATIENCE_SECONDS = 3.0

REVISION = "SELECT version_num FROM alembic_version"


class MigrationsPending(Exception):  # noqa: N818 - a state of the database
    """The database is not what this version of the program expects."""


def migrations_folder() -> Path:
    return next(folder for folder in _FOLDERS if (folder / "env.py").exists())


def revisions() -> list[str]:
    """All that this version knows, from the first to the last: each begins the name of its file."""
    return sorted(path.name[:4] for path in (migrations_folder() / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def require(revision: str | None) -> None:
    """Raise `MigrationsPending` for a database at a revision that comes before the last one known here.

    One that is ahead will do: while a deployment is under way, the version before works on the new tables.
    """
    needed = revisions()[-1]
    if revision is None or revision < needed:
        found = f"is at revision {revision}" if revision else "has no tables"
        raise MigrationsPending(f"The database {found}, and this version needs {needed}: run `hairtryon db upgrade`.")


async def look(url: str) -> None:
    """As `require`, for the database at `url`; raise `Unavailable` when it cannot be asked."""
    try:
        connection = await asyncpg.connect(url, timeout=_PATIENCE_SECONDS, command_timeout=_PATIENCE_SECONDS)
        try:
            revision = await connection.fetchval(REVISION)
        finally:
            connection.terminate()
    except asyncpg.UndefinedTableError:
        revision = None
    except AWAY as failure:
        raise Unavailable("service_unavailable", f"The database cannot be reached: {failure!r}") from failure
    require(revision)
