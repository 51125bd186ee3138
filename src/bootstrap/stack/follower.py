"""The logs of the API and the worker, shown on a terminal as they grow."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import msgspec

_COLOURS = (36, 35, 33, 32)
_CONTROLS = re.compile(r"[^\S \t\n]|[\x00-\x08\x0e-\x1f\x7f-\x9f]")
"""What a caller put into a log must not reach the terminal as a command to it."""
_SHOWN_FIRST = ("timestamp", "level", "event")


class Follower:
    """Shows the lines that are appended from now on, each after the name of its log, and JSON as text for people."""

    def __init__(self, logs: Mapping[str, Path], out: TextIO) -> None:
        self._logs = logs
        self._out = out
        self._read = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}

    def show(self) -> None:
        width = max(map(len, self._logs))
        for (name, log), colour in zip(self._logs.items(), _COLOURS, strict=False):
            if not log.exists():
                continue
            with log.open("rb") as file:
                file.seek(self._read[name])
                complete, newline, _ = file.read().rpartition(b"\n")
            self._read[name] += len(complete + newline)
            for line in complete.splitlines():
                text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _for_people(line))
                self._out.write(f"\x1b[{colour}m{name:<{width}}\x1b[0m {text}\n")
        self._out.flush()


def _for_people(line: bytes) -> str:
    try:
        entry = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return line.decode(errors="replace")
    first = [str(entry.pop(name, "")) for name in _SHOWN_FIRST]
    return " ".join([*first, *(f"{name}={value}" for name, value in entry.items())])
