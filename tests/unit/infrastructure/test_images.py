"""The picture processor, fed with real files made here and with files that lie."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import pyvips
from PIL import ExifTags, Image, ImageCms

from application.images.ports import Picture
from domain.errors import Unprocessable
from infrastructure.images import MAX_PIXELS, VipsPictureProcessor

RED, BLUE = (220, 30, 30), (30, 30, 220)
JPEG_MARKERS_OF_METADATA = (b"\xff\xe1", b"\xff\xe2", b"\xff\xed", b"Exif", b"ICC_PROFILE", b"http://ns.adobe.com")


@pytest.fixture
def processor() -> VipsPictureProcessor:
    return VipsPictureProcessor(threads=2)


def photo(width: int = 400, height: int = 300) -> Image.Image:
    """Left half red, right half blue, with noise, so that files have some length."""
    pixels = np.random.default_rng(7).integers(0, 40, (height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] += np.array(RED, dtype=np.uint8) - 25
    pixels[:, width // 2 :] += np.array(BLUE, dtype=np.uint8) - 25
    return Image.fromarray(pixels)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert image.size == (picture.width, picture.height)
    return image


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], tolerance: int = 45) -> bool:
    block = np.asarray(image.crop((at[0] - 8, at[1] - 8, at[0] + 8, at[1] + 8)), dtype=float)
    return bool(np.abs(block.mean(axis=(0, 1)) - np.array(colour)).max() <= tolerance)


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, in less than a hundred bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def gif_of(*frames: tuple[int, int], screen: tuple[int, int] = (300, 300)) -> bytes:
    """A GIF whose frames promise so many pixels and hold none."""
    start = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return start + b"".join(b"," + struct.pack("<HHHHB", 0, 0, *f, 0) + b"\x02\x02\x44\x01\x00" for f in frames) + b";"


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG with the size in its header overwritten."""
    data = bytearray(encode(photo(), "JPEG"))
    start_of_frame = data.index(b"\xff\xc0")
    data[start_of_frame + 5 : start_of_frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


async def refusal(processor: VipsPictureProcessor, data: bytes) -> str | None:
    """The code it is refused with, None when it is accepted; any other exception fails the test."""
    try:
        await processor.normalise(data)
    except Unprocessable as refused:
        return refused.code
    return None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
async def test_the_three_kinds_come_out_as_jpeg(processor: VipsPictureProcessor, kind: str) -> None:
    picture = await processor.normalise(encode(photo(), kind))
    image = decode(picture)
    assert image.size == (400, 300)
    assert near(image, (100, 150), RED)
    assert near(image, (300, 150), BLUE)


async def test_orientation_is_applied_and_place_is_forgotten(processor: VipsPictureProcessor) -> None:
    """A photo taken with the phone turned comes out upright, without EXIF, GPS or any other metadata."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera's left edge is the top of the scene
    exif[ExifTags.Base.Make] = "Somebody's camera"
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (47.0, 22.0, 8.5)}
    data = encode(photo(), "JPEG", exif=exif, comment="here", icc_profile=srgb_profile())
    picture = await processor.normalise(data)
    image = decode(picture)
    assert image.size == (300, 400)
    assert near(image, (150, 100), RED)
    assert near(image, (150, 300), BLUE)
    assert not image.getexif()
    assert not any(marker in picture.data for marker in JPEG_MARKERS_OF_METADATA)
    assert b"camera" not in picture.data


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_every_orientation_keeps_the_short_side(processor: VipsPictureProcessor, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = await processor.normalise(encode(photo(), "JPEG", exif=exif))
    assert (picture.width, picture.height) == ((400, 300) if orientation < 5 else (300, 400))


async def test_the_long_side_ends_at_2048(processor: VipsPictureProcessor) -> None:
    picture = await processor.normalise(encode(photo(3000, 1500), "JPEG"))
    assert (picture.width, picture.height) == (2048, 1024)


async def test_small_pictures_are_not_enlarged(processor: VipsPictureProcessor) -> None:
    picture = await processor.normalise(encode(photo(256, 256), "PNG"))
    assert (picture.width, picture.height) == (256, 256)


async def test_a_caller_may_ask_for_other_sides(processor: VipsPictureProcessor) -> None:
    picture = await processor.normalise(encode(photo(700, 600), "PNG"), max_side=512, min_side=64)
    assert picture.width == 512


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [
        (1600, 900, 512),
        (900, 1600, 512),
        (512, 512, 512),
        (513, 3001, 512),
        (400, 300, 300),
        (600, 300, 300),
        (64, 999, 64),
    ],
)
async def test_a_square_is_cut_from_the_centre_and_never_enlarged(
    processor: VipsPictureProcessor, width: int, height: int, side: int
) -> None:
    """Of the left and right halves of a picture, its square shows as much of both."""
    image = decode(await processor.square(encode(photo(width, height), "JPEG"), side=512, min_side=64))
    assert image.size == (side, side)
    colours = np.asarray(image, dtype=float)
    halves = colours[:, : side // 2 - 4].mean(axis=(0, 1)), colours[:, side // 2 + 4 :].mean(axis=(0, 1))
    assert [half.argmax() for half in halves] == [0, 2]


async def test_sizes_of_every_kind_make_squares(processor: VipsPictureProcessor) -> None:
    """However the shrinking is rounded."""
    chance = random.Random(17)
    for _ in range(40):
        width, height = chance.randint(64, 1500), chance.randint(64, 1500)
        kind = chance.choice(["JPEG", "PNG"])
        picture = await processor.square(encode(photo(width, height), kind), side=512, min_side=64)
        side = min(512, width, height)
        assert (picture.width, picture.height) == (side, side), (kind, width, height)


async def test_a_square_is_upright_and_forgets_where_it_was_taken(processor: VipsPictureProcessor) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (47.0, 22.0, 8.5)}
    picture = await processor.square(encode(photo(800, 600), "JPEG", exif=exif), side=512, min_side=64)
    image = decode(picture)
    assert image.size == (512, 512)
    assert near(image, (256, 60), RED)
    assert near(image, (256, 450), BLUE)
    assert not any(marker in picture.data for marker in JPEG_MARKERS_OF_METADATA)


async def test_a_square_is_made_of_pictures_only(processor: VipsPictureProcessor) -> None:
    """The same refusals as for any picture, with a smallest side of its own."""
    for data, code in (
        (encode(Image.new("RGB", (63, 900)), "PNG"), "image_too_small"),
        (png_of(5001, 5000), "image_too_many_pixels"),
        (encode(photo(), "WEBP"), "image_unreadable"),
        (encode(photo(), "JPEG")[:2000], "image_unreadable"),
    ):
        with pytest.raises(Unprocessable) as refused:
            await processor.square(data, side=512, min_side=64)
        assert refused.value.code == code


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def cmyk() -> bytes:
    return encode(photo().convert("CMYK"), "JPEG")


def deep(colour_space: str) -> bytes:
    data: bytes = pyvips.Image.new_from_buffer(encode(photo(), "PNG"), "").colourspace(colour_space).pngsave_buffer()
    return data


def grey() -> bytes:
    return encode(photo().convert("L"), "JPEG")


def palette() -> bytes:
    return encode(photo().quantize(16), "PNG")


def black_and_white() -> bytes:
    return encode(photo().convert("1"), "PNG")


def progressive() -> bytes:
    return encode(photo(), "JPEG", progressive=True)


def broken_profile() -> bytes:
    return encode(photo(), "JPEG", icc_profile=b"no profile at all" * 9)


def foreign_profile() -> bytes:
    return encode(photo().convert("L"), "JPEG", icc_profile=srgb_profile())


@pytest.mark.parametrize(
    ("make", "coloured"),
    [
        (cmyk, True),
        (lambda: deep("rgb16"), True),
        (lambda: deep("grey16"), False),
        (grey, False),
        (palette, True),
        (black_and_white, False),
        (progressive, True),
        (broken_profile, True),
        (foreign_profile, False),
    ],
    ids=["cmyk", "16-bit", "16-bit grey", "grey", "palette", "1-bit", "progressive", "broken ICC", "RGB ICC in grey"],
)
async def test_every_colour_model_comes_out_as_srgb(
    processor: VipsPictureProcessor, make: Callable[[], bytes], coloured: bool
) -> None:
    image = decode(await processor.normalise(make()))
    assert image.size == (400, 300)
    if coloured:  # inks cannot print the brightest blue, so not the shade but the hue is compared
        red, blue = np.asarray(image)[:, :180].mean(axis=(0, 1)), np.asarray(image)[:, 220:].mean(axis=(0, 1))
        assert red.argmax() == 0
        assert blue.argmax() == 2


async def test_what_is_transparent_becomes_white(processor: VipsPictureProcessor) -> None:
    """Alpha is laid on white: full, in a palette, and at 16 bits."""
    clear = photo().convert("RGBA")
    clear.putalpha(Image.fromarray(np.repeat([[0] * 200 + [255] * 200], 300, axis=0).astype(np.uint8)))
    indexed = photo().quantize(8)
    transparent = indexed.getpixel((100, 150))
    assert isinstance(transparent, int)
    sixteen = pyvips.Image.new_from_buffer(encode(clear, "PNG"), "").colourspace("rgb16").pngsave_buffer()
    for data in (encode(clear, "PNG"), sixteen):
        image = decode(await processor.normalise(data))
        assert near(image, (100, 150), (255, 255, 255), tolerance=3)
        assert near(image, (300, 150), BLUE)
    flat = Image.new("P", (300, 300), transparent)
    flat.putpalette(indexed.getpalette() or [])
    image = decode(await processor.normalise(encode(flat, "GIF", transparency=transparent)))
    assert near(image, (150, 150), (255, 255, 255), tolerance=3)


async def test_of_thousands_of_frames_the_first_is_taken(processor: VipsPictureProcessor) -> None:
    dot = b"," + struct.pack("<HHHHB", 140, 140, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    data = encode(photo(300, 300), "GIF").removesuffix(b";") + dot * 5000 + b";"
    image = decode(await processor.normalise(data))
    assert image.size == (300, 300)
    assert near(image, (70, 150), RED)


@pytest.mark.parametrize(
    "data",
    [png_of(50_000, 50_000), png_of(5001, 5000), jpeg_of(65_500, 65_500), gif_of((60_000, 60_000))],
    ids=["png", "png just above", "jpeg", "gif frame"],
)
async def test_too_many_pixels_are_refused_by_the_header(processor: VipsPictureProcessor, data: bytes) -> None:
    assert await refusal(processor, data) == "image_too_many_pixels"


async def test_the_largest_picture_allowed_passes(processor: VipsPictureProcessor) -> None:
    picture = await processor.normalise(encode(Image.new("RGB", (5000, 5000)), "PNG"))
    assert picture.width * picture.height < MAX_PIXELS


async def test_a_later_frame_cannot_enlarge_the_first(processor: VipsPictureProcessor) -> None:
    picture = await processor.normalise(gif_of((300, 300), (60_000, 60_000)))
    assert (picture.width, picture.height) == (300, 300)


@pytest.mark.parametrize("size", [(255, 900), (900, 255), (1, 1)])
async def test_a_short_side_below_256_is_refused(processor: VipsPictureProcessor, size: tuple[int, int]) -> None:
    assert await refusal(processor, encode(Image.new("RGB", size), "PNG")) == "image_too_small"


def zip_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("portrait.jpg"), encode(photo(), "JPEG"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="9" height="9"/></svg>',
        b"<!doctype html><html><body><script>alert(1)</script></body></html>",
        zip_archive(),
        b"\x00\x00\x00\x20ftypisom" + bytes(400),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        encode(photo(), "WEBP"),
        encode(photo(), "TIFF"),
        encode(photo(), "BMP"),
        b"\xff\xd8\xff" + random.Random(3).randbytes(5000),
        b"GIF89a" + random.Random(4).randbytes(5000),
        b"\x89PNG\r\n\x1a\n" + random.Random(5).randbytes(5000),
        png_of(0, 300),
        png_of(300, 300),
        png_of(2**31 - 1, 2**31 - 1),
    ],
    ids=lambda data: repr(data[:12]),
)
async def test_what_is_no_picture_is_refused(processor: VipsPictureProcessor, data: bytes) -> None:
    """The bytes decide, whatever the file was called; nothing but `image_unreadable` comes of them."""
    assert await refusal(processor, data) == "image_unreadable"


@pytest.mark.parametrize(
    ("kind", "options", "dispensable"),
    [("JPEG", {}, 0), ("JPEG", {"progressive": True}, 0), ("PNG", {}, 12), ("GIF", {}, 1)],
    ids=["jpeg", "progressive jpeg", "png", "gif"],
)
async def test_truncated_files_are_refused(
    processor: VipsPictureProcessor, kind: str, options: dict[str, object], dispensable: int
) -> None:
    """Cut anywhere before the last pixel; a PNG's and a GIF's end mark holds none, so it may be missing."""
    data = encode(photo(), kind, **options)
    whole = len(data) - dispensable
    cuts = {*range(0, 700, 35), *(whole * i // 25 for i in range(25)), *range(whole - 5, whole)}
    accepted = [cut for cut in sorted(cuts) if await refusal(processor, data[:cut]) is None]
    assert accepted == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
async def test_damage_never_makes_another_error(processor: VipsPictureProcessor, kind: str) -> None:
    """Whatever bytes are changed: a picture or `Unprocessable` comes out."""
    chance = random.Random(11)
    data = encode(photo(), kind)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 3, 30])):
            damaged[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
        assert await refusal(processor, bytes(damaged)) in {
            None,
            "image_unreadable",
            "image_too_many_pixels",
            "image_too_small",
        }


async def test_other_loaders_are_forbidden_in_the_whole_process(processor: VipsPictureProcessor) -> None:
    """Even a caller that asks libvips to guess gets no SVG, WebP or TIFF."""
    assert processor
    for data in (b'<svg xmlns="http://www.w3.org/2000/svg"/>', encode(photo(), "WEBP"), encode(photo(), "TIFF")):
        with pytest.raises(pyvips.Error):
            pyvips.Image.new_from_buffer(data, "")
