"""One row and the map become one command, or a refusal that says why. Pure, and never raises."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from duban_contracts.charter import Token
from duban_contracts.intake import Channel, PastOutcome, SubmitMatter
from services.console.i18n import _
from services.console.importing.dates import as_text, day_of, in_utc, read_date, second_reading
from services.console.importing.mapping import ImportMap, StatusMeaning, Template, near
from services.console.importing.rows import Row

_token = TypeAdapter(Token)
_CHANNELS = {channel.value: channel.value for channel in Channel}
ID_LIMIT = 200
"""Characters of a key or a message id, as the contracts have it."""
ATTEMPT = 13
"""Characters that a second attempt adds to a message id."""


@dataclass(frozen=True)
class Case:
    """A row that can be sent. `id` is the message's: the same row always has the same."""

    row: Row
    key: str
    id: str
    command: SubmitMatter
    at: datetime


@dataclass(frozen=True)
class Refused:
    """A row that stays out. `code` is for programs, `reason` says what to do."""

    row: Row
    code: str
    reason: str


class _No(Exception):
    """A row's refusal, on its way out of a cell."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def convert(row: Row, import_map: ImportMap) -> Case | Refused:
    try:
        return _Reading(row, import_map).case()
    except _No as no:
        return Refused(row, no.code, no.reason)


def external_id(row: Row, import_map: ImportMap) -> str:
    """Their own id of the case; empty where there is none."""
    return as_text(row[import_map.columns.id], import_map)


@dataclass(frozen=True)
class _Reading:
    row: Row
    map: ImportMap

    def case(self) -> Case:
        if self.row.surplus:
            said = _("{count} cells stand beyond the last column; look for a delimiter too many")
            raise _No("bad_row", said.format(count=self.row.surplus))
        key = f"{self.map.feed}:{self.id()}"
        at = self.submitted_at()
        return Case(self.row, key, f"import:{key}", self.command(at), at)

    def id(self) -> str:
        known = external_id(self.row, self.map)
        if not known:
            raise _No(
                "missing_id", _("there is no id; fill in {column!r}").format(column=self.map.columns.id)
            )
        room = ID_LIMIT - len(f"import:{self.map.feed}:") - ATTEMPT
        if len(known) > room or not known.isprintable():
            said = _("{known!r} is no id; write at most {room} printable characters")
            raise _No("bad_id", said.format(known=known[:50], room=room))
        return known

    def command(self, at: datetime) -> SubmitMatter:
        fields: dict[str, Any] = {
            "title": self.title(),
            "category": self.category(),
            "station": self.word("station", self.map.stations, self.map.defaults.station),
            "village": self.word("village", self.map.villages, self.map.defaults.village),
            "channel": self.channel(),
            "text": self.cell("text"),
            "due_on": self.due_on(),
            "past": self.past(at),
            **{mark: self.flag(mark) for mark in ("urgent", "hardship", "safety")},
        }
        try:
            return SubmitMatter.model_validate(fields)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            raise _No("bad_value", f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None

    def cell(self, field: str) -> str:
        """What stands in the field's column; nothing where the map names no column for it."""
        column = getattr(self.map.columns, field)
        return "" if column is None else as_text(self.row[column], self.map)

    def title(self) -> str:
        title = self.map.columns.title
        if isinstance(title, Template):
            cells = {column: as_text(self.row[column], self.map) for column in title.columns}
            return title.filled(cells).strip() or self.missing("title")
        return self.cell("title") or self.missing("title")

    def category(self) -> str:
        found = self.word("category", self.map.categories, self.map.defaults.category)
        return found or self.missing("category")

    def channel(self) -> str:
        words = _CHANNELS if self.map.channels is None else self.map.channels
        return self.word("channel", words, self.map.defaults.channel) or Channel.OTHER

    def word(self, field: str, words: Mapping[str, str] | None, default: str | None) -> str | None:
        """Our token for what the cell says; without a table the cell has to be one already."""
        said = self.cell(field)
        if not said:
            return default
        if words is not None:
            return words.get(said) or self.unknown(field, said, words)
        return said if _is_token(said) else self.unknown(field, said, ())

    def flag(self, field: str) -> bool:
        said = self.cell(field).lower()
        yes, no = ([word.lower() for word in words] for words in (self.map.yes, self.map.no))
        if said and said not in (*yes, *no):
            self.unknown(field, said, (*yes, *no))
        return said in yes

    def submitted_at(self) -> datetime:
        moment = self.dated("submitted_at") or self.missing("submitted_at")
        return in_utc(moment, self.map)

    def due_on(self) -> date | None:
        """The planned day may lie before the submission: the record says so, and it is a record."""
        planned = self.dated("due_on")
        return planned and day_of(planned)

    def past(self, submitted_at: datetime) -> PastOutcome | None:
        """How a closed case ended. Of an open one a closing time is not looked at: it was reopened."""
        meaning = self.status()
        if meaning is None or meaning.outcome is None:
            return None
        return PastOutcome(outcome=meaning.outcome, closed_at=self.closed_at(submitted_at))

    def status(self) -> StatusMeaning | None:
        if self.map.columns.status is None:
            return None
        said = self.cell("status") or self.missing("status")
        return self.map.statuses.get(said) or self.unknown("status", said, self.map.statuses)

    def closed_at(self, submitted_at: datetime) -> datetime | None:
        """None where the time was not recorded."""
        closed = self.dated("closed_at")
        if closed is None:
            return None
        at = in_utc(closed, self.map)
        if at < submitted_at and isinstance(closed, datetime):
            at = max(at, second_reading(closed))
        elif at < submitted_at and closed == submitted_at.astimezone(self.map.zone).date():
            at = submitted_at  # the day alone is known, and it was not before the submission
        if at < submitted_at:
            said = _("closed at {closed}, before it was submitted at {submitted}; correct one of them")
            raise _No("closed_before_submitted", said.format(closed=at, submitted=submitted_at))
        return at

    def dated(self, field: str) -> date | None:
        column = getattr(self.map.columns, field)
        if column is None or not self.row[column]:
            return None
        found = read_date(self.row[column], self.map)
        if found is None:
            said = _("{field} {cell!r} is no date as the map writes them ({formats}), from 1900 to 2200")
            cell, formats = str(self.row[column])[:50], ", ".join(self.map.date_formats)
            raise _No("bad_date", said.format(field=field, cell=cell, formats=formats))
        return found

    def missing(self, field: str) -> NoReturn:
        raise _No("missing_value", _("{field} is empty; fill it in").format(field=field))

    def unknown(self, field: str, word: str, known: Iterable[str]) -> NoReturn:
        said = _("the map does not know the {field} {word!r}; add it there or correct the row{hint}")
        raise _No(f"unknown_{field}", said.format(field=field, word=word[:50], hint=near(word, known)))


def _is_token(word: str) -> bool:
    try:
        _token.validate_python(word)
    except ValidationError:
        return False
    return True
