"""The folder of one stack: its data, its pictures, its logs, its secrets, and the note that tells where it listens."""

import base64
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from bootstrap.reaper import GRACE_SECONDS, start_time

_LOOK_AGAIN_SECONDS = 0.1


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _key() -> str:
    return secrets.token_urlsafe(48)


_SECRETS = {
    "SECRET_KEY": _key,
    "PSEUDONYM_KEY": _key,
    "REPLICATE_WEBHOOK_SECRET": _webhook_secret,
    "DODO_PAYMENTS_WEBHOOK_SECRET": _webhook_secret,
}


class StackError(RuntimeError):
    """The stack cannot start or has failed; the message says why and what helps."""


class BadSettingsError(StackError):
    """The environment or `.env` is wrong; the message names every mistake."""


class StackFolder:
    """`HAIRTRYON_DATA`. Two stacks can run side by side in two folders; in one folder there is never more than one."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._note = self.root / "stack.json"
        self._lock_file = self.root / "stack.lock"

    def log(self, name: str) -> Path:
        return self.root / f"{name}.log"

    @property
    def media(self) -> Path:
        return self.root / "media"

    def lock(self) -> int:
        """Take the folder: a file descriptor that holds it until every process that has it open is gone.

        After a stack was killed, its reaper has the folder until the last of its children is gone: that is waited
        for. Raises `StackError` when a stack runs here.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + 2 * GRACE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = self.running_pid()
                if pid is not None or time.monotonic() > deadline:
                    os.close(descriptor)
                    raise StackError(
                        f"A stack is already running in {self.root}{f' (pid {pid})' if pid else ''}: "
                        "stop it, or choose another folder with --data."
                    ) from None
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return descriptor

    def reset(self) -> None:
        """Forget everything that was kept here. Raises `StackError` when a stack runs here."""
        lock = self.lock()
        try:
            for kept in self.root.iterdir():
                if kept.is_dir():
                    shutil.rmtree(kept)
                elif kept != self._lock_file:
                    kept.unlink()
        except PermissionError as error:
            raise StackError(f"{error.filename} belongs to another user; remove {self.root} as that user.") from error
        finally:
            os.close(lock)

    def secrets(self) -> dict[str, str]:
        """Made once for this folder, so that sessions and pseudonyms outlive a restart; for nobody else to read."""
        file = self.root / "secrets.json"
        if not file.exists():
            _write_privately(file, {})
        kept: dict[str, str] = json.loads(file.read_text())
        made = {name: make() for name, make in _SECRETS.items() if name not in kept}
        if made:
            kept |= made
            _write_privately(file, kept)
        return kept

    def announce(self, addresses: Mapping[str, str]) -> None:
        """Tell other commands where this stack listens, for as long as this process lives."""
        _write_privately(self._note, {"pid": os.getpid(), "started": start_time(os.getpid()), **addresses})

    def withdraw(self) -> None:
        self._note.unlink(missing_ok=True)

    def running_pid(self) -> int | None:
        """The supervisor that runs a stack here."""
        return self._read_note()[0]

    def addresses(self) -> dict[str, str]:
        """Where the stack that runs here listens, by the names of the settings; empty when none runs."""
        return self._read_note()[1]

    def _read_note(self) -> tuple[int | None, dict[str, str]]:
        try:
            note = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return None, {}
        pid, started = note.pop("pid"), note.pop("started")
        return (pid, note) if start_time(pid) == started else (None, {})


def _write_privately(file: Path, content: Mapping[str, object]) -> None:
    """Replace the file at once, readable by its owner only from its first byte on."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=2)
    new.replace(file)
