"""Fields of facts and of the work that no other story of measures looks at; mutants found them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from duban_contracts import measures as requested
from duban_contracts.ledger import EntryDueSoon, EntryResolved, EntryStruckOff, VerificationRejected
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, Wake
from services.chassis.heard import Heard
from services.ledger.handlers import HEARS
from services.ledger.measures import MeetMilestone, ReportCount, ReportOccurrence, Retire
from services.ledger.measures.situations import Bell
from tests.ledger.plan import (
    NOON,
    NUMBER,
    count,
    given,
    meet,
    occur,
    progress,
    resolve,
    story,
    verify,
    want,
)
from tests.ledger.register import TOWN, local

LATER, LATEST = NOON + timedelta(hours=1), NOON + timedelta(hours=2)


def work(*commands: Any) -> Any:
    return given(*story(*commands)).state.work


def test_what_is_said_of_the_work_is_kept_with_its_time_and_its_evidence() -> None:
    said = replace(progress(LATER, note="过半"), percent=60)
    noted = work(want("notice"), progress(), said)
    assert (noted.note, noted.said_percent, noted.evidence, noted.updated_at) == ("过半", 60, 2, LATER)
    counted = work(want("training"), count(1), count(1, LATER))
    assert (counted.note, counted.done, counted.evidence, counted.updated_at) == ("办了", 2, 2, LATER)
    met = work(want("works"), meet("roads"), meet("toilets", LATER))
    assert (met.note, met.met, met.evidence, met.updated_at) == ("完工", ("roads", "toilets"), 2, LATER)
    cleaned = work(want("cleaning"), occur("dongcun"), occur("xicun", LATER, note=""))
    assert (cleaned.note, cleaned.kept, cleaned.evidence, cleaned.updated_at) == ("已清运", 2, 2, LATER)
    assert cleaned.next_day == date(2024, 4, 17), "settled everywhere"


def test_a_closing_says_whose_it_is_in_which_round_and_with_what_answer() -> None:
    first = (want("notice"), progress(), resolve())
    again = (verify(LATER, passed=False, reason="不够"), resolve(LATER, answer="补好了"), verify(LATEST))
    facts = story(*first, *again)
    assert {fact.station for fact in facts} == {"qingjieban"}
    [_, resolved] = [fact for fact in facts if isinstance(fact, EntryResolved)]
    [rejected] = [fact for fact in facts if isinstance(fact, VerificationRejected)]
    [struck_off] = [fact for fact in facts if isinstance(fact, EntryStruckOff)]
    assert (rejected.round, resolved.round, resolved.answer) == (2, 2, "补好了")
    assert (struck_off.round, struck_off.resolved_at) == (2, LATER)
    redo = work(*first, again[0])
    assert (redo.round, redo.began_at, redo.updated_at) == (2, LATER, LATER)


def test_each_reminder_rings_a_bell_of_its_own() -> None:
    reminded = given(*story(want("notice"), Wake(local("2024-04-30", "12:00"))))
    told = [fact for fact in reminded.history if isinstance(fact, EntryDueSoon)]
    assert [fact.on_due_day for fact in told] == [False, True]
    assert reminded.state.work.rung == (Bell.DUE_SOON, Bell.DUE_DAY)


@pytest.mark.parametrize(
    ("before", "other", "next_day"),
    [
        ((want("notice"), replace(progress(), percent=60)), "roster", date(2024, 4, 28)),
        ((want("training"), count(2)), "roster", date(2024, 4, 28)),
        ((want("works"), meet("roads"), Wake(local("2024-04-26"))), "roster", date(2024, 4, 28)),
        ((want("cleaning"), occur("dongcun"), Wake(local("2024-04-18"))), "training", None),
    ],
)
def test_a_measure_of_another_shape_begins_from_nothing(before: Any, other: str, next_day: Any) -> None:
    at = local("2024-04-27")
    anew = work(*before, want(other, at))
    counts = (anew.said_percent, anew.evidence, anew.done, anew.kept, anew.lost)
    assert counts == (0, 0, 0, 0, 0)
    assert (anew.met, anew.missed, anew.reported) == ((), (), ())
    assert (anew.next_day, anew.updated_at) == (next_day, at)


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (
            requested.ReportCount(count=3, note="n", evidence=("e",)),
            lambda asked: ReportCount(asked, 3, "n", ("e",)),
        ),
        (
            requested.MeetMilestone(milestone="roads", note="n", evidence=("e",)),
            lambda asked: MeetMilestone(asked, "roads", "n", ("e",)),
        ),
        (
            requested.ReportOccurrence(village="dongcun", day=date(2024, 4, 16), note="n", evidence=("e",)),
            lambda asked: ReportOccurrence(asked, "dongcun", date(2024, 4, 16), "n", ("e",)),
        ),
    ],
)
def test_a_stations_report_becomes_its_command_whole(request_: Any, command: Any) -> None:
    heard = Heard("m1", NUMBER, request_, NOON, "qingjieban", "qingjieban", None, {})
    asked = Asked(NOON, "qingjieban", NUMBER, request_.message_name)
    assert list(HEARS[type(request_)](heard, TOWN)) == [(NUMBER, command(asked))]


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ((want("notice"), count(1)), "record its progress with evidence, then resolve it"),
        ((want("training"), count(1), meet("roads")), "report its count, 1 of 3 场培训 so far"),
        ((want("works"), meet("roads"), count(1)), "the next milestone is toilets"),
        ((want("works"), meet("roads"), meet("toilets"), meet("sewage"), count(1)), "resolve it"),
        ((want("cleaning"), count(1)), "report each occurrence on its day"),
        ((want("notice"), progress(), resolve(), progress(LATER)), "waits for an inspection"),
        ((want("notice"), verify()), "its lead has to resolve it first"),
    ],
)
def test_a_refusal_says_what_to_do_with_this_measure(commands: Any, words: str) -> None:
    refusal = story(*commands)[-1]
    assert refusal.reason is Refusal.WRONG_STATE
    assert words in refusal.detail


def test_a_percentage_is_said_only_of_what_is_done_in_one_go() -> None:
    half = replace(progress(), percent=50)
    assert given(*story(want("notice"))).when(half)[0].percent == 50
    for shape in ("training", "works", "cleaning"):
        [refusal] = given(*story(want(shape))).when(half)
        assert (refusal.reason, "leave the percentage out" in refusal.detail) == (Refusal.WRONG_STATE, True)


def test_a_report_says_whose_it_is_and_who_said_it_and_more_than_the_target_is_all_of_it() -> None:
    for begun, report in ((want("notice"), progress()), (want("training"), count(5))):
        [told] = given(*story(begun)).when(report)
        assert (told.station, told.by) == ("qingjieban", "qingjieban")
    assert told.percent == 100
    [occurred] = given(*story(want("cleaning"))).when(occur("dongcun"))
    assert (occurred.station, occurred.note) == ("qingjieban", "已清运")


def test_what_the_plan_drops_says_which_milestones_were_missed_for_good() -> None:
    missed = (want("works"), Wake(local("2024-04-26")), meet("roads", local("2024-04-26", "09:00")))
    [retired] = given(*story(*missed)).when(Retire(local("2024-04-27"), NUMBER, "2024", "works"))
    assert retired.missed == ("toilets",)
