"""What supervision hears becomes commands for the campaign or the finding that it is about."""

from collections.abc import Iterable

from duban_contracts import supervision
from duban_contracts.charter import Charter
from duban_contracts.message import Message, Refusal
from services.chassis.decider import Refuse
from services.chassis.heard import Handlers, Heard
from services.chassis.wording import wording
from services.supervision.decider import (
    Command,
    DrawInspections,
    RecordFinding,
    RecordInspection,
    StartCampaign,
    VerifyRectification,
)

Wanted = Iterable[tuple[str, Command | Refuse]]


def start_campaign(heard: Heard[supervision.StartCampaign], _: Charter) -> Wanted:
    yield heard.key, _no_campaign(heard) or StartCampaign(heard.asked)


def draw_inspections(heard: Heard[supervision.DrawInspections], _: Charter) -> Wanted:
    asked, draw = heard.asked, heard.data
    yield heard.key, _no_campaign(heard) or DrawInspections(asked, draw.day, draw.count, draw.seed)


def record_inspection(heard: Heard[supervision.RecordInspection], charter: Charter) -> Wanted:
    inspection = heard.data
    refused = _no_campaign(heard) or _unknown_station(heard, inspection.station, charter)
    yield (
        heard.key,
        refused or RecordInspection(heard.asked, inspection.station, inspection.passed, inspection.note),
    )


def record_finding(heard: Heard[supervision.RecordFinding], charter: Charter) -> Wanted:
    finding = heard.data
    refused = (
        _no_finding(heard)
        or _unknown_station(heard, finding.station, charter)
        or _unknown_measure(heard, charter)
    )
    yield (
        heard.key,
        refused
        or RecordFinding(
            heard.asked,
            finding.station,
            finding.ground,
            finding.text,
            finding.measure,
            finding.entry,
            finding.serious,
        ),
    )


def verify_rectification(heard: Heard[supervision.VerifyRectification], _: Charter) -> Wanted:
    checked = heard.data
    yield heard.key, _no_finding(heard) or VerifyRectification(heard.asked, checked.passed, checked.note)


def _no_campaign(heard: Heard[Message]) -> Refuse | None:
    if _is_about("campaign", heard.key):
        return None
    return heard.asked.refuse(Refusal.NO_SUCH_CAMPAIGN, wording("name the campaign as campaign/<id>"))


def _no_finding(heard: Heard[Message]) -> Refuse | None:
    if _is_about("finding", heard.key):
        return None
    return heard.asked.refuse(
        Refusal.NO_SUCH_FINDING, wording("name the finding as finding/<id>, with an id of its own")
    )


def _is_about(kind: str, key: str) -> bool:
    before, _, name = key.partition("/")
    return before == kind and name.strip() != "" and "/" not in name


def _unknown_station(heard: Heard[Message], station: str, charter: Charter) -> Refuse | None:
    if station in charter.stations:
        return None
    detail = wording(
        "the charter has no station {station}; it has {stations}",
        station=station,
        stations=", ".join(charter.stations),
    )
    return heard.asked.refuse(Refusal.UNKNOWN_STATION, detail)


def _unknown_measure(heard: Heard[supervision.RecordFinding], charter: Charter) -> Refuse | None:
    """A finding may name no measure; the one it names must be the station's own (plan: 责任站所)."""
    token, station = heard.data.measure, heard.data.station
    if token is None:
        return None
    measure = charter.plan.measures().get(token) if charter.plan else None
    if measure is None:
        return heard.asked.refuse(
            Refusal.UNKNOWN_MEASURE, wording("the plan has no measure {token}", token=token)
        )
    if station in measure.stations:
        return None
    detail = wording(
        "measure {token} is not {station}'s; it belongs to {stations}",
        token=token,
        station=station,
        stations=", ".join(measure.stations),
    )
    return heard.asked.refuse(Refusal.UNKNOWN_MEASURE, detail)


HEARS: Handlers = {
    supervision.StartCampaign: start_campaign,
    supervision.DrawInspections: draw_inspections,
    supervision.RecordInspection: record_inspection,
    supervision.RecordFinding: record_finding,
    supervision.VerifyRectification: verify_rectification,
}
