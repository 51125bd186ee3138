"""Hair that is drawn together: tails, buns, plaits, crowns."""

import numpy as np

from sandbox.hair.coiffure import Coiffure
from sandbox.hair.growth import Strands, clumped, waved
from sandbox.hair.head import Field
from sandbox.hair.loose import falling, fringe
from sandbox.hair.scalp import CENTRE, RADII, roots, unit
from sandbox.hair.short import stubble
from sandbox.hair.style import Hairstyle

CROWN = np.array([0, -1.0, -0.5], np.float32)
NAPE = np.array([0, 0.3, -0.88], np.float32)
HIGH_BACK = np.array([0, -0.72, -0.78], np.float32)


def drawn_to(points: Field, tie: Field, rng: np.random.Generator, puff: float = 0.05) -> Strands:
    """Strands that run over the scalp from their roots to a tie (one, or one each), puffed up a little on the way."""
    starts, goal = unit((points - CENTRE) / RADII), unit((tie - CENTRE) / RADII)
    goals = np.broadcast_to(goal, starts.shape)
    share = np.linspace(0, 1, 20, dtype=np.float32)[None, :, None]
    # Over the head's sides: the short way from the forehead to the nape would lead across the face.
    detour = np.clip(goals[:, 1:2] - starts[:, 1:2], 0, 1) * np.clip(starts[:, 2:], 0, 1) * 1.6
    side = np.where(starts[:, :1] < 0, -1, 1) * np.array([1, -0.1, -0.1])
    middle = unit(unit(starts + goals + 1e-4) * (1 - np.minimum(detour, 1)) + side * np.minimum(detour, 1))
    way = slerp(slerp(starts, middle, share), slerp(middle, goals, share), share)
    layer = rng.random(len(points)).astype(np.float32)
    height = (
        1.02 + (puff * (0.4 + 0.6 * layer))[:, None, None] * np.maximum(np.sin(np.pi * share), 0) ** 0.7 + 0.03 * share
    )
    lines = CENTRE + RADII * way * height
    light = (0.84 + 0.22 * layer + rng.normal(0, 0.07, len(points))).astype(np.float32)
    return Strands(lines.astype(np.float32), light, layer)


def slerp(start: Field, end: Field, share: Field) -> Field:
    """From one direction to another on the shortest way; directions may be (n, 3) or (n, shares, 3)."""
    one, other = (each[:, None] if each.ndim == 2 else each for each in (start, end))
    angle = np.arccos(np.clip(np.sum(one * other, axis=-1, keepdims=True), -1, 1))
    sine = np.maximum(np.sin(angle), 1e-3)
    return unit(np.sin((1 - share) * angle) / sine * one + np.sin(share * angle) / sine * other)


def smooth(path: list[tuple[float, float, float]], count: int) -> Field:
    """A curve through points (Catmull and Rom)."""
    knots = np.array([path[0], *path, path[-1]], np.float32)
    at = np.linspace(0, len(path) - 1 - 1e-4, count)
    index, share = at.astype(int), (at % 1)[:, None]
    a, b, c, d = (knots[index + shift] for shift in range(4))
    curve = 2 * b + (c - a) * share + (2 * a - 5 * b + 4 * c - d) * share**2 + (3 * b - a - 3 * c + d) * share**3
    halved: Field = (curve / 2).astype(np.float32)
    return halved


def frame(path: Field) -> tuple[Field, Field]:
    """Two directions across a path at each of its points."""
    tangent = unit(np.gradient(path, axis=0))
    away = np.cross(tangent, np.where(np.abs(tangent[:, 2:]) > 0.8, (0, 1, 0), (0, 0, 1)))
    first = unit(away)
    return first, unit(np.cross(first, tangent))


def tube(path: Field, radius: Field, count: int, rng: np.random.Generator) -> Strands:
    """Strands that run along a path, as thick together as `radius` says at each of its points."""
    first, second = frame(path)
    angle = rng.uniform(0, 2 * np.pi, count)[:, None, None]
    depth = np.sqrt(rng.random(count))[:, None, None]
    offset = np.cos(angle) * first + np.sin(angle) * second
    lines = path + offset * depth * radius[None, :, None]
    layer = depth[:, 0, 0].astype(np.float32)
    return Strands(
        lines.astype(np.float32), (0.7 + 0.35 * layer + rng.normal(0, 0.07, count)).astype(np.float32), layer
    )


def tail(path: list[tuple[float, float, float]], width: float, rng: np.random.Generator, count: int = 900) -> Strands:
    curve = smooth(path, 48)
    share = np.linspace(0, 1, 48)
    radius = width * np.interp(share, (0, 0.12, 0.5, 0.85, 1), (0.35, 0.8, 1, 0.8, 0.35))
    return tube(curve, radius.astype(np.float32), count, rng)


def bun(centre: Field, size: float, rng: np.random.Generator, axis: Field) -> Strands:
    """A coil: hair wound round an axis into a ball."""
    turns = np.linspace(0, 2 * np.pi * 1.6, 40)
    first = unit(np.cross(axis, (0.3, 0.9, 0.2)))
    second = unit(np.cross(axis, first))
    ring = np.cos(turns)[:, None] * first + np.sin(turns)[:, None] * second
    rise = np.linspace(-0.35, 0.45, 40)[:, None]
    reach = np.linspace(0.62, 0.4, 40)[:, None]
    path = centre + size * (ring * reach + axis * rise)
    radius = size * np.linspace(0.42, 0.3, 40)
    return tube(path.astype(np.float32), radius.astype(np.float32), 700, rng)


def plait(path: Field, width: float, rng: np.random.Generator, *, links: float, count: int = 240) -> list[Strands]:
    """Three strands that cross over each other in turn."""
    first, second = frame(path)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    swing = along / along[-1] * 2 * np.pi * links
    taper = np.interp(np.linspace(0, 1, len(path)), (0, 0.1, 0.8, 1), (0.7, 1, 0.9, 0.45))
    plaited = []
    for phase in (0, 2 * np.pi / 3, 4 * np.pi / 3):
        sideways = np.sin(swing + phase) * width * 0.55 * taper
        depth = np.sin(2 * (swing + phase)) * width * 0.35
        line = path + first * sideways[:, None] + second * depth[:, None]
        strand = tube(line.astype(np.float32), (width * 0.42 * taper).astype(np.float32), count, rng)
        strand.light *= np.float32(1 + 0.06 * np.cos(phase))
        plaited.append(strand)
    return plaited


def wisps(rng: np.random.Generator) -> Strands:
    """A few loose strands at the temples."""
    lines = []
    for side in (-1, 1):
        for _ in range(16):
            sway, low = rng.normal(0, 0.02), rng.uniform(0.15, 0.55)
            path = [(0.5 * side, -0.48, 0.42), ((0.6 + sway) * side, -0.2, 0.38), ((0.57 + sway) * side, low, 0.3)]
            lines.append(smooth(path, 18) + rng.normal(0, 0.012, 3))
    return Strands(np.array(lines, np.float32), np.full(32, 0.95, np.float32), np.ones(32, np.float32))


def ponytail(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    tie = NAPE if style.low else CROWN
    base = drawn_to(roots(5500, rng), tie, rng, style.volume * 0.5)
    clumped(base, 200, 0.12, rng)
    if style.low:
        path = [(0, 0.3, -0.95), (0.05, 0.6, -1.1), (0.12, 1.2, -1.0), (0.1, style.reach, -0.9)]
    else:
        path = [(0, -1.05, -0.55), (0.04, -1.3, -0.78), (0.2, -0.95, -1.18), (0.5, 0.2, -1.12), (0.72, 1.1, -0.7),
                (0.78, 1.75, -0.5)]  # fmt: skip
    falls = tail(path, 0.24, rng)
    lock = clumped(falls, 50, 0.4, rng)
    if style.texture in {"wavy", "bent", "curly"}:
        waved(falls, 0.06, 0.5, lock, rng)
    return Coiffure(strands=[base, falls, *fringe(style.fringe, style, rng)])


def low_or_high_bun(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    tie = NAPE if style.low else CROWN
    base = drawn_to(roots(5500, rng), tie, rng, style.volume * 0.6)
    centre = np.array([0, 0.42, -1.08] if style.low else [0, -1.2, -0.55], np.float32)
    knot = bun(centre, 0.36, rng, unit(np.array([0, 0.25, -1] if style.low else [0, -0.9, -0.4], np.float32)))
    return Coiffure(strands=[base, knot, *fringe(style.fringe, style, rng)])


def top_knot(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(7000, rng)
    upper = points[points[:, 1] < -0.5]
    tie = np.array([0, -1.02, -0.3], np.float32)
    knot = bun(np.array([0, -1.2, -0.32], np.float32), 0.27, rng, unit(np.array([0, -1, -0.2], np.float32)))
    sides = [stubble(0.03, rng)] if style.sides == "shaved" else []
    return Coiffure(strands=[*sides, drawn_to(upper, tie, rng, 0.09), knot], scalp=0.6 if sides else 0.92)


def space_buns(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(6000, rng)
    strands = []
    for side in (-1, 1):
        tie = np.array([0.4 * side, -0.86, -0.2], np.float32)
        strands.append(drawn_to(points[np.sign(points[:, 0]) == side], tie, rng, 0.06))
        axis = unit(np.array([0.55 * side, -0.8, 0.1], np.float32))
        strands.append(bun(tie + axis * 0.2, 0.31, rng, axis))
    return Coiffure(strands=[*strands, wisps(rng), *fringe(style.fringe, style, rng)])


def half_up(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(7000, rng)
    upper = points[:, 1] < -0.42
    teased = "teased" in style.text or "bouffant" in style.text
    drawn = drawn_to(points[upper], HIGH_BACK, rng, 0.3 if teased else 0.08)
    clumped(drawn, 160, 0.35, rng)
    strands = [falling(style, points[~upper], rng), drawn]
    if not teased:
        axis = unit(np.array([0, -0.75, -0.45], np.float32))
        strands.append(bun(np.array([0, -1.08, -0.66], np.float32), 0.25, rng, axis))
    return Coiffure(strands=[*strands, wisps(rng), *fringe(style.fringe, style, rng)])


def braid(_style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    """Woven from the crown to the nape, then laid over the left shoulder."""
    points = roots(6000, rng)
    heights = np.clip(points[:, 1] * 0.6 - 0.05 + rng.normal(0, 0.08, len(points)), -0.75, 0.3)
    ties = np.stack([0 * heights, heights, -0.82 * np.sqrt(1 - ((heights + 0.26) / 0.75) ** 2) - 0.15], axis=1)
    base = drawn_to(points, ties.astype(np.float32), rng)
    path = [(0, -0.85, -0.68), (0, -0.45, -0.98), (0, 0.0, -1.02), (0.02, 0.42, -0.85), (0.3, 0.8, -0.5),
            (0.6, 1.15, 0.05), (0.66, 1.5, 0.36), (0.62, 2.15, 0.42)]  # fmt: skip
    return Coiffure(strands=[base, *plait(smooth(path, 90), 0.2, rng, links=6.5), wisps(rng)])


def crown_braid(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(6000, rng)
    angle = np.arctan2(points[:, 0], points[:, 2] - CENTRE[2])
    base = drawn_to(points, crown_ring(angle).astype(np.float32), rng)
    ring = crown_ring(np.linspace(-np.pi, np.pi, 120)).astype(np.float32) * (1.04, 1.06, 1.04)
    blossoms = np.zeros((0, 3), np.float32)
    if style.flowers:
        blossoms = (crown_ring(np.linspace(-1.25, 1.25, 7)) * (1.06, 1.12, 1.1)).astype(np.float32)
    return Coiffure(strands=[base, *plait(ring, 0.2, rng, links=10)], flowers=blossoms)


def crown_ring(angle: Field) -> Field:
    """Points of a ring that lies on the head like a diadem."""
    height = -0.78 + 0.3 * (1 - np.cos(angle)) / 2
    flat = np.sqrt(np.maximum(1 - ((height - CENTRE[1]) / RADII[1]) ** 2, 0.05))
    return np.stack([np.sin(angle) * RADII[0] * flat, height, CENTRE[2] + np.cos(angle) * RADII[2] * flat], axis=1)
