"""ZIP archives that are sent while they are made."""

import io
import random
import zipfile
from collections.abc import AsyncIterator, Sequence

from application.users.belongings import ExportedFile
from presentation.archives import zipped

PICTURE = random.Random(1).randbytes(200_000)
FILES = [
    ExportedFile("profile.json", '{"name": "Ada Žižková"}'.encode()),
    ExportedFile("pictures/profile.jpg", PICTURE),
    ExportedFile("empty.json", b""),
    ExportedFile("ledger.json", b"[" + b" " * 1_000_000 + b"]"),
    ExportedFile("pictures/uploads/1.jpg", PICTURE),
]


async def one_by_one(files: Sequence[ExportedFile]) -> AsyncIterator[ExportedFile]:
    for file in files:
        yield file


async def archive(files: Sequence[ExportedFile]) -> zipfile.ZipFile:
    pieces = [piece async for piece in zipped(one_by_one(files))]
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


async def test_what_goes_in_comes_out() -> None:
    """In its order, byte by byte, with the checksums that programs look at."""
    opened = await archive(FILES)
    assert opened.testzip() is None
    assert opened.namelist() == [file.path for file in FILES]
    assert [opened.read(file.path) for file in FILES] == [file.data for file in FILES]


async def test_pictures_are_stored_and_documents_compressed() -> None:
    opened = await archive(FILES)
    kinds = {entry.filename: entry.compress_type for entry in opened.infolist()}
    assert kinds["pictures/profile.jpg"] == zipfile.ZIP_STORED
    assert kinds["ledger.json"] == zipfile.ZIP_DEFLATED
    assert opened.getinfo("ledger.json").compress_size < 10_000


async def test_every_file_tells_its_size_before_its_bytes() -> None:
    """Bit 3 of the flags says that the size comes after; then a reader that only goes forward is lost in a picture."""
    opened = await archive(FILES)
    assert [entry.flag_bits & 0x08 for entry in opened.infolist()] == [0] * len(FILES)


async def test_a_piece_leaves_before_the_next_file_is_asked_for() -> None:
    """So no more than one file is in memory, and whoever reads slowly is not read ahead of."""
    asked = 0

    async def watched() -> AsyncIterator[ExportedFile]:
        nonlocal asked
        for file in FILES:
            asked += 1
            yield file

    pieces = zipped(watched())
    for number, file in enumerate(FILES, 1):
        piece = await anext(pieces)
        assert asked == number
        assert len(piece) <= len(file.data) + 200
    assert (await anext(pieces)).endswith(b"\x00\x00")
    assert asked == len(FILES)


async def test_an_archive_of_nothing_is_an_archive() -> None:
    assert (await archive([])).namelist() == []
