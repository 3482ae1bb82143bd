"""The paper ledger (台账): the lines of the form that stations know, from the rows of the register."""

from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryKind
from duban_contracts.reading import EntryStatus, ListEntries, PaperPage, PaperRow
from services.chassis.service import Reading
from services.ledger.views.listing import page
from services.ledger.views.row import Row

SHORTEST = timedelta(microseconds=1)


async def export(reading: Reading, asked: ListEntries) -> PaperPage:
    rows, mark = await page(reading, asked, partial(paper, charter=reading.charter))
    return PaperPage(rows=rows, next=mark)


def paper(row: Row, charter: Charter) -> PaperRow:
    """Of a measure: the plan's problem and what is done about it; of anything else: what it is about."""
    measure = row["entry_kind"] == EntryKind.MEASURE.value
    zone, status = ZoneInfo(charter.timezone), EntryStatus(row["status"])
    stations = (row["station"], *row["co_handlers"])
    return PaperRow(
        number=row["number"],
        problem=row["about"] if measure else row["title"],
        stations=tuple(station_name(token, charter) for token in stations),
        leader=row["leader"] or leader(row["station"], charter),
        measure=row["title"] if measure else row["note"],
        last_day=_last_day(row["due_at"], zone),
        status=status,
        percent=row["percent"],
        note=row["note"] if measure else row["about"],
        struck_off=_day(row["ended_at"], zone) if status is EntryStatus.STRUCK_OFF else None,
    )


def station_name(token: str, charter: Charter) -> str:
    station = charter.stations.get(token)
    return station.name if station else token


def leader(token: str, charter: Charter) -> str | None:
    station = charter.stations.get(token)
    return station.leader if station else None


def _last_day(due_at: datetime | None, zone: ZoneInfo) -> date | None:
    """The due instant is the first that is too late."""
    return None if due_at is None else _day(due_at - SHORTEST, zone)


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return None if moment is None else moment.astimezone(zone).date()
