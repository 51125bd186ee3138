import pytest

from domain.credits import InsufficientCredits
from domain.errors import Invalid
from domain.views import TERMINAL, Status, View, ViewError, wanted_views


def test_views_come_in_one_order() -> None:
    """However they were named, the front is first."""
    assert wanted_views([View.BACK, View.FRONT, View.RIGHT]) == (View.FRONT, View.RIGHT, View.BACK)
    assert wanted_views(View) == (View.FRONT, View.RIGHT, View.LEFT, View.BACK)


@pytest.mark.parametrize(
    "views", [[], [View.LEFT], [View.RIGHT, View.LEFT, View.BACK], [View.FRONT, View.LEFT, View.LEFT], [View.FRONT] * 2]
)
def test_the_front_is_required_and_nothing_is_named_twice(views: list[View]) -> None:
    with pytest.raises(Invalid) as refusal:
        wanted_views(views)
    assert (refusal.value.code, refusal.value.field) == ("validation_failed", "views")


@pytest.mark.parametrize("error", ViewError)
def test_every_failure_tells_customers_in_words_that_the_credit_is_back(error: ViewError) -> None:
    assert "Your credit is back" in error.message


def test_a_view_is_open_until_it_is_completed_failed_or_cancelled() -> None:
    assert set(Status) - TERMINAL == {Status.PENDING, Status.PROCESSING}


@pytest.mark.parametrize(("required", "words"), [(1, "costs 1 credit,"), (4, "costs 4 credits,")])
def test_too_few_credits_are_told_with_the_price(required: int, words: str) -> None:
    refusal = InsufficientCredits(required)
    assert refusal.code == "insufficient_credits"
    assert words in refusal.detail
