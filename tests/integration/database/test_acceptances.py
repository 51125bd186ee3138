"""Accepting a try-on: all of it or nothing, however many ask at once."""

import asyncio
import secrets
from collections import Counter

import msgspec

from application.images.acceptances import ImageAccepted
from application.ports import IdempotentRequest
from domain.credits import InsufficientCredits
from domain.errors import Conflict
from domain.images import GeneratedImage
from domain.styles import Style
from domain.uploads import Upload
from domain.users import User
from domain.views import Output, View
from tests.integration.database.stage import Stage


class Customer:
    """Somebody who asks for try-ons of one photo."""

    def __init__(self, stage: Stage, user: User, style: Style, photo: Upload) -> None:
        self.user = user
        self._stage = stage
        self._style = style
        self._photo = photo

    @classmethod
    async def open(cls, stage: Stage, credits_: int) -> "Customer":
        user = await stage.user(credits_=credits_)
        return cls(stage, user, await stage.style(), await stage.upload(user))

    async def try_on(self, *sides: View) -> GeneratedImage:
        return GeneratedImage.request(
            owner=self.user.id,
            style=(self._style.id, 1),
            upload_id=self._photo.id,
            views=(View.FRONT, *sides),
            folder=secrets.token_urlsafe(24),
            now=await self._stage.now(),
            policy=self._stage.policy,
        )

    async def ask(self, image: GeneratedImage, key: str | None = None) -> ImageAccepted | None:
        to_render = [view for view in image.views if view.open]
        return await self._stage.acceptances.accept(
            image,
            held=to_render,
            announced=image.startable(to_render),
            lender=None,
            request=IdempotentRequest.of(self.user.id, "generate", key, "the same"),
        )


async def count(stage: Stage, *tables: str) -> list[int]:
    return [await stage.database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - ours


async def test_everything_that_accepting_means_is_written(stage: Stage) -> None:
    """Try-on, views, holds, log and announcement, with ids in the order of the views; then the bell is rung."""
    ada = await Customer.open(stage, 5)
    image = await ada.try_on(View.LEFT, View.BACK)
    assert await ada.ask(image) == ImageAccepted(image.id, credits_held=3)
    assert await stage.sums(ada.user) == (5, 3)
    async with stage.desk() as desk:
        stored = await desk.images.by_id(image.id)
    assert stored is not None
    assert [(view.id, view.view) for view in stored.views] == [(view.id, view.view) for view in image.views]
    written = [(view.status, view.attempt, view.round, view.accepted_at, view.due_at) for view in stored.views]
    assert written == [("PENDING", 0, 1, image.created_at, image.created_at)] * 3
    assert {view.deadline_at - view.accepted_at for view in stored.views} == {stage.policy.deadline}
    assert (stored.folder, stored.status, stored.is_favourite) == (image.folder, "PENDING", False)
    log = await stage.database.fetch("SELECT id, view, status FROM image_events ORDER BY id")
    assert [tuple(row) for row in log] == [
        *((place, view, "PENDING") for place, view in enumerate(("front", "left", "back"), start=1)),
        (4, None, "PENDING"),
    ]
    announced = [(row["job"], msgspec.json.decode(row["payload"])) for row in await stage.outbox()]
    assert announced == [("submit_view", {"view_id": image.front.id})]
    assert stage.doorbell.rings == 1
    assert (await stage.audit()).balanced


async def test_what_is_borrowed_is_there_at_once(stage: Stage) -> None:
    """Views of another are complete; the others can start, and are paid."""
    ada = await Customer.open(stage, 1)
    image = await ada.try_on(View.LEFT)
    image.borrow({View.FRONT: Output("images/x/front-1.jpg", 640, 800)}, image.created_at)
    assert await ada.ask(image) == ImageAccepted(image.id, credits_held=1)
    async with stage.desk() as desk:
        stored = await desk.images.by_id(image.id)
    assert stored is not None
    front, left = stored.views
    assert (stored.status, front.status, left.status) == ("PROCESSING", "COMPLETED", "PENDING")
    assert (front.output_key, front.output_width, front.output_height) == ("images/x/front-1.jpg", 640, 800)
    assert (front.finished_at, left.finished_at) == (image.created_at, None)
    assert [msgspec.json.decode(row["payload"]) for row in await stage.outbox()] == [{"view_id": left.id}]
    assert (await stage.audit()).balanced


async def test_fifty_at_once_on_one_credit_get_it_once(stage: Stage) -> None:
    """49 are refused and leave no trace."""
    ada = await Customer.open(stage, 1)
    images = [await ada.try_on() for _ in range(50)]
    outcomes = await asyncio.gather(*(ada.ask(image) for image in images), return_exceptions=True)
    assert Counter(type(outcome) for outcome in outcomes) == {ImageAccepted: 1, InsufficientCredits: 49}
    assert await count(stage, "images", "views", "holds", "outbox", "image_events") == [1, 1, 1, 1, 2]
    assert await stage.sums(ada.user) == (1, 1)
    assert (await stage.audit()).balanced


async def test_the_same_request_twenty_times_at_once_is_one_try_on(stage: Stage) -> None:
    """Each is answered as the first was, or told that it is being worked on; nobody that credits are short."""
    ada = await Customer.open(stage, 1)
    images = [await ada.try_on() for _ in range(20)]
    outcomes = await asyncio.gather(*(ada.ask(image, "a key") for image in images), return_exceptions=True)
    accepted = [outcome for outcome in outcomes if isinstance(outcome, ImageAccepted)]
    assert len(set(accepted)) == 1
    assert {type(outcome) for outcome in outcomes} <= {ImageAccepted, Conflict}
    assert await ada.ask(await ada.try_on(), "a key") == accepted[0]
    assert (
        await stage.acceptances.replay(IdempotentRequest.of(ada.user.id, "generate", "a key", "the same"))
        == (accepted[0])
    )
    assert await count(stage, "images", "holds", "outbox", "idempotency_keys") == [1, 1, 1, 1]
    assert await stage.sums(ada.user) == (1, 1)


async def test_a_refused_request_leaves_its_key_free(stage: Stage) -> None:
    ada = await Customer.open(stage, 1)
    outcome = await asyncio.gather(ada.ask(await ada.try_on(View.LEFT), "a key"), return_exceptions=True)
    assert isinstance(outcome[0], InsufficientCredits)
    assert await ada.ask(await ada.try_on(), "a key") is not None
