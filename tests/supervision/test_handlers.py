from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from duban_contracts import supervision, topology
from duban_contracts.charter import Charter, Ground
from duban_contracts.message import Message, Refusal
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked, Refuse
from services.chassis.heard import Heard
from services.supervision.decider import (
    DrawInspections,
    RecordFinding,
    RecordInspection,
    StartCampaign,
    VerifyRectification,
)
from services.supervision.handlers import HEARS

TOWNSHIP = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
NOW = datetime(2024, 4, 15, 2, tzinfo=UTC)
CAMPAIGN, FINDING = "campaign/2024", "finding/7"
DAY = date(2024, 4, 18)

START = supervision.StartCampaign()
DRAW = supervision.DrawInspections(day=DAY, count=2, seed=7)
INSPECT = supervision.RecordInspection(station="bianmin", passed=True, note="all there")
FIND = supervision.RecordFinding(station="bianmin", ground=Ground.LAGGING, text="nothing begun")
VERIFY = supervision.VerifyRectification(passed=True, note="went there")
OF_CAMPAIGN, OF_FINDING = (START, DRAW, INSPECT), (FIND, VERIFY)


def wanted(data: Message, key: str, charter: Charter = TOWNSHIP) -> list[tuple[str, Any]]:
    heard = Heard(id="m1", key=key, data=data, now=NOW, actor="office", told_by="office")
    return list(HEARS[type(data)](heard, charter))


def refused(data: Message, key: str, charter: Charter = TOWNSHIP) -> Refuse:
    [(about, refuse)] = wanted(data, key, charter)
    assert about == key
    assert isinstance(refuse, Refuse)
    return refuse


def asked(key: str, command: str) -> Asked:
    return Asked(NOW, "office", key, command)


def test_exactly_what_the_topology_names_is_heard() -> None:
    assert set(HEARS) == {*topology.commands_of("supervision"), *topology.HEARS["supervision"]}


def test_what_is_asked_of_a_campaign_goes_to_its_key() -> None:
    assert [wanted(data, CAMPAIGN) for data in OF_CAMPAIGN] == [
        [(CAMPAIGN, StartCampaign(asked(CAMPAIGN, "start_campaign")))],
        [(CAMPAIGN, DrawInspections(asked(CAMPAIGN, "draw_inspections"), DAY, 2, 7))],
        [(CAMPAIGN, RecordInspection(asked(CAMPAIGN, "record_inspection"), "bianmin", True, "all there"))],
    ]


def test_what_is_asked_of_a_finding_goes_to_its_key() -> None:
    recorded = RecordFinding(asked(FINDING, "record_finding"), "bianmin", Ground.LAGGING, "nothing begun")
    verified = VerifyRectification(asked(FINDING, "verify_rectification"), True, "went there")
    assert [wanted(data, FINDING) for data in OF_FINDING] == [[(FINDING, recorded)], [(FINDING, verified)]]


@pytest.mark.parametrize("key", ["2024", "campaign", "campaign/", "campaign/ ", "campaign/2024/1", FINDING])
@pytest.mark.parametrize("data", OF_CAMPAIGN)
def test_a_key_that_is_no_campaign_is_refused_with_the_form_it_has(data: Message, key: str) -> None:
    refuse = refused(data, key)
    assert refuse.reason is Refusal.NO_SUCH_CAMPAIGN
    assert "campaign/<id>" in refuse.detail


@pytest.mark.parametrize("key", ["7", "finding", "finding/", "finding/7/1", CAMPAIGN])
@pytest.mark.parametrize("data", OF_FINDING)
def test_a_key_that_is_no_finding_is_refused_with_the_form_it_has(data: Message, key: str) -> None:
    refuse = refused(data, key)
    assert refuse.reason is Refusal.NO_SUCH_FINDING
    assert "finding/<id>" in refuse.detail


@pytest.mark.parametrize(("data", "key"), [(INSPECT, CAMPAIGN), (FIND, FINDING)])
def test_a_station_that_the_charter_does_not_know_is_refused(data: Message, key: str) -> None:
    refuse = refused(data.model_copy(update={"station": "atlantis"}), key)
    assert refuse.reason is Refusal.UNKNOWN_STATION
    assert "bianmin" in refuse.detail


def measure_of(station: str) -> str:
    assert TOWNSHIP.plan is not None
    measures = TOWNSHIP.plan.measures().values()
    return next(each.id for each in measures if station in each.stations and "bianmin" not in each.stations)


def test_a_measure_of_the_station_is_taken() -> None:
    find = FIND.model_copy(update={"station": "qingjieban", "measure": measure_of("qingjieban")})
    [(_, command)] = wanted(find, FINDING)
    assert command.measure == measure_of("qingjieban")


def test_a_measure_of_other_stations_is_refused_with_their_names() -> None:
    refuse = refused(FIND.model_copy(update={"measure": measure_of("qingjieban")}), FINDING)
    assert refuse.reason is Refusal.UNKNOWN_MEASURE
    assert "qingjieban" in refuse.detail


@pytest.mark.parametrize("charter", [TOWNSHIP, TOWNSHIP.model_copy(update={"plan": None})])
def test_a_measure_that_the_plan_does_not_know_is_refused(charter: Charter) -> None:
    refuse = refused(FIND.model_copy(update={"measure": "p9-9-z"}), FINDING, charter)
    assert refuse.reason is Refusal.UNKNOWN_MEASURE
