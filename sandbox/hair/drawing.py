"""Draws a hairstyle on a photo: its own hair comes off, the head turns, new hair is painted, a label says so."""

import cv2
import numpy as np

from sandbox.hair import gathered, loose, natural, short
from sandbox.hair.coiffure import Coiffure
from sandbox.hair.ears import add_ears
from sandbox.hair.flowers import paint_flowers
from sandbox.hair.growth import Strands
from sandbox.hair.head import Field, Head, Image, canvas_size, find_head
from sandbox.hair.label import add_label
from sandbox.hair.memory import Memory
from sandbox.hair.painting import Canvas, Dye, paint
from sandbox.hair.plate import Plate, blur, take_off_hair
from sandbox.hair.scalp import CENTRE, above_hairline, surface
from sandbox.hair.style import Hairstyle, View, read_style, read_view
from sandbox.hair.turning import from_behind, turn_head

SMALLEST, LARGEST = 512, 2048
YAW: dict[View, float] = {"front": 0.0, "right": 0.74, "left": -0.74, "back": np.pi}
DETAIL = (150, 200)
"""The least and the most pixels a unit on which hair is painted."""
QUALITY = 92

CUTS = {
    "loose": loose.loose,
    "crop": short.crop,
    "buzz": short.buzz,
    "flat_top": short.flat_top,
    "mohawk": short.mohawk,
    "quiff": short.quiff,
    "slick": short.slick,
    "undercut": short.undercut,
    "mullet": short.mullet,
    "afro": natural.afro,
    "ponytail": gathered.ponytail,
    "bun": gathered.low_or_high_bun,
    "space_buns": gathered.space_buns,
    "top_knot": gathered.top_knot,
    "half_up": gathered.half_up,
    "braid": gathered.braid,
    "crown_braid": gathered.crown_braid,
    "box_braids": natural.box_braids,
    "cornrows": natural.cornrows,
    "locs": natural.locs,
}


class UnreadablePhotoError(Exception):
    """The input is no picture that can be decoded."""


class Artist:
    """Draws; and remembers what it drew, so that the side views of a finished front start from the same photo."""

    def __init__(self) -> None:
        self._memory = Memory()

    def draw(self, photo: bytes | None, prompt: str) -> bytes:
        """A JPEG of the photo's size (its short side at least 512) with the hairstyle and view that the prompt tells.

        UnreadablePhotoError when the photo cannot be decoded; without a photo, the canvas is grey.
        """
        image = decode(photo)
        style, view = read_style(prompt), read_view(prompt)
        behind = self._memory.photo_behind(image)
        source = decode(behind) if behind is not None else image
        drawn = add_label(redrawn(source, find_head(source), style, view), style.name, view)
        if photo is not None:
            self._memory.remember(drawn, behind or photo)
        _, encoded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return encoded.tobytes()


def decode(photo: bytes | None) -> Image:
    if photo is None:
        return np.full((768, 768, 3), 150, np.uint8)
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR) if photo else None
    if image is None:
        raise UnreadablePhotoError("it is no picture")
    height, width = image.shape[:2]
    ratio = min(max(1, SMALLEST / min(height, width)), LARGEST / max(height, width))
    return image if ratio == 1 else cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_CUBIC)


def redrawn(image: Image, head: Head, style: Hairstyle, view: View) -> Image:
    scale = float(np.clip(head.unit * 1.6, *DETAIL))
    there = head.to_canvas(scale)
    canvas = cv2.warpAffine(
        image.astype(np.float32), there, canvas_size(scale), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    plate = take_off_hair(canvas, scale)
    painted = on_canvas(plate, style, view)
    changed = blur(np.clip(np.abs(painted - canvas).max(axis=2) / 6, 0, 1), 1.5)
    height, width = image.shape[:2]
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP if scale > head.unit else cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(painted, there, (width, height), flags=flags)
    mask = cv2.warpAffine(changed, there, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)[..., None]
    return np.clip(image * (1 - mask) + back * mask, 0, 255).astype(np.uint8)


def on_canvas(plate: Plate, style: Hairstyle, view: View) -> Field:
    yaw = YAW[view]
    rng = np.random.default_rng(style.seed)
    coiffure = CUTS[style.kind](style, rng)
    picture, person = bare_head(plate, view)
    colour = np.array(style.colour, np.float32) if style.colour is not None else plate.hair_colour
    back, front = Canvas(plate.scale), Canvas(plate.scale)
    for strands in coiffure.strands:
        for layer, dye in undercoat(strands, colour, style):
            paint(layer, dye, yaw, back, front)
    picture = back.over(picture, 1 - person)
    tint = scalp_tint(coiffure, plate.scale, yaw)[..., None]
    picture = picture * (1 - tint) + colour * 0.5 * tint
    picture = add_ears(picture, plate, view, yaw)
    paint_flowers(coiffure.flowers, yaw, front)
    # Hair throws a soft shadow on what it lies before.
    shade = blur(front.alpha, 0.05 * plate.scale)
    shade = np.roll(shade, round(0.035 * plate.scale), axis=0) * person
    return front.over(picture * (1 - 0.42 * shade[..., None]))


def bare_head(plate: Plate, view: View) -> tuple[Field, Field]:
    if view == "front":
        return plate.picture, plate.person
    return from_behind(plate) if view == "back" else turn_head(plate, YAW[view])


def undercoat(strands: Strands, colour: Field, style: Hairstyle) -> list[tuple[Strands, Dye]]:
    """What is painted for some strands: a dark filling first, so that nothing shines through, then the strands."""
    blue, green, red = (float(part) for part in colour)
    tips = (min(255.0, blue * 1.3 + 18), min(255.0, green * 1.3 + 22), min(255.0, red * 1.25 + 22))
    dye = Dye((blue, green, red), style.shine, tips if style.light_tips else None)
    if strands.points.shape[1] < 6 or strands.thickness > 0.02:
        return [(strands, dye)]
    deep = np.flatnonzero(strands.layer < 0.65)[::2]
    # Without the first step from the root, which would show as dark teeth along the hairline.
    inner = CENTRE + (strands.points[deep, 1:] - CENTRE) * 0.98
    filling = Strands(inner.astype(np.float32), strands.light[deep] * 0.68, strands.layer[deep] * 0 - 1, 0.026)
    return [(filling, Dye((blue, green, red), 0)), (strands, dye)]


def scalp_tint(coiffure: Coiffure, scale: float, yaw: float) -> Field:
    points, there = surface(scale, yaw)
    edge = np.clip(above_hairline(points) / 0.07 + 0.35, 0, 1)
    tint = there * edge * coiffure.scalp
    if coiffure.fade is not None:
        high, low = coiffure.fade
        tint *= np.clip((low - points[..., 1]) / (low - high), 0, 1)
    return tint
