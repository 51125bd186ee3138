"""Schemathesis plays a stranger and a customer, over the OpenAPI document of a running API."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.rig import Rig
from tests.fuzz import hooks

SEED = os.environ.get("FUZZ_SEED", "1")
"""What it tries follows from this number, which it prints, and from how far it comes in the time that it has."""
ADMIN = "grace@example.org"
FATAL = ("disableUser", "changeRole", "eraseUser")
HERE = Path(__file__).parent

pytestmark = pytest.mark.exhaustive


def test_a_stranger_finds_no_fault(rig: Rig) -> None:
    """Answers are as documented, whatever somebody sends who is not signed in."""
    assert fuzz(rig, seconds=45) == 0


def test_a_customer_finds_no_fault(rig: Rig, customer: str) -> None:
    """Answers are as documented, whatever a customer with many credits sends, also in what order."""
    assert fuzz(rig, seconds=90, **{hooks.EMAIL: customer}) == 0


def test_an_admin_finds_no_fault(rig: Rig, customer: str) -> None:
    """Answers of the admin API are as documented. What would end the admin's own account is left to other tests."""
    rig.hairtryon("user", "create", ADMIN, "--name", "Grace", "--password-stdin", typed=rig.password)
    rig.hairtryon("user", "promote", ADMIN, "--reason", "for tests")
    only = [*("--include-tag", "admin"), *(f"--exclude-operation-id={name}" for name in FATAL)]
    assert fuzz(rig, *only, seconds=90, **{hooks.EMAIL: ADMIN}) == 0
    assert rig.hairtryon("user", "show", customer)["is_verified"]


def fuzz(rig: Rig, *only: str, seconds: int, **environ: str) -> int:
    """All checks, in all phases: examples, coverage, fuzzing and stateful. Returns the exit code."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"),
        *("--checks", "all", "--seed", SEED, "--max-time", str(seconds), *only),
        f"{rig.url}/schema/openapi.json",
    ]
    environ |= {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")}
    return subprocess.run(command, cwd=rig.folder, env=rig.environ | environ, check=False).returncode  # noqa: S603 - ours
