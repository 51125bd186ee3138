"""Strands on canvas: projected, lit from the upper left, painted from the back to the front."""

from dataclasses import dataclass

import cv2
import numpy as np

from sandbox.hair.growth import Strands
from sandbox.hair.head import BOTTOM, LEFT, RIGHT, TOP, Field, Image, canvas_size
from sandbox.hair.scalp import CENTRE, turned, unit

LIGHT = unit(np.array([-0.45, -0.75, 0.6], np.float32))
HALF = unit(LIGHT + np.array([0, 0, 1], np.float32))
FRACTION = 4
"""Bits of a pixel in which lines are placed."""


@dataclass(frozen=True, slots=True)
class Dye:
    """A hair colour (BGR, 0 to 255) and how much it shines, 0 to 1."""

    colour: tuple[float, float, float]
    shine: float = 0.5
    tips: tuple[float, float, float] | None = None


class Canvas:
    """A transparent layer (BGRA, colour multiplied by alpha)."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        width, height = canvas_size(scale)
        self.pixels: Image = np.zeros((height, width, 4), np.uint8)

    def over(self, picture: Field, mask: Field | None = None) -> Field:
        """Lay this on a picture, where the mask lets it."""
        layer = self.pixels.astype(np.float32)
        if mask is not None:
            layer *= mask[..., None]
        return picture * (1 - layer[..., 3:] / 255) + layer[..., :3]

    @property
    def alpha(self) -> Field:
        return self.pixels[..., 3].astype(np.float32) / 255


def paint(strands: Strands, dye: Dye, yaw: float, back: Canvas, front: Canvas) -> None:
    """Paint strands on the layer behind the person and on the one before the person, as they lie."""
    scale = front.scale
    points = turned(strands.points, yaw)
    # What lies outside the canvas is cut off here: a line to far away would be drawn pixel by pixel.
    shown = np.clip(np.nan_to_num(points[..., :2]), (LEFT - 1, TOP - 1), (RIGHT + 1, BOTTOM + 1))
    pixels = np.round((shown - (LEFT, TOP)) * scale * (1 << FRACTION)).astype(np.int32)
    # Hair that hangs beside the neck lies before the shoulders unless it is well behind them.
    ends = points[:, 1:]
    shoulders = np.where(np.abs(ends[..., 0]) < 0.42, -0.05, -0.35)
    low = np.clip((ends[..., 1] - 0.5) / 0.6, 0, 1)
    behind = ends[..., 2] < (CENTRE[2] - 0.02) * (1 - low) + shoulders * low
    if abs(np.sin(yaw)) > 0.1:
        # On the side turned away, what hangs beside the face is hidden by it.
        start = strands.points[:, 1:]
        behind |= (start[..., 0] * np.sign(yaw) > 0.2) & (start[..., 1] > -0.45)
    seen = np.abs(np.diff(pixels, axis=1)).sum(axis=2) > 0
    # Nothing is seen of what lies behind the middle of the head.
    seen &= ~(behind & (np.linalg.norm((ends - CENTRE)[..., :2] / (0.5, 0.6), axis=2) < 1))
    depth = (ends[..., 2] + points[:, :-1, 2]) / 2 + strands.layer[:, None] * 0.15
    colours = lit(points, strands, dye).astype(np.int32)
    thickness = max(1, round(strands.thickness * scale))
    for layer, chosen in ((back, behind & seen), (front, ~behind & seen)):
        rows, columns = np.nonzero(chosen)
        order = np.argsort(depth[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        lines = np.hstack([pixels[rows, columns], pixels[rows, columns + 1], colours[rows, columns]]).tolist()
        image, line, smooth = layer.pixels, cv2.line, cv2.LINE_AA
        for x, y, to_x, to_y, blue, green, red in lines:
            line(image, (x, y), (to_x, to_y), (blue, green, red, 255), thickness, smooth, FRACTION)


def lit(points: Field, strands: Strands, dye: Dye) -> Field:
    """The colour of every segment. Hair shines across its direction (Kajiya and Kay, 1989)."""
    tangent = unit(np.diff(points, axis=1))
    middle = (points[:, 1:] + points[:, :-1]) / 2
    # What hangs lower than the head is lit like its sides, not like something under it.
    away = middle - CENTRE
    away[..., 1] = np.clip(away[..., 1], -1, 0.3) * 0.55
    around = unit(away)
    facing = np.clip(np.sum(around * LIGHT, axis=2), -0.3, 1)
    diffuse = np.sqrt(np.clip(1 - np.sum(tangent * LIGHT, axis=2) ** 2, 0, 1))
    gloss = np.sqrt(np.clip(1 - np.sum(tangent * HALF, axis=2) ** 2, 0, 1))
    shine = np.clip(facing + 0.2, 0, 1) * (gloss**24 * 0.75 + gloss**7 * 0.25) * dye.shine
    light = strands.light[:, None] * (0.5 + 0.3 * diffuse + 0.34 * np.clip(facing, -0.3, 1))
    if strands.relief is not None:
        light *= strands.relief[:, 1:]
    # Below the jaw the hair itself shades what lies further in.
    light *= 1 - 0.22 * np.clip(middle[..., 1] - 0.5, 0, 1) * (1 - strands.layer[:, None])
    share = np.linspace(0, 1, points.shape[1] - 1)[None, :, None]
    base = np.array(dye.colour) * np.ones_like(tangent)
    if dye.tips is not None:
        base = base * (1 - share) + np.array(dye.tips) * share
    glow = base * 0.6 + 255 * 0.4
    colours = base * (light * (0.82 + 0.18 * np.minimum(1, share[..., 0] * 5)))[..., None]
    shaded: Field = np.clip(colours + glow * (shine * strands.light[:, None] * 0.5)[..., None], 0, 255)
    return shaded
