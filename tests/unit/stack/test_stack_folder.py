import base64
import json
import os
import stat
from pathlib import Path

import pytest

from bootstrap.stack import StackError, StackFolder


def test_secrets_are_made_once_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    """A restart finds the same keys, and nobody else can read them."""
    made = StackFolder(tmp_path).secrets()
    assert StackFolder(tmp_path).secrets() == made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_every_folder_has_secrets_of_its_own(tmp_path: Path) -> None:
    """What one stack signed is worth nothing in another."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = StackFolder(tmp_path / "a").secrets(), StackFolder(tmp_path / "b").secrets()
    webhooks = {"REPLICATE_WEBHOOK_SECRET", "DODO_PAYMENTS_WEBHOOK_SECRET"}
    assert one.keys() == {"SECRET_KEY", "PSEUDONYM_KEY", *webhooks}
    assert not set(one.values()) & set(other.values())


def test_a_folder_of_an_older_version_gets_the_secrets_that_came_since(tmp_path: Path) -> None:
    """And keeps those it has, so that its sessions go on."""
    made = StackFolder(tmp_path).secrets()
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({name: made[name] for name in made if name != "DODO_PAYMENTS_WEBHOOK_SECRET"}))
    later = StackFolder(tmp_path).secrets()
    assert later.keys() == made.keys()
    assert later["SECRET_KEY"] == made["SECRET_KEY"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["REPLICATE_WEBHOOK_SECRET", "DODO_PAYMENTS_WEBHOOK_SECRET"])
def test_the_webhook_secret_has_the_form_of_the_standard(tmp_path: Path, name: str) -> None:
    """`whsec_` and between 24 and 64 random bytes in base64."""
    secret = StackFolder(tmp_path).secrets()[name]
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_the_addresses_of_a_running_stack_are_found_until_it_withdraws_them(tmp_path: Path) -> None:
    """They are there for other commands as long as the stack says so, and for the owner's eyes only."""
    folder = StackFolder(tmp_path)
    folder.announce({"DATABASE_URL": "postgresql://somewhere/x"})
    assert StackFolder(tmp_path).addresses() == {"DATABASE_URL": "postgresql://somewhere/x"}
    assert StackFolder(tmp_path).running_pid() == os.getpid()
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600
    folder.withdraw()
    assert StackFolder(tmp_path).addresses() == {}


def test_what_a_killed_stack_has_left_behind_does_not_count(tmp_path: Path) -> None:
    """A note whose supervisor is gone, even if another process has its pid, tells of no running stack."""
    folder = StackFolder(tmp_path)
    folder.announce({"DATABASE_URL": "postgresql://somewhere/x"})
    note = json.loads((tmp_path / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps({**note, "started": "long ago"}))
    assert folder.addresses() == {}
    assert folder.running_pid() is None


def test_a_folder_belongs_to_one_stack(tmp_path: Path) -> None:
    """The second is told which process has it."""
    folder = StackFolder(tmp_path)
    lock = folder.lock()
    folder.announce({})
    with pytest.raises(StackError, match=rf"already running in {tmp_path} \(pid {os.getpid()}\)"):
        StackFolder(tmp_path).lock()
    os.close(lock)
    os.close(StackFolder(tmp_path).lock())
