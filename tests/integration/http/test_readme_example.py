"""The use case that the README adds works when it is added as the README says."""

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest
from dishka import Scope, provide

from bootstrap import http
from bootstrap.container import Handlers
from presentation.http.auth import AuthController
from tests.integration.http.conftest import Start
from tests.unit.docs.documents import README, blocks, section

METHOD = """
from application.auth.log_out_everywhere import LogOutEverywhere, LogOutEverywhereHandler
from presentation.http.auth import *

class Example:
"""


def load(name: str, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import this source under this name, for the present test."""
    file = folder / f"{name}.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The README's test, with its use case, its line and its method where they belong."""
    use_case, line, method, test = blocks(section(README, "Adding a use case"), "python")
    handler = getattr(load("application.auth.log_out_everywhere", use_case, tmp_path, monkeypatch), line.strip(" ,\n"))
    monkeypatch.setattr(Handlers, "log_out_everywhere", provide(handler, scope=Scope.REQUEST), raising=False)
    controller = load("example_of_a_method", METHOD + method, tmp_path, monkeypatch).Example
    monkeypatch.setattr(AuthController, "log_out_everywhere", vars(controller)["log_out_everywhere"], raising=False)
    monkeypatch.setattr(http, "_api", inspect.unwrap(http._api))  # the routes as they are now, not as they were made
    return load("example_of_a_test", test, tmp_path, monkeypatch)


async def test_the_readme_adds_a_use_case_that_works(example: ModuleType, start: Start) -> None:
    """Every test of the README's example passes, over HTTP."""
    tests = [test for name, test in vars(example).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        await test(await start())
