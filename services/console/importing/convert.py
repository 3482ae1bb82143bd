"""One row and the map become one command, or a refusal that says why. Pure, and never raises."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from duban_contracts.charter import Token
from duban_contracts.intake import Channel, PastOutcome, SubmitMatter
from services.console.i18n import _
from services.console.importing.cells import Cell, NumberText
from services.console.importing.dates import (
    as_text,
    day_of,
    in_utc,
    in_zone,
    parsed,
    read_date,
    second_reading,
)
from services.console.importing.mapping import ImportMap, StatusMeaning, Template, near
from services.console.importing.rows import Row
from services.console.numbers import half_width

_token = TypeAdapter(Token)
_CHANNELS = {channel.value: channel.value for channel in Channel}
ID_LIMIT = 200
"""Characters of a key or a message id, as the contracts have it."""
ATTEMPT = 13
"""Characters that a second attempt adds to a message id."""
EXACT_BELOW = 10**15
"""A workbook keeps numbers with 15 digits: what is larger has lost its last ones."""
SCIENTIFIC = re.compile(r"^[+-]?\d(?:[.,]\d+)?[eE]\+?\d+$")


@dataclass(frozen=True)
class Case:
    """A row that can be sent. `id` is the message's: the same row always has the same."""

    row: Row
    key: str
    id: str
    command: SubmitMatter
    at: datetime
    notes: tuple[str, ...] = ()
    """What of the row is left out, by code: it stays out of the register without being refused."""


CLOSING_OF_AN_OPEN_CASE = "closing_date_of_open_case"
"""The status says that the case is open, a closing time stands there all the same: it was reopened, or the
status is behind. It comes in as open, and the closing time is not kept."""


ANSWER_OF_AN_OPEN_CASE = "answer_of_open_case"
"""The case is open, so nobody was answered yet: what stands there is not kept."""


IDS_ARE_NUMBERS = "ids_are_numbers"
"""A workbook keeps no zeros in front of a number: whether there were any cannot be seen."""


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
    return half_width(as_text(row[import_map.columns.id], import_map))


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
        return Case(self.row, key, f"import:{key}", self.command(at), at, self.notes())

    def id(self) -> str:
        self.check_spreadsheet_id(self.row[self.map.columns.id])
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

    def check_spreadsheet_id(self, cell: Cell) -> None:
        """Ids that a spreadsheet has taken for numbers or dates: what is lost cannot be seen any more."""
        column = self.map.columns.id
        if not isinstance(cell, str):
            said = _(
                "the id in {column!r} is a date: a spreadsheet made it of something like 3-12; "
                "format the column as text and export it again"
            )
            raise _No("id_is_a_date", said.format(column=column))
        large = isinstance(cell, NumberText) and abs(float(cell)) >= EXACT_BELOW
        if large or SCIENTIFIC.match(half_width(cell)):
            said = _(
                "{known!r} has lost digits: a spreadsheet keeps 15 of a number; "
                "format the column {column!r} as text and export it again"
            )
            raise _No("id_lost_digits", said.format(known=cell[:50], column=column))
        if isinstance(cell, NumberText) and not float(cell).is_integer():
            said = _("{known!r} is a number with a fraction, and no id; format the column {column!r} as text")
            raise _No("bad_id", said.format(known=cell[:50], column=column))

    def notes(self) -> tuple[str, ...]:
        meaning = self.status()
        is_open = meaning is None or meaning.outcome is None
        found = []
        if is_open and self.cell("closed_at"):
            found.append(CLOSING_OF_AN_OPEN_CASE)
        if is_open and self.cell("answer"):
            found.append(ANSWER_OF_AN_OPEN_CASE)
        if isinstance(self.row[self.map.columns.id], NumberText):
            found.append(IDS_ARE_NUMBERS)
        return tuple(found)

    def command(self, at: datetime) -> SubmitMatter:
        past = self.past(at)
        fields: dict[str, Any] = {
            "title": self.title(),
            "category": self.category(),
            "station": self.word("station", self.map.stations, self.map.defaults.station),
            "village": self.word("village", self.map.villages, self.map.defaults.village),
            "channel": self.channel(),
            "text": self.cell("text"),
            "petitioner": self.petitioner(),
            **self.due(),
            "past": past,
            "solved_on_the_spot": (past and self.cell("answer")) or None,
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

    def petitioner(self) -> dict[str, str] | None:
        said = {"name": self.cell("petitioner"), "phone": self.cell("phone")}
        return {field: cell for field, cell in said.items() if cell} or None

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
        if not said and (words is None or "" not in words):
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

    def due(self) -> dict[str, date | None]:
        """The planned end may lie before the submission: the record says so, and it is a record.

        An instant goes before a day, and a day alone in the column of instants counts as that day.
        """
        planned, day = self.dated("due_at"), self.dated("due_on")
        if isinstance(planned, datetime):
            return {"due_at": planned.astimezone(UTC)}
        return {"due_on": planned or (day and day_of(day))}

    def past(self, submitted_at: datetime) -> PastOutcome | None:
        """How a closed case ended. Of an open one a closing time is not looked at: it was reopened."""
        meaning = self.status()
        if meaning is None or meaning.outcome is None:
            return None
        return PastOutcome(outcome=meaning.outcome, closed_at=self.closed_at(submitted_at))

    def status(self) -> StatusMeaning | None:
        """None where the map does not tell closed cases from open: then all are open."""
        if self.map.closed_when is not None and self.map.closing_column is not None:
            filled = self.row[self.map.closing_column] != ""
            return self.map.closed_when.filled if filled else self.map.closed_when.empty
        if self.map.columns.status is None:
            return None
        said = self.cell("status")
        if not said and "" not in self.map.statuses:
            self.missing("status")
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
            local = {"closed": in_zone(at, self.map), "submitted": in_zone(submitted_at, self.map)}
            raise _No("closed_before_submitted", said.format(**local))
        return at

    def dated(self, field: str) -> date | None:
        column = getattr(self.map.columns, field)
        if column is None or not self.row[column]:
            return None
        found = read_date(self.row[column], self.map)
        if found is None:
            said = _(
                "{field} {cell!r} is no date as the map writes them ({formats}), from 1900 to 2200{hint}"
            )
            cell, formats = str(self.row[column])[:50], ", ".join(self.map.date_formats)
            hint = self.other_format(cell)
            raise _No("bad_date", said.format(field=field, cell=cell, formats=formats, hint=hint))
        return found

    def other_format(self, cell: str) -> str:
        known = next((word for word in ("chinese", "excel") if parsed(cell, (word,))), None)
        if known is None:
            return ""
        return _("; add {word!r} to date_formats to read it").format(word=known)

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
