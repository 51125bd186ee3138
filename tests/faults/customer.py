"""A customer who calls the API as a frontend would."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from msgspec import Struct, convert

TERMINAL = {"COMPLETED", "FAILED", "CANCELLED"}

_PATIENCE_SECONDS = 90.0


class Balance(Struct, frozen=True):
    credits: int
    credits_held: int


class ViewState(Struct, frozen=True):
    view: str
    status: str
    url: str | None
    error: str | None


class ImageState(Struct, frozen=True):
    id: int
    status: str
    views: list[ViewState]

    @property
    def errors(self) -> set[str | None]:
        return {view.error for view in self.views}


class Customer:
    """Signed in when it has a `token`. Waiting for something ends, in a failure, after a minute and a half."""

    def __init__(self, api: str, sandbox: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.AsyncClient(base_url=f"{api}/api/v1", headers=headers, timeout=60, trust_env=False)
        self._outbox = f"{sandbox}/brevo/mails"
        self.style_id = 0
        self.photo = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def register(self, email: str, password: str) -> httpx.Response:
        return await self.http.post("/auth/register", json={"email": email, "password": password, "name": "Ada"})

    async def mails(self, email: str) -> list[dict[str, Any]]:
        """What was mailed to this address, newest first."""
        async with httpx.AsyncClient(trust_env=False) as client:
            mails: list[dict[str, Any]] = (await client.get(self._outbox, params={"to": email})).json()["mails"]
        return mails

    async def mailed_token(self, email: str) -> str:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (mails := await self.mails(email)):
            assert time.monotonic() < deadline, f"no mail came to {email}"
            await asyncio.sleep(0.1)
        return str(mails[0]["links"][0]).partition("token=")[2]

    async def verify(self, mailed_token: str) -> dict[str, str]:
        """Use the mailed link; returns the tokens."""
        tokens: dict[str, str] = _success(await self.http.post("/auth/verify", json={"token": mailed_token}))
        return tokens

    async def pick(self, photo: bytes) -> None:
        """Choose a hairstyle and upload a portrait, for every `generate` to come."""
        self.style_id = _success(await self.http.get("/image/styles"))["items"][0]["id"]
        uploaded = await self.http.post("/image/upload", files={"file": ("me.jpg", photo, "image/jpeg")})
        self.photo = _success(uploaded)["image_input_url"]

    async def ask(self, *views: str, key: str | None = None) -> httpx.Response:
        """Ask for a try-on, and take whatever answer comes."""
        body = {"style_id": self.style_id, "image_input_url": self.photo, "views": views or ["front"]}
        return await self.http.post("/image/generate", json=body, headers={"Idempotency-Key": key} if key else {})

    async def generate(self, *views: str) -> int:
        """Ask for a try-on that is accepted; returns its id."""
        answer = await self.ask(*views)
        assert answer.status_code == 202, answer.text
        image_id: int = answer.json()["image_id"]
        return image_id

    async def look(self, image_id: int) -> ImageState:
        return convert(_success(await self.http.get(f"/image/status/{image_id}")), ImageState)

    async def outcome(self, image_id: int) -> ImageState:
        """The try-on when nothing about it can change any more."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            image = await self.look(image_id)
            if all(view.status in TERMINAL for view in image.views):
                return image
            assert time.monotonic() < deadline, f"still open: {image}"
            await asyncio.sleep(0.1)

    async def balance(self) -> Balance:
        return convert(_success(await self.http.get("/user/me")), Balance)

    @asynccontextmanager
    async def charged(self, price: int) -> AsyncIterator[None]:
        """Afterwards, just so many credits are gone, and none more is held than before."""
        before = await self.balance()
        yield
        assert await self.balance() == Balance(before.credits - price, before.credits_held)

    async def download(self, image: ImageState) -> list[bytes]:
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = [await client.get(view.url) for view in image.views if view.url]
        assert all(answer.is_success for answer in answers)
        return [answer.content for answer in answers]


def _success(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()
