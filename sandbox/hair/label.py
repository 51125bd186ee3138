"""Says on the picture what it is."""

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from sandbox.hair.head import Image
from sandbox.hair.style import View

NOTICE = "SANDBOX drawing, not the real model"
VIEWS: dict[View, str] = {"front": "front view", "right": "right side", "left": "left side", "back": "back view"}


def add_label(picture: Image, name: str, view: View) -> Image:
    """A band in the lower left corner. Its size depends on the picture's alone, so that a new one covers an old one."""
    height, width = picture.shape[:2]
    size = max(11, round(min(height, width) * 0.026))
    band_width, band_height = min(width, size * 22), round(size * 3.5)
    canvas = Pillow.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    draw = ImageDraw.Draw(canvas)
    top = height - band_height
    draw.rectangle((0, top, band_width, height), fill=(28, 26, 24))
    draw.rectangle((0, top, max(3, size // 4), height), fill=(226, 160, 60))
    words, notice = ImageFont.load_default(size * 1.15), ImageFont.load_default(size * 0.95)
    room = band_width - size * 1.6
    text = fitting(f"{name}, {VIEWS[view]}", words, room)
    draw.text((size * 0.9, top + size * 0.55), text, fill=(255, 255, 255), font=words)
    draw.text((size * 0.9, top + size * 1.95), NOTICE, fill=(226, 190, 130), font=notice)
    return cv2.cvtColor(np.asarray(canvas), cv2.COLOR_RGB2BGR)


def fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    while font.getlength(text) > room and len(text) > 4:
        text = text[:-2].rstrip(". ") + "…"
    return text
