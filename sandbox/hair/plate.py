"""The photo without its hair: what the new hair is drawn on."""

from dataclasses import dataclass

import cv2
import numpy as np

from sandbox.hair.head import LEFT, TOP, Field, canvas_size, grid

COARSE = 44
"""Pixels a unit in which the person is told from the background."""

FACE = np.array(
    [
        (0, -0.66), (0.26, -0.63), (0.44, -0.5), (0.54, -0.3), (0.58, 0.0), (0.585, 0.22), (0.54, 0.5), (0.44, 0.76),
        (0.26, 0.95), (0, 1.03), (-0.26, 0.95), (-0.44, 0.76), (-0.54, 0.5), (-0.585, 0.22), (-0.58, 0.0),
        (-0.54, -0.3), (-0.44, -0.5), (-0.26, -0.63),
    ],
    dtype=np.float32,
)  # fmt: skip
"""The outline of a face without hair, from the hairline to the chin."""

FILL_REACH = (1.2, 0.6, 0.3, 0.15, 0.08, 0.04)


@dataclass(slots=True)
class Plate:
    """A canvas (BGR, 0 to 255) with the hair taken off, and what is known about the person. Masks run from 0 to 1."""

    scale: float
    picture: Field
    background: Field
    """As the picture, but without any head."""
    flesh: Field
    """The skin of the face, continued smoothly in all directions."""
    person: Field
    skin: Field
    skin_colour: Field
    hair_colour: Field


def take_off_hair(picture: Field, scale: float) -> Plate:
    width, height = canvas_size(COARSE)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    face = outline_mask(FACE, COARSE, soft=0.02)
    x, y = grid(COARSE)
    lab = cv2.cvtColor(np.clip(small, 0, 255).astype(np.uint8), cv2.COLOR_BGR2LAB).astype(np.float32)
    core = (face > 0.9) & (np.abs(x) < 0.42) & (y > 0.1) & (y < 0.8)
    skin_lab = np.median(lab[core], axis=0)
    hair_lab = hair_shade(lab[(np.abs(x) < 0.4) & (y > -1.0) & (y < -0.74)], skin_lab)
    skin_distance, hair_distance = distance(lab, skin_lab), distance(lab, hair_lab)
    person = tell_person(small, hair_distance < np.minimum(skin_distance, 24))
    skin_like = (skin_distance < 26) & (skin_distance < hair_distance) & (y > -0.6)
    hair = tell_hair(
        person > 0.5, face > 0.5, skin_like, hair_distance < np.minimum(skin_distance, np.where(y < 0.4, 65, 38))
    )
    hair_soft = blur(cv2.dilate(hair.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32), 1.2)
    inside = (face > 0.5) | (((x / 0.62) ** 2 + ((y + 0.28) / 0.7) ** 2 < 1) & (y < 0.3))
    sure_flesh = (face > 0.6) & skin_like & (hair_soft < 0.05)
    flesh = fill(small, cv2.erode(sure_flesh.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, COARSE)
    person_wide = cv2.dilate(person, np.ones((7, 7), np.uint8)) > 0.2
    background = fill(small, ~person_wide, COARSE)
    clothes = fill(small, person_wide & (y > 0.8) & (hair_soft < 0.05) & ~skin_like, COARSE)
    below = np.clip((y - 1.25) / 0.3, 0, 1)[..., None] * (person > 0.5)[..., None]
    behind = background * (1 - below) + clothes * below
    inside_soft = blur(inside.astype(np.float32), 1.0)[..., None]
    cover = behind * (1 - inside_soft) + flesh * inside_soft
    bare = enlarge(hair_soft, scale)[..., None]
    head = (y < 0.6) | (face > 0.3) | (skin_like & (np.abs(x) < 0.52) & (y < 1.03))
    gone = ((person > 0.5) & (head | hair)).astype(np.float32)
    headless = enlarge(blur(cv2.dilate(gone, np.ones((5, 5), np.uint8)), 1.2), scale)[..., None]
    skin = (person > 0.5) & ~hair & (skin_like | (face > 0.5)) & (y < 1.4)
    return Plate(
        scale=scale,
        picture=picture * (1 - bare) + grain(enlarge(cover, scale)) * bare,
        background=picture * (1 - headless) + grain(enlarge(behind, scale)) * headless,
        flesh=grain(enlarge(flesh, scale)),
        person=enlarge(np.maximum(blur(person * (1 - hair_soft), 0.8), inside_soft[..., 0]), scale),
        skin=enlarge(blur(skin.astype(np.float32), 0.8), scale),
        skin_colour=np.median(small[core], axis=0).astype(np.float32),
        hair_colour=to_bgr(hair_lab),
    )


def tell_person(small: Field, hair_like: Field) -> Field:
    """1 where the person is, by colour, starting from where head and shoulders must be."""
    x, y = grid(COARSE)
    mask = np.full(x.shape, cv2.GC_PR_BGD, np.uint8)
    mask[hair_like & (np.abs(x) < 1.2) & (y < 2.4)] = cv2.GC_PR_FGD
    mask[(x / 1.05) ** 2 + ((y + 0.15) / 1.1) ** 2 < 1] = cv2.GC_PR_FGD
    mask[(y > 1) & (np.abs(x) < 0.5 + 1.4 * (y - 1))] = cv2.GC_PR_FGD
    mask[(y < -1.6) | ((np.abs(x) > 1.7) & (y < 0.9)) | ((np.abs(x) > 1.2) & (y < -1.1))] = cv2.GC_BGD
    mask[(x / 0.46) ** 2 + ((y - 0.05) / 0.8) ** 2 < 1] = cv2.GC_FGD
    mask[(y > 0.5) & (np.abs(x) < 0.3 + np.clip(0.7 * (y - 1.4), 0, 1))] = cv2.GC_FGD
    cv2.setRNGSeed(7)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    image = np.clip(small, 0, 255).astype(np.uint8)
    cv2.grabCut(image, mask, None, background, foreground, 3, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, labels = cv2.connectedComponents(person)
    centre = labels[round((0.4 - TOP) * COARSE), round(-LEFT * COARSE)]
    whole: Field = (labels == centre).astype(np.float32)
    return whole


def tell_hair(person: Field, face: Field, skin_like: Field, hair_like: Field) -> Field:
    """Hair is the person above the shoulders and outside the face, and what looks like it and touches it."""
    x, y = grid(COARSE)
    sure = person & ~face & ~skin_like & (y < 0.3)
    # On the face: a fringe down to the brows, and what hangs at the temples and cheeks.
    fallen = face & ((y < -0.2) | ((np.abs(x) > 0.36) & (y < -0.11)) | ((np.abs(x) > 0.46) & (y < 0.4)))
    maybe = person & hair_like & (fallen | (~face & (y < 2.6)))
    both = cv2.morphologyEx((sure | maybe).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(both)
    kept = np.unique(labels[sure & (y < 0) & (both > 0)])
    hair = np.isin(labels, kept[kept > 0]).astype(np.uint8)
    return cv2.morphologyEx(hair, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0


def hair_shade(above: Field, skin: Field) -> Field:
    """The shade of the hair, as it is in good light, from what is above the forehead; dark brown where that is bald."""
    hair = above[distance(above[None], skin)[0] > 14]
    if len(hair) < len(above) * 0.25:
        return np.array([70, 134, 138], np.float32)
    shade: Field = np.median(hair[hair[:, 0] >= np.percentile(hair[:, 0], 45)], axis=0).astype(np.float32)
    return shade


def distance(lab: Field, centre: Field) -> Field:
    """How far colours are apart, lightness counting half."""
    gap: Field = np.linalg.norm((lab - centre) * np.array([0.5, 1.3, 1.3], np.float32), axis=2)
    return gap


def to_bgr(lab: Field) -> Field:
    pixel = np.clip(lab, 0, 255).astype(np.uint8).reshape(1, 1, 3)
    bgr: Field = cv2.cvtColor(pixel, cv2.COLOR_LAB2BGR)[0, 0].astype(np.float32)
    return bgr


def fill(picture: Field, known: Field, scale: float) -> Field:
    """Continue what is known smoothly over the rest."""
    weight = known.astype(np.float32)
    filled = np.full_like(picture, picture[known].mean(axis=0) if known.any() else 128)
    for reach in FILL_REACH:
        nearby = blur(weight, reach * scale)
        estimate = blur(picture * weight[..., None], reach * scale) / np.maximum(nearby, 1e-4)[..., None]
        trust = np.clip(nearby * 12, 0, 1)[..., None]
        filled = filled * (1 - trust) + estimate * trust
    return np.where(known[..., None], picture, filled)


def outline_mask(outline: Field, scale: float, soft: float) -> Field:
    """A mask of an outline given in the head's frame; `soft` is the width of its edge in units."""
    width, height = canvas_size(scale)
    mask = np.zeros((height, width), np.uint8)
    points = ((outline - (LEFT, TOP)) * scale * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
    return blur(mask.astype(np.float32) / 255, soft * scale)


def blur(field: Field, sigma: float) -> Field:
    return cv2.GaussianBlur(field, (0, 0), max(sigma, 0.3))


def enlarge(field: Field, scale: float) -> Field:
    return cv2.resize(field, canvas_size(scale), interpolation=cv2.INTER_CUBIC)


def grain(picture: Field) -> Field:
    """A little noise, so that what was filled in does not look smoother than the photo."""
    noise = np.random.default_rng(1).normal(0, 5, picture.shape[:2]).astype(np.float32)
    return picture + blur(noise, 0.8)[..., None]
