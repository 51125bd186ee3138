"""Sign-ins that were held up, counted."""

from prometheus_client import CollectorRegistry, Counter

from application.auth.ports import LoginThrottle
from domain.errors import Throttled


class SignInMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.held_up = Counter(
            "hairtryon_sign_ins_held_up", "Attempts that came too early after wrong passwords.", registry=registry
        )


class CountedThrottle(LoginThrottle):
    def __init__(self, throttle: LoginThrottle, metrics: SignInMetrics) -> None:
        self._throttle = throttle
        self._metrics = metrics

    async def admit(self, email: str, client_ip: str) -> None:
        try:
            await self._throttle.admit(email, client_ip)
        except Throttled:
            self._metrics.held_up.inc()
            raise

    async def withdraw(self, email: str, client_ip: str) -> None:
        await self._throttle.withdraw(email, client_ip)

    async def succeeded(self, email: str, client_ip: str) -> None:
        await self._throttle.succeeded(email, client_ip)

    async def recognise(self, email: str, client_ip: str) -> None:
        await self._throttle.recognise(email, client_ip)

    async def reset(self, email: str) -> None:
        await self._throttle.reset(email)
