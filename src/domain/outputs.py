"""Where the pictures of a view are stored."""

from collections.abc import Iterator

from domain.views import View


def output_key(folder: str, view: View, attempt: int) -> str:
    return f"images/{folder}/{view}-{attempt}.jpg"


def output_keys(folder: str, view: View, attempts: int) -> Iterator[str]:
    """Every place where a view may have a picture, after so many attempts in all its rounds."""
    return (output_key(folder, view, attempt) for attempt in range(1, attempts + 1))
