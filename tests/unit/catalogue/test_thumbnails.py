"""The thumbnails in the repository, and the program that draws them."""

import hashlib
import io
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalogue.draw_thumbnails import compose, read

FOLDER = Path(__file__).parents[3] / "catalogue"
STYLES = tomllib.loads((FOLDER / "styles.toml").read_text("utf-8"))["style"]
DESCRIPTIONS = read()

SAMPLE = list(DESCRIPTIONS)[::6]
"""Drawing all of them would take most of the time of this folder."""

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


def test_drawing_leaves_nothing_to_chance() -> None:
    """The same description gives the same picture twice."""
    again = read()
    for slug in SAMPLE:
        assert compose(slug, DESCRIPTIONS[slug]) == compose(slug, again[slug])


def test_the_committed_pictures_are_the_described_ones(tmp_path: Path) -> None:
    """What the repository holds shows what is described; renderers may differ by a shade at the edges.

    Drawn by the program itself, for a process that handles customers' pictures has forbidden libvips to read SVG.
    """
    draw = [sys.executable, "-m", "catalogue.draw_thumbnails", "--out", str(tmp_path), *SAMPLE]
    subprocess.run(draw, cwd=FOLDER.parent, check=True)  # noqa: S603
    for slug in SAMPLE:
        committed = pixels((FOLDER / "thumbnails" / f"{slug}.png").read_bytes())
        drawn = pixels((tmp_path / f"{slug}.png").read_bytes())
        assert np.abs(committed - drawn).mean() < 0.5, slug
