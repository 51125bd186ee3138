"""Single strokes of hair: ribbons, ropes, ringlets and braids along a line."""

import math
from itertools import pairwise

from catalogue.drawing.palette import Hair
from catalogue.drawing.splines import Point, normals, spread

SAMPLES = 28


def ribbon(line: list[Point], width: float, profile: str) -> str:
    """Path data of a lock along the line.

    ``profile`` is ``strand`` (pointed at both ends), ``lock`` (full at the root, pointed tip), ``blade`` (widest in the
    middle of its length) or ``tube`` (even width, round ends).
    """
    points = spread(line, SAMPLES)
    last = SAMPLES - 1
    left, right = [], []
    for index, (point, normal) in enumerate(zip(points, normals(points), strict=True)):
        half = width / 2 * _width_share(profile, index / last)
        left.append(point.plus(normal, half))
        right.append(point.plus(normal, -half))
    return polygon([*left, *reversed(right)])


def _width_share(profile: str, t: float) -> float:
    if profile == "lock":
        return min(1.0, 0.55 + 2.5 * t) * (1 - math.pow(t, 2.2))
    if profile == "blade":
        return math.pow(math.sin(math.pi * math.pow(t, 0.75)), 0.8) if 0 < t < 1 else 0.0
    if profile == "tube":
        return math.sqrt(max(0.0, 1 - max(0.0, (abs(t - 0.5) - 0.47) / 0.03) ** 2))
    return math.pow(math.sin(math.pi * t), 0.6) if 0 < t < 1 else 0.0


def polygon(points: list[Point]) -> str:
    return "M" + "L".join(f"{p.x:.1f} {p.y:.1f}" for p in points) + "Z"


def waved(line: list[Point], height: float, count: float, phase: float) -> list[Point]:
    """The line, swinging ``count`` times to ``height`` on either side, calm at the root."""
    points = spread(line, SAMPLES * 2)
    last = len(points) - 1
    return [
        point.plus(normal, height * min(1.0, 4 * i / last) * math.sin(2 * math.pi * (count * i / last + phase)))
        for i, (point, normal) in enumerate(zip(points, normals(points), strict=True))
    ]


def _along(line: list[Point], pitch: float) -> list[tuple[Point, float]]:
    """Points every ``pitch`` along the line, with the direction there in degrees."""
    length = sum(math.dist(a, b) for a, b in pairwise(line))
    points = spread(line, max(3, round(length / pitch) + 1))
    result = []
    for index, point in enumerate(points):
        a, b = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        result.append((point, math.degrees(math.atan2(b.y - a.y, b.x - a.x))))
    return result


def rope(line: list[Point], width: float, hair: Hair, phase: float) -> str:
    """A loc: a round cord with irregular, slanted seams and a lit edge."""
    spine = "M" + "L".join(f"{p.x:.1f} {p.y:.1f}" for p in spread(line, SAMPLES))
    edge = [p.plus(n, -width * 0.2) for p, n in zip(spread(line, SAMPLES), normals(spread(line, SAMPLES)), strict=True)]
    lit = "M" + "L".join(f"{p.x:.1f} {p.y:.1f}" for p in edge[1:-1])
    cord = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    parts = [
        f'<path d="{spine}" {cord} stroke="{hair.shade}" stroke-width="{width + 3:.1f}"/>',
        f'<path d="{spine}" {cord} stroke="{hair.base}" stroke-width="{width:.1f}"/>',
        f'<path d="{lit}" {cord} stroke="{hair.light}" stroke-width="{width * 0.2:.1f}" opacity="0.55"/>',
    ]
    for index, (point, angle) in enumerate(_along(line, width * 0.7)[1:-1]):
        tilt = math.radians(angle + 58 + 34 * math.sin(index * 2.4 + phase * 6))
        reach = width * (0.42, 0.36, 0.44)[index % 3]
        dx, dy = math.cos(tilt) * reach, math.sin(tilt) * reach
        parts.append(
            f'<path d="M{point.x - dx:.1f} {point.y - dy:.1f}Q{point.x + dy * 0.3:.1f} {point.y - dx * 0.3:.1f} '
            f'{point.x + dx:.1f} {point.y + dy:.1f}" {cord} stroke="{hair.shade}" stroke-width="{width * 0.12:.1f}"/>'
        )
    return "".join(parts)


def braid(line: list[Point], width: float, hair: Hair, *, taper: float = 0.0) -> str:
    """A three-strand plait: two rows of leaves that overlap down the middle."""
    stops = _along(line, width * 0.5)
    parts = []
    for index, (point, angle) in enumerate(stops):
        size = width * (1 - taper * index / (len(stops) - 1))
        for side in (-1, 1):
            across = math.radians(angle + 90)
            shift = 0.22 * size * side
            x, y = point.x + math.cos(across) * shift, point.y + math.sin(across) * shift
            if side == 1:
                ahead = math.radians(angle)
                x, y = x + math.cos(ahead) * size * 0.25, y + math.sin(ahead) * size * 0.25
            parts.append(
                f'<g transform="translate({x:.1f} {y:.1f}) rotate({angle - 38 * side:.1f})">'
                f'<ellipse rx="{size * 0.42:.1f}" ry="{size * 0.245:.1f}" fill="{hair.base}" stroke="{hair.shade}" '
                f'stroke-width="{max(1.4, size * 0.06):.1f}"/>'
                f'<path d="M{-size * 0.25:.1f} {-size * 0.06:.1f}Q0 {-size * 0.16:.1f} {size * 0.25:.1f} '
                f'{-size * 0.05:.1f}" fill="none" stroke="{hair.light}" stroke-width="{max(1.2, size * 0.05):.1f}" '
                'stroke-linecap="round"/></g>'
            )
    return "".join(parts)


def ringlet(line: list[Point], width: float, hair: Hair, phase: float) -> str:
    """A spiral curl: slanted turns that overlap down the line and get smaller at the tip. ``phase`` is 0 to 1."""
    parts = []
    pitch = width * 0.5
    stops = _along(line, pitch)
    for index, (point, angle) in enumerate(stops):
        along = math.radians(angle)
        at = point.plus(Point(math.cos(along), math.sin(along)), (phase - 0.5) * pitch)
        share = index / (len(stops) - 1)
        size = width * (0.88 + 0.2 * math.sin(math.pi * share) - 0.34 * max(0.0, share - 0.6) / 0.4)
        parts.append(
            f'<g transform="translate({at.x:.1f} {at.y:.1f}) rotate({angle - 58:.1f})">'
            f'<ellipse rx="{size * 0.57:.1f}" ry="{size * 0.37:.1f}" fill="{hair.base}" stroke="{hair.shade}" '
            f'stroke-width="{max(1.6, size * 0.075):.1f}"/>'
            f'<path d="M{-size * 0.32:.1f} {-size * 0.08:.1f}Q{-size * 0.02:.1f} {-size * 0.27:.1f} {size * 0.32:.1f} '
            f'{-size * 0.08:.1f}" fill="none" stroke="{hair.light}" stroke-width="{max(1.6, size * 0.1):.1f}" '
            'stroke-linecap="round"/></g>'
        )
    return "".join(parts)
