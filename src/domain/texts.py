"""Text that people write, as it is kept: without characters that no database, log or terminal should meet."""

import unicodedata

from domain.errors import Invalid


def one_line(text: str) -> str:
    """The text with control characters and runs of space turned into single spaces."""
    return " ".join(_printable(text).split())


def prose(text: str, *, field: str, longest: int) -> str:
    """The text with its lines, without other control characters and surrounding space; or `Invalid`.

    It has 1 to `longest` characters.
    """
    kept = "\n".join(_printable(line).rstrip() for line in text.splitlines()).strip()
    if not 1 <= len(kept) <= longest:
        raise Invalid("validation_failed", f"This has 1 to {longest} characters.", field=field)
    return kept


def _printable(text: str) -> str:
    return "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
