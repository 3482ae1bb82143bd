"""Types of fields: what one value of a command, a query or a fact may be.

Commands and queries use the bounded types (`RequestMoment`, `Day`, `RequestKey`, `Text` and its kin): what
comes from outside is checked where it is read. Facts use `Moment`, `Key` and plain texts: they were checked
when the command was, and whatever an earlier release stored stays readable. `docs/decisions/0017` has the
reasons, `docs/integrating.md` the limits in one table.

A value outside its bounds is a validation error whose type and context are listed in `faults`.
"""

import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, GetCoreSchemaHandler
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from duban_contracts.masking import IDENTIFIER

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years of a moment or day in a command or query, both included. "No limit" is a field left out, not 2099."""

MAX_NAME = 100
MAX_LINE = 200
MAX_TEXT = 2_000
MAX_LONG_TEXT = 5_000
MAX_KEY = 200
MAX_LIST = 30
MAX_REVISION = 2**31 - 1
MAX_EXACT_INTEGER = 2**53 - 1
"""Beyond it JSON readers with IEEE 754 numbers, e.g. JavaScript, lose digits."""
MAX_COMMAND_BYTES = 64 * 1024
"""Headers and body of a command together; the command streams refuse more."""
MAX_PAYLOAD_BYTES = 1024 * 1024
"""`max_payload` of the server: any message, so also a fact and the answer to a query."""


def in_utc(moment: datetime) -> datetime:
    """Raises a validation error where UTC has no such year, e.g. for `0001-01-01T00:00:00+08:00`."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _out_of_range("moment") from None


def _out_of_range(what: str) -> PydanticCustomError:
    return PydanticCustomError(
        f"{what}_out_of_range",
        "the year must be from {first} to {last}, or leave the field out if there is no such date",
        {"first": FIRST_YEAR, "last": LAST_YEAR},
    )


def _moment_in_range(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _out_of_range("moment")
    return moment


def _day_in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _out_of_range("day")
    return day


_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*", re.ASCII)
_YEARS = "^(19|20|21)[0-9]{2}-"
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _written_as(kind: type[date], form: re.Pattern[str], error: str, wanted: str) -> Callable[[Any], Any]:
    """Pydantic also reads numbers, as seconds since 1970: a mistake of the sender, and one hard to see."""

    def check(value: Any) -> Any:
        if isinstance(value, kind) or (isinstance(value, str) and form.fullmatch(value)):
            return value
        raise PydanticCustomError(error, "write it as text like {example}", {"example": wanted})

    return check


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A point in time, always UTC inside; the wire carries RFC 3339 with a zone. For facts: any year."""

RequestMoment = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as(datetime, _RFC_3339, "moment_format", "2024-04-15T14:31:00+08:00")),
    AfterValidator(in_utc),
    AfterValidator(_moment_in_range),
    Field(json_schema_extra={"pattern": _YEARS}),
]
"""A point in time in a command or query: RFC 3339 text with a zone, years FIRST_YEAR to LAST_YEAR in UTC."""

Day = Annotated[
    date,
    BeforeValidator(_written_as(date, _ISO_DAY, "day_format", "2024-04-15")),
    AfterValidator(_day_in_range),
    Field(json_schema_extra={"pattern": _YEARS}),
]
"""A local day in a command or query, as `2024-04-15`; the same years."""


INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"})
"""Unicode categories of which nothing can be seen: blanks, controls, zero-width, unassigned.

Private use (Co) is not among them: rare characters of names are written there.
"""
BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Fillers, variation selectors, the blank of braille: letters and marks by category, with nothing to see."""
LINE_CHARACTERS = frozenset("\t\n\r")
"""The only control characters that a text may hold."""
_CONTROL_OR_SURROGATE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""The categories Cc and Cs, which Unicode has closed, without LINE_CHARACTERS."""
_HAN = "\u3400-\u4db5\u4e00-\u9fa5"
_PLAINLY_VISIBLE = re.compile(f"[!-~{_HAN}]")
_PLAINLY_FIT = re.compile(f"[ -~{_HAN}]*")
"""Most texts are known by these; only the others are looked at character by character."""


def has_visible(text: str) -> bool:
    """Whether at least one character of it can be seen."""
    if _PLAINLY_VISIBLE.search(text):
        return True
    return any(unicodedata.category(each) not in INVISIBLE and each not in BLANK_LETTERS for each in text)


def unfit_for_text(text: str) -> str | None:
    """The first character that no text may hold, as `U+001B`; they steer terminals and hide in lists."""
    bad = _CONTROL_OR_SURROGATE.search(text)
    return _named(bad[0]) if bad else None


def unfit_for_key(text: str) -> str | None:
    """The first character that no key or id may hold: two that look or decode alike would be one.

    U+FFFD is what decoders write in place of bytes that they cannot read.
    """
    if _PLAINLY_FIT.fullmatch(text):
        return None
    unfit = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return next((_named(c) for c in text if c == "\ufffd" or unicodedata.category(c) in unfit), None)


def _named(character: str) -> str:
    return f"U+{ord(character):04X}"


@dataclass(frozen=True)
class Words:
    """Text of at most `most` characters. Without one to be seen it is refused, or is empty if `optional`."""

    most: int
    optional: bool = False
    least: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        plain = core_schema.str_schema(max_length=self.most)
        return core_schema.no_info_after_validator_function(self._checked, plain)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | ({} if self.optional else {"minLength": self.least, "pattern": r"\S"})

    def _checked(self, text: str) -> str:
        if unfit := unfit_for_text(text):
            raise PydanticCustomError(
                "control_character", "remove the character {character}", {"character": unfit}
            )
        if not has_visible(text):
            if self.optional:
                return ""
            raise PydanticCustomError("no_visible_character", "write at least one visible character")
        if len(text) < self.least:
            raise PydanticKnownError("string_too_short", {"min_length": self.least})
        return text


Name = Annotated[str, Words(MAX_NAME)]
"""The name or post of a person, a material: something to see, at most MAX_NAME characters."""
Line = Annotated[str, Words(MAX_LINE)]
"""A title, a place where proof is found."""
Text = Annotated[str, Words(MAX_TEXT)]
"""A reason, an answer: required wherever it stands."""
LongText = Annotated[str, Words(MAX_LONG_TEXT)]
OptionalText = Annotated[str, Words(MAX_TEXT, optional=True)]
"""May be empty; blanks alone are empty, so that a rule that asks for it is not satisfied by them."""

OptionalName = Annotated[str, Words(MAX_NAME, optional=True)]

Materials = Annotated[tuple[Name, ...], Field(max_length=MAX_LIST)]
"""What the petitioner brought, each under the name that the charter gives it."""
Evidence = Annotated[tuple[Line, ...], Field(max_length=MAX_LIST)]
"""Where the proof is to be found: names of files, photo numbers; never the thing itself."""

Key = Annotated[str, Field(min_length=1, max_length=MAX_KEY), IDENTIFIER]
"""What a message is about. For facts and states: as it was stored."""


def _key(text: str) -> str:
    if unfit := unfit_for_key(text):
        raise PydanticCustomError("unfit_for_key", "a key may not hold {character}", {"character": unfit})
    if not has_visible(text):
        raise PydanticCustomError("no_visible_character", "write at least one visible character")
    return text


RequestKey = Annotated[
    str, Field(min_length=1, max_length=MAX_KEY, pattern=r"\S"), AfterValidator(_key), IDENTIFIER
]
"""A key or id in a command or query: no control or format characters, no U+FFFD."""

Revision = Annotated[int, Field(ge=1, le=MAX_REVISION)]
Number = Annotated[int, Field(ge=1, le=MAX_REVISION)]
"""Counted from 1."""


def bookmark_text(mark: str) -> str:
    """What a bookmark stands for. Raises ValueError for what `next` never was."""
    try:
        text = urlsafe_b64decode(mark.encode("ascii")).decode()
        if urlsafe_b64encode(text.encode()).decode() == mark:
            return text
    except ValueError:
        pass
    raise ValueError("`after` has to be the `next` of an earlier page, as it was given")


def _bookmark(mark: str) -> str:
    try:
        bookmark_text(mark)
    except ValueError:
        raise PydanticCustomError("bad_bookmark", "give the `next` of an earlier page, unchanged") from None
    return mark


Bookmark = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_bookmark)]
"""The `next` of an earlier page, as it was given."""
