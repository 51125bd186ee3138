"""Entities whose times are all one moment, and the steps of a try-on."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

from polyfactory import Use
from polyfactory.factories import DataclassFactory

from application.images.ports import Prediction
from domain.images import GeneratedImage
from domain.sessions import Session
from domain.uploads import Upload, new_upload_key
from domain.users import Registration
from domain.views import Output, RenderPolicy, View
from tests.factories import new_email

NOW = datetime(2025, 5, 3, 12, 0, tzinfo=UTC)
POLICY = RenderPolicy()
OUTPUT = Output("images/folder/front-1.jpg", 1024, 1536)
CANVASES = ["https://provider.test/output.jpg"]
"""What a prediction that succeeded names."""

_ids = count(1)


class RegistrationFactory(DataclassFactory[Registration]):
    email = Use(new_email)
    name = "Ada"
    token_seed = Use(secrets.token_bytes, 32)
    token_hash = Use(secrets.token_bytes, 32)
    created_at = NOW


class SessionFactory(DataclassFactory[Session]):
    user_agent = "Firefox"
    ip = "192.0.2.7"
    created_at = NOW
    rotated_at = NOW
    last_used_at = NOW
    counter = 0
    revoked_at = None


class UploadFactory(DataclassFactory[Upload]):
    key = Use(new_upload_key)
    digest = Use(secrets.token_bytes, 32)
    width = 800
    height = 1000
    size = 120_000
    created_at = NOW


def try_on(*sides: View, now: datetime = NOW, policy: RenderPolicy = POLICY) -> GeneratedImage:
    """A new try-on of the front and these sides, with the ids that a database would have given."""
    image = GeneratedImage.request(
        owner=7, style=(3, 1), upload_id=5, views=(View.FRONT, *sides), folder="folder", now=now, policy=policy
    )
    image.id = next(_ids)
    number(image, _ids)
    return image


def number(image: GeneratedImage, ids: Iterable[int]) -> None:
    """Give the views ids, as a database does when they are added."""
    for render, view_id in zip(image.views, ids, strict=False):
        render.id, render.image_id = view_id, image.id


def ended(prediction_id: str = "p1", *, status: str = "succeeded", error: str | None = None) -> Prediction:
    """What a provider says of a prediction that it is done with."""
    return Prediction(prediction_id, status, output=CANVASES if status == "succeeded" else None, error=error)
