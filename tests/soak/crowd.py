"""Customers who do at random what customers do, and do not give up when an API dies under their request."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from tests.faults.customer import Customer
from tests.faults.rig import Rig, portrait
from tests.faults.watcher import Watcher
from tests.soak.purchases import Buyer

API = "/api/v1"
SIDES = ("right", "left", "back")
PAUSE_SECONDS = 0.2
LONGEST_WATCH_SECONDS = 5.0


class Crowd:
    """What all customers together have asked for, and what they were told."""

    def __init__(self, rig: Rig, apis: Sequence[str]) -> None:
        self._rig = rig
        self._apis = apis
        self.answers: Counter[tuple[str, str]] = Counter()
        """By action and status; `cut` is a connection that ended without an answer."""
        self.accepted: set[int] = set()
        self.ordered: set[int] = set()
        """Purchases for which a customer was given a checkout."""
        self.dodo = rig.dodo
        self.wrongly_told: list[list[int]] = []
        """The ids of events, of streams that told one twice, out of order, or not at all."""
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

    async def ask(self, action: str, method: str, path: str, *, patient: bool = True, **request: Any) -> httpx.Response:
        """Any API's answer, however often one has to ask; a 503 is one to come back for.

        Who is not patient takes for an answer that the same request is being worked on.
        """
        while True:
            try:
                async with self._client() as client:
                    answer = await client.request(method, path, **request)
            except httpx.TransportError:
                self.answers[action, "cut"] += 1
            else:
                self.answers[action, str(answer.status_code)] += 1
                in_progress = patient and answer.status_code == httpx.codes.CONFLICT and "in_progress" in answer.text
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE and not in_progress:
                    return answer
            await asyncio.sleep(PAUSE_SECONDS)

    async def watch(self, image_id: int, token: str) -> None:
        """For a while, or until everything is told; a stream that breaks off is taken up again, at any API."""
        watcher = Watcher(image_id)
        try:
            async with asyncio.timeout(random.uniform(0, LONGEST_WATCH_SECONDS)):
                while watcher.status in {0, httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}:
                    await self._read(watcher, token)
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            self.answers["watch", "left"] += 1
        if watcher.ids != list(range(1, len(watcher.ids) + 1)):
            self.wrongly_told.append(watcher.ids)

    async def _read(self, watcher: Watcher, token: str) -> None:
        try:
            async with self._client(API, Authorization=f"Bearer {token}") as client:
                await watcher.read(client)
        except httpx.TransportError:
            self.answers["watch", "cut"] += 1
        else:
            self.answers["watch", str(watcher.status)] += 1

    def _client(self, path: str = "", **headers: str) -> httpx.AsyncClient:
        """Of an API that is as good as any other."""
        return httpx.AsyncClient(
            base_url=f"{random.choice(self._apis)}{path}", headers=headers, trust_env=False, timeout=40
        )


class Visitor:
    def __init__(self, crowd: Crowd, token: str, order: dict[str, Any]) -> None:
        self._crowd = crowd
        self._token = token
        self._order = order
        self._mine: list[int] = []
        self._buyer = Buyer(crowd.dodo, self._buy, crowd.answers, crowd.ordered)

    async def stay(self) -> None:
        """One action after the other, until everybody leaves."""
        actions = (
            *(self.generate, self.generate, self.generate_or_reuse, self.price, self.add_views, self.retry),
            *(self.look, self.watch, self.cancel, self.delete, self.send_photo, self.change_picture),
            *(self._buyer.buy, self._buyer.buy, self._buyer.regret),
        )
        while not self._crowd.leaving.is_set():
            action = random.choice(actions)
            await action()
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))

    async def generate(self) -> None:
        await self._take_up(await self._post("generate", "/image/generate", json=self._wanted()))

    async def generate_or_reuse(self) -> None:
        order = {**self._wanted(), "reuse": True}
        await self._take_up(await self._post("generate or reuse", "/image/generate", json=order))

    async def price(self) -> None:
        order = {**self._wanted(), "reuse": random.choice((True, False))}
        await self._post("price", "/image/generate?dry_run=true", json=order)

    async def look(self) -> None:
        if self._mine:
            await self._ask("status", "GET", f"/image/status/{random.choice(self._mine)}")
        await self._ask("gallery", "GET", "/user/images")

    async def watch(self) -> None:
        if self._mine:
            await self._crowd.watch(random.choice(self._mine[-3:]), self._token)

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
            await self._ask("delete", "DELETE", f"/image/{image_id}")

    async def send_photo(self) -> None:
        """Straight to storage, for the try-ons to come."""
        begun = await self._ask("begin upload", "POST", "/image/upload-url")
        if not begun.is_success:
            return
        form = begun.json()
        photo = {"file": ("me.jpg", portrait())}
        await self._crowd.ask("send photo", "POST", urlsplit(form["url"]).path, data=form["fields"], files=photo)
        completed = await self._ask("complete upload", "POST", "/image/upload-complete", json={"key": form["key"]})
        if completed.is_success:
            self._order["image_input_url"] = completed.json()["image_input_url"]

    async def change_picture(self) -> None:
        if random.choice((True, False)):
            await self._ask("change picture", "PUT", "/user/me/picture", files={"file": ("me.jpg", portrait())})
        else:
            await self._ask("remove picture", "DELETE", "/user/me/picture")

    def _wanted(self) -> dict[str, Any]:
        return {**self._order, "views": ["front", *random.sample(SIDES, random.randint(0, len(SIDES)))]}

    async def _take_up(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.ACCEPTED:
            image_id = answer.json()["image_id"]
            self._mine.append(image_id)
            self._crowd.accepted.add(image_id)
        elif answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            await self.send_photo()  # the last one went with the last try-on that had it

    async def _buy(self, action: str, path: str, **request: Any) -> httpx.Response:
        """An API that dies while it opens a checkout keeps the order for a minute: who cannot wait orders anew."""
        return await self._post(action, path, patient=False, **request)

    async def _post(self, action: str, path: str, **request: Any) -> httpx.Response:
        """Under one key, so that a request whose answer was cut off is not carried out twice."""
        return await self._ask(action, "POST", path, key=str(uuid4()), **request)

    async def _ask(self, action: str, method: str, path: str, *, key: str = "", **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Idempotency-Key": key} if key else {})
        return await self._crowd.ask(action, method, f"{API}{path}", headers=headers, **request)
