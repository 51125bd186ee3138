"""How long a document is kept, and how much of one is read."""

import asyncio
from typing import Any

import pytest
from msgspec import Struct

from infrastructure.small_documents import MAX_BYTES, Answer, KeptDocument, NoAnswer, SmallDocuments
from tests.misbehaving import MisbehavingServer, answer


class Note(Struct, frozen=True):
    number: int


async def read(server: MisbehavingServer, *moments: float, **how: Any) -> list[int | None]:
    """Look at the document at these times; None where it could not be had."""
    documents = SmallDocuments(timeout=5)
    now = [0.0]
    kept = KeptDocument(documents, Note, now=lambda: now[0])
    found: list[int | None] = []
    for moment in moments:
        now[0] = moment
        try:
            found.append((await kept.read(server.url, **how)).number)
        except NoAnswer:
            found.append(None)
    await documents.aclose()
    return found


def notes(count: int, **headers: str) -> list[bytes]:
    return [answer(200, {"number": number}, **headers) for number in range(count)]


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("max-age=60", 60),
        ("public, max-age=60, must-revalidate, no-transform", 60),
        ("PUBLIC,MAX-AGE=60", 60),
        ("s-maxage=5", 300),
        ("public", 300),
        ("max-age=999999999", 86_400),
        ("max-age=", 300),
        ("max-age=9999999999999999", 300),
    ],
)
async def test_a_document_is_kept_for_as_long_as_its_server_says(cache_control: str, seconds: float) -> None:
    """A day at most, and five minutes where nothing sensible is said."""
    async with MisbehavingServer(*notes(3, Cache_Control=cache_control)) as server:
        assert await read(server, 0, seconds - 1, seconds) == [0, 0, 1]


@pytest.mark.parametrize("cache_control", ["no-store", "no-cache, max-age=60", "max-age=0"])
async def test_a_document_that_is_not_to_be_kept_is_not(cache_control: str) -> None:
    async with MisbehavingServer(*notes(3, Cache_Control=cache_control)) as server:
        assert await read(server, 0, 0, 0) == [0, 1, 2]


async def test_it_is_fetched_anew_once_in_ten_seconds_at_most() -> None:
    async with MisbehavingServer(*notes(9)) as server:
        assert await read(server, 0, 1, 9, 10, 11, anew=True) == [0, 0, 0, 1, 1]


async def test_an_expired_document_is_not_used_though_its_server_is_away() -> None:
    """Neither is a failure remembered."""
    replies = [*notes(1, Cache_Control="max-age=60"), answer(503), answer(200, b"<html>"), answer(200, {"number": 7})]
    async with MisbehavingServer(*replies) as server:
        assert await read(server, 0, 60, 60, 60) == [0, None, None, 7]


async def test_those_who_ask_at_once_share_one_call() -> None:
    async with MisbehavingServer(*notes(9)) as server:
        documents = SmallDocuments()
        kept = KeptDocument(documents, Note)
        found = await asyncio.gather(*(kept.read(server.url) for _ in range(5)))
        await documents.aclose()
        assert (len(server.requests), {note.number for note in found}) == (1, {0})


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b" " * (MAX_BYTES + 1)),
        answer(200, b"{}", Content_Encoding="gzip"),
        answer(302, b"", Location="/elsewhere"),
        answer(200, {"number": "1"}),
        answer(200, b"[" * 50_000),
        answer(200, b"\xff"),
        b"no HTTP at all\r\n\r\n",
    ],
    ids=["large", "gzip", "redirect", "type", "deep", "utf8", "noise"],
)
async def test_what_is_no_such_document_is_no_answer(reply: bytes) -> None:
    async with MisbehavingServer(reply) as server:
        assert await read(server, 0) == [None]


@pytest.mark.parametrize("url", ["", "/relative", "ftp://127.0.0.1/x", "http://[/", "http://127.0.0.1:1/"])
async def test_an_address_that_leads_nowhere_is_no_answer(url: str) -> None:
    documents = SmallDocuments(timeout=5)
    with pytest.raises(NoAnswer):
        await documents.get(url)
    await documents.aclose()


async def test_whoever_comes_while_a_server_is_silent_waits_no_longer_than_the_first() -> None:
    """They share one call, and all hear at once that it came to nothing."""
    asked, give_up = [], asyncio.Event()

    class Silent(SmallDocuments):
        async def get(self, url: str) -> Answer:
            asked.append(url)
            await give_up.wait()
            raise NoAnswer("silent")

    document = KeptDocument(Silent(), dict[str, str])
    waiting = [asyncio.create_task(document.read("https://keys.test")) for _ in range(12)]
    await asyncio.sleep(0)
    give_up.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in ended} == {NoAnswer}
    assert len(asked) == 1
