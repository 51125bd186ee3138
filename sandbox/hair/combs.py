"""Ways to comb: fields of directions over the head."""

import numpy as np

from sandbox.hair.growth import Comb
from sandbox.hair.head import Field
from sandbox.hair.scalp import CENTRE


def vectors(x: Field | float, y: Field | float, z: Field | float) -> Field:
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float32)


def behindness(points: Field) -> Field:
    """0 in front of the crown, 1 at the back of the head."""
    share: Field = np.clip((CENTRE[2] - 0.05 - points[..., 2]) / 0.5, 0, 1)
    return share


def parted(at: float) -> Comb:
    """Down to both sides of a parting, straight down behind."""

    def comb(points: Field) -> Field:
        behind = behindness(points)
        side = np.where(points[..., 0] > at * (1 - behind), 1.0, -1.0)
        side = side * np.clip((-0.4 - points[..., 1]) / 0.25, 0, 1)
        return vectors(side * (1 - 0.9 * behind), 0.2 + 0.8 * behind, 0.06 - 0.2 * behind)

    return comb


def back() -> Comb:
    """Away from the face."""
    return lambda points: vectors(
        points[..., 0] * 0.1, 0.12 + 0.9 * behindness(points), 0.95 * behindness(points) - 1.0
    )


def forward(sweep: float) -> Comb:
    """From the crown to the front, swept sideways; the sides and the back lie downwards."""

    def comb(points: Field) -> Field:
        behind, side = behindness(points), np.clip((np.abs(points[..., 0]) - 0.4) / 0.2, 0, 1)
        low = np.clip(np.maximum(behind, side * (points[..., 1] > -0.7)), 0, 1)
        return vectors(sweep * (1 - low), 0.25 + 0.9 * low, (1 - low) * 0.8 + 0.08 * low)

    return comb


def up(lean: float, roll: float) -> Comb:
    """Upwards, leaning sideways and rolling backwards; the sides lie back and down."""

    def comb(points: Field) -> Field:
        side = np.clip((np.abs(points[..., 0]) - 0.42) / 0.15, 0, 1) * (points[..., 1] > -0.75)
        return vectors(lean * (1 - side), -0.9 * (1 - side) + 0.55 * side, -roll * (1 - side) - 0.6 * side)

    return comb


def across(direction: float) -> Comb:
    """All to one side."""
    return lambda points: vectors(direction, 0.15, 0.12 - 0.3 * behindness(points))
