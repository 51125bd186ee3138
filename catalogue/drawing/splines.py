"""Curves through points: how every shape of a thumbnail is written down.

A curve is text: points as ``x,y`` with spaces between, in the 512 x 512 picture. The curve passes smoothly through all
of them; a point that ends in ``!`` is a corner.
"""

import math
from itertools import pairwise
from typing import NamedTuple

WIDTH = 512
HANDLE = 0.36
"""Length of a Bezier handle as a share of the chord: round without overshoot."""
STEPS = 10
"""Straight pieces per Bezier segment when a curve is flattened."""


class Point(NamedTuple):
    x: float
    y: float

    def plus(self, other: "Point", times: float = 1.0) -> "Point":
        return Point(self.x + other.x * times, self.y + other.y * times)

    def towards(self, other: "Point", share: float) -> "Point":
        return Point(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)

    def mirrored(self) -> "Point":
        return Point(WIDTH - self.x, self.y)


class Knot(NamedTuple):
    at: Point
    corner: bool


Segment = tuple[Point, Point, Point, Point]


def parse(text: str) -> list[Knot]:
    """Read a curve. Raises ValueError on anything but points."""
    knots = []
    for word in text.split():
        x, y = word.rstrip("!").split(",")
        knots.append(Knot(Point(float(x), float(y)), word.endswith("!")))
    return knots


def mirror(knots: list[Knot]) -> list[Knot]:
    return [Knot(knot.at.mirrored(), knot.corner) for knot in knots]


def both_sides(knots: list[Knot]) -> list[Knot]:
    """Complete a left half, written from top to bottom, to a whole outline that is symmetric about the middle."""
    right = [knot for knot in reversed(mirror(knots)) if abs(knot.at.x - WIDTH / 2) > 1]
    return [*knots, *right]


def _direction(start: Point, end: Point) -> Point:
    length = math.dist(start, end) or 1.0
    return Point((end.x - start.x) / length, (end.y - start.y) / length)


def segments(knots: list[Knot], *, closed: bool) -> list[Segment]:
    """Cubic Bezier segments through the knots."""
    count = len(knots)
    pieces: list[Segment] = []
    for index in range(count if closed else count - 1):
        here, there = knots[index], knots[(index + 1) % count]
        first_end, last_end = not closed and index == 0, not closed and index == count - 2
        before, after = knots[index - 1].at, knots[(index + 2) % count].at
        leaving = _direction(here.at if here.corner or first_end else before, there.at)
        arriving = _direction(here.at, there.at if there.corner or last_end else after)
        reach = math.dist(here.at, there.at) * HANDLE
        pieces.append((here.at, here.at.plus(leaving, reach), there.at.plus(arriving, -reach), there.at))
    return pieces


def path(knots: list[Knot], *, closed: bool = True) -> str:
    """The curve as SVG path data."""
    pieces = segments(knots, closed=closed)
    start = pieces[0][0]
    curves = " ".join(f"C{a.x:.1f} {a.y:.1f} {b.x:.1f} {b.y:.1f} {c.x:.1f} {c.y:.1f}" for _, a, b, c in pieces)
    return f"M{start.x:.1f} {start.y:.1f} {curves}{'Z' if closed else ''}"


def flatten(knots: list[Knot], *, closed: bool = False) -> list[Point]:
    points = [knots[0].at]
    for start, a, b, end in segments(knots, closed=closed):
        for step in range(1, STEPS + 1):
            t = step / STEPS
            s = 1 - t
            weights = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
            corners = (start, a, b, end)
            points.append(
                Point(
                    sum(w * c.x for w, c in zip(weights, corners, strict=True)),
                    sum(w * c.y for w, c in zip(weights, corners, strict=True)),
                )
            )
    return points


def spread(points: list[Point], count: int) -> list[Point]:
    """``count`` points at equal distances along a line, both ends included."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    total = sum(lengths)
    result = [points[0]]
    index, passed = 0, 0.0
    for step in range(1, count):
        target = total * step / (count - 1)
        while index < len(lengths) - 1 and passed + lengths[index] < target:
            passed += lengths[index]
            index += 1
        share = (target - passed) / lengths[index] if lengths[index] else 0.0
        result.append(points[index].towards(points[index + 1], min(share, 1.0)))
    return result


def normals(line: list[Point]) -> list[Point]:
    """Unit vectors to the left of the line's direction, one per point."""
    last = len(line) - 1
    result = []
    for index in range(len(line)):
        ahead = _direction(line[max(index - 1, 0)], line[min(index + 1, last)])
        result.append(Point(ahead.y, -ahead.x))
    return result


def inside(point: Point, outline: list[Point]) -> bool:
    """Whether the point lies within a flattened outline (even-odd rule)."""
    hit = False
    for a, b in pairwise([*outline, outline[0]]):
        if (a.y > point.y) != (b.y > point.y) and point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x:
            hit = not hit
    return hit
