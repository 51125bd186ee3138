"""Who sends slowly, sends nonsense or asks many times over takes up little, and nobody else's place."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from dishka import Provider, Scope

from application.images.ports import Picture, PictureProcessor
from infrastructure.images import VipsPictureProcessor
from tests.factories import photo
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service
from tests.integration.http.test_bad_input import assert_problem
from tests.integration.http.test_direct_uploads import FORM, begin, complete, files, send

AS_A_FORM = {"Content-Type": "multipart/form-data; boundary=b"}
EACH = 8
"""Uploads that one customer may complete at once."""


@pytest.fixture
async def service(start: Start) -> Service:
    return await start(real_storage=True)


class SlowPictures(VipsPictureProcessor):
    """Counts what it is given, and begins when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.has_two = asyncio.Event()
        self.go_on = asyncio.Event()

    async def normalise(self, data: bytes, *, max_side: int = 2048, min_side: int = 256) -> Picture:
        self.begun += 1
        if self.begun == 2:
            self.has_two.set()
        await self.go_on.wait()
        return await super().normalise(data, max_side=max_side, min_side=min_side)


class SlowBody:
    """Sends these bytes, and nothing more until it may finish."""

    def __init__(self, *chunks: bytes, rest: bytes = b"") -> None:
        self._chunks, self._rest = chunks, rest
        self.was_read = asyncio.Event()
        self.may_finish = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        self.was_read.set()
        await self.may_finish.wait()
        yield self._rest


def fields_of(form: Any, **changed: str) -> bytes:
    """The form up to where the file's bytes begin."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (form["fields"] | changed).items()
    ]
    return "".join([*parts, '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n']).encode()


def posting(service: Service, body: Any, *, ip: str = "192.0.2.1") -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(service.browser(ip=ip).post(service.root(FORM), content=body, headers=AS_A_FORM))


async def test_one_file_is_decoded_once_however_many_ask(start: Start) -> None:
    """Beyond eight at once a customer is told to wait; another customer is not."""
    pictures = SlowPictures()
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: pictures, provides=PictureProcessor, override=True)
    service = await start(provider, real_storage=True)
    ada, bob = await service.customer(), await service.customer()
    form, another = await begin(ada), await begin(bob)
    for sent in (form, another):
        await send(service, sent, photo())
    waiting = {asyncio.create_task(complete(ada, form["key"])) for _ in range(3 * EACH)}
    refused: set[asyncio.Task[httpx.Response]] = set()
    while len(waiting) > EACH:
        ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused |= ended
    for task in refused:
        assert_problem(task.result(), 429, "rate_limited")
        assert int(task.result().headers["Retry-After"]) > 0
    others = asyncio.create_task(complete(bob, another["key"]))
    both = asyncio.create_task(pictures.has_two.wait())
    await asyncio.wait({others, both}, return_when=asyncio.FIRST_COMPLETED)
    pictures.go_on.set()
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (await others).status_code == 201
    assert pictures.begun == 2
    assert (await complete(ada, form["key"])).content == answers[0].content


async def test_strangers_take_nobodys_place(service: Service) -> None:
    """Sixty-four from four networks begin forms and send no more; a customer's form and upload are taken."""
    ada = await service.customer()
    form = await begin(ada)
    bodies = [SlowBody(b"--b\r\n") for _ in range(64)]
    strangers = [posting(service, body, ip=f"198.51.100.{number % 4}") for number, body in enumerate(bodies)]
    for body in bodies:
        await body.was_read.wait()
    assert (await send(service, form, photo())).status_code == 204
    await ada.upload()
    for body in bodies:
        body.may_finish.set()
    for answer in await asyncio.gather(*strangers):
        assert_problem(answer, 400, "validation_failed")


async def test_a_form_has_one_place(service: Service) -> None:
    """Its second file at once is refused, another form's is not; afterwards it may be used again."""
    ada = await service.customer()
    form, another = await begin(ada), await begin(ada)
    body = SlowBody(fields_of(form), rest=photo() + b"\r\n--b--\r\n")
    first = posting(service, body)
    await body.was_read.wait()
    refused = await send(service, form, photo())
    assert_problem(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await send(service, another, photo())).status_code == 204
    body.may_finish.set()
    assert (await first).status_code == 204
    assert (await send(service, form, photo())).status_code == 204
    assert (await complete(ada, form["key"])).status_code == 201


async def test_a_forged_form_is_refused_before_its_file_has_come(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    body = SlowBody(fields_of(form, signature="0" * 40), b"x")
    assert_problem(await posting(service, body), 403, "forbidden")
    assert not body.may_finish.is_set()
    assert (await send(service, form, photo())).status_code == 204


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"\r\n", b"\r\n" * 500),
        (b"--b\r\n", b'Content-Disposition: form-data; name="%d"\r\n\r\nx\r\n--b\r\n'),
        (b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n', b"x" * 100),
        (b"--b\r\n", b"X-More: x\r\n"),
        (b"--b\r\nX-More: ", b"x" * 100),
    ],
    ids=["no part", "fields", "a field", "headers", "a header"],
)
async def test_what_comes_before_the_file_is_bounded(service: Service, first: bytes, more: bytes) -> None:
    """Whatever of it has no end is refused, however long it goes on."""

    async def endless() -> AsyncIterator[bytes]:
        yield first
        for number in itertools.count():
            yield more.replace(b"%d", b"%d" % number)

    assert_problem(await posting(service, endless()), 400, "validation_failed")
    assert files(service) == set()
