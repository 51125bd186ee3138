"""The drawings: four views of one head, recognisable, labelled, and never mistaken for the real model's."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sandbox.hair.drawing import CUTS, YAW, Artist, UnreadablePhotoError, decode
from sandbox.hair.growth import Strands
from sandbox.hair.head import Head, find_head
from sandbox.hair.memory import Memory
from sandbox.hair.painting import Canvas, Dye, paint
from sandbox.hair.style import read_style, read_view
from tests.unit.sandbox.talking import PHOTO

VIEWS = ("front", "right side", "left side", "back")
NAMES = (
    "Pixie", "Buzz Cut", "Flat Top", "Mohawk", "Quiff", "Slick Back", "Undercut", "Mullet", "Afro", "Long Waves",
    "High Ponytail", "Low Bun", "Space Buns", "Top Knot", "Half-Up", "French Braid", "Braided Crown", "Box Braids",
    "Cornrows", "Locs", "Copper Curls",
)  # fmt: skip


def decoded(picture: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def prompt(style: str, view: str, look: str = "The person's own hair colour is kept.") -> str:
    return f'Hairstyle: "{style}"\nView: {view}\n\nThe new hair: {look}\n'


@pytest.fixture(scope="module")
def photo() -> bytes:
    return PHOTO.read_bytes()


@pytest.fixture(scope="module")
def bob(photo: bytes) -> dict[str, NDArray[np.uint8]]:
    artist = Artist()
    return {
        view: decoded(artist.draw(photo, prompt("Blunt Bob", view, "The hair is coloured jet black.")))
        for view in VIEWS
    }


def gap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def patch(image: NDArray[np.uint8], head: Head, x: float, y: float, reach: float) -> NDArray[np.uint8]:
    """The square about a point of the head's frame."""
    column, row, size = (round(value) for value in (head.x + x * head.unit, head.y + y * head.unit, reach * head.unit))
    return image[row - size : row + size, column - size : column + size]


def test_all_views_have_the_photos_size_and_differ(photo: bytes, bob: dict[str, NDArray[np.uint8]]) -> None:
    assert {image.shape for image in bob.values()} == {decoded(photo).shape}
    pictures = [image[:300] for image in bob.values()]
    assert all(gap(one, other) > 2 for at, one in enumerate(pictures) for other in pictures[:at])


def test_the_front_keeps_the_face(photo: bytes, bob: dict[str, NDArray[np.uint8]]) -> None:
    before = decoded(photo)
    head = find_head(before)
    for x, y in ((-0.3, 0.0), (0.3, 0.0), (0.0, 0.3), (0.0, 0.62)):
        assert gap(patch(before, head, x, y, 0.12), patch(bob["front"], head, x, y, 0.12)) < 6


def test_the_hair_is_drawn_where_there_was_none(photo: bytes, bob: dict[str, NDArray[np.uint8]]) -> None:
    before = decoded(photo)
    head = find_head(before)
    assert gap(patch(before, head, -0.68, 0.6, 0.08), patch(bob["front"], head, -0.68, 0.6, 0.08)) > 25


def test_the_clothes_and_the_background_stay(photo: bytes, bob: dict[str, NDArray[np.uint8]]) -> None:
    before = decoded(photo)
    for image in bob.values():
        assert gap(before[250:450], image[250:450]) < 2
        assert gap(before[:300, :90], image[:300, :90]) < 2


def test_right_and_left_look_in_opposite_directions(bob: dict[str, NDArray[np.uint8]], photo: bytes) -> None:
    """Skin is found on the side that the nose points to, hair on the other."""
    head = find_head(decoded(photo))

    def skin(image: NDArray[np.uint8], x: float) -> float:
        return float(patch(image, head, x, 0.3, 0.1)[..., 2].mean())

    right, left = bob["right side"], bob["left side"]
    assert skin(right, 0.35) > skin(right, -0.45) + 25
    assert skin(left, -0.35) > skin(left, 0.45) + 25


def test_from_behind_hair_covers_the_face(bob: dict[str, NDArray[np.uint8]], photo: bytes) -> None:
    head = find_head(decoded(photo))
    face = patch(bob["back"], head, 0, 0.2, 0.3).reshape(-1, 3).mean(axis=0)
    skin = patch(decoded(photo), head, 0, 0.2, 0.3).reshape(-1, 3).mean(axis=0)
    assert np.linalg.norm(face - skin) > 40


def test_the_label_says_that_it_is_a_drawing(bob: dict[str, NDArray[np.uint8]], photo: bytes) -> None:
    corner = {view: image[-46:, :280] for view, image in bob.items()}
    assert gap(corner["front"], decoded(photo)[-46:, :280]) > 30
    assert np.median(corner["front"]) < 40
    assert gap(corner["front"], corner["back"]) > 0.5


def test_a_dyed_style_has_its_colour_in_every_view(photo: bytes) -> None:
    head, artist = find_head(decoded(photo)), Artist()
    for view in ("front", "back"):
        drawn = decoded(artist.draw(photo, prompt("Long Waves", view, "The hair is coloured a vivid copper red.")))
        blue, _, red = patch(drawn, head, 0, -0.95, 0.1).reshape(-1, 3).mean(axis=0)
        assert red > 2 * blue


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_cut_is_there_from_every_side(name: str, view: str) -> None:
    style = read_style(prompt(name, view))
    coiffure = CUTS[style.kind](style, np.random.default_rng(style.seed))
    back, front = Canvas(40), Canvas(40)
    for strands in coiffure.strands:
        assert np.isfinite(strands.points).all()
        sparse = Strands(strands.points[::12], strands.light[::12], strands.layer[::12], 0.03)
        paint(sparse, Dye((60, 80, 120)), YAW[read_view(prompt(name, view))], back, front)
    assert front.alpha.mean() > 0.005


def test_no_cut_is_left_out_above() -> None:
    assert {read_style(prompt(name, "front")).kind for name in NAMES} == set(CUTS)


def test_the_same_prompt_draws_the_same_picture(photo: bytes) -> None:
    assert Artist().draw(photo, prompt("Pixie", "front")) == Artist().draw(photo, prompt("Pixie", "front"))


def test_side_views_of_a_finished_front_are_drawn_on_the_photo_behind_it(photo: bytes) -> None:
    artist = Artist()
    front = artist.draw(photo, prompt("Pixie", "front"))
    _, again = cv2.imencode(".jpg", decoded(front), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert artist.draw(again.tobytes(), prompt("Pixie", "back")) == artist.draw(photo, prompt("Pixie", "back"))


def test_a_finished_front_of_unknown_origin_is_drawn_on_as_well(photo: bytes) -> None:
    """The old label is covered, and the face is still found."""
    front = Artist().draw(photo, prompt("Long Waves", "front"))
    side = decoded(Artist().draw(front, prompt("Long Waves", "right side")))
    fresh = decoded(Artist().draw(photo, prompt("Long Waves", "right side")))
    assert gap(side[-46:, :280], fresh[-46:, :280]) < 2
    assert gap(side, fresh) < 12


@pytest.mark.parametrize(("width", "height", "size"), [(300, 200, (512, 768)), (2400, 3600, (2048, 1365))])
def test_sizes_stay_within_bounds_and_keep_their_ratio(width: int, height: int, size: tuple[int, int]) -> None:
    _, encoded = cv2.imencode(".png", np.full((height, width, 3), 128, np.uint8))
    assert decode(encoded.tobytes()).shape[:2] == size


def test_a_picture_without_a_face_or_without_anything_is_drawn_on_too() -> None:
    for photo in (None, cv2.imencode(".png", np.zeros((600, 800, 3), np.uint8))[1].tobytes()):
        for view in ("front", "left side"):
            assert decoded(Artist().draw(photo, prompt("Buzz Cut", view))).ndim == 3


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePhotoError):
        Artist().draw(content, prompt("Pixie", "front"))


def test_memory_knows_its_pictures_and_no_others(photo: bytes) -> None:
    memory, picture = Memory(), decoded(photo)
    memory.remember(picture, photo)
    assert memory.photo_behind(cv2.resize(picture, (700, 700))) == photo
    assert memory.photo_behind(picture[:, ::-1]) is None


def test_the_face_is_found_whatever_the_size(photo: bytes) -> None:
    small = decoded(photo)
    large = cv2.resize(small, (1536, 1536), interpolation=cv2.INTER_CUBIC)
    one, other = find_head(small), find_head(large)
    assert other.x / one.x == pytest.approx(3, rel=0.05)
    assert other.unit / one.unit == pytest.approx(3, rel=0.1)
