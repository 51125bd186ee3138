import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.stack import StackFolder

HAIRTRYON = Path(sys.executable).with_name("hairtryon")


def demo(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {n: v for n, v in os.environ.items() if n == "PATH" or n.startswith("COVERAGE")}
    return subprocess.run(  # noqa: S603 - our own command line
        [HAIRTRYON, "demo", *arguments],
        env={**environ, "SANDBOX_LATENCY_SECONDS": "0"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_customers_photo_becomes_four_pictures(tmp_path: Path) -> None:
    """The whole journey by real processes: pictures come out, credits are spent, and it is told who drew."""
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("input", "front", "right", "left", "back"):
        assert (tmp_path / "var" / "demo" / f"{name}.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert "4 credits spent, 0 left, none held" in done.stdout
    assert "drawn, not rendered" in done.stdout


@pytest.mark.parametrize("photo", ["missing.jpg", "."])
def test_a_photo_that_cannot_be_read_is_told_at_once(tmp_path: Path, photo: str) -> None:
    """Nothing is started for it."""
    done = demo(tmp_path, photo)
    assert done.returncode == 2
    assert photo in done.stderr
    assert not (tmp_path / "var").exists()


def test_a_second_demo_in_the_same_place_is_refused(tmp_path: Path) -> None:
    """It does not pull the ground from under the first, and its exit code is not 0."""
    first = StackFolder(tmp_path / "var" / "demo-stack")
    lock = first.lock()
    first.announce({})
    done = demo(tmp_path)
    os.close(lock)
    assert done.returncode == 1
    assert "already running" in done.stdout
    assert first.running_pid() == os.getpid()
