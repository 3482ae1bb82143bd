"""CloudEvents 1.0 in NATS binary mode: attributes in `ce-` headers, the body is the JSON data.

Reading never raises anything but Poison, whatever the bytes are.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from duban_contracts.faults import in_words
from duban_contracts.message import CATALOGUE, Message
from duban_contracts.subjects import filter_of

JSON = "application/json"
_PRINTABLE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')
_SAFE = re.compile(f"[{re.escape(_PRINTABLE)}]*")
_moment = TypeAdapter(AwareDatetime)


class PoisonReason(StrEnum):
    """Why a message cannot be read: a closed set, for dead letters, metrics and alerts."""

    MISSING_ATTRIBUTE = "missing_attribute"
    BAD_ATTRIBUTE = "bad_attribute"
    UNSUPPORTED_CONTENT = "unsupported_content"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_SUBJECT = "wrong_subject"
    BREAKS_CONTRACT = "breaks_contract"


class Poison(Exception):
    def __init__(self, reason: PoisonReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Attributes(NamedTuple):
    """What the envelope says about a message."""

    id: str
    source: str
    type: str
    time: datetime | None
    key: str
    """`ce-subject`: the key that the message is about."""
    correlation: str
    causation: str | None = None
    acting_for: str | None = None
    """Who did it, where a marked actor reports what others did."""
    revision: int | None = None
    """The charter's revision under which a fact was decided."""
    traceparent: str | None = None


class Envelope(NamedTuple):
    attributes: Attributes
    data: Message
    last: str
    """The last token of the subject: who acts, or which station it concerns."""


def encode(attributes: Attributes, time: str | None = None) -> dict[str, str]:
    """The headers; `Nats-Msg-Id` equals `ce-id`, so the broker drops what it already has.

    `time` is for a fact whose time is text already, exactly as it was stored.
    """
    if time is None and attributes.time is not None:
        time = rfc3339(attributes.time)
    headers = {
        "Nats-Msg-Id": attributes.id,
        "content-type": JSON,
        "ce-specversion": "1.0",
        "ce-id": attributes.id,
        "ce-source": attributes.source,
        "ce-type": attributes.type,
        "ce-subject": attributes.key,
        "ce-correlationid": attributes.correlation,
        "ce-time": time,
        "ce-causationid": attributes.causation,
        "ce-actingfor": attributes.acting_for,
        "ce-charterrevision": None if attributes.revision is None else str(attributes.revision),
        "traceparent": attributes.traceparent,
    }
    return {name: _escaped(value) for name, value in headers.items() if value is not None}


def decode(subject: str, headers: Mapping[str, str] | None, body: bytes) -> Envelope:
    """Raises Poison, and nothing else."""
    given = {str(name).lower(): _unescaped(str(value)) for name, value in (headers or {}).items()}
    attributes = _attributes(given)
    model = CATALOGUE.get(attributes.type)
    if model is None:
        raise Poison(PoisonReason.UNKNOWN_TYPE, f"no message is called {attributes.type!r}")
    if not given.get("content-type", JSON).startswith(JSON):
        raise Poison(PoisonReason.UNSUPPORTED_CONTENT, f"{given['content-type']!r}; send {JSON}")
    last = _last_token(subject, model)
    try:
        return Envelope(attributes, model.model_validate_json(body), last)
    except ValidationError as error:
        raise Poison(PoisonReason.BREAKS_CONTRACT, in_words(error)) from None


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _attributes(given: Mapping[str, str]) -> Attributes:
    for name in ("ce-id", "ce-source", "ce-type", "ce-subject"):
        if not given.get(name):
            raise Poison(PoisonReason.MISSING_ATTRIBUTE, f"header {name} is missing")
        if len(given[name]) > 200:
            raise Poison(PoisonReason.BAD_ATTRIBUTE, f"header {name} is longer than 200 characters")
    if given.get("ce-specversion", "1.0") != "1.0":
        raise Poison(PoisonReason.BAD_ATTRIBUTE, "ce-specversion must be 1.0")
    return Attributes(
        id=given["ce-id"],
        source=given["ce-source"],
        type=given["ce-type"],
        time=_time(given.get("ce-time")),
        key=given["ce-subject"],
        correlation=given.get("ce-correlationid") or given["ce-id"],
        causation=given.get("ce-causationid"),
        acting_for=given.get("ce-actingfor"),
        revision=_revision(given.get("ce-charterrevision")),
        traceparent=given.get("traceparent"),
    )


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return _moment.validate_strings(text).astimezone(UTC)
    except (ValidationError, OverflowError):
        raise Poison(
            PoisonReason.BAD_ATTRIBUTE, f"ce-time {text!r} is not an RFC 3339 time with a zone"
        ) from None


def _revision(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Poison(PoisonReason.BAD_ATTRIBUTE, f"ce-charterrevision {text!r} is not a number")
    return int(text)


def _last_token(subject: str, model: type[Message]) -> str:
    before = _subject_before(model)
    named = f"evt{subject.removeprefix('restricted')}" if subject.startswith("restricted.") else subject
    last = named[len(before) :]
    if not named.startswith(before) or not last or "." in last:
        detail = f"{model.type!r} travels on '{before}*', not on {subject!r}"
        raise Poison(PoisonReason.WRONG_SUBJECT, detail)
    return last


@cache
def _subject_before(model: type[Message]) -> str:
    """Its subject up to the last token, with the dot."""
    return filter_of(model)[:-1]


def _escaped(value: str) -> str:
    return value if _SAFE.fullmatch(value) else quote(value, safe=_PRINTABLE)


def _unescaped(value: str) -> str:
    return unquote(value) if "%" in value else value
