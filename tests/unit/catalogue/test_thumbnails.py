"""The thumbnails in the repository, and the program that draws them."""

import hashlib
import io
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalogue.draw_thumbnails import compose, read, render

FOLDER = Path(__file__).parents[3] / "catalogue"
STYLES = tomllib.loads((FOLDER / "styles.toml").read_text("utf-8"))["style"]
DESCRIPTIONS = read()

each_style = pytest.mark.parametrize("slug", [style["slug"] for style in STYLES])


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"), dtype=np.int16)


@each_style
def test_a_thumbnail_is_a_small_square_picture(slug: str) -> None:
    """Every style has a PNG of 512 x 512 that weighs less than 60 kB."""
    png = (FOLDER / "thumbnails" / f"{slug}.png").read_bytes()
    assert pixels(png).shape == (512, 512, 3)
    assert len(png) < 60_000


def test_styles_pictures_and_descriptions_belong_together() -> None:
    """Each style names the picture of its slug, and there is no description or picture without a style."""
    slugs = [style["slug"] for style in STYLES]
    assert [style["thumbnail"] for style in STYLES] == [f"{slug}.png" for slug in slugs]
    assert list(DESCRIPTIONS) == slugs
    assert {file.name for file in (FOLDER / "thumbnails").iterdir()} == {f"{slug}.png" for slug in slugs}


def test_no_two_thumbnails_are_the_same() -> None:
    """Every picture differs from every other."""
    prints = {hashlib.sha256(file.read_bytes()).digest() for file in (FOLDER / "thumbnails").iterdir()}
    assert len(prints) == len(STYLES)


@each_style
def test_drawing_leaves_nothing_to_chance(slug: str) -> None:
    """The same description gives the same picture twice."""
    assert compose(slug, DESCRIPTIONS[slug]) == compose(slug, read()[slug])


@each_style
def test_the_committed_picture_is_the_described_one(slug: str) -> None:
    """A thumbnail in the repository shows what its description says; renderers may differ by a shade at the edges."""
    committed = pixels((FOLDER / "thumbnails" / f"{slug}.png").read_bytes())
    drawn = pixels(render(compose(slug, DESCRIPTIONS[slug])))
    assert np.abs(committed - drawn).mean() < 0.5
