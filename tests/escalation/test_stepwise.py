"""Stages and milestones that are late count against their station, until they are completed or excused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from duban_contracts import applications, ledger, measures
from duban_contracts.escalation import ItemKind
from duban_contracts.ledger import Due, EntryKind
from duban_contracts.message import Message
from services.chassis.heard import Heard
from services.escalation.decider import EVERY_ROUND, Close, Open
from services.escalation.handlers import HEARS
from services.escalation.report import REPORT_HEARS
from services.rating.handlers import HEARS as RATING_HEARS
from tests.ledger.plan import measure_of
from tests.ledger.register import TOWN

AT = datetime(2024, 4, 18, 16, tzinfo=UTC)
LATER = AT + timedelta(days=2)
ENTRY = "2024-000042"
DUE = Due(at=AT, last_day=date(2024, 4, 18), rule="the plan")
HERE: dict[str, Any] = {"station": "qingjieban", "entry": ENTRY}


def commands(fact: Message, handlers: Any = HEARS) -> list[Any]:
    heard: Heard[Any] = Heard("m1", ENTRY, fact, fact.at, "ledger", "ledger")  # type: ignore[attr-defined]
    return list(handlers[type(fact)](heard, TOWN))


def test_a_late_stage_is_its_entrys_lateness_until_it_is_completed() -> None:
    late = applications.StageOverdue(at=AT, **HERE, stage="notice", name="公示", due=DUE, visit=4)
    [(station, opened)] = commands(late)
    assert isinstance(opened, Open)
    assert (station, opened.item.kind, opened.item.since) == ("qingjieban", ItemKind.ENTRY_OVERDUE, AT)
    done = applications.StageCompleted(at=LATER, **HERE, stage="notice", by="minzheng", late=True, visit=4)
    items = (opened.item.id,)
    assert commands(done) == [("qingjieban", Close(LATER, "qingjieban", items, 4, items))]


def test_a_late_approval_is_held_against_the_office_and_closed_there_however_it_ends() -> None:
    due = {"stage": "approval", "visit": 5}
    late = applications.StageOverdue(at=AT, station="office", entry=ENTRY, name="审批", due=DUE, **due)
    [(key, opened)] = commands(late)
    items = (opened.item.id,)
    done = applications.StageCompleted(at=LATER, **HERE, by="leader", late=True, late_with="office", **due)
    assert commands(done) == [(key, Close(LATER, "office", items, 5, items))]
    decided = applications.ObjectionDecided(
        at=LATER, **HERE, objection=1, upheld=True, by="office", reason="属实", visit=5
    )
    assert commands(decided) == []
    broken_off = decided.model_copy(update={"late_with": "office"})
    assert commands(broken_off) == [(key, Close(LATER, "office", items, 5, items))]
    withdrawn = ledger.EntryClosedUnsolved(at=LATER, **HERE, outcome="withdrawn", late_with="office")
    assert [station for station, _ in commands(withdrawn)] == ["qingjieban", "office"]
    assert commands(withdrawn)[1] == (key, Close(LATER, "office", items, EVERY_ROUND, items))


def test_a_missed_milestone_counts_until_it_is_met_or_the_plan_excuses_it() -> None:
    missed = measures.MilestoneMissed(at=AT, **HERE, milestone="roads", name="道路", due=DUE)
    [(_, opened)] = commands(missed)
    items = (opened.item.id,)
    met = measures.MilestoneMet(at=LATER, **HERE, milestone="roads", name="道路", percent=40, late=True)
    assert commands(met) == [("qingjieban", Close(LATER, "qingjieban", items, EVERY_ROUND, items))]
    changed = measures.MeasureChanged(
        at=LATER, **HERE, measure=measure_of("works"), changed=("shape",), excused=("roads",)
    )
    [(_, closed), _] = commands(changed)
    assert closed.items == items
    assert closed.occurrence >= opened.occurrence, "missed under a later date it may count anew"


def test_a_measure_whose_date_lies_ahead_again_is_overdue_no_more() -> None:
    closes = [("qingjieban", Close(LATER, "qingjieban", (f"overdue/{ENTRY}",), EVERY_ROUND))]
    changed = measures.MeasureChanged(at=LATER, **HERE, measure=measure_of("notice"), changed=("last_day",))
    assert commands(changed) == closes
    ahead = DUE.model_copy(update={"at": LATER + timedelta(days=1)})
    assert commands(changed.model_copy(update={"due": ahead})) == closes
    assert commands(changed.model_copy(update={"due": DUE})) == [], "it is late still"


def test_what_was_late_with_a_former_lead_is_held_against_it_no_more() -> None:
    handed = measures.MeasureChanged(
        at=LATER,
        **{**HERE, "station": "xincunban"},
        measure=measure_of("works", stations=("xincunban",)),
        changed=("stations",),
        excused=("roads",),
        due=DUE,
        former="qingjieban",
    )
    closed = [(station, close.items) for station, close in commands(handed)]
    assert closed == [
        ("qingjieban", (f"milestone/{ENTRY}/roads",)),
        ("qingjieban", (f"overdue/{ENTRY}",)),
    ]


def test_nothing_is_held_against_a_station_since_before_the_plan_said_so() -> None:
    late = DUE.model_copy(update={"start": LATER})
    missed = measures.MilestoneMissed(at=LATER, **HERE, milestone="roads", name="道路", due=late)
    overdue = ledger.EntryOverdue(at=LATER, **HERE, due=late, entry_kind=EntryKind.MEASURE)
    for fact in (missed, overdue):
        [(_, opened)] = commands(fact)
        assert opened.item.since == LATER


def test_a_retired_measure_counts_against_nobody() -> None:
    retired = measures.MeasureRetired(at=AT, **HERE, campaign="2024", measure="works", missed=("roads",))
    [(_, closed)] = commands(retired)
    assert set(closed.items) == {f"overdue/{ENTRY}", f"milestone/{ENTRY}/roads"}
    assert commands(retired.model_copy(update={"station": None})) == []


def test_a_measure_is_in_no_count_of_matters_and_nobody_is_asked_to_rate_it() -> None:
    struck_off = ledger.EntryStruckOff(
        at=AT, **HERE, by="office", outcome="solved", late=True, due=DUE, entry_kind=EntryKind.MEASURE
    )
    overdue = ledger.EntryOverdue(at=AT, **HERE, due=DUE, entry_kind=EntryKind.MEASURE)
    assert commands(struck_off, REPORT_HEARS) == commands(overdue, REPORT_HEARS) == []
    assert commands(struck_off, RATING_HEARS) == []
    assert len(commands(struck_off)) == len(commands(overdue)) == 1, "but it is held against its station"
