"""Dates and times as files write them, read in the map's time zone.

In the hour that the clock shows twice, a time means the first of the two; `second_reading` is the other.
In the hour that the clock leaves out, a time is read as if it had not been put forward yet.
"""

from datetime import UTC, date, datetime, time

from services.console.importing.mapping import ImportMap
from services.console.importing.rows import Cell

YEARS = range(1900, 2201)
"""A year outside is a slip of the pen, and calendars need not be right there."""
TIMES = ("%H", "%I", "%X", "%c")


def read_date(cell: Cell, import_map: ImportMap) -> date | None:
    """A datetime in the map's zone, a date where the cell gives the day alone, None where it is neither."""
    found = _parsed(cell, import_map.date_formats) if isinstance(cell, str) else _day_if_bare(cell)
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


def second_reading(moment: datetime) -> datetime:
    return moment.replace(fold=1).astimezone(UTC)


def as_text(cell: Cell, import_map: ImportMap) -> str:
    """A typed date as the map's own first format writes it, so that the same map can read it again."""
    return cell if isinstance(cell, str) else cell.strftime(import_map.date_formats[0])


def _parsed(text: str, formats: tuple[str, ...]) -> date | None:
    for form in formats:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the map's
        except (ValueError, OverflowError):
            continue
        return found if any(directive in form for directive in TIMES) else found.date()
    return None


def _day_if_bare(cell: date) -> date:
    """A workbook has one kind of cell for both: midnight sharp stands for the day alone."""
    return cell.date() if isinstance(cell, datetime) and cell.time() == time() else cell
