"""CloudEvents 1.0 in NATS binary mode: attributes in `ce-` headers, the body is the JSON data.

Reading never raises anything but Poison, whatever the bytes are.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from duban_contracts.faults import in_words
from duban_contracts.fields import unfit_for_key
from duban_contracts.message import CATALOGUE, Command, Message
from duban_contracts.rules import is_token
from duban_contracts.subjects import filter_of, is_command

JSON = "application/json"
_PRINTABLE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')
_SAFE = re.compile(f"[{re.escape(_PRINTABLE)}]*")
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_moment = TypeAdapter(AwareDatetime)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Nothing that a service decides about was done before; `0001-01-01` is what programs write for no date."""
LONGEST = 200
"""Characters of an attribute."""


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
    causation_source: str | None = None
    """`ce-source` of the command that caused a fact; with id and actor it names that command."""
    causation_actor: str | None = None


class Envelope(NamedTuple):
    attributes: Attributes
    data: Message
    last: str
    """The last token of the subject: who acts, or which station it concerns."""


def encode(attributes: Attributes, time: str | None = None) -> dict[str, str]:
    """The headers. `Nats-Msg-Id` of a fact equals its `ce-id`, so the broker drops what it already has.

    A command has none: the broker compares them without regard to who sends, so that anybody could suppress
    a command by sending its id first. Copies of commands are recognised by the service.

    `time` is for a fact whose time is text already, exactly as it was stored.
    """
    if time is None and attributes.time is not None:
        time = rfc3339(attributes.time)
    headers = {
        "Nats-Msg-Id": None if _is_command(attributes.type) else attributes.id,
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
        "ce-causationsource": attributes.causation_source,
        "ce-causationactor": attributes.causation_actor,
    }
    given = {name: value for name, value in headers.items() if value is not None}
    if _SAFE.fullmatch("".join(given.values())):
        return given
    return {name: _escaped(value) for name, value in given.items()}


@cache
def _is_command(type_: str) -> bool:
    model = CATALOGUE.get(type_)
    return model is not None and issubclass(model, Command)


def decode(subject: str, headers: Mapping[str, str] | None, body: bytes) -> Envelope:
    """Raises Poison, and nothing else, whatever subject, headers and body hold."""
    try:
        given = _lower(headers or {})
        _readable(given.get("content-type", JSON))
        attributes = _attributes(given, told=not is_command(subject))
        model = CATALOGUE.get(attributes.type)
        if model is None:
            raise Poison(PoisonReason.UNKNOWN_TYPE, f"no message is called {attributes.type!r}")
        last = _last_token(subject, model)
        data = _data(model, body)
        if _is_command(attributes.type):
            _plain(body)
        return Envelope(attributes, data, last)
    except Poison:
        raise
    except Exception:  # a reader that raises anything else is a message's trouble, never its neighbours'
        raise Poison(PoisonReason.BREAKS_CONTRACT, "its headers or its subject cannot be read") from None


def _readable(content_type: str) -> None:
    if content_type == JSON:
        return
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents"):
        detail = "structured mode is not read; send binary mode: attributes in ce- headers, data as the body"
        raise Poison(PoisonReason.UNSUPPORTED_CONTENT, detail)
    if media_type != JSON:
        raise Poison(PoisonReason.UNSUPPORTED_CONTENT, f"{content_type[:LONGEST]!r}; send {JSON}")


def _data(model: type[Message], body: bytes) -> Message:
    if body.startswith(BOM_UTF8):
        detail = "the body begins with a byte order mark; send UTF-8 without one"
        raise Poison(PoisonReason.BREAKS_CONTRACT, detail)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Poison(PoisonReason.BREAKS_CONTRACT, in_words(error)) from None
    except Exception:
        detail = "a value is outside of what can be kept, e.g. a date before 1900 or after 9998"
        raise Poison(PoisonReason.BREAKS_CONTRACT, detail) from None


def _plain(body: bytes) -> None:
    """Raises Poison for what readers of JSON understand differently: nobody means it.

    Of commands alone: facts are ours, and those of earlier releases have to be heard.
    """
    # Suppressed: e.g. an integer of 5000 digits in a field that nobody reads.
    with suppress(ValueError, RecursionError):
        _plainly.decode(body.decode())


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):  # no name: it may hold personal data
        detail = "a field is there twice in one object; send each field once"
        raise Poison(PoisonReason.BREAKS_CONTRACT, detail)
    return found


def _no_number(_: str) -> object:
    detail = "NaN and Infinity are no JSON; leave the field out where there is no number"
    raise Poison(PoisonReason.BREAKS_CONTRACT, detail)


_plainly = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in any case; a name that is there twice with different values says nothing for sure."""
    given = {name.lower(): value for name, value in headers.items()}
    if len(given) == len(headers):
        return given
    given = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower.startswith("ce-") and given.get(lower, value) != value:
            raise Poison(PoisonReason.BAD_ATTRIBUTE, f"header {lower[:LONGEST]} is there twice")
        given[lower] = value
    return given


def _attributes(given: Mapping[str, str], told: bool) -> Attributes:
    """`told`: a fact of ours. Earlier releases let in keys and correlations that are refused now, and what
    follows from them has to be heard."""
    read = {name: given[name] for name in _ATTRIBUTES if name in given}
    if not _plainly_fit(read.values()):
        fit = _decoded if told else _fit
        read = {name: fit(name, value) for name, value in read.items()}
        for name in _REQUIRED:
            _not_too_long(name, read.get(name, ""))
    for name in _REQUIRED:
        if not read.get(name):
            raise Poison(PoisonReason.MISSING_ATTRIBUTE, f"header {name} is missing")
    if read.get("ce-specversion", "1.0") != "1.0":
        raise Poison(PoisonReason.BAD_ATTRIBUTE, "ce-specversion must be 1.0")
    return Attributes(
        id=read["ce-id"],
        source=read["ce-source"],
        type=read["ce-type"],
        time=_time(read.get("ce-time")),
        key=read["ce-subject"],
        correlation=read.get("ce-correlationid") or read["ce-id"],
        causation=read.get("ce-causationid"),
        acting_for=_token("ce-actingfor", read.get("ce-actingfor")),
        revision=_revision(read.get("ce-charterrevision")),
        traceparent=_trace(given.get("traceparent")),
        causation_source=read.get("ce-causationsource"),
        causation_actor=read.get("ce-causationactor"),
    )


_REQUIRED = ("ce-id", "ce-source", "ce-type", "ce-subject")
_ATTRIBUTES = (
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-time",
    "ce-subject",
    "ce-correlationid",
    "ce-causationid",
    "ce-causationsource",
    "ce-causationactor",
    "ce-actingfor",
    "ce-charterrevision",
)


def _plainly_fit(values: Collection[str]) -> bool:
    """Whether every one is ASCII to be seen, without escapes and short, as nearly all of them are."""
    together = "".join(values)
    return (
        together.isascii()
        and together.isprintable()
        and "%" not in together
        and (len(together) <= LONGEST or max(map(len, values)) <= LONGEST)
    )


def _fit(name: str, value: str) -> str:
    """Raises Poison for what is no text: a client that cannot decode a header puts U+FFFD for it, and then
    two ids may look the same."""
    text = _decoded(name, value)
    _not_too_long(name, text)
    if text.isascii() and text.isprintable():
        return text  # as nearly all of them are; character by character costs as much as the decision
    if (character := unfit_for_key(text)) is not None:
        detail = f"header {name} holds {character}; send UTF-8, percent-encoded"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail)
    return text


def _decoded(name: str, value: str) -> str:
    if "%" not in value:
        return value
    if _STRAY.search(value):
        detail = f"header {name} holds a % that begins no escape; write it as %25"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail)
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeError:
        detail = f"header {name} is not UTF-8 when its escapes are decoded"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail) from None


def _not_too_long(name: str, text: str) -> None:
    if len(text) > LONGEST:
        raise Poison(PoisonReason.BAD_ATTRIBUTE, f"header {name} is longer than {LONGEST} characters")


def _trace(value: str | None) -> str | None:
    """A trace that cannot be read is no reason to refuse what it traces."""
    try:
        return None if value is None else _fit("traceparent", value)
    except Poison:
        return None


def _token(name: str, value: str | None) -> str | None:
    if value is not None and not is_token(value):
        detail = f"{name} has to be 1 to 40 letters A to Z, digits, _ or -, as in the charter"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail)
    return value


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if not _RFC_3339.fullmatch(text):
            raise ValueError("not of that form")
        moment = _moment.validate_strings(text).astimezone(UTC)
    except OverflowError:
        detail = f"ce-time {text} is outside of the years that are kept; leave it out for no time"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail) from None
    except ValueError:
        detail = f"ce-time {text!r} is not an RFC 3339 time with a zone, like 2024-04-15T09:00:00+08:00"
        raise Poison(PoisonReason.BAD_ATTRIBUTE, detail) from None
    if moment < EARLIEST:
        raise Poison(PoisonReason.BAD_ATTRIBUTE, f"ce-time {text} is before 1900; leave it out for no time")
    return moment


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
    # A fact's last token was written by a service of ours; who sends a command is anybody's text.
    return _token("the actor in the subject", last) or "" if _is_command(model.type) else last


@cache
def _subject_before(model: type[Message]) -> str:
    """Its subject up to the last token, with the dot."""
    return filter_of(model)[:-1]


def _escaped(value: str) -> str:
    return value if _SAFE.fullmatch(value) else quote(value, safe=_PRINTABLE, errors="replace")
