"""Uploads of a photo of 12 megapixels: one by one against libvips alone, and what eight at once do to others."""

import subprocess
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pyvips
from msgspec import structs

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.load import Figures
from benchmarks.measure import Row, Target, compare, compare_amounts, meanwhile, run
from benchmarks.reads import STATUS
from benchmarks.rig import Rig, module

UPLOAD = "/api/v1/image/upload"
WIDTH, HEIGHT = 4000, 3000

_CONNECTIONS = 32
_AT_ONCE = 8
_TIMES = 12
_SEED = 1
_NOISE = 4.0


def upload(rig: Rig) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    photo = rig.folder / "photo.jpg"
    photo.write_bytes(_photo())
    uploads = customers.upload(UPLOAD, photo.read_bytes(), _AT_ONCE)
    with rig.api(cores.SERVER) as api:
        yield compare_amounts(
            "upload",
            "12 megapixels",
            ours=partial(_milliseconds, api.port, uploads),
            theirs=partial(_bare_milliseconds, rig, photo),
            against="libvips alone",
            unit="ms",
            target=Target("<=", 1.3),
        )
    # The server is given every core here, with and without uploads, for that is where its threads are meant to run.
    with rig.api(cores.ALL) as api:
        status = customers.get(STATUS)
        yield compare(
            f"status during {_AT_ONCE} uploads",
            _CONNECTIONS,
            server=api,
            ours=partial(_during_uploads, api.port, status, uploads),
            theirs=partial(run, api.port, status, _CONNECTIONS),
            against="itself without uploads",
            target=None,
            tail_target=3.0,
        )
    rig.restore()


def _milliseconds(port: int, uploads: list[bytes]) -> float:
    """What half of the uploads take at most, one after the other."""
    figures = run(port, uploads, 1, expected=HTTPStatus.CREATED)
    if figures.errors:
        raise RuntimeError(f"Uploads were refused: {figures}")
    return figures.p50 * 1e3


def _bare_milliseconds(rig: Rig, photo: Path) -> float:
    with cores.on(cores.SERVER):
        done = subprocess.run(  # noqa: S603 - our own command line
            module("benchmarks.libvips", str(photo), str(_TIMES)), env=rig.environ, check=True, stdout=subprocess.PIPE
        )
    return float(done.stdout) * 1e3


def _during_uploads(port: int, status: list[bytes], uploads: list[bytes]) -> Figures:
    with meanwhile(port, uploads, _AT_ONCE, expected=HTTPStatus.CREATED) as background:
        figures = run(port, status, _CONNECTIONS)
    return structs.replace(figures, errors=figures.errors + sum(each.errors for each in background))


def _photo() -> bytes:
    """A picture that takes about as long to decode as a photo does: soft shapes under a sensor's noise."""
    planes = [
        pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=256, uchar=True, seed=seed)
        + pyvips.Image.gaussnoise(WIDTH, HEIGHT, mean=0, sigma=_NOISE, seed=seed)
        for seed in range(_SEED, _SEED + 3)
    ]
    picture = planes[0].bandjoin(planes[1:]).cast("uchar").copy(interpretation="srgb")
    encoded: bytes = picture.jpegsave_buffer(Q=90)
    return encoded
