"""`duban import --init FILE`: a map proposed from the file's own headings and words, to be looked through.

What cannot be known is left empty, and the map is refused with its line until it is filled in.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import islice
from pathlib import Path
from unicodedata import normalize

from duban_contracts.charter import Charter
from services.console.i18n import _
from services.console.importing.cells import BadFile, Cell
from services.console.importing.csv_file import guessed_delimiter, guessed_encoding
from services.console.importing.dates import parsed
from services.console.importing.headings import CHANNELS, FIELDS, FORMATS, MONTH_FIRST, STATUSES
from services.console.importing.rows import is_workbook, raw_rows

LOOKED_AT = 2_000
"""Rows."""
HEADINGS_WITHIN = 20
"""Rows in which the headings are looked for."""
MOST_WORDS = 40
"""A column with more different words is no list of words."""
DATED = ("submitted_at", "due_at", "closed_at")
WORDS = ("status", "category", "station", "village", "channel")


@dataclass
class Proposal:
    encoding: str
    delimiter: str
    header_row: int
    header: list[str]
    columns: dict[str, str] = field(default_factory=dict)
    formats: list[str] = field(default_factory=list)
    words: dict[str, Counter[str]] = field(default_factory=dict)
    unclear: str = ""
    """A date that can be read month first or day first, where nothing in the file tells which."""
    choices: tuple[list[str], list[str]] = ([], [])
    """Its formats, month first and day first."""


def propose(path: Path, sheet: str | None = None) -> Proposal:
    """Raises BadFile where no heading is known, OSError where there is no file."""
    encoding, delimiter = "utf-8-sig", ","
    if not is_workbook(path):
        encoding = guessed_encoding(path) or encoding
        delimiter = guessed_delimiter(path, encoding)
    with closing(raw_rows(path, encoding, delimiter, sheet)) as raw:
        rows = list(islice(raw, LOOKED_AT))
    number, header = _headings(rows)
    found = Proposal(encoding, delimiter, number, header)
    found.columns = _columns(header)
    if not found.columns:
        said = _("{path}: no heading is known; write the map by hand, --explain-map says how")
        raise BadFile(said.format(path=path))
    below = rows[number:]
    _look_at_dates(found, below)
    for name in WORDS:
        if name in found.columns:
            counted = Counter(str(cell) for cell in _cells(found, below, name) if cell != "")
            if len(counted) <= MOST_WORDS:
                found.words[name] = counted
    return found


def _headings(rows: Sequence[Sequence[Cell]]) -> tuple[int, list[str]]:
    """The row, counted from 1, in which most headings are known; the first of several."""
    candidates = [[str(cell) for cell in row] for row in rows[:HEADINGS_WITHIN]] or [[]]
    best = max(range(len(candidates)), key=lambda place: (len(_columns(candidates[place])), -place))
    return best + 1, candidates[best]


def _columns(header: Iterable[str]) -> dict[str, str]:
    """Field to heading: the best known name first, each heading once."""
    by_name = {_folded(heading): heading for heading in reversed([each for each in header if each])}
    taken = dict[str, str]()
    for name, known in FIELDS.items():
        heading = next((by_name[each] for each in known if each in by_name), None)
        if heading is not None and heading not in taken.values():
            taken[name] = heading
    return taken


def _folded(heading: str) -> str:
    """Without what differs between two spellings of one heading."""
    return re.sub(r"[\s_\-:：()（）*]", "", normalize("NFKC", heading)).lower()


def _cells(found: Proposal, rows: Sequence[Sequence[Cell]], name: str) -> list[Cell]:
    place = found.header.index(found.columns[name])
    return [row[place] for row in rows if place < len(row)]


def _look_at_dates(found: Proposal, rows: Sequence[Sequence[Cell]]) -> None:
    """The fewest formats that read every cell; a planned end that is mostly a day alone is one."""
    texts = list[str]()
    for name in DATED:
        if name in found.columns:
            texts += [cell for cell in _cells(found, rows, name) if isinstance(cell, str) and cell]
    for form in _in_one_order(found, texts):
        read = [text for text in texts if parsed(text, (form,)) is not None]
        if read:
            found.formats.append(form)
            texts = [text for text in texts if text not in set(read)]
    if "due_at" in found.columns:
        formats = found.formats + found.choices[0]
        moments = [_moment(cell, formats) for cell in _cells(found, rows, "due_at") if cell != ""]
        timed = [each for each in moments if isinstance(each, datetime) and each.time() != time()]
        if 2 * len(timed) < len(moments) or not moments:
            found.columns["due_on"] = found.columns.pop("due_at")


def _in_one_order(found: Proposal, texts: Sequence[str]) -> list[str]:
    """The formats to try: of dates with slashes only those that have the month where every such date does.

    Where both or neither order reads all of them, none: a wrong guess would swap days and months silently.
    """
    day_first = [form.replace("%m/%d", "%d/%m") for form in MONTH_FIRST]
    orders = (MONTH_FIRST, tuple(day_first))
    slashed = [text for text in texts if any(parsed(text, order) for order in orders)]
    readable = [all(parsed(text, order) for text in slashed) for order in orders]
    others = [form for form in FORMATS if form not in MONTH_FIRST]
    if not slashed or readable[0] != readable[1]:
        return [*others, *(orders[0] if readable[0] else orders[1])]
    found.unclear = next(
        (text for text in slashed if all(parsed(text, order) for order in orders)), slashed[0]
    )
    month, day = (
        [form for form in order if any(parsed(text, (form,)) for text in slashed)] for order in orders
    )
    found.choices = (month, day)
    return others


def _moment(cell: Cell, formats: Sequence[str]) -> object:
    return parsed(cell, tuple(formats)) if isinstance(cell, str) else cell


def written(found: Proposal, feed: str, charter: Charter | None = None) -> str:
    """YAML text. With a charter its names stand for its tokens; else they are left to be filled in."""
    columns, lines = dict(found.columns), list[str]()
    lines += [
        "# "
        + _("Proposed from the file's headings: look through every line, above all those without a value."),
        "# " + _("`duban import --explain-map` says what each field means."),
        f"feed: {feed}",
        f"timezone: {charter.timezone if charter else 'Asia/Shanghai'}",
    ]
    if found.encoding != "utf-8-sig":
        lines.append(f"encoding: {found.encoding}")
    if found.delimiter != ",":
        lines.append(f"delimiter: {_quoted(found.delimiter)}")
    if found.header_row != 1:
        lines.append(f"header_row: {found.header_row}")
    if "title" not in columns:  # the text says at least what it is about; the category is the same for many
        columns["title"] = columns.get("text") or ""
    lines += ["", "columns:"]
    for name in ("id", "title", "submitted_at"):
        lines.append(f"  {name}: {_quoted(columns.pop(name)) if columns.get(name) else ''}".rstrip())
    lines += [f"  {name}: {_quoted(heading)}" for name, heading in columns.items() if heading]
    lines += _unread(found)
    lines += ["", *_date_formats(found)]
    lines += _closing(found)
    lines += _tables(found, charter)
    if "category" not in found.columns:
        lines += ["", "defaults:", "  category:  # " + _("a category of the charter")]
    return "\n".join(lines) + "\n"


def _unread(found: Proposal) -> list[str]:
    """What stays out of the register, unless somebody gives it a field."""
    read = found.columns.values()
    left = [" ".join(heading.split()) for heading in found.header if heading and heading not in read]
    said = _("not read: {headings}").format(headings=", ".join(left))
    return [f"  # {said}"] if left else []


def _date_formats(found: Proposal) -> list[str]:
    if not found.unclear:
        return [f"date_formats: {_quoted(found.formats or ['%Y-%m-%d %H:%M'])}"]
    month, day = (_quoted(found.formats + choice) for choice in found.choices)
    said = _("{cell} is ambiguous: month first or day first? Fill in one of the two")
    return [
        "# " + said.format(cell=found.unclear),
        "# " + _("month first: {formats}").format(formats=month),
        "# " + _("day first: {formats}").format(formats=day),
        "date_formats:",
    ]


def _closing(found: Proposal) -> list[str]:
    if "status" not in found.columns:
        if "closed_at" not in found.columns:
            return []
        explained = _("closed and solved where the closing time is filled in; an empty cell means open")
        return ["", f"closed_when: filled  # {explained}"]
    lines = ["", "statuses:"]
    for word, count in sorted(found.words.get("status", Counter()).items()):
        meaning = STATUSES.get(_folded(word), "")
        lines.append(_entry(word, meaning, count))
    return lines


def _tables(found: Proposal, charter: Charter | None) -> list[str]:
    lines = list[str]()
    for name, table in (
        ("category", "categories"),
        ("station", "stations"),
        ("village", "villages"),
        ("channel", "channels"),
    ):
        words = found.words.get(name)
        if words:
            known = CHANNELS if name == "channel" else _tokens(charter, table)
            meanings = {word: _meaning(word, known) for word in sorted(words)}
            lines += ["", f"{table}:"]
            if known and not all(meanings.values()):
                tokens = ", ".join(dict.fromkeys(known.values()))
                lines.append("  # " + _("one of: {tokens}").format(tokens=tokens))
            lines += [_entry(word, meaning, words[word]) for word, meaning in meanings.items()]
    return lines


def _meaning(word: str, known: Mapping[str, str]) -> str:
    """By the name, else by the only name of which it is the end, or which is its end: 清洁办 and 某镇清洁办
    for 镇清洁办; empty where there is none or are several."""
    wanted = _folded(word).replace("办公室", "办")
    if found := known.get(_folded(word)) or known.get(wanted):
        return found
    near = {
        token
        for name, token in known.items()
        if min(len(name), len(wanted)) > 1 and not wanted.isascii()
        if name.endswith(wanted) or wanted.endswith(name.lstrip("镇乡"))
    }
    return near.pop() if len(near) == 1 else ""


def _tokens(charter: Charter | None, table: str) -> Mapping[str, str]:
    if charter is None:
        return {}
    things = getattr(charter, table)
    named = {_folded(each.name): token for token, each in things.items()}
    return named | {_folded(token): token for token in things}


def _entry(word: str, meaning: str, count: int) -> str:
    """Left empty where it is not known."""
    rows = _("rows: {count}").format(count=count)
    return f"{f'  {_quoted(word)}: {meaning}'.rstrip()}  # {rows}"


def _quoted(text: object) -> str:
    return json.dumps(text, ensure_ascii=False)


def feed_of(path: Path) -> str:
    """A token made of the file's name; one without letters, e.g. a year, says nothing of where it is from."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-_")[:40]
    return name if re.search("[A-Za-z]", name) else f"past-{name}"[:40].rstrip("-")
