"""How operators end what is in progress."""

from datetime import datetime

from domain.images import GeneratedImage
from domain.renders import Change
from domain.views import View, ViewError


def fail_open(image: GeneratedImage, error: ViewError, now: datetime, *, view: View | None = None) -> Change:
    """Fail every view that is in progress, or this one only; a failed front takes its waiting side views along."""
    change = Change()
    for render in image.views:
        if view in {None, render.view}:
            change.ended += image.fail(render, error, now).ended
    return change
