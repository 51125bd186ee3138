"""What is read of a form before anybody knows whether it is a good one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from litestar import Litestar, post

from domain.errors import Forbidden
from presentation.http.authentication import AnyRequest
from presentation.http.errors import EXCEPTION_HANDLERS
from presentation.http.forms import Intake
from presentation.http.signed_forms import signed_file

FIELD = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n%s\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
END = b"\r\n--b--\r\n"


def admit(fields: Mapping[str, str]) -> tuple[str, int]:
    if fields.get("key") != "good":
        raise Forbidden("forbidden", "This is no form of ours.")
    return "good", 100


@pytest.fixture
def intake() -> Intake:
    return Intake(each=1)


async def sent(intake: Intake, *chunks: bytes, then: asyncio.Event | None = None, seconds: float = 60) -> str:
    """What became of a form that came in these chunks, and then waited for its end."""
    files: dict[str, bytes] = {}

    @post("/", status_code=204)
    async def receive(request: AnyRequest) -> None:
        request.scope["state"]["request_id"] = "a-request"
        key, data = await signed_file(request, intake, admit, seconds=seconds)
        files[key] = data

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if then is not None:
            await then.wait()

    app: Any = Litestar([receive], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", trust_env=False) as client:
        answer = await client.post("/", content=body(), headers=headers)
    return files["good"].decode() if answer.status_code == 204 else str(answer.json()["code"])


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_form_may_come_in_pieces_of_any_size(intake: Intake, size: int) -> None:
    """Also where the file begins, or ends, in the middle of one."""
    form = FIELD % b"good" + FILE + b"a file" + END
    chunks = [form[start : start + size] for start in range(0, len(form), size)]
    assert await sent(intake, *chunks) == "a file"


async def test_fields_have_to_come_soon(intake: Intake) -> None:
    """A file whose fields were good may take its time: as long as the intake has for it."""
    never = asyncio.Event()
    assert await sent(intake, FIELD % b"good", then=never, seconds=0.01) == "validation_failed"
    patient = Intake(each=1, seconds=0.01)
    assert await sent(patient, FIELD % b"good" + FILE, b"a", then=never) == "validation_failed"
    assert await sent(intake, FIELD % b"good" + FILE, b"a", END) == "a"


async def test_a_place_is_taken_by_a_good_form_alone() -> None:
    """With no place at all the others are still refused for what they are."""
    full = Intake(most=0)
    assert await sent(full, FIELD % b"forged" + FILE, b"a", END) == "forbidden"
    assert await sent(full, FIELD % b"good", END) == "validation_failed"
    assert await sent(full, b"nonsense") == "validation_failed"
    assert await sent(full, FIELD % b"good" + FILE, b"a", END) == "rate_limited"
