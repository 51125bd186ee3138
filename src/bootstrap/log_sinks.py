"""Where log lines go. What cannot be written is dropped: no request fails for the log's sake."""

import contextlib
import errno
import fcntl
import json
import os
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TextIO

LARGEST_BYTES = 10 * 1024 * 1024
FILES_KEPT = 10

_MODE = 0o640
_LOOKS_PER_FILE = 128
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Sink(Protocol):
    def write(self, line: str, /) -> object:
        """Write a line, its line break included."""

    def flush(self) -> object: ...


class StandardError(Sink):
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str, /) -> None:
        with contextlib.suppress(OSError, ValueError):  # gone, full, or closed
            self._stream.write(line)
            self._stream.flush()

    def flush(self) -> None:
        """Nothing waits to be written."""


class LogFile(Sink):
    """Lines appended to a file, which is put aside as `NAME.1` (and that as `.2`, ...) before it outgrows `largest`.

    Several processes may share it: a line is one write at the file's end, and who finds the file moved or removed by
    another opens a new one. The first time that a line cannot be written, stderr says so.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST_BYTES, kept: int = FILES_KEPT) -> None:
        self._path = path
        self._largest = largest
        self._kept = kept
        self._margin = largest // _LOOKS_PER_FILE
        self._lock = threading.RLock()  # reentrant: a signal's handler may log in the middle of a write
        self._file: int | None = None
        self._since_look = 0
        self._is_torn = False
        self._has_complained = False

    def open(self) -> None:
        """Open it before the first line does; raises `OSError`, but not for a full disk, which may pass."""
        try:
            self._file = self._opened()
        except OSError as failure:
            if failure.errno not in _FULL:
                raise
            self._complain(failure)

    def write(self, line: str, /) -> None:
        with self._lock:
            try:
                self._append(line.encode(errors="backslashreplace"))
            except OSError as failure:
                self._complain(failure)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._opened()
        self._since_look += len(line)
        if self._since_look > self._margin:
            self._since_look = 0
            self._file = self._current(self._file, len(line))
        if self._is_torn:
            line = b"\n" + line
        written = os.write(self._file, line)
        self._is_torn = not line[:written].endswith(b"\n")
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _current(self, file: int, coming: int) -> int:
        """The file to write to: this one, or a new one where it was put aside. Rather too large a file than no line."""
        try:
            if self._is_in_place(file):
                size = os.fstat(file).st_size
                if not size or size + max(coming, self._margin) <= self._largest:
                    return file
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_in_place(file):
                    self._put_aside()
            new = self._opened()
        except BlockingIOError:  # another process is putting it aside
            return file
        except OSError as failure:
            self._complain(failure)
            return file
        os.close(file)
        return new

    def _is_in_place(self, file: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(file))
        except FileNotFoundError:
            return False

    def _put_aside(self) -> None:
        aside = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._kept + 1))]
        for younger, older in reversed(list(pairwise(aside))):
            if younger.exists():
                younger.replace(older)

    def _opened(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)

    def _complain(self, failure: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            note = {"event": "log_unwritable", "level": "error", "file": str(self._path), "reason": failure.strerror}
            StandardError(sys.stderr).write(json.dumps(note) + "\n")
