import pytest

from domain.errors import Invalid
from domain.texts import one_line, prose


@pytest.mark.parametrize("text", ["a b", " a\tb\n", "a\x00b", "a\u202eb", "a\ud800b", "a\r\n\r\nb"])
def test_one_line_is_one_line(text: str) -> None:
    """Nothing in it that a database, a log or a terminal would stumble over."""
    assert one_line(text) == "a b"


def test_prose_keeps_its_lines_and_nothing_else_that_cannot_be_seen() -> None:
    assert prose(" a\x00b \r\n\n c\n", field="front", longest=20) == "a b\n\n c"


@pytest.mark.parametrize("text", ["", " \n\x00", "x" * 21])
def test_prose_has_a_length(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        prose(text, field="front", longest=20)
    assert refusal.value.field == "front"
