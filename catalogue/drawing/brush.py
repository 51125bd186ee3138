"""How each piece of hair is drawn."""

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

from catalogue.drawing import strokes
from catalogue.drawing.palette import FLOWERS, HAIRS, LEAF, Hair, Skin
from catalogue.drawing.pieces import Bun, Clipped, Coils, Flowers, Locks, Mass, Pieces, Reflect, Rolls, Ropes
from catalogue.drawing.splines import Knot, Point, both_sides, flatten, inside, mirror, parse, path, spread

ROLL = ((1.1, -1.1), (0.32, -0.65), (-0.45, 0.13), (-0.52, 0.84), (0.13, 1.1), (0.58, 0.65), (0.32, 0.26), (0.0, 0.39))
"""The line of a curl that rolls outwards to the left, in radii."""


@dataclass
class Brush:
    """Draws pieces in one hair colour, with its own sequence of chances so that every run gives the same picture."""

    colour: Hair
    skin: Skin
    chance: random.Random
    made: int = 0
    silhouettes: list[str] = field(default_factory=list)
    """Path data of what lies over the face: it throws a shadow there."""

    def draw(self, piece: Pieces) -> str:
        """The piece as SVG."""
        hair = HAIRS[piece.hair] if piece.hair else self.colour
        match piece:
            case Mass():
                parts = [self._mass(piece, hair)]
            case Locks():
                parts = [self._locks(piece, hair, lines) for lines in _guides(piece.guides, piece.reflect)]
            case Ropes():
                parts = [self._ropes(piece, hair, lines) for lines in _guides(piece.guides, piece.reflect)]
            case Coils():
                parts = [self._coils(piece, hair, outline) for outline in _outlines(piece.outline, piece.reflect)]
            case Bun():
                centre = Point(*piece.centre)
                centres = [centre, centre.mirrored()] if piece.reflect == "copy" else [centre]
                parts = [self._bun(piece, hair, at) for at in centres]
            case Rolls():
                parts = [self._roll(hair, Point(x, y), radius, turned=piece.turned) for x, y, radius in piece.at]
            case Clipped():
                parts = [self._clipped(piece, hair, outline) for outline in _outlines(piece.outline, piece.reflect)]
            case Flowers():
                parts = [self._flower(Point(x, y), radius, i) for i, (x, y, radius) in enumerate(piece.at)]
        return "".join(parts)

    def _mass(self, piece: Mass, hair: Hair) -> str:
        outlines = _outlines(piece.outline, piece.reflect)
        strands = _guides(piece.strands, "no" if piece.reflect == "no" else "copy")
        if len(outlines) == 1:
            return self._filled(piece, hair, outlines[0], strands)
        return "".join(self._filled(piece, hair, *side) for side in zip(outlines, [[s] for s in strands], strict=True))

    def _filled(self, piece: Mass, hair: Hair, outline: list[Knot], strands: list[list[list[Point]]]) -> str:
        shape = path(outline)
        if piece.place == "front":
            self.silhouettes.append(shape)
        name = self._name()
        lines = "".join(self._strands(piece, hair, side) for side in strands if side)
        return (
            f'<clipPath id="{name}"><path d="{shape}"/></clipPath><g opacity="{piece.opacity}">'
            f'<path d="{shape}" fill="{getattr(hair, piece.tone)}"/><g clip-path="url(#{name})">{lines}</g></g>'
        )

    def _strands(self, piece: Mass, hair: Hair, guides: list[list[Point]]) -> str:
        parts = []
        for index, line in enumerate(between(guides, piece.count)):
            swung = strokes.waved(line, *piece.wave, self.chance.random() * 0.08) if piece.wave[0] else line
            width = piece.width * self.chance.uniform(0.55, 1.15)
            tone = (hair.shade, hair.shade, hair.light)[index % 3]
            shape = strokes.ribbon(swung, width, "strand")
            parts.append(f'<path d="{shape}" fill="{tone}" opacity="{self.chance.uniform(0.55, 0.95):.2f}"/>')
        return "".join(parts)

    def _locks(self, piece: Locks, hair: Hair, guides: list[list[Point]]) -> str:
        tones = {"b": hair.base, "s": hair.shade, "l": hair.light}
        parts = []
        for index, line in enumerate(between(guides, piece.count)):
            bent = self._jittered(line, piece.jitter)
            if piece.wave[0]:
                bent = strokes.waved(bent, *piece.wave, self.chance.random() * 0.15)
            shape = strokes.ribbon(bent, piece.width * self.chance.uniform(0.85, 1.15), piece.profile)
            if piece.place == "front":
                self.silhouettes.append(shape)
            parts.append(f'<path d="{shape}" fill="{tones[piece.tones[index % len(piece.tones)]]}"/>')
        return "".join(parts)

    def _ropes(self, piece: Ropes, hair: Hair, guides: list[list[Point]]) -> str:
        parts = []
        for line in between(guides, piece.count):
            bent = self._jittered(line, piece.jitter)
            if piece.place == "front":
                self.silhouettes.append(strokes.ribbon(bent, piece.width, "tube"))
            if piece.style == "loc":
                parts.append(strokes.rope(bent, piece.width, hair, self.chance.random()))
            elif piece.style == "braid":
                parts.append(strokes.braid(bent, piece.width, hair, taper=piece.taper))
            else:
                swung = strokes.waved(bent, piece.width * 0.12, 2, self.chance.random())
                width = piece.width * self.chance.uniform(0.8, 1.15)
                parts.append(strokes.ringlet(swung, width, hair, self.chance.random()))
        return "".join(parts)

    def _jittered(self, line: list[Point], jitter: float) -> list[Point]:
        """The line with its far end moved a little, the root where it was."""
        dx, dy = self.chance.uniform(-jitter, jitter), self.chance.uniform(-jitter, jitter)
        last = len(line) - 1
        return [Point(p.x + dx * (i / last) ** 2, p.y + dy * (i / last) ** 2) for i, p in enumerate(line)]

    def _coils(self, piece: Coils, hair: Hair, outline: list[Knot]) -> str:
        shape = path(outline)
        if piece.place == "front":
            self.silhouettes.append(shape)
        edge = flatten(outline, closed=True)
        size = piece.size
        name = self._name()
        parts = [f'<path d="{shape}" fill="{hair.base}"/>']
        if piece.fluff:
            rim = spread([*edge, edge[0]], max(8, round(_length(edge) / (size * 0.62))))
            for point in rim:
                radius = size * self.chance.uniform(0.42, 0.62) * piece.fluff
                parts.append(f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="{radius:.1f}" fill="{hair.base}"/>')
        else:
            parts.append(f'<clipPath id="{name}"><path d="{shape}"/></clipPath><g clip-path="url(#{name})">')
        xs, ys = [p.x for p in edge], [p.y for p in edge]
        row = 0
        y = min(ys)
        while y < max(ys):
            x = min(xs) + (row % 2) * size * 0.5
            while x < max(xs):
                at = Point(x + self.chance.uniform(-0.2, 0.2) * size, y + self.chance.uniform(-0.2, 0.2) * size)
                if inside(at, edge):
                    parts.append(self._coil(at, size, hair))
                x += size
            y += size * 0.82
            row += 1
        return "".join(parts) + ("" if piece.fluff else "</g>")

    def _coil(self, at: Point, size: float, hair: Hair) -> str:
        """Three quarters of a ring with a lit edge, turned by chance."""
        radius = size * self.chance.uniform(0.3, 0.42)
        turn = self.chance.uniform(-70, 70)
        width = max(1.6, size * 0.13)
        return (
            f'<g transform="translate({at.x:.1f} {at.y:.1f}) rotate({turn:.0f})" fill="none" stroke-linecap="round" '
            f'stroke-width="{width:.1f}"><path d="M{-radius:.1f} 0A{radius:.1f} {radius:.1f} 0 1 0 {radius * 0.5:.1f} '
            f'{-radius * 0.86:.1f}" stroke="{hair.shade}"/><path d="M{-radius * 0.8:.1f} {-radius * 0.5:.1f}'
            f'A{radius:.1f} {radius:.1f} 0 0 1 {radius * 0.2:.1f} {-radius:.1f}" stroke="{hair.light}"/></g>'
        )

    def _bun(self, piece: Bun, hair: Hair, at: Point) -> str:
        r = piece.radius
        if piece.place == "front":
            self.silhouettes.append(
                f"M{at.x - r} {at.y}A{r} {r} 0 1 1 {at.x + r} {at.y}A{r} {r} 0 1 1 {at.x - r} {at.y}Z"
            )
        rim = f'stroke="{hair.shade}" stroke-width="{max(2.0, r * 0.07):.1f}"'
        parts = [f'<circle cx="{at.x}" cy="{at.y}" r="{r}" fill="{hair.base}" {rim}/>']
        for index in range(5):
            share = 0.86 - index * 0.16
            start = self.chance.uniform(0, 360) if piece.messy else 200 + index * 47
            tone = hair.light if index % 2 else hair.shade
            parts.append(_arc(at, r * share, start, 205 - index * 12, tone, max(2.2, r * 0.085)))
        if piece.messy:
            for index in range(7):
                angle = math.radians(index * 51 + self.chance.uniform(-14, 14))
                root = at.plus(Point(math.cos(angle), math.sin(angle)), r * 0.86)
                tip = at.plus(Point(math.cos(angle + 0.5), math.sin(angle + 0.5)), r * self.chance.uniform(1.1, 1.28))
                middle = at.plus(Point(math.cos(angle + 0.1), math.sin(angle + 0.1)), r * 1.12)
                knots = [Knot(p, corner=False) for p in (root, middle, tip)]
                parts.append(f'<path d="{strokes.ribbon(flatten(knots), r * 0.16, "lock")}" fill="{hair.base}"/>')
        return "".join(parts)

    def _roll(self, hair: Hair, at: Point, radius: float, *, turned: bool) -> str:
        """A comma of hair over its own shadow, with a light along its back."""
        side = -1 if turned else 1
        parts = []
        for shift, width, profile, tone, stops in (
            (0.0, 0.92, "blade", hair.shade, len(ROLL)),
            (0.08, 0.84, "blade", hair.base, len(ROLL)),
            (0.19, 0.16, "strand", hair.light, 5),
        ):
            knots = [
                Knot(at.plus(Point(side * (x - shift), y - shift * 1.3), radius), corner=False) for x, y in ROLL[:stops]
            ]
            shape = strokes.ribbon(flatten(knots), radius * width, profile)
            parts.append(f'<path d="{shape}" fill="{tone}"/>')
        return "".join(parts)

    def _clipped(self, piece: Clipped, hair: Hair, outline: list[Knot]) -> str:
        name = self._name()
        start, end = piece.fade
        shape = path(outline)
        edge = flatten(outline, closed=True)
        specks = []
        for _ in range(piece.specks):
            at = Point(self.chance.uniform(165, 347), self.chance.uniform(100, end))
            if inside(at, edge) and self.chance.random() < 1.1 - (at.y - start) / (end - start):
                specks.append(f"M{at.x:.1f} {at.y:.1f}v2.4")
        return (
            f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" y1="{start}" x2="0" y2="{end}">'
            f'<stop offset="0" stop-color="{hair.base}" stop-opacity="{piece.top}"/>'
            f'<stop offset="1" stop-color="{hair.base}" stop-opacity="{piece.bottom}"/></linearGradient>'
            f'<path d="{shape}" fill="{self.skin.base}"/><path d="{shape}" fill="url(#{name})"/>'
            f'<path d="{"".join(specks) or "M0 0"}" stroke="{hair.shade}" stroke-width="1.2" stroke-linecap="round" '
            'opacity="0.8"/>'
        )

    def _flower(self, at: Point, radius: float, index: int) -> str:
        colour = FLOWERS[index % len(FLOWERS)]
        parts = [
            f'<ellipse cx="{radius}" cy="0" rx="{radius * 0.6}" ry="{radius * 0.26}" fill="{LEAF}" '
            f'transform="translate({at.x} {at.y}) rotate({turn}) translate({radius * 0.25} 0)"/>'
            for turn in (28, 152)
        ]
        for step in range(6):
            angle = math.radians(step * 60 + index * 17)
            x, y = at.x + math.cos(angle) * radius * 0.52, at.y + math.sin(angle) * radius * 0.52
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * 0.46:.1f}" fill="{colour}" stroke="#00000022" '
                'stroke-width="1.5"/>'
            )
        parts.append(f'<circle cx="{at.x}" cy="{at.y}" r="{radius * 0.32:.1f}" fill="#fff3d0"/>')
        return "".join(parts)

    def _name(self) -> str:
        self.made += 1
        return f"p{self.made}"


def between(guides: list[list[Point]], count: int) -> list[list[Point]]:
    """``count`` lines spread evenly from the first guide to the last."""
    lines = [spread(guide, strokes.SAMPLES) for guide in guides]
    if len(lines) == 1:
        return [lines[0]] * count
    result = []
    for index in range(count):
        where = index / max(count - 1, 1) * (len(lines) - 1)
        first = min(int(where), len(lines) - 2)
        result.append([a.towards(b, where - first) for a, b in zip(lines[first], lines[first + 1], strict=True)])
    return result


def _outlines(text: str, reflect: Reflect) -> list[list[Knot]]:
    knots = parse(text)
    if reflect == "half":
        return [both_sides(knots)]
    return [knots, mirror(knots)] if reflect == "copy" else [knots]


def _guides(texts: list[str], reflect: Reflect) -> list[list[list[Point]]]:
    lines = [parse(text) for text in texts]
    sides = [lines, [mirror(line) for line in lines]] if reflect == "copy" else [lines]
    return [[flatten(line) for line in side] for side in sides]


def _length(line: list[Point]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(line))


def _arc(at: Point, radius: float, start: float, sweep: float, colour: str, width: float) -> str:
    angles = (math.radians(start), math.radians(start + sweep))
    ends = [at.plus(Point(math.cos(angle), math.sin(angle)), radius) for angle in angles]
    turn = f"A{radius:.1f} {radius:.1f} 0 {int(sweep > 180)} 1"
    return (
        f'<path d="M{ends[0].x:.1f} {ends[0].y:.1f}{turn} {ends[1].x:.1f} {ends[1].y:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="{width:.1f}" stroke-linecap="round"/>'
    )
