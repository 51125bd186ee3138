"""The migrations: every step goes up, down and up again, and they make what the mapping names."""

from collections.abc import Iterator

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from bootstrap import migrations
from bootstrap.schema import MigrationsPending
from infrastructure.database.tables import metadata
from tests.integration.database.stage import Stage

_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid IS DISTINCT FROM to_regclass('alembic_version')
"""
_INDEXES = """
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_LEFT = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
"""


def revisions() -> list[str]:
    """From the first to the last."""
    folder = ScriptDirectory.from_config(migrations._config(""))
    return [script.revision for script in folder.walk_revisions()][::-1]


def steps() -> Iterator[tuple[str, str]]:
    """Each revision after the one that it builds on."""
    known = revisions()
    yield from zip(["base", *known], known, strict=False)


async def ask(url: str, question: str) -> set[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return {tuple(row) for row in await connection.fetch(question)}
    finally:
        await connection.close()


async def test_every_migration_goes_up_down_and_up_again(empty_database_url: str) -> None:
    """Step by step; then all the way down, where nothing of ours is left, and up to what the mapping names."""
    for before, revision in steps():
        migrations.upgrade(empty_database_url, revision)
        migrations.downgrade(empty_database_url, before)
        migrations.upgrade(empty_database_url, revision)
    migrations.check(empty_database_url)
    migrations.downgrade(empty_database_url, "base")
    assert {name for (name,) in await ask(empty_database_url, _LEFT) if "alembic_version" not in str(name)} == set()
    migrations.upgrade(empty_database_url)
    migrations.check(empty_database_url)


@pytest.mark.parametrize("catalogue", [_COLUMNS, _CONSTRAINTS, _INDEXES], ids=["columns", "constraints", "indexes"])
async def test_the_migrations_make_what_the_mapping_would(
    database_url: str, empty_database_url: str, catalogue: str
) -> None:
    """To the letter: also checks, partial indexes and defaults, which Alembic does not compare."""
    engine = create_async_engine(empty_database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    migrated, mapped = await ask(database_url, catalogue), await ask(empty_database_url, catalogue)
    assert migrated == mapped
    assert migrated


async def test_going_back_to_where_every_try_on_has_a_photo_forgets_those_without(
    stage: Stage, database_url: str
) -> None:
    """With their views and resolved holds; all others stay, and going forward again works."""
    user = await stage.user(credits_=2)
    kept, gone = [await stage.image(user, held=True) for _ in range(2)]
    async with stage.desk() as desk:
        await desk.holds.void(gone.front)
        await desk.uow.commit()
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", gone.id)
    async with stage.desk() as desk:
        assert gone.upload_id
        assert await desk.uploads.sweep(gone.upload_id)
        await desk.uow.commit()
    migrations.downgrade(database_url, "0003")
    assert await ask(database_url, "SELECT image_id FROM views JOIN images ON images.id = image_id") == {(kept.id,)}
    migrations.upgrade(database_url)
    migrations.check(database_url)


async def test_a_database_that_is_behind_or_differs_is_told_from_one_that_fits(
    database_url: str, empty_database_url: str
) -> None:
    """An empty one, and one that lacks a column."""
    migrations.check(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE views DROP COLUMN stumbles")
    await connection.close()
    for url in (database_url, empty_database_url):
        with pytest.raises(MigrationsPending, match="hairtryon db upgrade"):
            migrations.check(url)
