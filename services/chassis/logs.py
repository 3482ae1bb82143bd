"""Structured logs: JSON lines in production, readable ones on a terminal. Never a body, never a person.

Errors are written as type, code and frames. Their texts are left out everywhere, also those of libraries and
of what nobody caught: the driver of the database puts the refused document into them.
"""

import logging
import sys
from types import TracebackType

import structlog

from duban_contracts.masking import mask
from services.chassis.faults import fault, frames, where


def set_up(log_format: str, level: str, service: str) -> None:
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False)]
        if log_format == "json"
        else [_told_apart, structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_texts,
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_WithoutTexts())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    sys.excepthook = _uncaught


class _WithoutTexts(logging.Formatter):
    """Of other libraries' records: the first line of the text, for further ones hold what was passed to a
    coroutine; of an exception its type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        text = f"{record.name}: {_first_line(record)}"
        return mask(text if error is None else f"{text} [{fault(error)}] {'; '.join(where(error))}").text


def _first_line(record: logging.LogRecord) -> str:
    text, args = str(record.msg), record.args
    if isinstance(args, tuple) and args:
        try:
            text %= tuple(fault(arg) if isinstance(arg, BaseException) else arg for arg in args)
        except (TypeError, ValueError):
            text = str(record.msg)
    elif args:
        text = record.getMessage()
    return text.partition("\n")[0]


def _without_texts(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raised = line.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line.update(error=fault(error), where=where(error))
    return line


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().error("uncaught", error=fault(error), where=frames(trace))


def _told_apart(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """On a terminal where several services write, each line begins with whose it is."""
    line["event"] = f"{line.pop('service', '-'):<11} | {line['event']}"
    return line
