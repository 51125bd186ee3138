"""The head as a solid: an ellipsoid with a hairline, on which hair grows and which nothing passes through."""

import numpy as np

from sandbox.hair.head import Field, grid

CENTRE = np.array([0, -0.26, -0.15], np.float32)
RADII = np.array([0.655, 0.75, 0.82], np.float32)
JAW_CENTRE = np.array([0, 0.3, 0.14], np.float32)
JAW_RADII = np.array([0.54, 0.72, 0.52], np.float32)
NECK_RADIUS = 0.36

# The height of the hairline, by the angle round the head in degrees from the middle of the forehead.
HAIRLINE_ANGLES = np.array([0, 22, 40, 54, 64, 74, 82, 90, 102, 116, 140, 180], np.float32)
HAIRLINE = np.array([-0.61, -0.59, -0.54, -0.41, -0.2, 0.06, 0.04, -0.16, -0.16, 0.14, 0.36, 0.42], np.float32)


def turned(points: Field, yaw: float) -> Field:
    """Turn points with the head: a positive yaw turns the nose to the right of the picture."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2] - CENTRE[2]
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin + CENTRE[2]], axis=-1).astype(np.float32)


def angle_round(points: Field) -> Field:
    """0 at the forehead, 180 behind, in degrees."""
    degrees: Field = np.rad2deg(np.abs(np.arctan2(points[..., 0], points[..., 2] - CENTRE[2])))
    return degrees


def above_hairline(points: Field) -> Field:
    """How far points of the scalp lie above the hairline, in units; negative below it."""
    return np.interp(angle_round(points), HAIRLINE_ANGLES, HAIRLINE).astype(np.float32) - points[..., 1]


def roots(count: int, rng: np.random.Generator) -> Field:
    """Points spread evenly over the haired part of the scalp."""
    points = rng.normal(size=(count * 4, 3)).astype(np.float32)
    points = CENTRE + RADII * points / np.linalg.norm(points, axis=1, keepdims=True)
    # The ellipsoid's lower end, inside the neck, bears no hair whatever its angle.
    kept: Field = points[(above_hairline(points) > 0) & (points[:, 1] < 0.4)][:count]
    return kept


def outward(points: Field) -> Field:
    """The direction away from the head."""
    return unit((points - CENTRE) / RADII**2)


def unit(vectors: Field) -> Field:
    normed: Field = (vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)).astype(np.float32)
    return normed


def along(points: Field, directions: Field) -> Field:
    """The part of directions that runs along the scalp, as unit vectors."""
    normal = outward(points)
    return unit(directions - normal * np.sum(directions * normal, axis=-1, keepdims=True))


def pushed_out(points: Field, clearance: Field) -> Field:
    """Move what is inside the head, jaw or neck outside, keeping `clearance` units away from the skull."""
    points = out_of(points, CENTRE, RADII, clearance)
    points = out_of(points, JAW_CENTRE, JAW_RADII, clearance * 0.5)
    around = points[:, [0, 2]] - CENTRE[[0, 2]]
    radius = np.linalg.norm(around, axis=1)
    inside = (points[:, 1] > 0.5) & (radius < NECK_RADIUS)
    points[inside] = pushed_sideways(points[inside], around[inside], radius[inside])
    return points


def off_the_face(points: Field) -> Field:
    """Part what hangs before the face to its sides."""
    x, y = points[:, 0], points[:, 1]
    keep = np.interp(y, (-0.64, -0.45, -0.15, 0.5, 1.1, 2.0), (0, 0.34, 0.5, 0.52, 0.46, 0.4)).astype(np.float32)
    keep *= np.clip((points[:, 2] + 0.15) / 0.3, 0, 1)
    before = np.abs(x) < keep
    points[before, 0] = np.where(x[before] < 0, -keep[before], keep[before])
    return points


def out_of(points: Field, centre: Field, radii: Field, clearance: Field) -> Field:
    offset = points - centre
    reach = np.linalg.norm(offset / (radii + clearance[:, None]), axis=1, keepdims=True)
    return np.where(reach < 1, centre + offset / np.maximum(reach, 1e-3), points).astype(np.float32)


def pushed_sideways(points: Field, around: Field, radius: Field) -> Field:
    moved = points.copy()
    moved[:, [0, 2]] = CENTRE[[0, 2]] + around * (NECK_RADIUS / np.maximum(radius, 1e-3))[:, None]
    return moved


def surface(scale: float, yaw: float) -> tuple[Field, Field]:
    """For every pixel the point of the skull that is seen there (before turning), and 1 where there is one."""
    x, y = grid(scale)
    cos, sin = np.cos(yaw), np.sin(yaw)
    a, b = RADII[0] ** -2, RADII[2] ** -2
    # The skull is turned: solve (x cos - z sin)² a + (x sin + z cos)² b = 1 - (y / r)² for the nearer z.
    square = a * sin**2 + b * cos**2
    linear = x * cos * sin * (b - a)
    rest = x**2 * (a * cos**2 + b * sin**2) - 1 + ((y - CENTRE[1]) / RADII[1]) ** 2
    root = linear**2 - square * rest
    z = (-linear + np.sqrt(np.maximum(root, 0))) / square
    points = np.stack([x * cos - z * sin, y, x * sin + z * cos + CENTRE[2]], axis=-1)
    return points.astype(np.float32), np.clip(root * scale * 2, 0, 1).astype(np.float32)
