"""Operators' commands about the catalogue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from application.styles.add_style import AddStyle, AddStyleHandler
from application.styles.edit_style import EditStyle, EditStyleHandler
from application.styles.export_styles import ExportStyles, ExportStylesHandler
from application.styles.import_styles import ImportStyles, ImportStylesHandler
from application.styles.list_all_styles import ListAllStyles, ListAllStylesHandler
from application.styles.ports import StyleDetails, StyleFilter
from application.styles.show_style import ShowStyle, ShowStyleHandler
from application.styles.switch_style import SwitchStyle, SwitchStyleHandler
from domain.styles import Category
from domain.views import View
from presentation.cli.operations import (
    Command,
    OneOf,
    Operation,
    confirm,
    destructive,
    operation,
    paged,
)

_POSITIONS = click.IntRange(0, 1_000_000)


class _Text(click.ParamType[str]):
    """Text as it is typed, or that of a file whose name follows an @."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not text.startswith("@"):
            return text
        try:
            return Path(text[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            self.fail(f"{text[1:]} cannot be read: {getattr(fault, 'strerror', fault)}", param, ctx)


def _described(*, required: bool) -> Callable[[Command], Command]:
    """Give a command what describes a style: all of it, or what is to be changed."""
    options = [
        click.option("--name", required=required, help="As customers see it."),
        click.option("--description", required=required, help="A sentence or two for customers."),
        click.option("--category", type=OneOf(Category), required=required, help="Under which customers find it."),
        *(
            click.option(f"--{view}", type=_Text(), required=required, help="The prompt for this view; @FILE reads it.")
            for view in View
        ),
        click.option("--position", type=_POSITIONS, help="Where it stands in the catalogue."),
        click.option(
            "--thumbnail",
            type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
            help="A JPEG, PNG or GIF; its centre square is shown.",
        ),
    ]

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group("style")
def style_commands() -> None:
    """The catalogue of hairstyles."""


@style_commands.command("list")
@click.option("--category", type=OneOf(Category), help="Only these.")
@click.option("--active/--inactive", default=None, help="Only those that customers see, or do not.")
@paged
@operation
def list_(operate: Operation, category: Category | None, active: bool | None, limit: int, cursor: str | None) -> None:
    """Show the catalogue in its order, also what customers do not see of it.

    Example: hairtryon style list --inactive
    """
    page = operate.run(ListAllStylesHandler, ListAllStyles(limit, cursor, StyleFilter(category, active)))
    rows = [
        (
            style.id,
            style.slug,
            style.name,
            style.category,
            style.position,
            style.is_active,
            style.prompt_version,
        )
        for style in page.items
    ]
    operate.show_page(page, ["id", "slug", "name", "category", "position", "active", "prompts"], rows)


@style_commands.command()
@click.argument("slug_or_id")
@operation
def show(operate: Operation, slug_or_id: str) -> None:
    """Show a style with every version of its prompts, the newest first.

    Example: hairtryon style show long-bob --json
    """
    _show(operate, operate.run(ShowStyleHandler, ShowStyle(slug_or_id)))


@style_commands.command()
@click.argument("slug")
@_described(required=True)
@operation
def add(operate: Operation, slug: str, thumbnail: Path | None, **described: Any) -> None:
    """Add a style. Customers see it after `style activate`, for which it needs a thumbnail.

    Example: hairtryon style add wolf-cut --name "Wolf Cut" --description "Shaggy layers." --category standard \\
      --front @front.txt --right @right.txt --left @left.txt --back @back.txt
    """  # noqa: D301 - shown as a shell takes it
    picture = thumbnail.read_bytes() if thumbnail else None
    _show_changed(operate, operate.run(AddStyleHandler, AddStyle(slug=slug, **described), thumbnail=picture))


@style_commands.command()
@click.argument("slug_or_id")
@_described(required=False)
@operation
def edit(operate: Operation, slug_or_id: str, thumbnail: Path | None, **described: Any) -> None:
    """Change what customers see of a style, or its prompts; what is not named stays.

    Other words in a prompt make a new version. Try-ons keep the version that they were accepted with.

    Example: hairtryon style edit wolf-cut --description "Shaggier." --front @front.txt
    """
    picture = thumbnail.read_bytes() if thumbnail else None
    _show_changed(operate, operate.run(EditStyleHandler, EditStyle(**described), style=slug_or_id, thumbnail=picture))


@style_commands.command()
@click.argument("slug_or_id")
@operation
def activate(operate: Operation, slug_or_id: str) -> None:
    """Let customers pick a style.

    Example: hairtryon style activate wolf-cut
    """
    _show_changed(operate, operate.run(SwitchStyleHandler, SwitchStyle(slug_or_id, is_active=True)))


@style_commands.command()
@click.argument("slug_or_id")
@operation
def deactivate(operate: Operation, slug_or_id: str) -> None:
    """Let nobody pick a style any more. What was accepted with it is still rendered.

    Example: hairtryon style deactivate wolf-cut
    """
    _show_changed(operate, operate.run(SwitchStyleHandler, SwitchStyle(slug_or_id, is_active=False)))


@style_commands.command("import")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@operation
def import_(operate: Operation, file: str | None) -> None:
    """Load FILE (without it, the catalogue that ships with the project): add, change, never remove.

    Example: hairtryon style import catalogue/styles.toml
    """
    imported = operate.run(ImportStylesHandler, ImportStyles(file))
    rows = [("added", slug) for slug in imported.added] + [("changed", slug) for slug in imported.changed]
    operate.show(imported, ["outcome", "style"], [*rows, ("unchanged", f"{imported.unchanged} styles")])


@style_commands.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@destructive
@operation
def export(operate: Operation, file: Path, yes: bool) -> None:
    """Write the catalogue into FILE, which `style import` reads, and its pictures into `thumbnails` beside it.

    Example: hairtryon style export backup/styles.toml
    """
    if file.exists():
        confirm(f"Overwrite {file}, and the pictures beside it?", yes=yes)
    operate.show_one(operate.run(ExportStylesHandler, ExportStyles(str(file))))


def _show_changed(operate: Operation, style: StyleDetails) -> None:
    """Without its prompts: pages of them would hide the rest. In JSON they are there."""
    operate.show_one(style, prompts=None)


def _show(operate: Operation, style: StyleDetails) -> None:
    prompts = {
        f"{view}, version {version.version}": getattr(version, view) for version in style.prompts for view in View
    }
    operate.show_one(style, prompts=None, **prompts)
