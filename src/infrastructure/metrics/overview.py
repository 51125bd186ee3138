"""All that is counted, by every process that lives, and how things stand in the database: what Prometheus reads."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from infrastructure.metrics.exchange import MetricsExchange, ProcessName, role_of
from infrastructure.metrics.series import Family, Sample, exposition, families_of
from infrastructure.metrics.standing import Standing

ROLES = ("api", "worker")


class Overview:
    """Any process that answers knows all of them, itself as it is now, the others as they were some seconds ago."""

    def __init__(self, registry: CollectorRegistry, exchange: MetricsExchange, standing: Standing) -> None:
        self._registry = registry
        self._exchange = exchange
        self._standing = standing

    async def text(self) -> bytes:
        others, standing = await asyncio.gather(self._exchange.others(), self._standing.families())
        processes = {self._exchange.name: families_of(self._registry), **(others or {})}
        shared = [*standing, *_processes(processes, are_known=others is not None)]
        # Thousands of lines, while which others want their answers.
        return await asyncio.to_thread(exposition, processes, shared)


def _processes(processes: Mapping[str, object], *, are_known: bool) -> list[Family]:
    """How many live, by what they are; while Redis is away nobody knows of any but the one that answers."""
    known = "hairtryon_processes_known"
    families = [Family(known, "Whether Redis told of other processes.", "gauge", [Sample(known, {}, are_known)])]
    if are_known:
        roles = Counter(role_of(ProcessName(name)) for name in processes)
        samples = [Sample("hairtryon_processes", {"role": role}, roles[role]) for role in ROLES]
        families.append(Family("hairtryon_processes", "Processes that live.", "gauge", samples))
    return families
