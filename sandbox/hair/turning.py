"""The head seen from the side and from behind: what one photo from the front lets one guess."""

import cv2
import numpy as np

from sandbox.hair.head import LEFT, Field, grid
from sandbox.hair.plate import FACE, Plate, blur, outline_mask
from sandbox.hair.scalp import CENTRE, surface

HEIGHTS = np.array([-1.02, -0.8, -0.6, -0.3, 0, 0.3, 0.5, 0.76, 0.95, 1.04], np.float32)
HALF_WIDTHS = np.array([0.2, 0.5, 0.6, 0.645, 0.64, 0.6, 0.55, 0.44, 0.28, 0.1], np.float32)
PROFILE = np.array([0.1, 0.43, 0.58, 0.66, 0.62, 0.63, 0.62, 0.64, 0.56, 0.42], np.float32)
SIDE = -0.05
NOSE_HEIGHTS = np.array([-0.12, 0, 0.2, 0.34, 0.43, 0.52], np.float32)
NOSE = np.array([0, 0.04, 0.12, 0.19, 0.13, 0], np.float32)

NECK_HEIGHTS = np.array([0.2, 0.4, 0.6, 0.85, 1.2, 1.5], np.float32)
NECK = np.array([0.55, 0.52, 0.45, 0.38, 0.4, 0.48], np.float32)


def turn_face(plate: Plate, yaw: float) -> tuple[Field, Field]:
    """The face turned by so much, and where it now is (0 to 1). Each row is shifted by the depth of a usual face."""
    x, y = grid(plate.scale)
    source, there = np.zeros_like(x), np.zeros_like(x)
    for row, height in enumerate(y[:, 0]):
        if not HEIGHTS[0] < height < HEIGHTS[-1]:
            continue
        half = np.interp(height, HEIGHTS, HALF_WIDTHS)
        before = np.linspace(-half, half, 240)
        after = turned_row(before, half, height, yaw)
        ends = (0, int(np.argmax(after))) if yaw > 0 else (int(np.argmin(after)), len(after) - 1)
        before, after = before[ends[0] : ends[1] + 1], np.maximum.accumulate(after[ends[0] : ends[1] + 1])
        source[row] = np.interp(x[row], after, before)
        edges = np.minimum(x[row] - after[0], after[-1] - x[row])
        there[row] = np.clip(edges * plate.scale + 0.5, 0, 1)
    columns = ((source - LEFT) * plate.scale - 0.5).astype(np.float32)
    rows = np.repeat(np.arange(len(y), dtype=np.float32)[:, None], x.shape[1], axis=1)
    mask = blur(
        cv2.erode(
            np.minimum(face_of(plate), plate.person), np.ones((3, 3), np.uint8), iterations=round(plate.scale * 0.03)
        ),
        3,
    )
    texture = plate.picture * mask[..., None] + plate.flesh * (1 - mask[..., None])
    return cv2.remap(texture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), there


def turned_row(x: Field, half: float, height: float, yaw: float) -> Field:
    round_part = (1 - np.abs(x / half) ** 2.4) ** 0.5
    depth = SIDE + (np.interp(height, HEIGHTS, PROFILE) - SIDE) * round_part
    depth += np.interp(height, NOSE_HEIGHTS, NOSE) * np.exp(-((x / 0.11) ** 2))
    moved: Field = (x * np.cos(yaw) + (depth - CENTRE[2]) * np.sin(yaw)).astype(np.float32)
    return moved


def face_of(plate: Plate) -> Field:
    return outline_mask(FACE, plate.scale, soft=0.01)


def turn_head(plate: Plate, yaw: float) -> tuple[Field, Field]:
    """The picture with the bare head turned, and a mask of head, neck and body."""
    x, y = grid(plate.scale)
    face, there = turn_face(plate, yaw)
    _, skull = surface(plate.scale, yaw)
    side = -np.sign(yaw)
    shade = 0.93 - 0.22 * np.clip((x * side - 0.1) / 0.6, 0, 1)
    flesh = plate.skin_colour * shade[..., None]
    picture, person = on_neck(plate, y)
    skull = skull * np.clip((0.42 - y) / 0.1, 0, 1)
    picture = picture * (1 - skull[..., None]) + flesh * skull[..., None]
    # The jaw between ear and cheek, then the face; its near edge melts into the side of the head.
    fade = np.clip((there_from_near(there, x, side) - 0.02) / 0.12, 0, 1)
    shadow = blur(there, 0.05 * plate.scale) * np.clip((y - 0.55) / 0.3, 0, 1) * (1 - there)
    picture = picture * (1 - 0.5 * shadow[..., None])
    soft = there * np.maximum(fade, np.clip((y - 0.45) / 0.2, 0, 1))
    edge = 1 - 0.28 * np.clip(1 - there_from_near(there, -x, -side) / 0.16, 0, 1)
    picture = picture * (1 - soft[..., None]) + face * soft[..., None] * edge[..., None]
    return picture, np.maximum(np.maximum(person, skull), there)


def there_from_near(there: Field, x: Field, side: float) -> Field:
    """How far inside the near edge of the face every pixel is, in units."""
    signed = x * side
    near = np.where(there > 0.5, signed, -9).max(axis=1, keepdims=True)
    inside: Field = near - signed
    return inside


def on_neck(plate: Plate, y: Field) -> tuple[Field, Field]:
    """The body with a neck and no head."""
    x, _ = grid(plate.scale)
    bottom = neck_bottom(plate)
    half = np.interp(y[:, 0], NECK_HEIGHTS, NECK)[:, None]
    neck = np.clip((half - np.abs(x)) * plate.scale, 0, 1) * (y > 0.2) * np.clip((bottom - y) * plate.scale / 4, 0, 1)
    curve = 0.86 - 0.3 * (np.abs(x) / half) ** 2
    colour = plate.skin_colour * curve[..., None]
    body = plate.person * np.clip((y - 0.95) / 0.08, 0, 1)
    picture = plate.background * (1 - neck[..., None]) + colour * neck[..., None]
    return picture, np.maximum(neck, body)


def neck_bottom(plate: Plate) -> float:
    """Where the skin under the chin ends."""
    x, y = grid(plate.scale)
    middle = np.abs(x[0]) < 0.2
    rows = plate.skin[:, middle].mean(axis=1)
    below = y[:, 0] > 0.95
    ends = y[:, 0][below & (rows < 0.4)]
    return float(np.clip(ends[0] if len(ends) else 1.4, 1.0, 1.4)) + 0.04


def from_behind(plate: Plate) -> tuple[Field, Field]:
    """The picture with the back of a bare head, and a mask of head, neck and body."""
    _, y = grid(plate.scale)
    picture, person = on_neck(plate, y)
    _, skull = surface(plate.scale, np.pi)
    skull = skull * np.clip((0.46 - y) / 0.1, 0, 1)
    picture = picture * (1 - skull[..., None]) + plate.skin_colour * 0.8 * skull[..., None]
    return picture, np.maximum(person, skull)
