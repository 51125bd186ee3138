"""The pieces that a hairstyle is drawn from, as `thumbnails.toml` describes them."""

from typing import Literal

import msgspec

Place = Literal["behind", "middle", "front"]
"""Before the shoulders, before the head but over the shoulders, or over the face."""
Reflect = Literal["no", "half", "copy"]
"""As it is; a left half to be completed; drawn once more on the other side."""


class Piece(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    place: Place = "front"
    reflect: Reflect = "no"
    hair: str = ""
    """Another colour than the style's."""


class Mass(Piece, frozen=True, tag="mass"):
    """A filled outline, with fine strands inside it that follow the guides."""

    outline: str
    strands: list[str] = []
    count: int = 14
    width: float = 4.0
    wave: tuple[float, float] = (0.0, 0.0)
    tone: Literal["base", "shade", "light"] = "base"
    opacity: float = 1.0


class Locks(Piece, frozen=True, tag="locks"):
    """Locks that follow the guides from root to tip; those between two guides are interpolated."""

    guides: list[str]
    count: int = 8
    width: float = 16.0
    profile: Literal["strand", "lock", "blade", "tube"] = "lock"
    wave: tuple[float, float] = (0.0, 0.0)
    jitter: float = 0.0
    tones: str = "bsbl"


class Ropes(Piece, frozen=True, tag="ropes"):
    """Locs, thin braids, plaits or ringlets along interpolated guides."""

    guides: list[str]
    style: Literal["loc", "braid", "ringlet"]
    count: int = 6
    width: float = 14.0
    jitter: float = 0.0
    taper: float = 0.0


class Coils(Piece, frozen=True, tag="coils"):
    """Curls that fill an outline: small for an afro, large for a set of curls."""

    outline: str
    size: float = 16.0
    fluff: float = 1.0
    """How far the curls stand out over the outline, in curl sizes; 0 trims them to it."""


class Bun(Piece, frozen=True, tag="bun"):
    centre: tuple[float, float]
    radius: float
    messy: bool = False


class Rolls(Piece, frozen=True, tag="rolls"):
    """Large brushed-out curls that roll outwards to the left, or to the right when turned."""

    at: list[tuple[float, float, float]]
    """Centre and radius of each."""
    turned: bool = False


class Clipped(Piece, frozen=True, tag="clipped"):
    """Hair so short that skin shows through: opaque at the top of its outline, fading towards the bottom."""

    outline: str
    top: float
    bottom: float
    fade: tuple[float, float]
    """The heights between which it goes from the one to the other."""
    specks: int = 0
    """Single short hairs that are tried for; those within the outline are drawn."""


class Flowers(Piece, frozen=True, tag="flowers"):
    at: list[tuple[float, float, float]]
    """Centre and radius of each."""


Pieces = Mass | Locks | Ropes | Coils | Bun | Rolls | Clipped | Flowers
