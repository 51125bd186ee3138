"""Coils and what is made of them: afros, braids, cornrows, locs."""

import numpy as np

from sandbox.hair import combs
from sandbox.hair.coiffure import Coiffure
from sandbox.hair.gathered import drawn_to, plait
from sandbox.hair.growth import Nature, Strands, across, arc, curled, finer, grow
from sandbox.hair.head import Field
from sandbox.hair.scalp import CENTRE, RADII, above_hairline, outward, roots
from sandbox.hair.style import Hairstyle

ROUND = np.array([0, -0.42, -0.15], np.float32)


def afro(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    """Coils that fill the room between the scalp and a sphere."""
    points = roots(11000, rng)
    away = outward(points)
    room = np.maximum(1.16 - np.linalg.norm(points - ROUND, axis=1), 0.12)
    height = (room * np.sqrt(rng.random(len(points)))).astype(np.float32)
    layer = (height / room).astype(np.float32)
    start = points + away * height[:, None]
    share = np.linspace(0, 1, 9, dtype=np.float32)[None, :, None]
    lines = start[:, None] + away[:, None] * share * 0.1 + rng.normal(0, 0.03, (len(points), 1, 3))
    coils = Strands(
        lines.astype(np.float32), (0.5 + 0.62 * layer + rng.normal(0, 0.09, len(points))).astype(np.float32), layer
    )
    curled(coils, 0.035, 0.07, np.arange(len(points), dtype=np.float32), rng)
    core = points[::3, None] + (away * (room * 0.93)[:, None])[::3, None] * share
    return Coiffure(
        strands=[Strands(core.astype(np.float32), np.full(len(core), 0.5, np.float32), layer[::3] * 0, 0.05), coils]
    )


def ropes(
    guides: Strands, detail: int, radius: float, pitch: float, rng: np.random.Generator, each: int = 9
) -> Strands:
    """Strands wound round every guide, with `detail` points each."""
    finer(guides, detail)
    lock = np.repeat(np.arange(len(guides)), each)
    lines = guides.points[lock]
    light = rng.uniform(0.78, 1.12, len(guides))[lock] * rng.uniform(0.8, 1.15, len(lock))
    wound = Strands(lines.copy(), light.astype(np.float32), rng.random(len(lock)).astype(np.float32), 0.011)
    phases = (np.arange(len(lock)) % each) * (2 * np.pi / each)
    wind(wound, radius, pitch, phases)
    return wound


def wind(strands: Strands, radius: float, pitch: float, phases: Field) -> None:
    sideways, away = across(strands)
    swing = arc(strands) * (2 * np.pi / pitch) + phases[:, None, None]
    # Two bulges a turn, as where strands cross.
    thick = radius * (0.8 + 0.35 * np.abs(np.sin(arc(strands) * np.pi / pitch)))
    strands.points = strands.points + thick * (np.sin(swing) * sideways + np.cos(swing) * away)


def box_braids(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = spread(roots(3000, rng), 120)
    nature = Nature(length=style.reach + 1.3, lift=0.35, gravity=0.5, volume=0.16, vary=0.03, steps=26)
    ends = (style.reach + rng.uniform(-0.12, 0.02, len(points))).astype(np.float32)
    guides = grow(points, combs.parted(style.parting), nature, rng, ends=ends)
    return Coiffure(strands=[ropes(guides, 80, 0.026, 0.15, rng)], scalp=0.72)


def locs(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = spread(roots(3000, rng), 90)
    upper = points[:, 1] < -0.55
    ends = (style.reach + rng.uniform(-0.25, 0.05, len(points))).astype(np.float32)
    nature = Nature(length=style.reach + 1.2, lift=0.4, gravity=0.5, volume=0.2, vary=0.08, steps=24)
    free = grow(points[~upper], combs.back(), nature, rng, ends=ends[~upper])
    tied = drawn_to(points[upper], np.array([0, -0.55, -0.88], np.float32), rng, 0.14)
    hanging = grow(
        np.tile(np.array([[0, -0.5, -0.96]], np.float32), (16, 1)) + rng.normal(0, 0.08, (16, 3)).astype(np.float32),
        combs.parted(0), nature, rng, ends=ends[:16],
    )  # fmt: skip
    wound = [ropes(lines, 60, 0.045, 0.4, rng, 14) for lines in (free, tied, hanging)]
    return Coiffure(strands=wound)


def cornrows(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    strands: list[Strands] = []
    pitch = np.deg2rad(np.linspace(70, -155, 110))
    for tilt in np.deg2rad(np.linspace(-72, 72, 10)):
        way = np.stack([np.sin(tilt) + 0 * pitch, -np.cos(tilt) * np.cos(pitch), np.cos(tilt) * np.sin(pitch)], axis=1)
        row = (CENTRE + RADII * way * 1.02).astype(np.float32)
        row = row[above_hairline(row) > 0.01]
        if len(row) > 30:
            strands += plait(row, 0.1, rng, links=len(row) / 7, count=40)
    return Coiffure(strands=strands, scalp=0.3)


def spread(points: Field, count: int) -> Field:
    """So many of the points, as far apart as can be."""
    chosen = [0]
    gap = np.full(len(points), np.inf)
    for _ in range(count - 1):
        gap = np.minimum(gap, np.sum((points - points[chosen[-1]]) ** 2, axis=1))
        chosen.append(int(np.argmax(gap)))
    return points[chosen]
