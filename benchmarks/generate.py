"""Try-ons accepted, against a bare transaction of four statements. No worker runs, and each round begins anew."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.load import Figures
from benchmarks.measure import Row, answer, compare, run
from benchmarks.reads import must_be_alike
from benchmarks.rig import Rig

_CONNECTIONS = 32


def generate(rig: Rig) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    ours = customers.generate("/api/v1/image/generate")
    theirs = customers.generate("/generate")
    rig.restore()
    with rig.api(cores.SERVER) as api, rig.floor(cores.SERVER) as floor:
        must_be_alike(
            answer(api.port, ours[0], expected=HTTPStatus.ACCEPTED),
            answer(floor.port, theirs[0], expected=HTTPStatus.ACCEPTED),
        )
        yield compare(
            "generate",
            _CONNECTIONS,
            server=api,
            ours=partial(_accepted, rig, api.port, ours),
            theirs=partial(_accepted, rig, floor.port, theirs),
            against="four statements",
            target=0.5,
        )


def _accepted(rig: Rig, port: int, requests: list[bytes]) -> Figures:
    try:
        return run(port, requests, _CONNECTIONS, expected=HTTPStatus.ACCEPTED)
    finally:
        rig.restore()
