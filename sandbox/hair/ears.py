"""Ears, for the photo may show none: hair that covered them has come off, or the head has turned."""

import cv2
import numpy as np

from sandbox.hair.head import LEFT, TOP, Field, grid
from sandbox.hair.plate import FACE, Plate, blur, outline_mask
from sandbox.hair.scalp import turned
from sandbox.hair.style import View

PLACE = (0.645, 0.13, -0.06)
HEIGHT = 0.44
# Outlines of the ear and of its hollow, from the front edge (-0.5) to the back (0.5), from the top to the bottom.
OUTER = np.array(
    [(-0.4, -0.2), (-0.3, -0.4), (0.0, -0.5), (0.33, -0.43), (0.5, -0.2), (0.44, 0.06), (0.22, 0.26), (0.06, 0.46),
     (-0.18, 0.5), (-0.36, 0.34), (-0.42, 0.1)],
)  # fmt: skip
HOLLOW = np.array(
    [(-0.2, -0.16), (-0.02, -0.33), (0.22, -0.3), (0.31, -0.14), (0.2, 0.06), (0.02, 0.2), (-0.2, 0.18), (-0.26, 0.02)]
)


def add_ears(picture: Field, plate: Plate, view: View, yaw: float) -> Field:
    """Draw the ears that can be seen from there; from the front, only those the photo does not show."""
    for side in (-1.0, 1.0):
        place = turned(np.array(PLACE, np.float32) * (side, 1, 1), yaw)
        if view in {"right", "left"} and np.sign(place[0]) == np.sign(yaw):
            continue
        if view == "front" and shown(plate, side):
            continue
        facing = np.sign(yaw) if view in {"right", "left"} else -np.sign(place[0])
        width = 0.12 + 0.15 * abs(np.sin(yaw))
        picture = with_ear(picture, plate, place, width, float(facing), behind_face=view == "front")
    return picture


def shown(plate: Plate, side: float) -> bool:
    x, y = grid(plate.scale)
    zone = (np.abs(x * side - 0.66) < 0.04) & (np.abs(y - 0.13) < 0.15)
    return bool(plate.skin[zone].mean() > 0.4)


def with_ear(picture: Field, plate: Plate, place: Field, width: float, facing: float, *, behind_face: bool) -> Field:
    """`facing` is 1 when the front of the ear is on its right."""
    ear = shape(plate, OUTER, place, width, facing, 0.006)
    hollow = shape(plate, HOLLOW, place, width, facing, 0.02)
    shadow = blur(ear, 0.03 * plate.scale)
    if behind_face:
        outside = 1 - outline_mask(FACE, plate.scale, soft=0.015)
        ear, hollow, shadow = ear * outside, hollow * outside, shadow * outside * 0.5
    rim = np.clip(ear - blur(ear, 0.025 * plate.scale), 0, 1)
    tone = (0.9 - 0.3 * hollow + 0.25 * rim)[..., None]
    picture = picture * (1 - 0.22 * shadow)[..., None]
    drawn: Field = picture * (1 - ear[..., None]) + plate.skin_colour * tone * ear[..., None]
    return drawn


def shape(plate: Plate, outline: Field, place: Field, width: float, facing: float, soft: float) -> Field:
    points = outline * (-facing * width, HEIGHT) + place[:2]
    mask = np.zeros(plate.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [((points - (LEFT, TOP)) * plate.scale * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return blur(mask.astype(np.float32) / 255, soft * plate.scale)
