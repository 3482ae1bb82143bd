"""Dates and times as files write them, read in the map's time zone.

In the hour that the clock shows twice, a time means the first of the two; `second_reading` is the other.
In the hour that the clock leaves out, a time is read as if it had not been put forward yet.

Three formats are words, for what no directives can say:

| word | reads |
|---|---|
| `chinese` | 2024年5月3日 9时30分 and its like: time, weekday, 上午 or 下午 may be there |
| `excel` | days since 30 December 1899, with the time as fraction: 45415.3958 |
| `excel1904` | the same since 1 January 1904, as old programs on the Mac counted |
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from services.console.importing.cells import Cell
from services.console.importing.mapping import ImportMap
from services.console.numbers import half_width

YEARS = range(1900, 2201)
"""A year outside is a slip of the pen, and calendars need not be right there."""
TIMES = ("%H", "%I", "%X", "%c")
SERIAL = re.compile(r"^\d{5}(\.\d+)?$")
"""From 1927 to 2173: fewer digits are more likely a year or an id than a day."""
CHINESE = re.compile(
    r"""^(?P<year>\d{4})\s*[年./-]\s*(?P<month>\d{1,2})\s*[月./-]\s*(?P<day>\d{1,2})\s*[日号]?
    \s*[,(]?\s*(?:(?:星期|周)[一二三四五六日天])?\s*[,)]?
    \s*(?:T\s*)?(?P<half>凌晨|早上|上午|中午|下午|傍晚|晚上|夜间)?
    \s*(?:(?P<hour>\d{1,2})\s*[时点:]\s*(?:(?P<part>半|整)|(?:(?P<minute>\d{1,2})\s*分?
    (?:\s*:?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?)?))?$""",
    re.VERBOSE,
)
NIGHT = {"晚上", "夜间"}
AFTERNOON = {"下午", "傍晚", *NIGHT}


def read_date(cell: Cell, import_map: ImportMap) -> date | None:
    """A datetime in the map's zone, a date where the cell gives the day alone, None where it is neither."""
    found = parsed(cell, import_map.date_formats) if isinstance(cell, str) else _day_if_bare(cell)
    if found is None or found.year not in YEARS:
        return None
    if not isinstance(found, datetime):
        return found
    return found.astimezone(import_map.zone) if found.tzinfo else found.replace(tzinfo=import_map.zone)


def day_of(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def in_utc(moment: date, import_map: ImportMap) -> datetime:
    """The day alone begins at midnight."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), import_map.zone)
    return moment.astimezone(UTC)


def in_zone(moment: datetime, import_map: ImportMap) -> str:
    """For people: local time, to the minute or as far as it goes."""
    local = moment.astimezone(import_map.zone)
    return f"{local:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def second_reading(moment: datetime) -> datetime:
    return moment.replace(fold=1).astimezone(UTC)


def as_text(cell: Cell, import_map: ImportMap) -> str:
    """A typed date as the map's own first format writes it, so that the same map can read it again."""
    if isinstance(cell, str):
        return cell
    first = next((form for form in import_map.date_formats if "%" in form), None)
    if first is not None:
        return cell.strftime(first)
    if "chinese" in import_map.date_formats:
        return f"{cell:%Y年%m月%d日 %H时%M分%S秒}" if isinstance(cell, datetime) else f"{cell:%Y年%m月%d日}"
    moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
    return str((moment - EPOCHS[import_map.date_formats[0]]) / timedelta(days=1))


def parsed(text: str, formats: tuple[str, ...]) -> date | None:
    text = half_width(text)
    for form in formats:
        try:
            found = BY_WORD[form](text) if form in BY_WORD else _by_directives(text, form)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            return found
    return None


def _by_directives(text: str, form: str) -> date:
    found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the map's
    return found if any(directive in form for directive in TIMES) else found.date()


def _chinese(text: str) -> date | None:
    found = CHINESE.match(text)
    if found is None:
        return None
    day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    if found["hour"] is None:
        return day
    minute = 30 if found["part"] == "半" else int(found["minute"] or 0)
    hour = _hour(int(found["hour"]), found["half"])
    if hour == 24 and found["half"] in NIGHT:  # 晚上12点半 is half an hour into the next day
        day, hour = day + timedelta(days=1), 0
    if (hour, minute) == (24, 0):  # the end of the day
        return datetime.combine(day, time()) + timedelta(days=1)
    return datetime.combine(day, time(hour, minute, int(found["second"] or 0)))


def _hour(hour: int, half: str | None) -> int:
    """Of 24. Twelve at night ends the day that is named, twelve before dawn begins it."""
    if hour == 12:
        return {"凌晨": 0, **dict.fromkeys(NIGHT, 24)}.get(half or "", 12)
    afternoon = half in AFTERNOON or (half == "中午" and hour < 11)
    return hour + 12 if hour < 12 and afternoon else hour


def _excel(text: str, epoch: datetime) -> date | None:
    if not SERIAL.match(text):
        return None
    found = epoch + timedelta(days=float(text))
    rounded = (found + timedelta(milliseconds=500)).replace(microsecond=0)  # a fraction of a day is not exact
    return rounded.date() if "." not in text else rounded


EPOCHS = {"excel": datetime(1899, 12, 30), "excel1904": datetime(1904, 1, 1)}  # noqa: DTZ001 - the map's zone
BY_WORD: Mapping[str, Callable[[str], date | None]] = {
    "chinese": _chinese,
    "excel": lambda text: _excel(text, EPOCHS["excel"]),
    "excel1904": lambda text: _excel(text, EPOCHS["excel1904"]),
}


def _day_if_bare(cell: date) -> date:
    """A workbook has one kind of cell for both: midnight sharp stands for the day alone."""
    return cell.date() if isinstance(cell, datetime) and cell.time() == time() else cell
