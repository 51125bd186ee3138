"""Where the head is in a photo, and the frame in which everything is drawn.

The frame is the head's own: its origin lies between the eyes, x runs to the right of the picture, y down, z towards
the viewer; the unit is the distance from the eyes to the chin. The top of the skull is then near y = -1 on anybody.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
"""A picture of bytes, BGR."""
Field = NDArray[Any]
"""Floats: points, directions, masks, or a picture while it is worked on."""

LEFT, RIGHT, TOP, BOTTOM = -2.6, 2.6, -2.1, 3.6
"""What of the head's frame is drawn on."""

EYES_TO_CHIN = 0.78
"""In widths of a detected face; measured on portraits, as are the two below."""
EYE_LEVEL = 0.375
PUPILS_TO_CHIN = 1.74
"""The same distance in distances between the pupils."""

SEARCHED_SIDE = 720
CASCADES = Path(cv2.__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Head:
    """A head in a photo: the point between the eyes and the unit in pixels, the roll in degrees (clockwise)."""

    x: float
    y: float
    unit: float
    roll: float = 0

    def to_canvas(self, scale: float) -> Field:
        """The affine map from the photo's pixels to those of a canvas with so many pixels a unit."""
        ratio, turn = scale / self.unit, np.deg2rad(self.roll)
        cos, sin = ratio * np.cos(turn), ratio * np.sin(turn)
        rotation = np.array([[cos, sin], [-sin, cos]])
        origin = np.array([-LEFT * scale, -TOP * scale]) - rotation @ np.array([self.x, self.y])
        return np.hstack([rotation, origin[:, None]]).astype(np.float32)


def canvas_size(scale: float) -> tuple[int, int]:
    """Width and height in pixels."""
    return round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale)


def grid(scale: float) -> tuple[Field, Field]:
    """The x and y of every pixel of a canvas."""
    width, height = canvas_size(scale)
    x = LEFT + (np.arange(width, dtype=np.float32) + 0.5) / scale
    y = TOP + (np.arange(height, dtype=np.float32) + 0.5) / scale
    return np.meshgrid(x, y)


def find_head(photo: Image) -> Head:
    """The largest face, one with eyes before others; where none is found, the place where a portrait has it."""
    height, width = photo.shape[:2]
    ratio = min(1, SEARCHED_SIDE / max(height, width))
    small = cv2.resize(photo, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
    smallest = max(30, min(grey.shape) // 8)
    best: tuple[bool, float] = (False, 0)
    head = Head(width / 2, height * 0.38, min(width, height) * 0.2)
    for cascade in ("frontalface_alt2", "frontalface_alt", "frontalface_default"):
        for left, top, side, _ in classifier(cascade).detectMultiScale(grey, 1.06, 5, minSize=(smallest, smallest)):
            found, has_eyes = head_of(grey, int(left), int(top), int(side))
            if (has_eyes, found.unit) > best:
                best = (has_eyes, found.unit)
                head = Head(found.x / ratio, found.y / ratio, found.unit / ratio, found.roll)
        if best[0]:
            break
    return head


def head_of(grey: Image, left: int, top: int, side: int) -> tuple[Head, bool]:
    """The head of a detected face, by its eyes if both are found where eyes can be, and whether they were."""
    guess = Head(left + side / 2, top + EYE_LEVEL * side, EYES_TO_CHIN * side)
    upper = grey[top + side // 5 : top + side * 11 // 20, left : left + side]
    boxes = classifier("eye").detectMultiScale(upper, 1.05, 4, minSize=(side // 7, side // 7), maxSize=(side // 2,) * 2)
    eyes = [(left + x + w / 2, top + side // 5 + y + h / 2) for x, y, w, h in boxes]
    for one in sorted(eyes):
        for other in sorted(eyes, reverse=True):
            span, drop = other[0] - one[0], other[1] - one[1]
            if 0.32 * side < span < 0.6 * side and abs(drop) < 0.3 * span:
                unit = (guess.unit + PUPILS_TO_CHIN * float(np.hypot(span, drop))) / 2
                # Half of the roll: the eyes' boxes are not that exact.
                roll = float(np.rad2deg(np.arctan2(drop, span))) / 2
                return Head((one[0] + other[0]) / 2, (one[1] + other[1]) / 2, unit, roll), True
    return guess, False


@cache
def classifier(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(CASCADES / f"haarcascade_{name}.xml"))
