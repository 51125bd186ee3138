"""Cuts that stay on the head: crops, quiffs, mohawks, flat tops, undercuts, mullets, stubble."""

import numpy as np

from sandbox.hair import combs
from sandbox.hair.coiffure import Coiffure
from sandbox.hair.growth import Nature, Strands, clumped, curled, grow, waved
from sandbox.hair.head import Field
from sandbox.hair.scalp import angle_round, outward, roots
from sandbox.hair.style import Hairstyle

SHORTEST = {"full": 0.3, "tapered": 0.13, "shaved": 0.035}
FADES = {"full": None, "tapered": (-0.25, 0.3), "shaved": (-0.5, -0.02)}


def by_height(points: Field, top: float, sides: float, low: float = -0.35, high: float = -0.72) -> Field:
    """Lengths that grow from the sides to the top of the head."""
    share = np.clip((low - points[:, 1]) / (low - high), 0, 1)
    return (sides + (top - sides) * share**1.3).astype(np.float32)


def stubble(length: float, rng: np.random.Generator, count: int = 6500) -> Strands:
    points = roots(count, rng)
    flat = Nature(length=length, lift=0.9, gravity=0, volume=0, steps=3, parted=False)
    grown = grow(points, combs.forward(0.0), flat, rng)
    grown.thickness = 0.006
    return grown


def crop(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(6500, rng)
    top = 0.62 if style.fringe in {"side", "wispy"} else 0.4 if style.fringe == "micro" else 0.26
    lengths = by_height(points, top, SHORTEST[style.sides])
    sweep = -0.85 if style.fringe == "side" else 0.12
    upright = style.fringe == "none"
    comb = combs.up(0.1, 0.25) if upright else combs.forward(sweep)
    lift = 0.8 if upright else 0.55 if style.layered else 0.28
    nature = Nature(length=1, lift=lift, gravity=0.12, volume=0.1, vary=0.3, steps=12, parted=upright)
    brow = np.full(len(points), -0.42 if style.fringe == "micro" else -0.2, np.float32)
    brow += rng.uniform(-0.09, 0.06 if style.layered else -0.06, len(points)).astype(np.float32)
    front = (angle_round(points) < 62) & (points[:, 1] < -0.5)
    strands = grow(points, comb, nature, rng, ends=np.where(front, brow, 9).astype(np.float32), lengths=lengths)
    clumped(strands, 420 if style.layered else 900, 0.75 if style.layered else 0.3, rng)
    return Coiffure(strands=[strands], fade=FADES[style.sides])


def buzz(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    return Coiffure(strands=[stubble(0.035, rng, 9000)], scalp=0.55)


def quiff(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    """A roll above the forehead: the front rises and bends back over itself; the sides lie back."""
    grand = "pompadour" in style.text
    points = roots(6500, rng)
    upper = (points[:, 1] < -0.58) & (np.abs(points[:, 0]) < 0.5)
    top, sides = points[upper], points[~upper]
    frontness = np.clip((top[:, 2] + 0.1) / 0.55, 0, 1)
    rising = Nature(length=1, lift=1.1, gravity=0.02, volume=0.12, vary=0.12, inertia=0.86, steps=16)
    roll = grow(top, combs.up(0.22, 0.95), rising, rng, lengths=0.3 + frontness * (0.6 if grand else 0.42))
    clumped(roll, 150, 0.55, rng)
    lying = Nature(length=0.5 if grand else 0.16, lift=0.25, gravity=0.08, volume=0.06, vary=0.2, steps=12)
    laid = grow(sides, combs.back(), lying, rng, ends=np.full(len(sides), 0.44, np.float32))
    clumped(laid, 150, 0.4, rng)
    return Coiffure(strands=[laid, roll], fade=None if grand else FADES["tapered"])


def slick(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(6500, rng)
    nature = Nature(length=1.0, lift=0.35, gravity=0.1, volume=0.08, vary=0.2, steps=18)
    ends = (0.42 + rng.uniform(-0.08, 0.08, len(points))).astype(np.float32)
    strands = grow(points, combs.back(), nature, rng, ends=ends, lengths=by_height(points, 1, 0.4, -0.1, -0.6))
    clumped(strands, 150, 0.5, rng)
    return Coiffure(strands=[strands])


def undercut(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(7000, rng)
    top = points[(points[:, 1] < -0.62) & (np.abs(points[:, 0]) < 0.5)]
    nature = Nature(length=0.95, lift=0.4, gravity=0.3, volume=0.16, vary=0.15, steps=18)
    ends = np.where(top[:, 2] > 0, 0.05, -0.1).astype(np.float32) + rng.uniform(-0.15, 0.1, len(top)).astype(np.float32)
    strands = grow(top, combs.across(-1.0 if style.parting else 1.0), nature, rng, ends=ends)
    clumped(strands, 150, 0.6, rng)
    return Coiffure(strands=[stubble(0.03, rng), strands], scalp=0.6)


def flat_top(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    """A block with a level top and upright edges."""
    points = roots(9000, rng)
    points = points[points[:, 1] < -0.5]
    share = np.linspace(0, 1, 8, dtype=np.float32)[None, :, None]
    tips = points * (0.93, 1, 0.93) + (0, 0, -0.02)
    tips[:, 1] = -1.36 + rng.uniform(-0.015, 0.03, len(points))
    tips[:, :2] += rng.normal(0, 0.015, (len(points), 2))
    lines = points[:, None] * (1 - share) + tips[:, None] * share
    layer = rng.random(len(points)).astype(np.float32)
    upright = Strands(lines.astype(np.float32), (0.8 + 0.35 * layer).astype(np.float32), layer)
    curled(upright, 0.018, 0.08, np.arange(len(points), dtype=np.float32), rng)
    return Coiffure(strands=[stubble(0.03, rng), upright], fade=FADES["shaved"])


def mohawk(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(26000, rng)
    strip = points[np.abs(points[:, 0]) < 0.13]
    nature = Nature(length=0.75, lift=2.5, gravity=0, volume=0.02, vary=0.12, inertia=0.97, steps=12)
    strands = grow(strip, lambda at: outward(at) * (0.2, 1, 1), nature, rng)
    clumped(strands, 26, 0.8, rng)
    return Coiffure(strands=[stubble(0.03, rng), strands], scalp=0.55)


def mullet(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    """Short and standing in front, long over the nape."""
    points = roots(6500, rng)
    behind = (angle_round(points) > 105) & (points[:, 1] > -0.65)
    spiky = "spik" in style.text
    lengths = by_height(points[~behind], 0.48, 0.16)
    nature = Nature(length=1, lift=1.5 if spiky else 0.6, gravity=0.05, volume=0.12, vary=0.3, steps=12, parted=False)
    comb = combs.up(0.05, 0.15) if spiky else combs.forward(0.15)
    brow = np.full(np.count_nonzero(~behind), -0.24, np.float32)
    brow = np.where(points[~behind, 2] > 0.1, brow, 9).astype(np.float32)
    short = grow(points[~behind], comb, nature, rng, lengths=lengths, ends=brow)
    clumped(short, 260, 0.8, rng)
    ends = (1.28 + rng.uniform(-0.22, 0.1, np.count_nonzero(behind))).astype(np.float32)
    loose = Nature(length=1.9, lift=0.3, gravity=0.45, volume=0.14, steps=18)
    tail = grow(points[behind], combs.parted(0), loose, rng, ends=ends)
    flare = np.clip((tail.points[..., 1] - 0.7) / 0.6, 0, 1)
    tail.points[..., 0] *= 1 + 0.35 * flare
    waved(tail, 0.04, 0.5, clumped(tail, 120, 0.75, rng), rng)
    return Coiffure(strands=[tail, short])
