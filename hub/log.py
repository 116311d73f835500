"""The log: JSON lines on stderr, or readable ones where that is a terminal.

A line says what our own code chose to put into it: codes, numbers, templates of routes. The text
of an exception, or of what a library has to say, may hold somebody's data; of those a line has the
place and the kind.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, TextIO

from structlog import contextvars
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.types import EventDict, WrappedLogger

from hub.failure import place_of

__all__ = ["begin", "configure", "correlation", "note"]

_OURS = "lynchpin"
_extras = ExtraAdder()
_log = logging.getLogger("lynchpin.log")


def configure(stream: TextIO | None = None) -> None:
    """Write every line of this process to the stream, stderr where none is named."""
    out = stream or sys.stderr
    renderer = ConsoleRenderer() if out.isatty() else JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[contextvars.merge_contextvars],
            processors=[
                _safe,
                TimeStamper(fmt="iso", utc=True, key="at"),
                ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    # What uvicorn would write about a call, `hub.api.traffic` does.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    # A line that cannot be written would be shown with all that it was made of.
    logging.raiseExceptions = False
    threading.excepthook = _thread_failed


def begin(number: str) -> None:
    """From now on every line of this task has this correlation id, and nothing of another's."""
    contextvars.clear_contextvars()
    contextvars.bind_contextvars(correlation=number)


def note(**facts: str | int) -> None:
    """From now on every line of this task says this too: ids and numbers, never a content."""
    contextvars.bind_contextvars(**facts)


def correlation() -> str | None:
    """The correlation id of the call at hand, if there is one."""
    found = contextvars.get_contextvars().get("correlation")
    return None if found is None else str(found)


def _safe(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Ours as it is; of anybody else's line the place alone, of an exception likewise."""
    record: logging.LogRecord = event["_record"]
    said: EventDict = {"level": record.levelname.lower(), "logger": record.name}
    if record.name.partition(".")[0] == _OURS:
        event = _extras(logger, name, event)
    else:
        event["event"] = "said by a library"
        said["place"] = f"{record.module}.{record.funcName}, line {record.lineno}"
    if failure := event.pop("exc_info", None):
        said["failure"] = _place(failure[1])
    return {**said, **event}


def _place(error: BaseException | None) -> str:
    if error is None or error.__traceback__ is None:
        return type(error).__name__
    return place_of(error)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    extra: dict[str, Any] = {"failure": _place(failed.exc_value)}
    _log.critical("a thread has ended", extra=extra)
