"""One line for each record, whoever logs it and whatever is in it; the same secrets kept from both formats."""

import json
import logging
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.logging import configure_logging
from bootstrap.settings import SettingsError
from tests.unit.bootstrap.environments import load

Lines = Callable[[], list[str]]
Records = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging belongs to the process: give it back to the other tests as it was."""
    root, excepthook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # or configuring would close them
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook = excepthook
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.log"


@pytest.fixture
def records(path: Path) -> Records:
    """Logging in JSON, and what was logged since it was asked last."""
    configure_logging(load(LOG_FILE=str(path)))
    return lambda: [json.loads(line) for line in _lines(path)]


@pytest.fixture
def lines(path: Path) -> Lines:
    """Logging for people, and the lines that were logged since they were asked for last."""
    configure_logging(load(LOG_FILE=str(path), LOG_FORMAT="console"))
    return lambda: _lines(path)


def _lines(path: Path) -> list[str]:
    text = path.read_text()
    path.write_text("")
    return text.removesuffix("\n").split("\n") if text else []


def _handlers_of_ours() -> list[logging.Handler]:
    return [handler for handler in logging.getLogger().handlers if type(handler).__module__ == "bootstrap.logging"]


def test_a_record_is_one_json_object_with_time_level_and_request(records: Records) -> None:
    with structlog.contextvars.bound_contextvars(request_id="7d0c6c2e"):
        structlog.get_logger().info("request", method="GET", route="/image/{image_id:int}", status=200, seconds=0.001)
    (record,) = records()
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "request",
        "level": "info",
        "request_id": "7d0c6c2e",
        "method": "GET",
        "route": "/image/{image_id:int}",
        "status": 200,
        "seconds": 0.001,
    }


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_decides_what_is_logged(path: Path, level: str, heard: list[str]) -> None:
    """Libraries speak from warnings up, for below that they tell what they send."""
    configure_logging(load(LOG_FILE=str(path), LOG_LEVEL=level))
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)("ours")
        getattr(logging.getLogger("botocore.auth"), name)("theirs")
    logged = [json.loads(line) for line in _lines(path)]
    assert [record["level"] for record in logged if record["event"] == "ours"] == heard
    assert [record["level"] for record in logged if record["event"] == "theirs"] == [
        name for name in heard if name in {"warning", "error"}
    ]


@pytest.mark.parametrize(
    "library", ["uvicorn.error", "arq.worker", "httpx", "sqlalchemy.pool", "botocore.auth", "asyncio"]
)
def test_libraries_log_the_same_way(records: Records, library: str) -> None:
    """With the request's id, and with the same secrets kept."""
    secret = secrets.token_hex(8)
    with structlog.contextvars.bound_contextvars(request_id="7d0c6c2e"):
        logging.getLogger(library).warning("%s sent %r", library, {"password": secret})
    (record,) = records()
    assert record.pop("timestamp")
    assert record == {
        "event": f"{library} sent {{'password': [redacted]}}",
        "level": "warning",
        "logger": library,
        "request_id": "7d0c6c2e",
    }


def test_a_librarys_unusual_records_are_logged_too(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels between ours, arguments that do not fit, messages that are objects, percent signs, odd exc_info."""
    monkeypatch.setattr(logging.getLogger(), "handlers", _handlers_of_ours())  # pytest's own fails on such arguments
    library = logging.getLogger("library")
    library.log(35, "between")
    library.log(99, "above")
    library.warning("%d of %d", "x")
    library.warning(ValueError("an object"))
    library.warning("100 %")
    library.error("nothing raised", exc_info=True)
    assert [(record["level"], record["event"]) for record in records()] == [
        ("warning", "between"),
        ("critical", "above"),
        ("warning", "%d of %d"),
        ("warning", "an object"),
        ("warning", "100 %"),
        ("error", "nothing raised"),
    ]


def connect_with(secret: str) -> None:
    raise ValueError(f"postgresql://app:{secret}@db.internal/hair refused")


def raise_with(secret: str) -> None:
    try:
        connect_with(secret)
    except ValueError as error:
        raise RuntimeError(f"token={secret}\nINFO all is well") from error


def log_by_structlog(secret: str) -> None:
    try:
        raise_with(secret)
    except RuntimeError:
        structlog.get_logger().exception("failed")


def log_by_exc_info(secret: str) -> None:
    try:
        raise_with(secret)
    except RuntimeError as error:
        structlog.get_logger().error("failed", exc_info=error)


def log_by_library(secret: str) -> None:
    try:
        raise_with(secret)
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("failed")


def log_by_crash(secret: str) -> None:
    try:
        raise_with(secret)
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)


WAYS = [log_by_structlog, log_by_exc_info, log_by_library, log_by_crash]


@pytest.mark.parametrize("log", WAYS)
def test_a_traceback_is_one_value_without_secrets(records: Records, log: Callable[[str], None]) -> None:
    """Those of the causes too, and of what nobody caught."""
    secret = secrets.token_hex(8)
    log(secret)
    (record,) = records()
    assert secret not in str(record)
    assert "ValueError: postgresql://[redacted]db.internal/hair refused" in record["exception"]
    assert record["exception"].count("[redacted]") >= 2
    assert "in raise_with" in record["exception"]


@pytest.mark.parametrize("log", WAYS)
def test_a_traceback_for_people_is_indented_below_its_record(lines: Lines, log: Callable[[str], None]) -> None:
    """No line of it can be taken for a record."""
    secret = secrets.token_hex(8)
    log(secret)
    record, *traceback = lines()
    assert "failed" in record or "crashed" in record
    assert "    INFO all is well" in traceback
    assert all(line.startswith("    ") for line in traceback)
    assert secret not in "".join(traceback)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.text(), value=st.text() | st.binary() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_a_record_for_people_is_one_visible_line(lines: Lines, event: str, value: object) -> None:
    """Whatever a customer's name holds: line breaks, escape codes, other alphabets."""
    structlog.get_logger().info(event, value=value)
    (line,) = lines()
    assert line.isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.text(), value=st.text() | st.binary() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_a_json_record_is_one_visible_line(path: Path, records: Records, event: str, value: object) -> None:
    structlog.get_logger().info(event, value=value)
    (line,) = path.read_text().removesuffix("\n").split("\n")
    assert line.isprintable()
    assert len(records()) == 1


def test_forged_records_and_escape_codes_stay_inside_their_value(lines: Lines) -> None:
    structlog.get_logger().info("renamed", to="Ada\n2026-01-01 [error] stolen\x1b[2J")
    (line,) = lines()
    assert line.index("renamed") < line.index("[error] stolen")


def test_without_a_file_the_log_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is for what commands print."""
    configure_logging(load())
    structlog.get_logger().info("hello")
    logging.getLogger("library").warning("hello too")
    printed = capsys.readouterr()
    assert [json.loads(line)["event"] for line in printed.err.splitlines()] == ["hello", "hello too"]
    assert printed.out == ""


def test_a_full_disk_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """`/dev/full` never has space; one note on stderr says so (full(4))."""
    configure_logging(load(LOG_FILE="/dev/full"))
    for _ in range(3):
        structlog.get_logger().info("request")
        logging.getLogger("library").warning("trouble")
    (note,) = capsys.readouterr().err.splitlines()
    assert json.loads(note)["event"] == "log_unwritable"


def test_a_log_file_that_cannot_be_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        configure_logging(load(LOG_FILE=str(tmp_path)))
    mistake = f"LOG_FILE should be a file that can be written, not '{tmp_path}': Is a directory."
    assert refusal.value.mistakes == [mistake]


def test_warnings_are_records(records: Records) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure = logging.captureWarnings
        configure(capture=False)
        configure(capture=True)  # anew, inside the block that keeps warnings to itself
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
        configure(capture=False)
    (record,) = records()
    assert record["logger"] == "py.warnings"
    assert "DeprecationWarning: soon gone" in record["event"]


def test_an_interrupt_is_no_crash(records: Records, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is shown as Python shows it."""
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert records() == []
    assert "KeyboardInterrupt" in capsys.readouterr().err
