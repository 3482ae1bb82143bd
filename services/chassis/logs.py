"""Structured logs: JSON lines in production, readable ones on a terminal. Never a body, never a person."""

import logging
import sys

import structlog


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
            structlog.processors.format_exc_info,
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stdout)


def _told_apart(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """On a terminal where several services write, each line begins with whose it is."""
    line["event"] = f"{line.pop('service', '-'):<11} | {line['event']}"
    return line
