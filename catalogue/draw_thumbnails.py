"""Draw the thumbnails of the catalogue from `thumbnails.toml`.

Usage: python -m catalogue.draw_thumbnails [--out FOLDER] [SLUG ...]
"""

import argparse
import random
import tomllib
from pathlib import Path
from typing import Literal

import msgspec
import pyvips

from catalogue.drawing import bust
from catalogue.drawing.brush import Brush
from catalogue.drawing.palette import HAIRS, SKINS, TINTS
from catalogue.drawing.pieces import Pieces

HERE = Path(__file__).parent
SIZE = 512


class Thumbnail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One picture: who sits there, and the pieces of hair in drawing order."""

    tint: str
    skin: str
    face: Literal["soft", "square"]
    hair: str
    clothes: str
    pieces: list[Pieces]
    brows: str = ""
    earrings: Literal["", "studs", "hoops"] = ""
    beard: Literal["", "stubble", "full"] = ""


def read(file: Path = HERE / "thumbnails.toml") -> dict[str, Thumbnail]:
    """The descriptions by slug. Raises msgspec.ValidationError for one that is not understood."""
    with file.open("rb") as opened:
        return msgspec.convert(tomllib.load(opened), dict[str, Thumbnail])


def compose(slug: str, thumbnail: Thumbnail) -> str:
    """The whole picture as SVG. The same description gives the same text every time."""
    skin, hair = SKINS[thumbnail.skin], HAIRS[thumbnail.hair]
    brush = Brush(hair, skin, random.Random(slug))
    layers = dict.fromkeys(("behind", "middle", "front"), "")
    for piece in thumbnail.pieces:
        layers[piece.place] += brush.draw(piece)
    shadow = "".join(f'<path d="{shape}"/>' for shape in brush.silhouettes)
    brows = HAIRS[thumbnail.brows or thumbnail.hair]
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 512 512">',
            bust.clips(thumbnail.face),
            bust.background(TINTS[thumbnail.tint]),
            layers["behind"],
            bust.body(thumbnail.face, skin, thumbnail.clothes),
            layers["middle"],
            bust.head(thumbnail.face, skin, thumbnail.earrings),
            bust.features(thumbnail.face, skin, brows, thumbnail.beard),
            f'<g clip-path="url(#head)"><g transform="translate(3 9)" fill="{skin.shade}" opacity="0.75">',
            f"{shadow}</g></g>",
            layers["front"],
            "</svg>",
        )
    )


def render(svg: str) -> bytes:
    """PNG with a palette of 256 colours, 512 x 512."""
    picture = pyvips.Image.svgload_buffer(svg.encode(), scale=4).resize(0.25).flatten()
    return bytes(picture.pngsave_buffer(palette=True, Q=95, effort=10, dither=0, compression=9, keep="none"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="styles to draw (default: all)")
    parser.add_argument("--out", type=Path, default=HERE / "thumbnails", help="folder of the pictures")
    arguments = parser.parse_args()
    thumbnails = read()
    unknown = set(arguments.slugs) - set(thumbnails)
    if unknown:
        parser.error(f"not in thumbnails.toml: {', '.join(sorted(unknown))}")
    for slug in arguments.slugs or thumbnails:
        picture = render(compose(slug, thumbnails[slug]))
        (arguments.out / f"{slug}.png").write_bytes(picture)
        print(f"{slug}.png  {len(picture) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
