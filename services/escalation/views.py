"""The laggard report: who lags, how far, and who ranks where, one row for each station of the charter."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from duban_contracts.charter import Charter, Station, Token
from duban_contracts.escalation import OpenItem, Rung, Standing
from duban_contracts.message import Moment
from duban_contracts.queries import WhoLags
from services.chassis.service import Query, Reading
from services.escalation.report import Scorecard
from services.escalation.standing import standing

SMALL_SAMPLE = "small sample"
SHORTEST = timedelta(microseconds=1)


class LaggardRow(BaseModel):
    """One station in the columns of the circular table (domain.md §5.3), with where it stands.

    Rates are shares from 0 to 1, and None (printed "–") where there is nothing to divide by. They are
    counted over the register: open entries and withdrawn ones are in no on-time rate.
    """

    model_config = ConfigDict(frozen=True)

    station: Token
    name: str
    name_en: str
    rung: Rung = Rung.REMINDER
    lagging_since: Moment | None = None
    open_items: int = 0
    late_items: int = 0
    """Open items about a time limit: the ones that `days_late` is summed over."""
    days_late: int = 0
    """Calendar days past due at the time of the report, summed over the open late items."""
    average_days_late: float | None = None
    """`days_late` by `late_items`."""
    dispatched: int = 0
    closed_on_time: int = 0
    closed_late: int = 0
    closed_undated: int = 0
    """Closings without a due date or a time: counted as closed, neither as on time nor as late."""
    open: int = 0
    withdrawn: int = 0
    close_rate: float | None = None
    """Closed by dispatched, withdrawn entries left out."""
    on_time_rate: float | None = None
    """Closed on time by closed on time or late."""
    average_days_closed_late: float | None = None
    """Calendar days past due, over all late closings that ever were, reopened or not."""
    ratings: int = 0
    dissatisfied: int = 0
    dissatisfied_rate: float | None = None
    """The two negative levels by all ratings given; no default rating is counted."""
    rank: int | None = None
    """1 is the best on-time rate; equal rates share a rank."""
    unranked: str | None = None
    """Why there is no rank."""


class LaggardReport(BaseModel):
    """Worst first: by rung from the top, then by on-time rate from the bottom; without a rate last."""

    model_config = ConfigDict(frozen=True)

    charter: str
    at: Moment
    minimum_sample: int
    """A station with fewer closings on time or late is not ranked."""
    rows: tuple[LaggardRow, ...]


def laggard_report(
    cards: Mapping[str, Scorecard], standings: Mapping[str, Standing], charter: Charter, now: datetime
) -> LaggardReport:
    """Every station of the charter, also those of which nothing was heard. Needs an aware `now`."""
    rows = [
        _row(token, station, cards.get(token, Scorecard()), standings.get(token), charter, now)
        for token, station in charter.stations.items()
    ]
    minimum = charter.rating.minimum_sample
    return LaggardReport(
        charter=charter.name, at=now, minimum_sample=minimum, rows=_worst_first(_ranked(rows, minimum))
    )


def _row(
    token: str, station: Station, card: Scorecard, standing: Standing | None, charter: Charter, now: datetime
) -> LaggardRow:
    items = standing.items if standing else ()
    late = [_days_past_due(item, charter, now) for item in items if item.kind.late]
    return LaggardRow(
        station=token,
        name=station.name,
        name_en=station.name_en,
        rung=standing.rung if standing else Rung.REMINDER,
        lagging_since=standing.lagging_since if standing else None,
        open_items=len(items),
        late_items=len(late),
        days_late=sum(late),
        average_days_late=_share(sum(late), len(late)),
        dispatched=card.dispatched,
        closed_on_time=card.closed_on_time,
        closed_late=card.closed_late,
        closed_undated=card.closed_undated,
        open=card.open,
        withdrawn=card.withdrawn,
        close_rate=_share(card.closed, card.dispatched - card.withdrawn),
        on_time_rate=_share(card.closed_on_time, card.dated),
        average_days_closed_late=_share(card.days_late, card.late_closings),
        ratings=card.ratings,
        dissatisfied=card.negative,
        dissatisfied_rate=_share(card.negative, card.ratings),
    )


def _share(part: int, whole: int) -> float | None:
    """None where there is nothing to divide by: never 100 %."""
    return part / whole if whole > 0 else None


def _days_past_due(item: OpenItem, charter: Charter, now: datetime) -> int:
    """Calendar days after the last day in time: `since` is the first instant that was too late."""
    zone = ZoneInfo(charter.timezone)
    last_day = (item.since - SHORTEST).astimezone(zone).date()
    return max(0, (now.astimezone(zone).date() - last_day).days)


def _ranked(rows: Sequence[LaggardRow], minimum: int) -> list[LaggardRow]:
    rates = [row.on_time_rate for row in rows if _sample(row) >= minimum and row.on_time_rate is not None]
    return [row.model_copy(update=_place(row, rates, minimum)) for row in rows]


def _place(row: LaggardRow, rates: Iterable[float], minimum: int) -> dict[str, int | str]:
    """Small samples do not rank: the number would say nothing about the station."""
    rate = row.on_time_rate
    if rate is None or _sample(row) < minimum:
        return {"unranked": SMALL_SAMPLE}
    return {"rank": 1 + sum(other > rate for other in rates)}


def _sample(row: LaggardRow) -> int:
    return row.closed_on_time + row.closed_late


def _worst_first(rows: Iterable[LaggardRow]) -> tuple[LaggardRow, ...]:
    def order(row: LaggardRow) -> tuple[int, bool, float, str]:
        rate = row.on_time_rate
        return -row.rung, rate is None, rate if rate is not None else 0.0, row.station

    return tuple(sorted(rows, key=order))


async def laggards(reading: Reading, asked: WhoLags) -> LaggardReport:
    stations = list(reading.charter.stations)
    states = await reading.states("escalation", stations)
    cards = await reading.states("escalation-report", stations)
    standings = {
        station: shown
        for station, (version, state) in states.items()
        if (shown := standing(station, state, version)) is not None
    }
    return laggard_report(
        {station: card for station, (_, card) in cards.items()},
        standings,
        reading.charter,
        asked.at or reading.now(),
    )


QUERIES = {"laggards": Query(WhoLags, laggards)}
