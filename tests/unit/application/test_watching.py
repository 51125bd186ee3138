"""When streams of progress tell, and when they end."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from application.actor import Actor
from application.auth.ports import AccessClaims, SessionGate
from application.images.progress import (
    GoingAway,
    ImageLog,
    Listening,
    News,
    ProgressEvent,
    ProgressItem,
    ProgressReader,
    ProgressSignals,
)
from application.images.watch_image import WatchImage, WatchImageHandler
from application.images.watch_images import WatchImages, WatchImagesHandler
from domain.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from domain.views import Status

OWNER = Actor.user(7, session_id=1, token_id="token", token_expires_at=2**40)
IMAGE = 41
AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
SOMETHING = News(frozenset({IMAGE}))
NOTHING = News()


def event(number: int, image: int = IMAGE) -> ProgressEvent:
    item = ProgressItem(
        image_id=image,
        view=None,
        status=Status.PENDING,
        url=None,
        error=None,
        queue_position=None,
        eta_seconds=None,
        at=AT,
    )
    return ProgressEvent(number, "image", item)


class Story(ProgressReader, ProgressSignals, Listening, SessionGate):
    """What a stream hears, one item after the other: news, what happens before it looks, and what ends it."""

    def __init__(self, *hears: News | Exception) -> None:
        self.logs: dict[int, list[ProgressEvent]] = {}
        self.ended = False
        self.is_deleted = False
        self.listeners = 0
        self.looks = 0
        self.troubles: list[Exception] = []
        """Raised by the next looks, one each."""
        self.gate_says: Exception | None = None
        self._hears = list(hears)

    @contextmanager
    def listen(self, user_id: int) -> Iterator[Listening]:
        assert user_id == OWNER.user_id
        self.listeners += 1
        try:
            yield self
        finally:
            self.listeners -= 1

    async def news(self, patience: float) -> News:
        assert patience == 5
        heard = self._hears.pop(0) if self._hears else GoingAway()
        if isinstance(heard, Exception):
            raise heard
        return heard

    async def admit(self, claims: AccessClaims) -> Actor:
        assert claims.token_id == "token"
        if self.gate_says is not None:
            raise self.gate_says
        return OWNER

    async def of_image(self, image_id: int, *, owner: int, after: int) -> ImageLog | None:
        self._look(owner)
        if self.is_deleted or image_id not in self.logs:
            return None
        return ImageLog([event for event in self.logs[image_id] if event.id > after], self.ended)

    async def latest(self, owner: int) -> dict[int, int]:
        assert owner == OWNER.user_id
        return {image: log[-1].id for image, log in self.logs.items()}

    async def of_owner(
        self, owner: int, *, seen: Mapping[int, int], only: Collection[int] | None
    ) -> list[ProgressEvent]:
        self._look(owner)
        looked_at = self.logs if only is None else {image: self.logs[image] for image in only}
        return [event for image, log in looked_at.items() for event in log if event.id > seen.get(image, 0)]

    def _look(self, owner: int) -> None:
        assert owner == OWNER.user_id
        self.looks += 1
        if self.troubles:
            raise self.troubles.pop(0)

    def watch(self, after: int = 0) -> "Watched":
        handle = WatchImageHandler(progress=self, signals=self, gate=self)
        return Watched(handle(WatchImage(IMAGE, after), OWNER).__aiter__())

    def watch_all(self) -> "Watched":
        handle = WatchImagesHandler(progress=self, signals=self, gate=self)
        return Watched(handle(WatchImages(), OWNER).__aiter__())


class Watched:
    """A stream, read batch by batch."""

    def __init__(self, batches: object) -> None:
        self._batches = batches

    async def next(self) -> list[int]:
        return [event.id for event in await self._batches.__anext__()]  # type: ignore[attr-defined]

    async def over(self) -> bool:
        """Whether it ends here by itself."""
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False


async def test_nothing_is_left_to_tell_of_an_ended_try_on_that_was_seen() -> None:
    """No batch at all; after an earlier event the rest comes, and then the end."""
    story = Story()
    story.logs, story.ended = {IMAGE: [event(1), event(2)]}, True
    assert await story.watch(after=2).over()
    stream = story.watch(after=1)
    assert await stream.next() == [2]
    assert await stream.over()
    assert story.listeners == 0


async def test_what_is_not_there_is_refused_before_anything_is_told() -> None:
    story = Story()
    with pytest.raises(NotFound):
        await story.watch().next()
    story.logs, story.is_deleted = {IMAGE: [event(1)]}, True
    with pytest.raises(NotFound):
        await story.watch().next()
    assert story.listeners == 0


async def test_a_stream_looks_when_it_hears_of_its_try_on_and_not_otherwise() -> None:
    story = Story(NOTHING, News(frozenset({99})), SOMETHING, News(everything=True))
    story.logs = {IMAGE: [event(1)]}
    stream = story.watch()
    assert await stream.next() == [1]
    assert (await stream.next(), await stream.next(), story.looks) == ([], [], 1)
    story.logs[IMAGE].append(event(2))
    assert (await stream.next(), story.looks) == ([2], 2)
    story.logs[IMAGE].append(event(3))
    assert (await stream.next(), story.looks) == ([3], 3)


async def test_a_stream_ends_with_its_try_on() -> None:
    """With the last event of an ended one, and without a word when it was deleted."""
    story = Story(SOMETHING)
    story.logs = {IMAGE: [event(1)]}
    stream = story.watch()
    await stream.next()
    story.logs[IMAGE].append(event(2))
    story.ended = True
    assert await stream.next() == [2]
    assert await stream.over()

    story = Story(SOMETHING)
    story.logs = {IMAGE: [event(1)]}
    stream = story.watch()
    await stream.next()
    story.is_deleted = True
    assert await stream.over()
    assert story.listeners == 0


@pytest.mark.parametrize("refusal", [Unauthenticated("not_authenticated", ""), Forbidden("account_disabled", "")])
async def test_a_stream_ends_with_its_session(refusal: Exception) -> None:
    """The session is asked for at every turn, also when there is no news; what came last is not told any more."""
    story = Story(NOTHING, SOMETHING)
    story.logs = {IMAGE: [event(1)]}
    for stream in (story.watch(), story.watch_all()):
        await stream.next()
        story.gate_says = refusal
        with pytest.raises(type(refusal)):
            await stream.next()
        story.gate_says = None
    assert story.listeners == 0


async def test_a_database_that_is_away_ends_no_stream() -> None:
    """What was heard meanwhile is looked up when it is back, without another word."""
    away = Unavailable("service_unavailable", "")
    story = Story(SOMETHING, NOTHING, NOTHING)
    story.logs = {IMAGE: [event(1)]}
    stream = story.watch()
    await stream.next()
    story.logs[IMAGE].append(event(2))
    story.gate_says, story.troubles = away, [away, away]
    assert (await stream.next(), await stream.next()) == ([], [])
    story.gate_says = None
    assert await stream.next() == [2]

    story = Story(SOMETHING, NOTHING)
    stream = story.watch_all()
    await stream.next()
    story.logs, story.troubles = {IMAGE: [event(1)]}, [away]
    assert (await stream.next(), await stream.next()) == ([], [1])


async def test_all_try_ons_are_told_from_now_on_and_once() -> None:
    """Not what was there before; a new one from its beginning; what was missed when everything is to be looked at."""
    story = Story(SOMETHING, News(frozenset({IMAGE, 42})), News(everything=True))
    story.logs = {IMAGE: [event(1), event(2)]}
    stream = story.watch_all()
    assert await stream.next() == []
    story.logs[IMAGE].append(event(3))
    assert await stream.next() == [3]
    story.logs[42] = [event(1, 42)]
    assert await stream.next() == [1]
    story.logs[43] = [event(1, 43)]
    story.logs[42].append(event(2, 42))
    assert sorted(await stream.next()) == [1, 2]


async def test_somebody_who_leaves_makes_room() -> None:
    """A stream that is given up between two batches listens no longer."""
    story = Story(NOTHING)
    story.logs = {IMAGE: [event(1)]}
    handle = WatchImageHandler(progress=story, signals=story, gate=story)
    batches = handle(WatchImage(IMAGE), OWNER)
    await anext(batches)
    assert story.listeners == 1
    await batches.aclose()  # type: ignore[attr-defined]
    assert story.listeners == 0
