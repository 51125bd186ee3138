"""The sandbox's control API: what the outside services were asked, and what they are to answer."""

import ssl
from typing import Any

import httpx
from msgspec import Struct, convert

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The sandbox is on this machine. To load all that a machine trusts takes longer than a call."""


class Call(Struct, frozen=True):
    """A call that a service received, or a webhook that it sent."""

    operation: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    status: int | None
    fault: str | None


class Service:
    """One service that the sandbox plays."""

    def __init__(self, root: str, name: str) -> None:
        self._control = f"{root}/{name}/__control"

    async def script(self, *rules: dict[str, Any]) -> None:
        """Add rules; `sandbox.control` documents them."""
        await self._ask("POST", "", json={"rules": rules})

    async def unscript(self) -> None:
        """Take all rules back; what was called stays counted."""
        await self._ask("PUT", "", json={"rules": []})

    async def calls(self, operation: str) -> list[Call]:
        return convert((await self._ask("GET", "", params={"operation": operation}))["calls"], list[Call])

    async def count(self, operation: str) -> int:
        """How often it was called since the last reset."""
        return (await self.counts()).get(operation, 0)

    async def counts(self) -> dict[str, int]:
        """As `count`, of every operation that was called."""
        counts: dict[str, int] = (await self._ask("GET", ""))["counts"]
        return counts

    async def reset(self) -> None:
        await self._ask("DELETE", "")

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        async with httpx.AsyncClient(timeout=30, trust_env=False, verify=_NO_TLS) as client:
            answer = await client.request(method, f"{self._control}{path}", **request)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


class Provider(Service):
    """Replicate. Its pictures are small and made once: here, the work around them is what counts."""

    def __init__(self, root: str) -> None:
        super().__init__(root, "replicate")
        self.expected: dict[str, int] = {}

    def expect(self, *, creates: int, cancels: int = 0) -> None:
        """Say how often the provider is to be called in this test: so often and no oftener."""
        self.expected = {"create": creates, "cancel": cancels}

    async def take_time(self, seconds: float) -> None:
        """For every prediction from now on."""
        await self._ask("PUT", "/model", json={"latency_seconds": seconds, "picture": "fixed"})

    async def reset(self) -> None:
        self.expected = {}
        await super().reset()
        await self.take_time(0)


NO_WEBHOOKS: dict[str, Any] = {"on": "webhook", "times": None, "webhook": {"mode": "never"}}
"""The provider reports nothing by itself: the product has to look."""


def signal_at(operation: str, pid: int, name: str = "SIGKILL", **rule: Any) -> dict[str, Any]:
    """Send a signal to a process as soon as the provider has received its next call of this operation."""
    return {"on": operation, "signals": [{"pid": pid, "signal": name}], **rule}
