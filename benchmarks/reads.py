"""What frontends ask for all day: a try-on's status, the gallery, the catalogue."""

from collections.abc import Iterator
from functools import partial

import msgspec

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.measure import Row, answer, compare, run
from benchmarks.rig import Rig

STATUS = "/api/v1/image/status/{image}"
GALLERY = "/api/v1/user/images?limit=20"
STYLES = "/api/v1/image/styles"

_CONNECTIONS = (32, 256)
_ALIKE = 0.05


def status(rig: Rig) -> Iterator[Row]:
    return _against_the_floor(rig, "status", STATUS, "/status/{image}", "the floor", target=0.6, tail_target=3.0)


def gallery(rig: Rig) -> Iterator[Row]:
    return _against_the_floor(rig, "gallery", GALLERY, "/images", "the floor", target=0.6)


def styles(rig: Rig) -> Iterator[Row]:
    return _against_the_floor(rig, "styles", STYLES, "/styles", "a static handler", target=0.7)


def _against_the_floor(
    rig: Rig, work: str, path: str, floor_path: str, against: str, *, target: float, tail_target: float | None = None
) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    ours, theirs = customers.get(path), customers.get(floor_path)
    with rig.api(cores.SERVER) as api, rig.floor(cores.SERVER) as floor:
        must_be_alike(answer(api.port, ours[0]), answer(floor.port, theirs[0]))
        for connections in _CONNECTIONS:
            yield compare(
                work,
                connections,
                server=api,
                ours=partial(run, api.port, ours, connections),
                theirs=partial(run, floor.port, theirs, connections),
                against=against,
                target=target,
                tail_target=tail_target,
            )


def must_be_alike(ours: bytes, theirs: bytes) -> None:
    """`RuntimeError` unless both give the same fields, in about as many bytes: else the comparison says nothing."""
    same_size = abs(len(ours) - len(theirs)) <= _ALIKE * len(theirs)
    if not same_size or _shape(msgspec.json.decode(ours)) != _shape(msgspec.json.decode(theirs)):
        raise RuntimeError(f"These answers are not alike:\n{ours.decode()}\n{theirs.decode()}")


def _shape(value: object) -> object:
    match value:
        case dict():
            return {name: _shape(inner) for name, inner in value.items()}
        case list():
            return [_shape(inner) for inner in value]
        case _:
            return type(value)
