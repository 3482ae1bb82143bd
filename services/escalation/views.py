"""The laggard report: who lags, how far, and who ranks where, one row for each station of the charter."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, Role
from duban_contracts.escalation import OpenItem, Rung, Standing
from duban_contracts.laggard_report import LaggardReport as LaggardReport
from duban_contracts.laggard_report import LaggardRow as LaggardRow
from duban_contracts.queries import AskStandings, Standings, WhoLags
from duban_contracts.readers import Reader
from duban_contracts.visibility import is_conduct
from services.chassis.service import Query, Reading
from services.escalation.report import Scorecard
from services.escalation.standing import standing

SMALL_SAMPLE = "small sample"
LEFT_CHARTER = "left the charter"
MOST_KEYS = 2_000
"""Of stations ever heard of; a town has some tens."""
TOKEN = re.compile(r"^[A-Za-z0-9_-]{1,40}$")
SHORTEST = timedelta(microseconds=1)


def laggard_report(
    cards: Mapping[str, Scorecard], standings: Mapping[str, Standing], charter: Charter, now: datetime
) -> LaggardReport:
    """Every station of the charter, also those of which nothing was heard. Needs an aware `now`.

    And everybody else against whom anything is open: the office, or a station that has left the charter.
    """
    others = [
        token
        for token in sorted({*cards, *standings} - {*charter.stations})
        if _counts(cards.get(token), standings.get(token))
    ]
    rows = [
        _row(token, cards.get(token, Scorecard()), standings.get(token), charter, now)
        for token in (*charter.stations, *others)
    ]
    minimum = charter.rating.minimum_sample
    return LaggardReport(
        charter=charter.name, at=now, minimum_sample=minimum, rows=_worst_first(_ranked(rows, minimum))
    )


def _counts(card: Scorecard | None, standing: Standing | None) -> bool:
    """Something is open against it, or it still stands on the ladder."""
    if card is not None and card.open > 0:
        return True
    return standing is not None and bool(
        standing.items or standing.order or standing.lagging_since or standing.rung > Rung.REMINDER
    )


def _names(token: str, charter: Charter) -> dict[str, str | bool]:
    """Of a station, of another actor, or the token of one who has left the charter."""
    if station := charter.stations.get(token):
        return {"name": station.name, "name_en": station.name_en}
    if actor := charter.actors.get(token):
        return {"name": actor.name, "name_en": token}
    return {"name": token, "name_en": token, "left_charter": True}


def _row(
    token: str, card: Scorecard, standing: Standing | None, charter: Charter, now: datetime
) -> LaggardRow:
    items = standing.items if standing else ()
    late = [_days_past_due(item, charter, now) for item in items if item.kind.late]
    return LaggardRow(
        station=token,
        **_names(token, charter),
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
        merged=card.merged,
        reclassified=card.reclassified,
        close_rate=_share(card.closed, card.dispatched - card.withdrawn - card.merged),
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
    """Only those of the charter are compared."""
    there = [row for row in rows if not row.left_charter and _sample(row) >= minimum]
    rates = [row.on_time_rate for row in there if row.on_time_rate is not None]
    return [row.model_copy(update=_place(row, rates, minimum)) for row in rows]


def _place(row: LaggardRow, rates: Iterable[float], minimum: int) -> dict[str, int | str]:
    """Small samples do not rank: the number would say nothing about the station."""
    rate = row.on_time_rate
    if row.left_charter:
        return {"unranked": LEFT_CHARTER}
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
    stations = sorted({*reading.charter.stations, *await _ever_heard_of(reading)})
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


async def _ever_heard_of(reading: Reading) -> set[str]:
    """Stations come and go with the charter; what is open against one of them stays."""
    known = set[str]()
    for collection in ("escalation", "escalation-report"):
        found = reading.database[collection].find({}, {"_id": True}).sort("_id", 1).limit(MOST_KEYS)
        known |= {str(each["_id"]) async for each in found}
    return {token for token in known if TOKEN.match(token)}


async def standings(reading: Reading, asked: AskStandings) -> Standings:
    """Of every station that anything was ever heard of, whether or not the charter still knows it."""
    reader = reading.reader
    kept = await reading.database["escalation"].find({}, {"_id": True}).to_list(None)
    keys = [each["_id"] for each in kept if asked.station in (None, each["_id"])]
    if reader.role is Role.STATION:
        keys = [key for key in keys if reader.handles(key)]
    states = await reading.states("escalation", keys)
    found = [standing(key, state, version) for key, (version, state) in states.items()]
    shown = [as_seen_by(reader, each) for each in found if each is not None]
    return Standings(standings=tuple(sorted(shown, key=lambda each: (-each.rung, each.station))))


def as_seen_by(reader: Reader, standing: Standing) -> Standing:
    """Integrity and misconduct are counted for everybody, and named to who may see them."""
    if reader.sees_restricted or reader.role is Role.LEADER:
        return standing
    items = tuple(item for item in standing.items if not is_conduct(item))
    return standing.model_copy(update={"items": items, "restricted": len(standing.items) - len(items)})


QUERIES = {"laggards": Query(WhoLags, laggards), "standings": Query(AskStandings, standings)}
