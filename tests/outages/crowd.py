"""Customers who ask for everything that matters, at a steady pace, and note what they hear."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from msgspec import Struct

from tests.faults.customer import TERMINAL, Customer
from tests.faults.rig import Rig, portrait
from tests.outages.answers import NORMAL, Answer, spelled
from tests.selling import signed

MEMBERS = 3
SLEEPERS = 12
"""Who only log in, each now and then: whoever does it often while nobody answers is taken for guessing."""
CREDITS = 100_000
PAUSE_SECONDS = 0.5
"""From one request for a route to the next, whether or not the one before has been answered."""
PAUSES: Mapping[str, float] = {"checkout": 1.0, "try-on": 1.0, "register": 1.5, "login": 1.5, "mail": 2.5}
"""Where it is another; passwords take a core for a while."""
LOOK_AGAIN_SECONDS = 0.25
LONGEST_ANSWER_SECONDS = 60.0

_API = "/api/v1"
_UNKNOWN_EVENT = {"type": "license_key.created", "data": {}}
"""Signed by the payment provider, and of no meaning here: it is stored, and answered 200."""


class Member(Struct, frozen=True):
    headers: dict[str, str]
    order: dict[str, Any]
    """What they ask for when they ask for a try-on."""


class Crowd:
    """Entered, it has members who can ask; `attend` has them ask until they are to leave."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._members: list[Member] = []
        self._sleepers: list[tuple[str, str]] = []
        """Address and password, the next to log in first."""
        self._under_way: set[asyncio.Task[None]] = set()
        self.answers: list[Answer] = []
        self.accepted: list[int] = []
        self.ordered: set[int] = set()
        """Purchases for which a customer was given a checkout."""
        self.signed_up: list[str] = []
        """Addresses whose registration was accepted."""
        self.leaving = asyncio.Event()
        self._http = httpx.AsyncClient(
            base_url=rig.url,
            trust_env=False,
            timeout=LONGEST_ANSWER_SECONDS,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        self._members += await asyncio.gather(*(self._join() for _ in range(MEMBERS)))
        for _ in range(SLEEPERS):
            async with Customer(self._rig.url, self._rig.sandbox_url) as newcomer:
                email, password, _ = await self._sign_up(newcomer)
            self._sleepers.append((email, password))
        for member in self._members:
            await self._generate("generate", member)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._http.aclose()

    async def attend(self) -> None:
        """Ask for every route at its pace until it is time to leave, and wait for what was asked last."""
        asking: Mapping[str, Callable[[], Awaitable[None]]] = {
            "live": lambda: self._look("live", "/health/live"),
            "ready": lambda: self._look("ready", "/health/ready"),
            "styles": lambda: self._look("styles", f"{_API}/image/styles"),
            "status": lambda: self._look("status", f"{_API}/image/status/{self.accepted[0]}", self._members[0]),
            "gallery": lambda: self._look("gallery", f"{_API}/user/images", self._somebody()),
            "credits": lambda: self._look("credits", f"{_API}/user/credits", self._somebody()),
            "upload": self._upload,
            "generate": self._generate_once,
            "register": self._register_once,
            "login": self._log_in,
            "checkout": self._buy,
            "webhook": self._deliver,
            "try-on": self._see_a_try_on_through,
            "mail": self._wait_for_mail,
        }
        await asyncio.gather(*(self._keep_asking(route, asking[route]) for route in NORMAL))
        await asyncio.gather(*self._under_way)

    async def _keep_asking(self, route: str, ask: Callable[[], Awaitable[None]]) -> None:
        pause = PAUSES.get(route, PAUSE_SECONDS)
        await asyncio.sleep(random.uniform(0, pause))
        while not self.leaving.is_set():
            task = asyncio.ensure_future(ask())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(pause)

    async def _join(self) -> Member:
        """Somebody new, with credits and a photo."""
        async with Customer(self._rig.url, self._rig.sandbox_url) as newcomer:
            email, _, token = await self._sign_up(newcomer)
            grant = ("credits", "grant", email, str(CREDITS), "--reason", "for the outages")
            await asyncio.to_thread(self._rig.hairtryon, *grant)
            headers = {"Authorization": f"Bearer {token}"}
            newcomer.http.headers.update(headers)
            await newcomer.pick(portrait())
            return Member(headers, {"style_id": newcomer.style_id, "image_input_url": newcomer.photo})

    async def _sign_up(self, newcomer: Customer) -> tuple[str, str, str]:
        """Address, password and access token."""
        email, password = f"{self._rig.new_canary()}@example.org", self._rig.new_canary()
        await newcomer.register(email, password)
        tokens = await newcomer.verify(await newcomer.mailed_token(email))
        self._rig.canaries += [tokens["access_token"], tokens["refresh_token"]]
        return email, password, tokens["access_token"]

    def _somebody(self) -> Member:
        return random.choice(self._members)

    async def _look(self, route: str, path: str, member: Member | None = None) -> None:
        await self._ask(route, "GET", path, headers=member.headers if member else {})

    async def _upload(self) -> None:
        photo = {"file": ("me.jpg", portrait(), "image/jpeg")}
        await self._ask("upload", "POST", f"{_API}/image/upload", headers=self._somebody().headers, files=photo)

    async def _generate_once(self) -> None:
        await self._generate("generate", self._somebody())

    async def _generate(self, route: str, member: Member) -> int | None:
        """The try-on, if it was accepted; only then is nothing noted for a route that waits for its end."""
        headers = {**member.headers, "Idempotency-Key": str(uuid4())}
        asked = time.monotonic()
        answer = await self._send("POST", f"{_API}/image/generate", headers=headers, json=member.order)
        is_accepted = isinstance(answer, httpx.Response) and answer.status_code == httpx.codes.ACCEPTED
        if route == "generate" or not is_accepted:
            self._note(route, asked, answer)
        if not isinstance(answer, httpx.Response) or not is_accepted:
            return None
        image_id: int = answer.json()["image_id"]
        self.accepted.append(image_id)
        return image_id

    async def _see_a_try_on_through(self) -> None:
        member, asked = self._somebody(), time.monotonic()
        image_id = await self._generate("try-on", member)
        if image_id is None:
            return
        while not self.leaving.is_set():
            looked = await self._send("GET", f"{_API}/image/status/{image_id}", headers=member.headers)
            if isinstance(looked, httpx.Response) and looked.is_success and looked.json()["status"] in TERMINAL:
                image = looked.json()
                self._note("try-on", asked, f"{image['status']} {(image['error'] or {}).get('code', '')}".strip())
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _register(self, route: str = "register") -> str | None:
        """The address, if the registration was accepted."""
        email, password = f"{self._rig.new_canary()}@example.org", self._rig.new_canary()
        asked = time.monotonic()
        sign_up = {"email": email, "password": password, "name": "Ada"}
        answer = await self._send("POST", f"{_API}/auth/register", json=sign_up)
        is_accepted = isinstance(answer, httpx.Response) and answer.status_code == httpx.codes.ACCEPTED
        if route == "register" or not is_accepted:
            self._note(route, asked, answer)
        if not is_accepted:
            return None
        self.signed_up.append(email)
        return email

    async def _register_once(self) -> None:
        await self._register()

    async def _wait_for_mail(self) -> None:
        asked = time.monotonic()
        email = await self._register("mail")
        while email and not self.leaving.is_set():
            if await self.mails(email):
                self._note("mail", asked, NORMAL["mail"])
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def mails(self, email: str) -> int:
        """How many were sent to this address."""
        kept = await self._http.get(f"{self._rig.sandbox_url}/brevo/mails", params={"to": email})
        return len(kept.json()["mails"])

    async def _log_in(self) -> None:
        email, password = self._sleepers.pop(0)
        self._sleepers.append((email, password))
        answer = await self._ask("login", "POST", f"{_API}/auth/login", json={"email": email, "password": password})
        if answer is not None and answer.is_success:
            tokens = answer.json()
            self._rig.canaries += [tokens["access_token"], tokens["refresh_token"]]

    async def _buy(self) -> None:
        """Order a credit and pay it."""
        answer = await self._ask(
            "checkout",
            "POST",
            f"{_API}/payment/create-checkout",
            headers={**self._somebody().headers, "Idempotency-Key": str(uuid4())},
            json={"credits_amount": 1},
        )
        if answer is not None and answer.status_code == httpx.codes.CREATED:
            order = answer.json()
            self.ordered.add(order["transaction_id"])
            await self._rig.dodo.pay(order["session_id"])

    async def _deliver(self) -> None:
        secret = self._rig.environ["DODO_PAYMENTS_WEBHOOK_SECRET"]
        body, headers = signed(secret, f"evt_{uuid4().hex}", _UNKNOWN_EVENT)
        await self._ask("webhook", "POST", f"{_API}/payment/webhook", headers=headers, content=body)

    async def _ask(self, route: str, method: str, path: str, **request: Any) -> httpx.Response | None:
        asked = time.monotonic()
        answer = await self._send(method, path, **request)
        self._note(route, asked, answer)
        return answer if isinstance(answer, httpx.Response) else None

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response | str:
        """An answer, or what became of the connection."""
        try:
            return await self._http.request(method, path, **request)
        except httpx.TransportError as failure:
            return f"none: {type(failure).__name__}"

    def _note(self, route: str, asked: float, answer: httpx.Response | str) -> None:
        if isinstance(answer, str):
            self.answers.append(Answer(route, asked, time.monotonic(), answer))
        else:
            says_when = "Retry-After" in answer.headers
            self.answers.append(Answer(route, asked, time.monotonic(), spelled(answer), says_when))
