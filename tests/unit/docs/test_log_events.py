"""What the log tells operators at night is explained to them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.documents import ROOT, column, section, spans

NIGHT = ROOT / "docs" / "three-in-the-morning.md"
LOUD = {"warning", "error", "exception", "critical", "log"}
"""How the code logs what somebody is to look at; by `log`, at a level that depends."""
NAMED_ELSEWHERE = "failure"
"""The argument by which adapters of one kind are told what to call it when Redis does not answer."""


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for file in sorted((ROOT / "src").rglob("*.py")):
        yield from ((file, node) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def is_loud(call: ast.Call) -> bool:
    """Whether it is one of the loud methods of a logger, which is called `log` or made on the spot."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in LOUD:
        return False
    logger = ast.unparse(call.func.value)
    return logger in {"log", "structlog.get_logger()"}


def events() -> Iterator[str]:
    """The name of every event that is logged at warning or above."""
    for file, call in calls():
        if is_loud(call):
            name = call.args[1 if call.func.attr == "log" else 0]  # type: ignore[attr-defined]
            if isinstance(name, ast.Constant):
                yield str(name.value)
            else:
                assert ast.unparse(name) == f"self._{NAMED_ELSEWHERE}", f"{file}: {ast.unparse(call)}"
        yield from (
            keyword.value.value
            for keyword in call.keywords
            if keyword.arg == NAMED_ELSEWHERE
            and isinstance(keyword.value, ast.Constant)
            and isinstance(keyword.value.value, str)
        )


def test_the_loud_events_are_found() -> None:
    """Whichever way they are logged; or the tests below would find nothing missing."""
    assert {"arq_stopped", "operator_alert", "payment_provider_refused", "doorbell_silent", "crashed"} <= set(events())


def test_every_loud_event_is_explained() -> None:
    """Each has its place in the table of what the log says, and there is nothing else in it."""
    told = [name for cell in column(section(NIGHT, "What the log says"), 0) for name in spans(cell)]
    assert sorted(told) == sorted(set(events()))
