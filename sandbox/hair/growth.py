"""Strands: lines of points in the head's frame, grown from roots and then curled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sandbox.hair.head import Field
from sandbox.hair.scalp import along, off_the_face, outward, pushed_out, unit

Comb = Callable[[Field], Field]
"""From points to the directions in which hair is combed there."""


@dataclass(slots=True)
class Strands:
    """`points` is (strands, points each, 3). `light` is each strand's brightness, `layer` 0 inside to 1 outside."""

    points: Field
    light: Field
    layer: Field
    thickness: float = 0.008
    relief: Field | None = None
    """Brightness along each strand, where it winds into and out of the light."""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """How hair grows. Lengths in units."""

    length: float = 0.4
    vary: float = 0.15
    """Part of the length by which strands differ."""
    lift: float = 0.3
    """How steeply it leaves the scalp: 0 lies flat, above 1 stands up."""
    gravity: float = 0.5
    inertia: float = 0.75
    follow: float = 1.0
    """How long it keeps to the comb: 1 all the way, 0 leaves it at the root."""
    volume: float = 0.12
    """The thickness of the hair on the scalp."""
    parted: bool = True
    """Whether it is kept off the face."""
    steps: int = 18


def grow(
    roots: Field,
    comb: Comb,
    nature: Nature,
    rng: np.random.Generator,
    *,
    ends: Field | None = None,
    lengths: Field | float = 1.0,
) -> Strands:
    """Grow a strand from every root, `lengths` times the nature's length; none goes lower than its `ends`, a height."""
    count = len(roots)
    layer = rng.random(count).astype(np.float32)
    clearance = 0.015 + nature.volume * layer
    varied = lengths * (1 + nature.vary * rng.uniform(-1, 0.4, count))
    step = (nature.length / nature.steps * varied).astype(np.float32)[:, None]
    direction = unit(along(roots, comb(roots)) + outward(roots) * nature.lift)
    direction = unit(direction + rng.normal(0, 0.06, (count, 3)).astype(np.float32))
    point, points = roots.copy(), [roots.copy()]
    for index in range(nature.steps):
        grown = (index + 1) / nature.steps
        keeps = nature.follow ** (grown * 3) if nature.follow < 1 else 1
        combed = along(point, comb(point)) * (keeps * (1 - nature.gravity) * on_head(point))[:, None]
        wish = combed + hanging(point) * nature.gravity * max(grown**0.5, 0.3)
        direction = unit(direction * nature.inertia + wish * (1 - nature.inertia))
        ease = min(1.0, grown * 4)
        moved = pushed_out(point + direction * step, clearance * ease)
        if nature.parted:
            moved = off_the_face(moved)
        if ends is not None:
            over = moved[:, 1] > ends
            moved[over] = point[over]
        direction = np.where((moved != point).any(axis=1)[:, None], unit(moved - point), direction)
        point = moved
        points.append(point)
    return Strands(
        evenly(np.stack(points, axis=1)), (0.78 + 0.3 * layer + rng.normal(0, 0.07, count)).astype(np.float32), layer
    )


def evenly(lines: Field) -> Field:
    """The same lines with their points at equal distances, also where growth stopped early."""
    steps = np.linalg.norm(np.diff(lines, axis=1), axis=2) + 1e-6
    way = np.concatenate([np.zeros((len(lines), 1), np.float32), np.cumsum(steps, axis=1)], axis=1)
    wanted = way[:, -1:] * np.linspace(0, 1, lines.shape[1], dtype=np.float32)
    right = np.clip((way[:, None, :] <= wanted[:, :, None]).sum(axis=2), 1, lines.shape[1] - 1)
    rows = np.arange(len(lines))[:, None]
    before, after = way[rows, right - 1], way[rows, right]
    share = ((wanted - before) / (after - before))[..., None]
    moved: Field = lines[rows, right - 1] * (1 - share) + lines[rows, right] * share
    return moved.astype(np.float32)


def on_head(points: Field) -> Field:
    """1 on the upper head, 0 below the ears, where no comb holds the hair any more."""
    return np.clip((0.35 - points[:, 1]) / 0.5, 0, 1)


def hanging(points: Field) -> Field:
    """Downwards, and gently together: hair that hangs free gathers about the neck."""
    inwards = np.clip(np.abs(points[:, 0]) - 0.55, 0, 0.5) * -np.sign(points[:, 0]) * 0.6
    closing = np.where(points[:, 2] < -0.35, -0.25 * points[:, 0], 0)
    drift = np.where(points[:, 2] > -0.2, 0.1, -0.1)
    free = 1 - on_head(points)
    return unit(np.stack([(inwards + closing) * free, np.ones(len(points)), drift * free], axis=1))


def finer(strands: Strands, count: int) -> None:
    """Give every strand so many points, in place."""
    old, new = np.linspace(0, 1, strands.points.shape[1]), np.linspace(0, 1, count)
    right = np.clip(np.searchsorted(old, new), 1, len(old) - 1)
    share = ((new - old[right - 1]) / (old[right] - old[right - 1]))[None, :, None]
    points = strands.points[:, right - 1] * (1 - share) + strands.points[:, right] * share
    strands.points = points.astype(np.float32)


def progress(strands: Strands) -> Field:
    """0 at the root, 1 at the tip, for every point of a strand."""
    return np.linspace(0, 1, strands.points.shape[1], dtype=np.float32)[None, :, None]


def across(strands: Strands) -> tuple[Field, Field]:
    """At every point two directions across the strand: along the head, and away from it."""
    tangent = unit(np.gradient(strands.points, axis=1))
    away = outward(strands.points)
    away[..., 1] *= 0.4
    sideways = unit(np.cross(tangent, unit(away)))
    return sideways, unit(np.cross(sideways, tangent))


def arc(strands: Strands) -> Field:
    """The length from the root, in units."""
    steps = np.linalg.norm(np.diff(strands.points, axis=1), axis=2)
    return np.concatenate([np.zeros((len(strands), 1)), np.cumsum(steps, axis=1)], axis=1)[..., None].astype(np.float32)


def clumped(strands: Strands, clumps: int, strength: float, rng: np.random.Generator, stray: float = 0) -> Field:
    """Draw strands together into locks, in place, which stray from their way; returns the lock of each strand."""
    leaders = rng.choice(len(strands), min(clumps, len(strands)), replace=False)
    roots, tips = strands.points[:, 0], strands.points[:, -1]
    # Neighbours at root and tip, so that no lock straddles a parting.
    place = np.concatenate([roots, 0.5 * tips], axis=1)
    lock = np.empty(len(strands), int)
    for start in range(0, len(strands), 512):
        gap = place[start : start + 512, None] - place[leaders][None]
        lock[start : start + 512] = np.argmin(np.sum(gap**2, axis=2), axis=1)
    target = strands.points[leaders[lock]] + (roots - roots[leaders[lock]])[:, None] * 0.25
    pull = strength * progress(strands) ** 0.7
    strands.points = strands.points * (1 - pull) + target * pull
    tone = rng.normal(0, 0.1 + stray, len(leaders))
    if stray:
        ways = np.cumsum(rng.normal(0, stray, (len(leaders), 5, 3)), axis=1)
        steps = np.minimum(progress(strands)[0, :, 0] * 5, 4.999).astype(int)
        strands.points = strands.points + ways[lock][:, steps] * progress(strands)
    strands.light = (strands.light + tone[lock]).astype(np.float32)
    return np.searchsorted(np.unique(lock), lock).astype(np.float32)


def waved(
    strands: Strands, size: float, length: float, lock: Field, rng: np.random.Generator, *, start: float = 0.2
) -> None:
    """Bend every lock into waves of so much height and length that begin at `start` units from the root."""
    sideways, away = across(strands)
    swing = arc(strands) * (2 * np.pi / length) * varied(lock, 0.035, rng) + varied(lock, 0.55, rng)
    ramp = np.clip((arc(strands) - start) / 0.4, 0, 1)
    strands.points = strands.points + ramp * size * (np.sin(swing) * sideways + 0.5 * np.cos(swing) * away)
    strands.relief = (1 + 0.28 * ramp * np.cos(swing))[..., 0].astype(np.float32)


def curled(strands: Strands, radius: float, pitch: float, lock: Field, rng: np.random.Generator) -> None:
    """Wind every lock into a ringlet."""
    sideways, away = across(strands)
    count = int(lock.max()) + 1
    phase = rng.uniform(0, 2 * np.pi, count)[lock.astype(int)][:, None, None]
    hand = rng.choice([-1, 1], count)[lock.astype(int)][:, None, None]
    swing = arc(strands) * (2 * np.pi / pitch) * hand * varied(lock, 0.2, rng) + phase
    swing = swing + rng.normal(0, 0.55, (len(strands), 1, 1))
    ramp = np.clip(arc(strands) / 0.3, 0, 1)
    strands.points = strands.points + ramp * radius * varied(lock, 0.2, rng) * (
        np.sin(swing) * sideways + np.cos(swing) * away
    )
    strands.relief = (1 + 0.36 * ramp * np.cos(swing))[..., 0].astype(np.float32)


def varied(lock: Field, spread: float, rng: np.random.Generator) -> Field:
    """A factor near 1 for each lock."""
    factors: Field = (1 + rng.normal(0, spread, int(lock.max()) + 1))[lock.astype(int)][:, None, None].astype(
        np.float32
    )
    return factors
