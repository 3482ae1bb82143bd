"""The map of an import: which column says what, and which of our words stands for each of theirs."""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from duban_contracts.charter import Token
from duban_contracts.intake import Channel, Outcome
from services.chassis.yaml_bounds import OutOfBounds, bounded, check_size
from services.console.i18n import _

WORDS = ("chinese", "excel", "excel1904")
"""Formats that no directives can say: 2024年5月3日 9时30分 and its like, and the days of spreadsheets."""
SAMPLE = datetime(2024, 2, 29, 13, 45, tzinfo=UTC)


class MapErrors(Exception):
    """The map cannot be used, or not for this file. `findings` holds every error, one sentence each."""

    def __init__(self, path: Path, findings: Iterable[str]) -> None:
        self.path, self.findings = path, list(findings)
        super().__init__("\n".join(f"{path}: {finding}" for finding in self.findings))


def near(word: str, known: Iterable[str]) -> str:
    """A hint to follow a complaint about `word`: the nearest known word, or all if they are few."""
    known = sorted(known)
    if close := get_close_matches(word, known, 1):
        return _("; did you mean {word!r}?").format(word=close[0])
    return _("; known here: {words}").format(words=", ".join(known)) if 0 < len(known) <= 12 else ""


def _zone(name: str) -> str:
    if name not in available_timezones():
        said = _("{name!r} is no time zone{hint}").format(name=name, hint=near(name, available_timezones()))
        raise ValueError(said)
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        said = _("{name!r} is no encoding; use for instance utf-8 or gb18030").format(name=name)
        raise ValueError(said) from None
    return name


def _date_format(text: str) -> str:
    """It must keep year, month and day, or every row would be refused, or worse, misread."""
    if text in WORDS:
        return text
    try:
        keeps = datetime.strptime(SAMPLE.strftime(text), text).date() == SAMPLE.date()  # noqa: DTZ007
    except ValueError:
        keeps = False
    if not keeps:
        said = _(
            "{text!r} is no date format with year, month and day; write one like '%Y-%m-%d %H:%M', "
            "or one of the words {words}"
        )
        raise ValueError(said.format(text=text, words=", ".join(WORDS)))
    return text


class MapPart(BaseModel):
    # Numbers are words too: a status may well be written 1 and 2.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Template(MapPart):
    """A text of its own; `{column}` in it stands for the row's cell."""

    template: str = Field(min_length=1)

    @model_validator(mode="after")
    def _is_well_formed(self) -> Self:
        list(Formatter().parse(self.template))
        return self

    @property
    def columns(self) -> list[str]:
        return [column for _text, column, *_rest in Formatter().parse(self.template) if column]

    def filled(self, cells: Mapping[str, str]) -> str:
        pieces = Formatter().parse(self.template)
        return "".join(text + cells.get(column or "", "") for text, column, *_rest in pieces)


class Columns(MapPart):
    """Each field is the name of a column in the file; the title may be a template instead."""

    id: str
    title: str | Template
    submitted_at: str
    category: str | None = None
    station: str | None = Field(None, description="Absent or empty: the category's lead")
    status: str | None = Field(None, description="Absent: every case is still open")
    due_on: str | None = Field(None, description="The planned day; of a time only the day counts")
    due_at: str | None = Field(
        None, description="The planned end as an instant; a day alone there counts as that day"
    )
    closed_at: str | None = None
    village: str | None = None
    channel: str | None = None
    text: str | None = Field(None, description="The petitioner's own words; stay in intake's database")
    urgent: str | None = None
    hardship: str | None = None
    safety: str | None = None
    petitioner: str | None = Field(None, description="Who brought it; stays in intake's database")
    phone: str | None = Field(None, description="Of the petitioner; stays in intake's database")
    answer: str | None = Field(None, description="Of a closed case: what the petitioner was told")

    def named(self) -> Iterator[tuple[str, str]]:
        """(field, column) for each column that the map counts on."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if isinstance(value, Template):
                yield from ((f"{field}.template", column) for column in value.columns)
            elif value is not None:
                yield field, value


class StatusMeaning(MapPart):
    closed: bool
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.closed and self.outcome is None:
            raise ValueError(_("a closed status needs an outcome: {names}").format(names=", ".join(Outcome)))
        if not self.closed and self.outcome is not None:
            raise ValueError(_("an open status has no outcome; remove it, or write closed: true"))
        return self


CLOSED, STILL_OPEN = StatusMeaning(closed=True, outcome=Outcome.SOLVED), StatusMeaning(closed=False)


class ClosedWhen(MapPart):
    """For files without a status: what a filled cell of a column means, and what an empty one."""

    column: str | None = Field(None, description="Default: columns.closed_at")
    filled: StatusMeaning = CLOSED
    empty: StatusMeaning = STILL_OPEN


def _closed_when(value: object) -> object:
    """`filled` stands for: closed and solved where a closing time is filled in, open where it is not."""
    return {} if value == "filled" else value


class Defaults(MapPart):
    """What holds where a row's cell is empty or the file has no such column."""

    category: Token | None = None
    station: Token | None = None
    village: Token | None = None
    channel: Channel = Channel.OTHER


class ImportMap(MapPart):
    feed: Token = Field(description="Where the cases come from; their keys are <feed>:<id>")
    actor: Token = Field("import", description="The charter's actor that is believed about the past")
    timezone: Annotated[str, AfterValidator(_zone)]
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: str = Field(",", min_length=1, max_length=1)
    sheet: str | None = Field(None, description="Of a workbook; default: the first")
    header_row: int = Field(1, ge=1, le=1000, description="The row with the headings; the first row is 1")
    columns: Columns
    date_formats: tuple[Annotated[str, AfterValidator(_date_format)], ...] = Field(
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"), min_length=1
    )
    statuses: dict[str, StatusMeaning] = Field(default_factory=dict)
    closed_when: Annotated[ClosedWhen | None, BeforeValidator(_closed_when)] = Field(
        None, description="Instead of a status column"
    )
    categories: dict[str, Token] | None = Field(None, description="Absent: cells are our tokens already")
    stations: dict[str, Token] | None = Field(None, description="Absent: cells are our tokens already")
    villages: dict[str, Token] | None = Field(None, description="Absent: cells are our tokens already")
    channels: dict[str, Channel] | None = Field(None, description="Absent: cells are our words already")
    yes: tuple[str, ...] = Field(("y", "yes", "true", "1", "是"), description="In any case of letters")
    no: tuple[str, ...] = Field(("n", "no", "false", "0", "否"), description="An empty cell means no too")
    defaults: Defaults = Defaults()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.columns.category is None and self.defaults.category is None:
            raise ValueError(_("name a column for the category, or give defaults.category"))
        if self.columns.status is not None and not self.statuses:
            raise ValueError(_("columns.status needs statuses: say of each word what it means"))
        if self.columns.status is not None and self.closed_when is not None:
            raise ValueError(_("columns.status and closed_when both tell closed cases from open; keep one"))
        if self.columns.closed_at is not None and self.columns.status is None and self.closed_when is None:
            said = _(
                "columns.closed_at needs columns.status, which tells closed cases from open, "
                "or closed_when: filled"
            )
            raise ValueError(said)
        if self.closed_when is not None and self.closing_column is None:
            raise ValueError(_("closed_when needs columns.closed_at, or a column of its own"))
        return self

    @property
    def closing_column(self) -> str | None:
        """The column whose being filled tells that a case is closed."""
        return (self.closed_when and self.closed_when.column) or self.columns.closed_at

    def needed(self) -> Iterator[tuple[str, str]]:
        """(field, column) for each column that the map counts on."""
        yield from ((f"columns.{field}", column) for field, column in self.columns.named())
        if self.closed_when is not None and self.closed_when.column is not None:
            yield "closed_when.column", self.closed_when.column

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def read_map(path: Path) -> ImportMap:
    """The map in the YAML file at `path`. Raises MapErrors with all that is wrong, OSError if unreadable."""
    try:
        content = path.read_bytes()
        check_size(content)
        document = bounded(YAML(typ="rt", pure=True)).load(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MapErrors(path, [_("not UTF-8 text; save the map as UTF-8")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise MapErrors(path, [_unreadable(error)]) from None
    if not isinstance(document, Mapping):
        raise MapErrors(path, [_("a map of an import is a mapping of fields; this file holds none")])
    try:
        return ImportMap.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise MapErrors(path, dict.fromkeys(_sentence(document, fault) for fault in faults)) from None


def check_header(path: Path, import_map: ImportMap, header: Sequence[str]) -> None:
    """Raises MapErrors, before anything is sent, unless each mapped column is in the file just once."""
    findings = []
    for field, column in import_map.needed():
        if column not in header:
            said = _("{field}: the file has no column {column!r}{hint}")
            findings.append(said.format(field=field, column=column, hint=near(column, filter(None, header))))
        elif header.count(column) > 1:
            said = _("{field}: the file has more than one column {column!r}; rename the others")
            findings.append(said.format(field=field, column=column))
    if findings:
        raise MapErrors(path, findings)


def _unreadable(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, OutOfBounds):
        said = _("larger or deeper than any map ({bound}); write fewer aliases").format(bound=error.code)
        return said if mark is None else _("line {line}: {place}").format(line=mark.line + 1, place=said)
    said = error.problem if isinstance(error, MarkedYAMLError) and error.problem else str(error)
    said = said.strip().partition("\n")[0]
    if mark is None:
        return _("not readable as YAML: {said}").format(said=said)
    return _("line {line}: not readable as YAML: {said}").format(line=mark.line + 1, said=said)


def _sentence(document: Mapping[object, object], fault: ErrorDetails) -> str:
    """Line, field, and what to do."""
    steps = [step for step in fault["loc"] if step not in ("[key]", "str", "Template")]
    place = ".".join(map(str, steps))
    said = _what_to_do(fault, str(steps[-1]) if steps else "")
    line = _line(document, steps)
    where = _("line {line}: {place}").format(line=line, place=place) if place else f"{line}"
    return f"{where}: {said}" if place else _("the map: {said}").format(said=said)


def _what_to_do(fault: ErrorDetails, name: str) -> str:
    given = fault["input"]
    match fault["type"]:
        case "missing":
            return _("the field is missing; add it")
        case "extra_forbidden":
            return _("unknown field{hint}").format(hint=near(name, _fields()))
        case "string_type" | "model_type" | "tuple_type" | "dict_type" if given is None:
            return _("nothing stands here; fill it in, or remove the line")
        case "enum" if given is None:
            said = _("nothing stands here; use {known}, or remove the line")
            return said.format(known=fault["ctx"]["expected"])
        case "string_type":
            return _("must be text; put {given!r} in quotes").format(given=given)
        case "string_pattern_mismatch":
            said = _("{given!r} is no token; use 1 to 40 ASCII letters, digits, '-' and '_'")
            return said.format(given=given)
        case "enum":
            return _("unknown value {given!r}; use {known}").format(
                given=given, known=fault["ctx"]["expected"]
            )
        case "bool_parsing" | "bool_type":
            return _("must be true or false, not {given!r}").format(given=given)
        case "model_type" | "dict_type":
            return _("must be a mapping of fields, not {given!r}").format(given=given)
        case "tuple_type":
            return _("must be a list, not {given!r}").format(given=given)
        case "value_error":
            return fault["msg"].removeprefix("Value error, ")
        case _:
            return _("{problem}, not {given!r}").format(problem=fault["msg"], given=given)


def _fields() -> list[str]:
    models = (ImportMap, Columns, StatusMeaning, ClosedWhen, Defaults)
    return [field for model in models for field in model.model_fields]


def _line(node: object, steps: Sequence[str | int]) -> int:
    """The line of a place, counted from 1, or of the nearest one above it that stands in the file."""
    line = 1
    for step in steps:
        if isinstance(node, CommentedMap):
            key = next((key for key in node if str(key) == str(step)), None)
            if key is None:
                return line
            line, node = node.lc.key(key)[0] + 1, node[key]
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, node = node.lc.item(step)[0] + 1, node[step]
        else:
            return line
    return line
