"""Logs: one JSON object a line (or colours for a person), with secrets and personal data taken out last."""

import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bootstrap.settings import Settings

_LARGEST_FILE = 10 * 1024 * 1024
_FILES_KEPT = 10

_SECRET_NAMES = re.compile(r"password|token|secret|authorization|cookie|api_key|signature|email", re.IGNORECASE)
_SECRET_TEXTS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?:whsec_|r8_|xkeysib-)[\w+/=-]+"
    r"|(?i:bearer\s+\S+)"
    r"|(?<=[?&](?:token|state)=)[^&\s]+|(?<=[?&]code=)[^&\s]+|(?<=[?&]signature=)[^&\s]+|(?<=X-Amz-Signature=)[^&\s]+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_PLAIN = frozenset({"event", "level", "timestamp", "request_id", "route", "method"})
"""Written by ourselves, from words of our own."""


class Sink(Protocol):
    def write(self, line: str) -> object: ...

    def flush(self) -> object: ...


class _RotatingFile:
    """A file that is put aside at 10 MB, ten of which are kept."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(path, maxBytes=_LARGEST_FILE, backupCount=_FILES_KEPT, encoding="utf-8")
        self._handler.terminator = ""

    def write(self, line: str) -> None:
        if line:
            self._handler.emit(logging.makeLogRecord({"msg": line}))

    def flush(self) -> None:
        self._handler.flush()


def redact(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    for name, value in entry.items():
        if name in _PLAIN or value is None or isinstance(value, int | float):
            continue
        if _SECRET_NAMES.search(name):
            entry[name] = "[redacted]"
        elif isinstance(value, str):
            entry[name] = _SECRET_TEXTS.sub("[redacted]", value)
        else:
            entry[name] = _SECRET_TEXTS.sub("[redacted]", str(value))
    return entry


def _render(_: WrappedLogger, __: str, entry: EventDict) -> str:
    return msgspec.json.encode(entry, enc_hook=str).decode()


def configure_logging(settings: Settings) -> None:
    """Send structlog's and the standard library's records the same way, once per process."""
    sink: Any = _RotatingFile(Path(settings.log_file)) if settings.log_file else sys.stderr
    level = getattr(logging, settings.log_level.upper())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    render = _render if settings.log_format == "json" else structlog.dev.ConsoleRenderer(colors=_is_terminal(sink))
    structlog.configure(
        processors=[*before, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sink),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sink)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _is_terminal(sink: TextIO | Sink) -> bool:
    return isinstance(sink, TextIO) and sink.isatty()
