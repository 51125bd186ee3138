import io
from pathlib import Path

import pytest

from bootstrap.stack.follower import Follower


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "api.log"
    log.write_text("from an earlier run\n")
    return log


def shown_after(log: Path, *additions: str) -> str:
    out = io.StringIO()
    follower = Follower({"api": log, "worker": log.with_name("not-yet.log")}, out)
    for addition in additions:
        with log.open("a") as file:
            file.write(addition)
        follower.show()
    return out.getvalue().replace("\x1b[36mapi   \x1b[0m", "api>")


def test_only_what_is_new_is_shown_and_only_whole_lines(log: Path) -> None:
    """A line that is being written is shown once, when it is complete."""
    assert shown_after(log, "one\ntw", "o\n", "three") == "api> one\napi> two\n"


def test_json_is_shown_as_text(log: Path) -> None:
    """Time, level and event come first."""
    line = '{"event":"started","port":8000,"level":"info","timestamp":"12:00"}\n'
    assert shown_after(log, line) == "api> 12:00 info started port=8000\n"


def test_a_log_cannot_command_the_terminal(log: Path) -> None:
    """Control characters that a caller smuggled in are shown as such."""
    shown = shown_after(log, '{"event":"\\u001b]0;gotcha\\u0007"}\n')
    assert shown == "api>   \ufffd]0;gotcha\ufffd\n"
