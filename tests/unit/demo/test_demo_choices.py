import pytest

from bootstrap.demo.customer import Style
from bootstrap.demo.journey import NoSuchStyleError, pick_style, settings_of_the_demo

STYLES = [Style(7, "Copper Curls", ""), Style(8, "Crew Cut", ""), Style(21, "Twist-Out", "")]


@pytest.mark.parametrize("wanted", ["Copper Curls", "copper curls", "COPPER-CURLS", " copper-curls ", "7"])
def test_a_style_is_found_by_name_slug_or_id_in_any_case(wanted: str) -> None:
    """However a person types it."""
    assert pick_style(STYLES, wanted).id == 7


def test_a_misspelt_style_is_answered_with_what_was_meant() -> None:
    """The nearest names come in the message."""
    with pytest.raises(NoSuchStyleError, match="Did you mean: Crew Cut"):
        pick_style(STYLES, "crewcut")


def test_a_style_that_is_like_no_other_is_answered_with_all() -> None:
    """Somebody who knows no name sees what there is."""
    with pytest.raises(NoSuchStyleError, match="There are: Copper Curls, Crew Cut, Twist-Out"):
        pick_style(STYLES, "xyzzy")


def test_the_demo_keeps_away_from_a_deployment() -> None:
    """Of the settings only those of the image model are taken over; what is no setting stays."""
    environ = {
        "DATABASE_URL": "postgresql://live/x",
        "BREVO_API_KEY": "k",
        "REPLICATE_BASE_URL": "https://r",
        "PATH": "/bin",
    }
    assert settings_of_the_demo(environ) == {
        "REPLICATE_BASE_URL": "https://r",
        "PATH": "/bin",
        "FREE_USER_CREDITS": "4",
    }
