"""Progress as it goes over the wire."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from application.images.progress import GoingAway, ProgressEvent, ProgressItem
from domain.errors import Forbidden, Unauthenticated
from domain.views import Status, View, ViewError
from presentation.http.progress import event_lines, stream_lines

EVENT = ProgressEvent(
    4,
    "view",
    ProgressItem(
        image_id=41,
        view=View.BACK,
        status=Status.FAILED,
        url=None,
        error=ViewError.PROVIDER_REJECTED,
        queue_position=None,
        eta_seconds=12.5,
        at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    ),
)
WIRE = (
    b"id: 4\nevent: view\n"
    b'data: {"image_id":41,"view":"back","status":"FAILED","url":null,"error":"provider_rejected",'
    b'"queue_position":null,"eta_seconds":12.5,"at":"2026-01-15T10:30:00Z"}\n\n'
)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


async def batches(
    clock: Clock, *turns: tuple[float, list[ProgressEvent] | Exception]
) -> AsyncIterator[list[ProgressEvent]]:
    """Each after so many seconds."""
    for seconds, turn in turns:
        clock.time += seconds
        if isinstance(turn, Exception):
            raise turn
        yield turn


def test_an_event_is_its_id_its_name_and_one_line_of_data() -> None:
    assert event_lines([EVENT]) == WIRE
    assert event_lines([EVENT, EVENT]) == WIRE + WIRE
    assert event_lines([]) == b""


async def test_a_stream_says_first_when_to_connect_again() -> None:
    clock = Clock()
    sent = [chunk async for chunk in stream_lines([EVENT], batches(clock, (0, [EVENT])), clock)]
    assert sent == [b"retry: 2000\n\n" + WIRE, WIRE]


async def test_a_stream_that_has_nothing_to_say_says_so_every_fifteen_seconds() -> None:
    """A comment, which readers skip; an event does as well."""
    clock = Clock()
    turns = batches(clock, (5, []), (5, []), (5, []), (5, []), (5, [EVENT]), (10, []), (5, []))
    sent = [chunk async for chunk in stream_lines([], turns, clock)]
    assert sent == [b"retry: 2000\n\n", b": all is well\n\n", WIRE, b": all is well\n\n"]


@pytest.mark.parametrize("end", [GoingAway(), Unauthenticated("not_authenticated", ""), Forbidden("forbidden", "")])
async def test_a_stream_just_ends_when_its_session_or_the_process_does(end: Exception) -> None:
    """What was sent has been answered with 200 already: there is nothing to refuse any more."""
    clock = Clock()
    sent = [chunk async for chunk in stream_lines([], batches(clock, (0, [EVENT]), (0, end)), clock)]
    assert sent == [b"retry: 2000\n\n", WIRE]
