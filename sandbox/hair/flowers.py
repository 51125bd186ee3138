"""Fresh flowers, for the styles that wear them."""

import cv2
import numpy as np

from sandbox.hair.head import LEFT, TOP, Field
from sandbox.hair.painting import Canvas
from sandbox.hair.scalp import CENTRE, turned

PETALS = 9
# Petals (BGR) with a darker one beneath, and the heart.
COLOURS = (
    ((92, 70, 214), (60, 36, 150)),
    ((70, 150, 240), (40, 96, 190)),
    ((236, 240, 248), (176, 190, 214)),
    ((168, 96, 220), (110, 48, 150)),
)
HEART = (60, 190, 240)


def paint_flowers(places: Field, yaw: float, canvas: Canvas) -> None:
    seen = turned(places, yaw)
    for index in np.argsort(seen[:, 2]):
        if seen[index, 2] < CENTRE[2] - 0.1:
            continue
        petal, shade = COLOURS[index % len(COLOURS)]
        size = 0.155 + 0.02 * (index % 3)
        for ring, colour in ((1.0, shade), (0.86, petal), (0.55, shade), (0.46, petal)):
            draw_ring(canvas, seen[index], size * ring, colour, turn=index + ring)
        dot(canvas, seen[index, :2], size * 0.2, HEART)


def draw_ring(canvas: Canvas, place: Field, size: float, colour: tuple[int, int, int], turn: float) -> None:
    for petal in range(PETALS):
        angle = 2 * np.pi * petal / PETALS + turn
        dot(canvas, place[:2] + 0.6 * size * np.array([np.cos(angle), np.sin(angle)]), size * 0.42, colour)


def dot(canvas: Canvas, place: Field, radius: float, colour: tuple[int, int, int]) -> None:
    x, y = ((place - (LEFT, TOP)) * canvas.scale * 16).astype(int)
    cv2.circle(canvas.pixels, (int(x), int(y)), round(radius * canvas.scale * 16), (*colour, 255), -1, cv2.LINE_AA, 4)
