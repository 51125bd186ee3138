"""What can go away, how it goes, and what is promised to be heard meanwhile in place of the usual."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import psutil  # type: ignore[import-untyped]
from msgspec import Struct

from tests.faults.provider import Service
from tests.faults.rig import Rig
from tests.outages.answers import NORMAL
from tests.outages.object_store import ObjectStore

NO_DATABASE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(NORMAL.keys() - {"live"}, ("503 service_unavailable",)),
    "ready": ("503 unavailable",),
    "try-on": ("503 service_unavailable", "COMPLETED"),
    "mail": ("503 service_unavailable", "came"),
}
NO_REDIS: Mapping[str, tuple[str, ...]] = {"ready": ("200 degraded",)}
NO_STORAGE: Mapping[str, tuple[str, ...]] = {"ready": ("200 degraded",), "upload": ("503 storage_unavailable",)}
NO_MODEL: Mapping[str, tuple[str, ...]] = {"try-on": ("COMPLETED", "FAILED provider_unavailable")}
NO_PAYMENTS: Mapping[str, tuple[str, ...]] = {"checkout": ("503 payment_provider_unavailable",)}
NOTHING: Mapping[str, tuple[str, ...]] = {}

Turn = Callable[[Rig, ObjectStore], Awaitable[None]]


class Outage(Struct, frozen=True):
    """`instead` has the routes of which something else than the usual may be heard, and what."""

    name: str
    seconds: float
    take: Turn
    give: Turn
    instead: Mapping[str, tuple[str, ...]]

    def promised(self, route: str) -> tuple[str, ...]:
        return self.instead.get(route, (NORMAL[route],))


async def _stop_postgres(rig: Rig, _: ObjectStore) -> None:
    await asyncio.to_thread(rig.postgres.stop)


async def _start_postgres(rig: Rig, _: ObjectStore) -> None:
    await asyncio.to_thread(rig.postgres.start)


async def _freeze_postgres(rig: Rig, _: ObjectStore) -> None:
    """Its processes have sessions of their own: each is told, the one that makes others first."""
    postgres = psutil.Process(rig.postgres.pid)
    postgres.suspend()
    for child in postgres.children():
        child.suspend()


async def _thaw_postgres(rig: Rig, _: ObjectStore) -> None:
    postgres = psutil.Process(rig.postgres.pid)
    for process in (*postgres.children(), postgres):
        process.resume()


async def _stop_redis(rig: Rig, _: ObjectStore) -> None:
    await asyncio.to_thread(rig.valkey.kill)


async def _start_redis(rig: Rig, _: ObjectStore) -> None:
    await asyncio.to_thread(rig.valkey.start)


async def _freeze_redis(rig: Rig, _: ObjectStore) -> None:
    psutil.Process(rig.valkey.pid).suspend()


async def _thaw_redis(rig: Rig, _: ObjectStore) -> None:
    psutil.Process(rig.valkey.pid).resume()


async def _cut_storage_off(_: Rig, store: ObjectStore) -> None:
    await asyncio.to_thread(store.refuse)


async def _reach_storage_again(_: Rig, store: ObjectStore) -> None:
    await asyncio.to_thread(store.accept)


async def _freeze_storage(_: Rig, store: ObjectStore) -> None:
    store.freeze()


async def _thaw_storage(_: Rig, store: ObjectStore) -> None:
    store.thaw()


def _scripted(service: Callable[[Rig], Service], operations: Sequence[str], **conduct: Any) -> dict[str, Turn]:
    """An outside service whose every answer is this, and later the true one again."""

    async def take(rig: Rig, _: ObjectStore) -> None:
        await service(rig).script(*({"on": operation, "times": None, **conduct} for operation in operations))

    async def give(rig: Rig, _: ObjectStore) -> None:
        await service(rig).unscript()

    return {"take": take, "give": give}


_MODEL = (lambda rig: rig.provider, ("create", "get", "files", "cancel", "output"))
_MAIL = (lambda rig: rig.mail_service, ("send",))
_PAYMENTS = (lambda rig: rig.dodo, ("create_checkout", "get_checkout", "get_payment"))
_ERROR = {"status": 503}

OUTAGES: Sequence[Outage] = (
    Outage("database stopped", 6, _stop_postgres, _start_postgres, NO_DATABASE),
    Outage("database silent", 17, _freeze_postgres, _thaw_postgres, NO_DATABASE),
    Outage("Redis killed", 5, _stop_redis, _start_redis, NO_REDIS),
    Outage("Redis silent", 6, _freeze_redis, _thaw_redis, NO_REDIS),
    Outage("storage cut off", 6, _cut_storage_off, _reach_storage_again, NO_STORAGE),
    Outage("storage silent", 17, _freeze_storage, _thaw_storage, NO_STORAGE),
    Outage("image model answers 503", 5, **_scripted(*_MODEL, reply=_ERROR), instead=NO_MODEL),
    Outage("image model silent", 6, **_scripted(*_MODEL, hang=6), instead=NO_MODEL),
    Outage("mail answers 503", 5, **_scripted(*_MAIL, reply=_ERROR), instead=NOTHING),
    Outage("mail silent", 6, **_scripted(*_MAIL, hang=6), instead=NOTHING),
    Outage("payments answer 503", 5, **_scripted(*_PAYMENTS, reply=_ERROR), instead=NO_PAYMENTS),
    Outage("payments silent", 17, **_scripted(*_PAYMENTS, hang=17), instead=NO_PAYMENTS),
)
"""What is silent and customers wait for is so for longer than they may be kept waiting."""

QUICK: Sequence[Outage] = tuple(
    Outage(outage.name, 5, outage.take, outage.give, outage.instead)
    for outage in OUTAGES
    if "silent" not in outage.name
)
"""Without those that show how long one waits for who says nothing."""
