"""What the documents name exists, and no file gives a machine away."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bootstrap.cli import main
from tests.unit.docs.documents import DOCUMENTS, ROOT, code, recipes, spans

REGISTRIES = re.compile(r"\b(?:pypi|pythonhosted|npmjs|anaconda|crates|rubygems)\.(?:org|com|io)\b")
MACHINES = re.compile(r"(?<![\w.~-])/(?:home|Users|root|work)/\w|[A-Z]:\\Users")
OUR_FOLDERS = ("src/", "tests/", "docs/", "sandbox/", "catalogue/", "migrations/", "benchmarks/", ".ci/")
NOT_OURS = {".git", ".venv", "var", "dist", "htmlcov", "__pycache__"}

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    """Relative links name files of the repository, and what follows # is a heading there."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


@each_document
def test_files_that_are_named_exist(document: Path) -> None:
    """Paths from the root are there; a bare name is the name of some file."""
    names = {file.name for file in files()}
    for span in spans(document.read_text()):
        if span.startswith(OUR_FOLDERS) and re.fullmatch(r"[\w./-]+", span):
            assert (ROOT / span).exists(), span
        elif re.fullmatch(r"[\w-]+\.(?:py|toml|md|lock)", span):
            assert span in names, span


@each_document
def test_commands_that_are_named_exist(document: Path) -> None:
    """`just` knows the recipes, and `hairtryon` the commands."""
    for text in code(document):
        for recipe in re.findall(r"(?<![\w-])just ([a-z][\w-]*)", text):
            assert recipe in recipes(), text
        for words in re.findall(r"(?<![\w./])hairtryon ([a-z]+(?: [a-z]+)*)", text):
            command: click.Command | None = main
            for word in words.split():
                if isinstance(command, click.Group):
                    command = command.commands.get(word)
                    assert command, text


DECISIONS = ROOT / "docs" / "decisions"
INDEX = re.findall(r"^\| (\d+) \| \[(.+?)\]\((.+?)\) \|(.*)\|$", (DECISIONS / "README.md").read_text(), re.MULTILINE)


def test_every_decision_is_in_the_index() -> None:
    """The index of decisions names each file once, under its title."""
    titles = {file.name: file.read_text().splitlines()[0] for file in DECISIONS.glob("[0-9]*.md")}
    assert {name: f"# {number}. {title}" for number, title, name, _ in INDEX} == titles
    assert [int(name[:4]) for _, _, name, _ in INDEX] == list(range(1, len(titles) + 1))


def test_what_replaces_a_decision_is_told_by_all_three() -> None:
    """By the old one, by the new one, and by the index: below their titles they name one another."""
    told = {file.name: linked(file.read_text().split("\n\n")[1]) for file in DECISIONS.glob("[0-9]*.md")}
    older = {(old, new) for old, named in told.items() for new in named if new > old}
    assert older == {(old, new) for new, named in told.items() for old in named if old < new}
    assert older == {(old, new) for _, _, old, mark in INDEX for new in linked(mark)}


def linked(text: str) -> list[str]:
    """The decisions that a text leads to."""
    return re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text)


def test_no_file_gives_a_machine_away() -> None:
    """No package registry and no absolute path of a developer's machine is named anywhere."""
    given_away = []
    for file in files():
        try:
            lines = file.read_text().splitlines()
        except (UnicodeDecodeError, FileNotFoundError):  # a picture; what another test has removed meanwhile
            continue
        for number, line in enumerate(lines, start=1):
            if REGISTRIES.search(line) or MACHINES.search(line):
                given_away.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not given_away, "\n".join(given_away)


def files() -> Iterator[Path]:
    """The files of the repository, without what tools leave in it."""
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [
            name for name in inner if name not in NOT_OURS and not name.endswith("_cache") and name != ".hypothesis"
        ]
        yield from (
            Path(folder, name) for name in names if name not in {".env", ".git"} and not name.startswith(".coverage")
        )


def headings(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
