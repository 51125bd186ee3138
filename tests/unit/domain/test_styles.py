import pytest

from domain.styles import Style
from tests.factories import StyleFactory

PROMPTS = ("a bob, from the front", "from the right", "from the left", "from behind")


def a_style() -> Style:
    style = StyleFactory.build(prompts=[], prompt_version=0)
    assert style.edit_prompts(*PROMPTS)
    return style


def test_the_first_prompts_are_version_1() -> None:
    style = a_style()
    assert style.prompt_version == 1
    assert [prompts.version for prompts in style.prompts] == [1]


@pytest.mark.parametrize("place", range(4), ids=["front", "right", "left", "back"])
def test_editing_any_prompt_makes_a_new_version(place: int) -> None:
    """The old one stays, for the try-ons that were accepted with it."""
    style = a_style()
    edited = [*PROMPTS]
    edited[place] += ", with a fringe"
    assert style.edit_prompts(*edited)
    assert style.prompt_version == 2
    assert [(kept.front, kept.right, kept.left, kept.back) for kept in style.prompts] == [PROMPTS, tuple(edited)]


def test_saying_the_same_again_is_no_edit() -> None:
    style = a_style()
    assert not style.edit_prompts(*PROMPTS)
    assert style.prompt_version == 1
    assert len(style.prompts) == 1


def test_going_back_to_old_words_is_a_version_of_its_own() -> None:
    """Versions only grow: a try-on's version never comes to mean other words."""
    style = a_style()
    style.edit_prompts("another", *PROMPTS[1:])
    assert style.edit_prompts(*PROMPTS)
    assert style.prompt_version == 3
