"""The documents of the repository, and what they speak of."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "catalogue" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_RECIPE = re.compile(r"^([a-z][\w-]*)(?: [^:=\n]*)?:(?!=)", re.MULTILINE)


def section(document: Path, heading: str) -> str:
    """What stands under a heading, up to the next one that is not below it."""
    text = document.read_text()
    outline = _BLOCK.sub(lambda block: " " * len(block[0]), text)  # a comment in a block is no heading
    title = re.search(rf"^(#+) {re.escape(heading)}$", outline, re.MULTILINE)
    assert title, f"{document.name} has no heading {heading!r}"
    end = re.compile(rf"^#{{1,{len(title[1])}}} ", re.MULTILINE).search(outline, title.end())
    return text[title.end() : end.start() if end else None]


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of one language."""
    return [block for kind, block in _BLOCK.findall(text) if kind == language]


def spans(text: str) -> list[str]:
    """What is set as code within a line."""
    return _SPAN.findall(_BLOCK.sub("", text))


def code(document: Path) -> list[str]:
    """Everything that is set as code, in blocks (a line each) or within a line."""
    text = document.read_text()
    return [*(line for _, block in _BLOCK.findall(text) for line in block.splitlines()), *spans(text)]


def column(table: str, number: int) -> list[str]:
    """The cells of one column of a Markdown table, without its heading."""
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return [row[number].strip() for row in rows[2:]]


def recipes() -> set[str]:
    """The recipes of the justfile that are meant for people."""
    text = re.sub(r"^\[private\]\n.*$", "", (ROOT / "justfile").read_text(), flags=re.MULTILINE)
    return set(_RECIPE.findall(text))
