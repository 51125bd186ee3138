"""Where the pictures of a view are stored."""

from collections.abc import Iterator

from domain.views import View


def output_key(folder: str, view: View, round_: int, attempt: int) -> str:
    return f"images/{folder}/{view}-{round_}-{attempt}.jpg"


def output_keys(folder: str, view: View, rounds: int, attempts: int) -> Iterator[str]:
    """Every place where a view may have a picture, after so many rounds of so many attempts."""
    return (
        output_key(folder, view, round_, attempt)
        for round_ in range(1, rounds + 1)
        for attempt in range(1, attempts + 1)
    )
