"""What the service says of itself: one JSON object a line on stderr, and never anything about a person.

A line names things and never what they hold: a route's rule, not its address; a role, not an account; an
error's kind and place, not its text. Who looked at what stands in the record, in its log of reads.
"""

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from structlog.typing import EventDict, WrappedLogger

from app.access.policy import person_or_none

QUIET: Final = frozenset({"healthz", "readyz", "metrics", "static"})
"""Asked every few seconds by machines: said only when they fail."""
_FRAMES: Final = 12
_PLAIN: Final = ("casebook", "app", "psycopg.pool", "_granian", "granian")
"""Whose words are ours or about connections alone. Of all others only the fixed part is kept."""

_encode = json.JSONEncoder(default=lambda value: type(value).__name__).encode
_log = structlog.get_logger("casebook.web")


class JsonLines(logging.Formatter):
    """Writes a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: when (UTC), level, logger, event, what is bound to the request, and what was said."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **(record.msg if isinstance(record.msg, dict) else {"event": _words(record)}),
            **structlog.contextvars.get_contextvars(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _fault(record.exc_info[1])
        return _encode(line)


def log_to_stderr() -> None:
    """For the commands that stay: their log is the only thing that they say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.NOTSET)
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _as_one_argument],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    threading.excepthook = _thread_failed


def granian_logs() -> dict[str, Any]:
    """The same for the web server's own messages, as a `dictConfig` of the standard library."""
    lines = {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}
    quiet = {"handlers": ["lines"], "propagate": False}
    return {
        "formatters": {"lines": {"()": JsonLines}},
        "handlers": {"lines": lines},
        "loggers": {"_granian": {**quiet}, "granian.access": {**quiet}},
    }


def log_requests(app: Flask) -> None:
    """Say of every request what was asked, in which role, how it ended and how long it took."""

    @app.before_request
    def begin() -> None:
        # Threads serve one request after the other, and what was bound for the last one stays.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=uuid4().hex[:12])
        g.began = perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.endpoint in QUIET and response.status_code < 400:
            return response
        who = person_or_none()
        _log.info(
            "request",
            rule=f"{request.method} {request.url_rule.rule}" if request.url_rule else "(none)",
            status=response.status_code,
            ms=round((perf_counter() - g.began) * 1000, 1),
            role=who.role if who else None,
        )
        return response


def _as_one_argument(
    _logger: WrappedLogger, _name: str, said: EventDict
) -> tuple[tuple[EventDict], dict[str, Any]]:
    return (said,), {}


def _words(record: logging.LogRecord) -> str:
    """A library's text may hold what somebody typed; the format that it began with doesn't."""
    plain = any(record.name == name or record.name.startswith(f"{name}.") for name in _PLAIN)
    return record.getMessage() if plain else str(record.msg) if record.args else "(said by a library)"


def _fault(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "where": where}


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        name = failed.thread.name if failed.thread else None
        logging.getLogger("casebook").error(
            {"event": "thread_failed", "thread": name, **_fault(failed.exc_value)}
        )
