"""Logs: one JSON object a line, or lines for people, from structlog and the standard library alike."""

import logging
import sys
from pathlib import Path
from types import TracebackType
from typing import TextIO, cast

import msgspec
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.typing import EventDict, Processor, WrappedLogger

from bootstrap.log_sinks import LogFile, Sink, StandardError
from bootstrap.redaction import redact
from bootstrap.settings import Settings, SettingsError

_encode = msgspec.json.Encoder().encode


def configure_logging(settings: Settings) -> None:
    """Send every record of this process the same way, once per process.

    Libraries are heard from warnings up, whatever the level: below, they tell what they send and ask.
    Raises `SettingsError` when `LOG_FILE` cannot be written for a reason that will not pass.
    """
    sink = _open_sink(settings.log_file)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    is_terminal = not settings.log_file and sys.stderr.isatty()
    console = ConsoleRenderer(colors=is_terminal, exception_formatter=plain_traceback)
    for_people: list[Processor] = [_keep_lines_apart, console]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            *([_render_json] if settings.log_format == "json" else for_people),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", sink)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_LibraryRecords()], level=max(level, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash


class _LibraryRecords(logging.Handler):
    """Hands the standard library's records to structlog. Their `extra` is left behind: nobody here has looked at it."""

    def __init__(self) -> None:
        super().__init__()
        self._log = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        self._log.log(level, _message(record), logger=record.name, exc_info=record.exc_info)


def _open_sink(log_file: str) -> Sink:
    if not log_file:
        return StandardError(sys.stderr)
    sink = LogFile(Path(log_file))
    try:
        sink.open()
    except OSError as failure:
        mistake = f"LOG_FILE should be a file that can be written, not {log_file!a}: {failure.strerror}."
        raise SettingsError([mistake]) from failure
    return sink


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit their format, or cannot be shown
        return str(record.msg)


def _render_json(_: WrappedLogger, __: str, entry: EventDict) -> str:
    return _encode(entry).decode()


def _keep_lines_apart(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """No line of a value can be taken for a record of its own: line breaks are escaped, tracebacks indented."""
    for name, value in entry.items():
        if isinstance(value, str) and name == "exception":
            entry[name] = "    " + value.replace("\n", "\n    ")
        elif isinstance(value, str) and "\n" in value:
            entry[name] = value.replace("\n", "\\n")
    return entry


def _log_crash(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What nobody caught goes to the log as well, and so through the redaction."""
    if issubclass(kind, Exception):
        structlog.get_logger().critical("crashed", exc_info=(kind, error, traceback))
    else:
        sys.__excepthook__(kind, error, traceback)
