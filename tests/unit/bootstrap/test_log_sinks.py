"""Log files are rotated and shared without losing a line, and never fail their writers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from bootstrap.log_sinks import FILES_KEPT, LARGEST_BYTES, LogFile, StandardError

FULL = Path("/dev/full")
"""A device that has never any space left (full(4))."""

TORN = """
import resource, sys
from pathlib import Path
from bootstrap.log_sinks import LogFile

file = LogFile(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (25, resource.RLIM_INFINITY))
for n in range(4):
    file.write(f"line {n:04}\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.write("line after\\n")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "api.log"


@pytest.fixture
def file(path: Path) -> Iterator[LogFile]:
    with closing(LogFile(path, largest=1024, kept=3)) as file:
        yield file


def lines_of(path: Path) -> list[str]:
    """Of the file and of those put aside, oldest first."""
    files = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    return [line for file in [*files, path] for line in file.read_text().splitlines()]


def test_the_limits_are_ten_files_of_ten_megabytes() -> None:
    assert (LARGEST_BYTES, FILES_KEPT) == (10 * 1024 * 1024, 10)


def test_lines_are_appended_to_what_is_there(path: Path, file: LogFile) -> None:
    """And the folder is made."""
    file.write("one\n")
    file.write("zwölf \ud800\n")
    with closing(LogFile(path)) as later:
        later.write("three\n")
    assert lines_of(path) == ["one", "zwölf \\ud800", "three"]


def test_a_file_is_put_aside_before_it_is_too_large(path: Path, file: LogFile) -> None:
    """So many are kept, each below the limit; the newest lines are all there, in order."""
    for n in range(1000):
        file.write(f"line {n:04}\n")
    files = list(path.parent.iterdir())
    assert {one.name for one in files} == {"api.log", "api.log.1", "api.log.2", "api.log.3"}
    assert all(one.stat().st_size <= 1024 for one in files)
    kept = lines_of(path)
    assert len(kept) > 250
    assert kept == [f"line {n:04}" for n in range(1000 - len(kept), 1000)]


def test_a_line_that_is_too_large_for_any_file_is_written_whole(path: Path, file: LogFile) -> None:
    for letter in "abc":
        file.write(letter * 3000 + "\n")
    assert lines_of(path) == [letter * 3000 for letter in "abc"]


def test_two_processes_share_a_file_without_losing_a_line(path: Path) -> None:
    """Each has it open on its own, and either may find that the other has put it aside."""

    def write(name: str) -> None:
        with closing(LogFile(path, largest=4096, kept=100)) as file:
            for n in range(2000):
                file.write(f"{name} {n:04}\n")

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, "abcd"))
    assert sorted(lines_of(path)) == [f"{name} {n:04}" for name in "abcd" for n in range(2000)]


def test_threads_share_a_file_without_losing_a_line(path: Path) -> None:
    with closing(LogFile(path, largest=4096, kept=100)) as file, ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda n: file.write(f"{n:04}\n"), range(4000)))
    assert sorted(lines_of(path)) == [f"{n:04}" for n in range(4000)]


def test_a_file_that_was_removed_is_made_again(path: Path, file: LogFile) -> None:
    """As after an operator's clean-up."""
    file.write("gone\n")
    path.unlink()
    file.write("here\n")
    assert lines_of(path) == ["here"]


def test_a_full_disk_is_told_once_and_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(LogFile(FULL)) as file:
        file.open()
        for _ in range(100):
            file.write("x" * 1000 + "\n")
    note = json.loads(capsys.readouterr().err)
    assert note == {
        "event": "log_unwritable",
        "level": "error",
        "file": "/dev/full",
        "reason": "No space left on device",
    }


def test_the_line_after_a_torn_one_is_whole(path: Path) -> None:
    """A disk may fill up in the middle of a line, and have space again later."""
    path.parent.mkdir()
    subprocess.run([sys.executable, "-c", TORN, str(path)], check=True, capture_output=True)  # noqa: S603 - see above
    assert lines_of(path) == ["line 0000", "line 0001", "line ", "line after"]


def test_a_file_that_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    """When there is a folder in its place, or a file in the place of its folder."""
    with pytest.raises(IsADirectoryError):
        LogFile(tmp_path).open()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        LogFile(tmp_path / "file" / "api.log").open()


def test_writing_goes_on_when_a_file_cannot_be_put_aside(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rather a file that is too large than lines that are lost; stderr says so once."""
    (path.parent / "api.log.1" / "in the way").mkdir(parents=True)
    with closing(LogFile(path, largest=1024, kept=1)) as file:
        for n in range(1000):
            file.write(f"line {n:04}\n")
    assert path.read_text().splitlines() == [f"line {n:04}" for n in range(1000)]
    assert capsys.readouterr().err.count("log_unwritable") == 1


def test_a_lost_standard_error_stops_nobody() -> None:
    """Closed by its reader, or on a full disk."""
    closed = StringIO()
    closed.close()
    StandardError(closed).write("x\n")
    full = FULL.open("w")
    StandardError(full).write("x\n")
    with pytest.raises(OSError, match="No space left"):
        full.close()
