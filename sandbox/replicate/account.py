from dataclasses import dataclass

from sandbox.replicate.files import Files
from sandbox.replicate.model import ModelSettings
from sandbox.replicate.predictions import Predictions
from sandbox.replicate.shelf import Shelf
from sandbox.wire import Wire


@dataclass(slots=True, kw_only=True)
class Account:
    """What the routes work on: one account at Replicate, and the model's settings, which a test may change."""

    root: str
    predictions: Predictions
    files: Files
    outputs: Shelf
    wire: Wire
    settings: ModelSettings
    webhook_secret: str
