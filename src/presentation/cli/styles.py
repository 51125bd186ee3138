"""Operators' commands about the catalogue."""

import click

from application.styles.import_styles import ImportStyles, ImportStylesHandler
from presentation.cli.operations import Operation, operation


@click.group("style")
def styles() -> None:
    """The catalogue of hairstyles."""


@styles.command("import")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@operation
def import_(operate: Operation, file: str | None) -> None:
    """Load FILE (without it, the catalogue that ships with the project): add, change, never remove.

    Example: hairtryon style import catalogue/styles.toml
    """
    imported = operate.run(ImportStylesHandler, ImportStyles(file))
    rows = [("added", slug) for slug in imported.added] + [("changed", slug) for slug in imported.changed]
    operate.show(imported, ["outcome", "style"], [*rows, ("unchanged", imported.unchanged)])
