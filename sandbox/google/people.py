"""Made-up people with made-up accounts, and their pictures."""

import colorsys
from hashlib import sha256
from io import BytesIO

from msgspec import Struct
from PIL import Image, ImageDraw

SIDE = 96


class Person(Struct, frozen=True, kw_only=True):
    """An account at this provider. `sub` is its number, which never changes."""

    sub: str
    email: str
    email_verified: bool = True
    name: str = ""
    picture: str | None = None
    """The address of a picture; None: there is none."""


PEOPLE = (
    Person(sub="100000000000000000001", email="ada.sandbox@example.com", name="Ada Sandbox"),
    Person(sub="100000000000000000002", email="benno.sandbox@example.org", name="Benno Sandbox"),
    Person(sub="100000000000000000003", email="chidi.sandbox@example.net", name="Chidi Sandbox"),
    Person(sub="100000000000000000004", email="dora.sandbox@example.com", name="Dora Sandbox", email_verified=False),
)
FACELESS = PEOPLE[2].sub


def listed(pictures: str) -> list[Person]:
    """Everybody who can be picked, one of them without a picture; the others' are below the address `pictures`."""
    return [
        Person(
            sub=person.sub,
            email=person.email,
            email_verified=person.email_verified,
            name=person.name,
            picture=None if person.sub == FACELESS else f"{pictures}/{person.sub}=s{SIDE}-c",
        )
        for person in PEOPLE
    ]


def portrait(sub: str) -> bytes:
    """Head and shoulders in the colours of this number, as a JPEG; the same each time."""
    seed = sha256(sub.encode()).digest()
    background, shirt, hair = (_colour(seed[place], value) for place, value in ((0, 0.92), (1, 0.7), (2, 0.35)))
    skin = _colour(14, 0.55 + seed[3] / 640, saturation=0.4)
    scale = 4
    picture = Image.new("RGB", (SIDE * scale, SIDE * scale), background)
    draw = ImageDraw.Draw(picture)
    for box, colour in (
        ((14, 66, 82, 130), shirt),
        ((27, 14, 69, 62), hair),
        ((40, 52, 56, 74), skin),
        ((32, 22, 64, 62), skin),
    ):
        draw.ellipse([edge * scale for edge in box], fill=colour)
    file = BytesIO()
    picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return file.getvalue()


def _colour(hue: int, value: float, *, saturation: float = 0.45) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue / 255, saturation, min(value, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)
