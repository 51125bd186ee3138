"""What a prompt's words make of a drawing."""

import pytest

from sandbox.hair.style import Hairstyle, read_style, read_view


def style_of(look: str, name: str = "Untitled") -> Hairstyle:
    """Whatever stands outside the words about the hair must not matter."""
    return read_style(f'Hairstyle: "{name}"\nView: front\n\nThe new hair: {look}\n\nKeep the black beard and braid.')


@pytest.mark.parametrize(
    ("prompt", "view"),
    [
        ('Hairstyle: "A"\nView: front\n', "front"),
        ("View: right side", "right"),
        ("view: Left Side", "left"),
        ("View: back", "back"),
        ("Show the left profile of this person.", "left"),
        ("The same person seen from behind.", "back"),
        ("A bob, brushed back from the face.", "front"),
    ],
)
def test_the_view_is_read(prompt: str, view: str) -> None:
    assert read_view(prompt) == view


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Textured Pixie", "crop"),
        ("Buzz Cut", "buzz"),
        ("Space Buns", "space_buns"),
        ("High Ponytail", "ponytail"),
        ("Low Bun", "bun"),
        ("Box Braids", "box_braids"),
        ("French Braid", "braid"),
        ("Rounded Afro", "afro"),
        ("Faux Mohawk", "mohawk"),
        ("Beach Waves", "loose"),
        ("Modern Mullet", "mullet"),
    ],
)
def test_the_name_decides_the_kind_before_the_description(name: str, kind: str) -> None:
    assert style_of("With a small bun and one braid.", name).kind == kind


def test_the_description_decides_where_the_name_says_nothing() -> None:
    assert style_of("A tight cornrow pattern.").kind == "cornrows"


@pytest.mark.parametrize(
    ("look", "reach"),
    [("ends at the jaw", 0.95), ("to the shoulders", 1.38), ("from the jaw to the chest", 2.15), ("a bob", 0.95)],
)
def test_the_longest_length_counts(look: str, reach: float) -> None:
    assert style_of(look).reach == reach


@pytest.mark.parametrize(
    ("look", "fringe"),
    [
        ("no fringe", "none"),
        ("a dense, straight fringe to the eyebrows", "blunt"),
        ("curtain bangs", "curtain"),
        ("swept across the forehead", "side"),
        ("a light fringe", "wispy"),
        ("just hair", "none"),
    ],
)
def test_the_fringe_is_read(look: str, fringe: str) -> None:
    assert style_of(look).fringe == fringe


@pytest.mark.parametrize(
    ("look", "dyed"),
    [
        ("The hair is coloured a warm copper.", True),
        ("The hair is bleached to an icy platinum.", True),
        ("Long black hair.", True),
        ("The person's own hair colour is kept.", False),
        ("Curls.", False),
    ],
)
def test_hair_is_dyed_only_where_a_colour_is_named(look: str, *, dyed: bool) -> None:
    assert (style_of(look).colour is not None) == dyed


def test_all_views_of_a_style_are_the_same_style() -> None:
    look = "Loose waves to the chest."
    front = read_style(f'Hairstyle: "A"\nView: front\n\nThe new hair: {look}\n\nKeep the face.')
    side = read_style(f'Hairstyle: "A"\nView: left side\n\nas in the photo: {look}\nFrom the side: a bun.\n')
    assert (front, front.seed) == (side, side.seed)


def test_a_prompt_without_a_name_is_drawn_all_the_same() -> None:
    assert read_style("a curly shag").texture == "curly"
