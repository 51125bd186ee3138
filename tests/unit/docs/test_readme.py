"""What the README says of commands, settings and code is so."""

import re

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from bootstrap.settings import Settings, SettingsError, load_settings
from tests.unit.docs.documents import README, ROOT, blocks, column, recipes, section

QUICK_START = ["python3 -m pip install uv rust-just && just demo", "just test"]


def test_the_quick_start_is_two_commands() -> None:
    """A bare machine needs nothing else; continuous integration begins with the same installation."""
    lines = blocks(section(README, "Quick start"))[0].splitlines()
    assert [line.partition("#")[0].strip() for line in lines] == QUICK_START
    assert f"run {QUICK_START[0].partition(' &&')[0]}\n" in (ROOT / ".ci" / "run").read_text()


def test_every_recipe_is_explained() -> None:
    """The table of recipes names those of the justfile, all of them and no other."""
    table = section(README, "Quick start").partition("| recipe |")[2]
    named = [re.match(r"`just ([\w-]+)", cell) for cell in column(f"| recipe |{table}", 0)]
    assert sorted(name[1] for name in named if name) == sorted(recipes())
    assert all(named)


def test_the_map_shows_what_is_there() -> None:
    """Every line of the tree is a folder or file of the repository, and has its explanation."""
    folders: list[str] = []
    for line in blocks(section(README, "A map of the house"))[0].splitlines():
        place = re.fullmatch(r"((?:  )*)([\w./]+)(?: +(\S.*))?", line)
        assert place, line
        folders[len(place[1]) // 2 :] = [place[2]]
        path = ROOT.joinpath(*folders)
        assert path.is_dir() if place[2].endswith("/") else path.is_file(), path
        assert place[3] or place[2] == "src/", f"{place[2]} is not explained"


def test_the_settings_table_is_the_settings() -> None:
    """Names, order, defaults and meanings are those of `.env.example`, whose names and defaults are those of the code.

    When it fails, put the table that it prints into the README.
    """
    table = section(README, "Settings").strip().partition("\n\n")[2].partition("\n\n")[0]
    if table != settings_table():
        pytest.fail(f"The settings table of the README should be:\n\n{settings_table()}\n", pytrace=False)


def test_production_needs_what_the_readme_lists() -> None:
    """A start with nothing else but these is not refused for what is missing, and none of them is superfluous."""
    block = next(block for block in blocks(section(README, "Production")) if "HAIRTRYON_ENV" in block)
    listed = {line.partition("=")[0] for line in block.splitlines()}
    chosen = {"HAIRTRYON_ENV": "prod", "STORAGE": "s3"}
    with pytest.raises(SettingsError) as refused:
        load_settings(chosen)
    assert listed == {mistake.split()[0] for mistake in refused.value.mistakes} | set(chosen)


def settings_table() -> str:
    """The table as it should be, from `.env.example` and the code."""
    defaults = {
        field.encode_name: "required" if field.default is NODEFAULT else str(field.default)
        for field in fields(Settings)
    }
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        if title := re.fullmatch(r"# --- (.+?) -+", line):
            rows.append(f"| **{title[1]}** | | |")
        elif line.startswith("#"):
            comment.append(line[1:].strip())
            continue
        elif name := line.partition("=")[0]:
            explained = re.fullmatch(r"(.+?)(?: \[(.+)\])?", " ".join(comment))
            assert explained, f"{name} is not explained in .env.example"
            assert (explained[2] or "") == defaults.pop(name, None), f"{name} has another default in the code"
            rows.append(_row(name, explained[2], explained[1]))
        comment = []
    assert not defaults, f".env.example does not name {', '.join(defaults)}"
    return "\n".join(rows)


def _row(name: str, default: str | None, meaning: str) -> str:
    shown = f"`{default}`" if default and default != "required" else default or ""
    return f"| `{name}` | {shown} | {meaning}{'' if _is_read(name) else ' *Not used yet.*'} |"


def _is_read(name: str) -> bool:
    """Whether any code reads a setting, beside what checks it."""
    rules = ROOT / "src" / "bootstrap" / "settings" / "rules.py"
    reads = re.compile(rf"\b(?:settings|self)\.{name.lower()}\b|\"{name}\"")
    return any(reads.search(file.read_text()) for file in (ROOT / "src").rglob("*.py") if file != rules)
