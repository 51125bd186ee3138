import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.pages import cursor_after, id_in
from domain.errors import Invalid

LARGEST = 2**63 - 1


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(st.integers(0, LARGEST))
def test_a_cursor_leads_back_to_its_id(item_id: int) -> None:
    """In characters that an address takes as they are."""
    cursor = cursor_after(item_id)
    assert id_in(cursor) == item_id
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_cursor_is_the_first_page() -> None:
    assert id_in(None) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "!!",
        "5",
        "é",
        "\ud800",
        "\x00",
        encoded("x"),
        encoded("-1"),
        encoded("1.5"),
        encoded("1e3"),
        encoded(" 1"),
        encoded("1_0"),
        encoded("²"),
        encoded("٣"),
        encoded(str(LARGEST + 1)),
        encoded("9" * 5000),
        encoded("' OR 1=1"),
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        id_in(cursor)
    assert refusal.value.field == "cursor"


@given(st.text(max_size=40))
def test_any_text_is_an_id_of_the_database_or_refused(cursor: str) -> None:
    try:
        found = id_in(cursor)
    except Invalid:
        return
    assert found is not None
    assert 0 <= found <= LARGEST
