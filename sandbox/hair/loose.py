"""Hair that falls: bobs, lobs, long layers, waves, curls, and the fringes before it."""

import numpy as np

from sandbox.hair import combs
from sandbox.hair.coiffure import Coiffure
from sandbox.hair.growth import Nature, Strands, clumped, curled, finer, grow, waved
from sandbox.hair.head import Field
from sandbox.hair.scalp import angle_round, roots
from sandbox.hair.style import Fringe, Hairstyle

BROW = -0.19


def loose(style: Hairstyle, rng: np.random.Generator) -> Coiffure:
    points = roots(2600 if style.texture in {"curly", "coily"} else 5200, rng)
    fall = falling(style, points, rng)
    return Coiffure(strands=[fall, *fringe(style.fringe, style, rng)])


def falling(style: Hairstyle, points: Field, rng: np.random.Generator) -> Strands:
    nature = Nature(
        length=style.reach + 1.4,
        lift=0.2 + style.volume,
        gravity=0.5,
        volume=style.volume,
        vary=0.06,
        inertia=0.65,
        steps=26,
    )
    strands = grow(points, combs.parted(style.parting), nature, rng, ends=ends_of(style, points, rng))
    lock = clumped(strands, *clumps_of(style), rng, stray=0.05 if style.texture in {"curly", "coily"} else 0)
    shape_ends(strands, style)
    texture(strands, style, lock, rng)
    return strands


def ends_of(style: Hairstyle, points: Field, rng: np.random.Generator) -> Field:
    """Where each strand is cut off."""
    spread = 0.3 * style.reach if style.layered else 0.05
    ends = style.reach + rng.uniform(-spread, 0.02, len(points))
    if "hime" in style.text:
        ends = np.where((angle_round(points) > 52) & (angle_round(points) < 84) & (points[:, 1] > -0.6), 0.48, ends)
    if "angled" in style.text or "longer in front" in style.text:
        ends += np.where(points[:, 2] > 0, 0.1, -0.12)
    return ends.astype(np.float32)


def clumps_of(style: Hairstyle) -> tuple[int, float]:
    """How many locks, and how tight."""
    return {
        "straight": (420, 0.35),
        "bent": (170, 0.65),
        "wavy": (110, 0.8),
        "finger_waves": (500, 0.3),
        "curly": (150, 0.82),
        "coily": (190, 0.9),
    }[style.texture]


def shape_ends(strands: Strands, style: Hairstyle) -> None:
    """Turn the last part of the hair in or out."""
    if style.ends == "plain":
        return
    tip = np.clip((strands.points[..., 1] - (style.reach - 0.35)) / 0.35, 0, 1) ** 2
    turn = 0.16 if style.ends == "out" else -0.13
    strands.points[..., 0] += np.sign(strands.points[..., 0]) * tip * turn
    strands.points[..., 2] += np.sign(strands.points[..., 2] + 0.15) * tip * turn


def texture(strands: Strands, style: Hairstyle, lock: Field, rng: np.random.Generator) -> None:
    match style.texture:
        case "bent":
            waved(strands, 0.06, 1.1, lock, rng)
        case "wavy":
            waved(strands, 0.09, 0.78, lock, rng)
        case "finger_waves":
            waved(strands, 0.05, 0.3, lock * 0, rng, start=0)
        case "curly":
            finer(strands, 72)
            curled(strands, 0.075, 0.3, lock, rng)
        case "coily":
            finer(strands, 84)
            curled(strands, 0.055, 0.15, lock, rng)
        case "straight":
            waved(strands, 0.008, 0.9, lock, rng)


def fringe(kind: Fringe, style: Hairstyle, rng: np.random.Generator) -> list[Strands]:
    """What falls on the forehead."""
    if kind == "none":
        return []
    points = roots(16000, rng)
    edge = (38 if kind == "curly" else 50) + rng.normal(0, 3, len(points))
    front = points[(angle_round(points) < edge) & (points[:, 1] > -0.9) & (points[:, 1] < -0.55)]
    count = len(front)
    low = {"blunt": BROW, "micro": -0.44, "wispy": BROW, "side": -0.08, "curtain": 0.35, "curly": BROW}[kind]
    ragged = {"blunt": 0.015, "micro": 0.05, "wispy": 0.1, "side": 0.08, "curtain": 0.1, "curly": 0.25}[kind]
    ends = (low + rng.uniform(-ragged, ragged * 0.3, count)).astype(np.float32)
    if kind == "wispy":
        front, ends = front[::2], ends[::2]
    if kind == "side":
        ends = ends - np.clip(front[:, 0] + 0.1, 0, 1).astype(np.float32) * 0.3
        comb = combs.across(-0.9)
    elif kind == "curtain":
        comb = combs.parted(0)
    else:
        comb = lambda at: combs.vectors(at[..., 0] * 0.25, 1.0, 0.35)  # noqa: E731
    nature = Nature(
        length=1.1 if kind in {"curtain", "side"} else 0.75,
        lift=0.35,
        gravity=0.3,
        volume=0.07,
        vary=0.03,
        steps=16,
        parted=kind == "curtain",
    )
    strands = grow(front, comb, nature, rng, ends=ends)
    lock = clumped(strands, 60 if kind == "blunt" else 34, 0.3 if kind == "blunt" else 0.75, rng)
    if kind == "curly":
        finer(strands, 40)
        curled(strands, 0.06, 0.22, lock, rng)
    elif style.texture in {"wavy", "bent"}:
        waved(strands, 0.02, 0.5, lock, rng)
    return [strands]
