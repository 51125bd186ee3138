"""Whom and what the attacks are aimed at."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from msgspec import Struct

from tests.faults.customer import Customer
from tests.faults.rig import Rig


class Finding(Struct, frozen=True):
    """What came of one attack."""

    tried: str
    came_of_it: str
    held: bool
    """Whether the API held: the attack brought nothing."""


@dataclass
class Account:
    email: str
    password: str
    access: str = ""
    refresh: str = ""

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


class Target:
    """A running stack, whose API is reached through a proxy that it trusts: so attacks may come from any address.

    Each attack makes accounts of its own, and has an address of its own that its victims are at home at.
    """

    def __init__(self, rig: Rig, url: str) -> None:
        self._rig = rig
        self._url = url
        self._attacks = 0
        self.secret_key = rig.environ["SECRET_KEY"]
        self.dodo = rig.dodo
        self.url_without_proxy = rig.url
        """Another API of the same stack, which trusts nobody and limits no address."""

    @property
    def home(self) -> str:
        return f"10.{self._attacks}.0.1"

    def prepare(self) -> None:
        """Begin the next attack."""
        self._attacks += 1

    def client(self, address: str = "", **headers: str) -> httpx.AsyncClient:
        headers = {"X-Forwarded-For": address or self.home, **headers}
        return httpx.AsyncClient(base_url=f"{self._url}/api/v1", headers=headers, trust_env=False, timeout=60)

    def new_account(self) -> Account:
        return Account(f"{self._rig.new_canary()}@example.org", self._rig.new_canary())

    async def customer(self) -> Account:
        """Somebody verified, signed in."""
        account = self.new_account()
        async with self.visitor() as visitor:
            await visitor.register(account.email, account.password)
            pair = await visitor.verify(await visitor.mailed_token(account.email))
        self.keep(account, pair)
        return account

    def visitor(self) -> Customer:
        return Customer(self._rig.url, self._rig.sandbox_url)

    def keep(self, account: Account, pair: dict[str, str]) -> None:
        """Take the new tokens, which no log may show."""
        account.access, account.refresh = pair["access_token"], pair["refresh_token"]
        self._rig.canaries += [account.access, account.refresh]

    async def log_in(self, account: Account, password: str, address: str = "") -> httpx.Response:
        async with self.client(address) as client:
            return await client.post("/auth/login", json={"email": account.email, "password": password})

    async def opens(self, access: str) -> bool:
        """Whether this access token opens the profile."""
        async with self.client(Authorization=f"Bearer {access}".strip()) as client:
            return (await client.get("/user/me")).status_code != 401

    async def refreshed(self, refresh: str) -> httpx.Response:
        async with self.client() as client:
            return await client.post("/auth/refresh", json={"refresh_token": refresh})


def counted(codes: Sequence[int]) -> str:
    """Such as `5 x 401, 25 x 429`."""
    return ", ".join(f"{codes.count(code)} x {code}" for code in sorted(set(codes)))
