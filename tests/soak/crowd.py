"""Customers who do at random what customers do, and do not give up when an API dies under their request."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.customer import Customer
from tests.faults.rig import Rig, portrait

SIDES = ("right", "left", "back")
PAUSE_SECONDS = 0.2


class Crowd:
    """What all customers together have asked for, and what they were told."""

    def __init__(self, rig: Rig, apis: Sequence[str]) -> None:
        self._rig = rig
        self._apis = apis
        self.answers: Counter[tuple[str, str]] = Counter()
        """By action and status; `cut` is a connection that ended without an answer."""
        self.accepted: set[int] = set()
        self.leaving = asyncio.Event()

    async def join(self, credits_: int) -> "Visitor":
        """Somebody new, with so many credits and a photo."""
        email, password = f"{self._rig.new_canary()}@example.org", self._rig.new_canary()
        async with Customer(self._rig.url, self._rig.sandbox_url) as newcomer:
            await newcomer.register(email, password)
            tokens = await newcomer.verify(await newcomer.mailed_token(email))
            await asyncio.to_thread(
                self._rig.hairtryon, "credits", "grant", email, str(credits_), "--reason", "for the soak"
            )
            newcomer.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            await newcomer.pick(portrait())
            order = {"style_id": newcomer.style_id, "image_input_url": newcomer.photo}
        self._rig.canaries += [tokens["access_token"], tokens["refresh_token"]]
        return Visitor(self, tokens["access_token"], order)

    async def ask(self, action: str, method: str, path: str, token: str, **request: Any) -> httpx.Response:
        """Any API's answer, however often one has to ask; a 503 is one to come back for."""
        headers = {"Authorization": f"Bearer {token}"} | request.pop("headers", {})
        while True:
            url = f"{random.choice(self._apis)}/api/v1{path}"
            try:
                async with httpx.AsyncClient(trust_env=False, timeout=40) as client:
                    answer = await client.request(method, url, headers=headers, **request)
            except httpx.TransportError:
                self.answers[action, "cut"] += 1
            else:
                self.answers[action, str(answer.status_code)] += 1
                in_progress = answer.status_code == httpx.codes.CONFLICT and "in_progress" in answer.text
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE and not in_progress:
                    return answer
            await asyncio.sleep(PAUSE_SECONDS)


class Visitor:
    def __init__(self, crowd: Crowd, token: str, order: dict[str, Any]) -> None:
        self._crowd = crowd
        self._token = token
        self._order = order
        self._mine: list[int] = []

    async def stay(self) -> None:
        """One action after the other, until everybody leaves."""
        actions = (self.generate, self.generate, self.look, self.cancel, self.retry, self.add_views, self.delete)
        while not self._crowd.leaving.is_set():
            action = random.choice(actions)
            await action()
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))

    async def generate(self) -> None:
        views = ["front", *random.sample(SIDES, random.randint(0, len(SIDES)))]
        answer = await self._post("generate", "/image/generate", json={**self._order, "views": views})
        if answer.status_code == httpx.codes.ACCEPTED:
            image_id = answer.json()["image_id"]
            self._mine.append(image_id)
            self._crowd.accepted.add(image_id)

    async def look(self) -> None:
        if self._mine:
            await self._crowd.ask("status", "GET", f"/image/status/{random.choice(self._mine)}", self._token)
        await self._crowd.ask("gallery", "GET", "/user/images", self._token)

    async def cancel(self) -> None:
        if self._mine:
            await self._post("cancel", f"/image/{self._mine[-1]}/cancel")

    async def retry(self) -> None:
        if self._mine:
            await self._post("retry", f"/image/{random.choice(self._mine)}/retry")

    async def add_views(self) -> None:
        if self._mine:
            views = random.sample(SIDES, random.randint(1, len(SIDES)))
            await self._post("add views", f"/image/{random.choice(self._mine)}/views", json={"views": views})

    async def delete(self) -> None:
        if len(self._mine) > 3:
            image_id = self._mine.pop(random.randrange(len(self._mine)))
            await self._crowd.ask("delete", "DELETE", f"/image/{image_id}", self._token)

    async def _post(self, action: str, path: str, **request: Any) -> httpx.Response:
        """Under one key, so that a request whose answer was cut off is not carried out twice."""
        key = {"Idempotency-Key": str(uuid4())}
        return await self._crowd.ask(action, "POST", path, self._token, headers=key, **request)
