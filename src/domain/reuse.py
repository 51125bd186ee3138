"""The same photo in the same hairstyle once more: views that are there already are shown again, not rendered again."""

from collections.abc import Iterable
from datetime import datetime

from domain.images import GeneratedImage
from domain.views import Status, View, ViewRender


def lent(lender: GeneratedImage | None, views: Iterable[View]) -> dict[View, ViewRender]:
    """Those of these views that a try-on can lend.

    All come from the one that lends the front: side views of another front would show another head of hair.
    """
    if lender is None or lender.front.status is not Status.COMPLETED:
        return {}
    there = {render.view: render for render in lender.views if render.status is Status.COMPLETED}
    return {view: there[view] for view in views if view in there}


def borrow(image: GeneratedImage, views: dict[View, ViewRender], now: datetime) -> None:
    """Have a new try-on show these views of another. They were not rendered for it: no attempt, no price."""
    for render in image.views:
        if made := views.get(render.view):
            render.output_key, render.output_width, render.output_height = (
                made.output_key,
                made.output_width,
                made.output_height,
            )
            render.end(Status.COMPLETED, now)
    if views:
        is_open = any(render.open for render in image.views)
        image.status = Status.PROCESSING if is_open else Status.COMPLETED
