"""Measures of four shapes: opened by the plan, carried, inspected, struck off; what was missed is told."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from duban_contracts.charter import Role
from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    Due,
    EntryDueSoon,
    EntryKind,
    EntryOverdue,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.measures import (
    MeasureChanged,
    MeasureOpened,
    MeasureRetired,
    MilestoneMet,
    MilestoneMissed,
)
from duban_contracts.message import Refusal
from duban_contracts.plan import Counted
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Kept, Wake
from services.ledger.decider import Accept
from services.ledger.measures import Achieved, Retire, Retired, SaidDone, Underway
from services.ledger.register_kinds import register
from tests.given import Given
from tests.ledger.plan import (
    DUE,
    LAST_DAY,
    NOON,
    NUMBER,
    STARTED,
    UNDER,
    asked,
    count,
    given,
    measure_of,
    meet,
    occur,
    progress,
    resolve,
    story,
    verify,
    want,
)
from tests.ledger.register import TOWN, kinds, local

LATER = NOON + timedelta(hours=1)
RETIRE = Retire(LATER, NUMBER, "2024", "notice")


def refused(events: Any) -> Refusal:
    event = events[-1]
    assert isinstance(event, LedgerCommandRefused)
    assert len(event.detail.split()) > 4, "a refusal says what to do"
    return event.reason


def work(*commands: Any) -> Any:
    return given(*story(*commands)).state.work


# Opening


def test_a_measure_is_opened_for_its_first_station_with_the_plans_own_date() -> None:
    [fact] = given.when(want("notice"))
    assert fact == MeasureOpened(
        at=STARTED,
        station="qingjieban",
        entry=NUMBER,
        campaign="2024",
        measure=measure_of("notice"),
        due=Due(
            at=DUE,
            last_day=LAST_DAY,
            rule="the plan's own date (Plan)",
            revision=7,
            calendar=WorkingCalendar(TOWN).version,
            start=STARTED,
            set_for=LAST_DAY,
        ),
    )
    assert fact.measure.leader == "张三"


def test_what_the_plan_says_again_is_already_so() -> None:
    opened = story(want("notice"))
    [seen] = given(*opened).when(want("notice", LATER))
    assert isinstance(seen, Kept), "told nobody"
    assert given(*opened, seen).when(want("notice", LATER)) == []


def test_a_new_revision_changes_what_the_plan_wants_and_what_was_done_stays_done() -> None:
    changed = want("training", LATER, shape=Counted(target=8, unit="场培训"), due=None)
    [fact] = given(*story(want("training"), count(2))).when(changed)
    assert isinstance(fact, MeasureChanged)
    assert (fact.changed, fact.due) == (("shape", "last_day"), None)
    after = work(want("training"), count(2), changed)
    assert (after.done, after.percent, after.due) == (2, 25, None)


def test_a_measure_that_is_done_in_another_way_from_now_on_begins_anew() -> None:
    after = work(want("training"), count(2), want("cleaning", LATER))
    assert (after.done, after.next_day) == (0, date(2024, 4, 17))


def test_a_revision_that_is_heard_late_changes_nothing() -> None:
    newer = story(want("training"), want("training", LATER, due=None))
    assert given(*newer).when(want("training", NOON)) == []


def test_the_plan_names_it_no_longer_and_no_clock_of_it_goes_on() -> None:
    [fact] = given(*story(want("notice"), progress())).when(RETIRE)
    assert fact == MeasureRetired(
        at=LATER, station="qingjieban", entry=NUMBER, campaign="2024", measure="notice"
    )
    retired = story(want("cleaning"), RETIRE)
    assert given(*retired).decider.wake_at(given(*retired).state) is None
    assert refused(given(*retired).when(progress(LATER))) is Refusal.NO_SUCH_ENTRY


def test_a_retirement_that_overtakes_the_opening_stays_one_and_a_later_revision_opens_it_again() -> None:
    overtaken = story(RETIRE)
    assert isinstance(given(*overtaken).state, Retired)
    assert given(*overtaken).when(want("notice")) == []
    assert kinds(given(*overtaken).when(want("notice", LATER + timedelta(days=1)))) == ["MeasureOpened"]


def test_what_was_achieved_stays_achieved_whatever_the_plan_says() -> None:
    done = story(want("notice"), progress(), resolve(), verify())
    assert isinstance(given(*done).state, Achieved)
    assert given(*done).when(RETIRE) == []
    assert given(*done).when(want("notice", LATER, due=None)) == []


# One-off


def test_a_one_off_measure_is_done_with_evidence() -> None:
    opened = story(want("notice"))
    assert refused(given(*opened).when(resolve())) is Refusal.EVIDENCE_MISSING
    [fact] = given(*story(want("notice"), progress())).when(resolve())
    assert isinstance(fact, EntryResolved)
    assert (fact.by, fact.outcome) == ("qingjieban", Outcome.SOLVED)


def test_every_responsible_station_carries_but_only_the_lead_says_that_it_is_done() -> None:
    opened = story(want("notice"))
    assert isinstance(given(*opened).when(progress(actor="xincunban"))[-1], ProgressRecorded)
    assert refused(given(*opened).when(progress(actor="bianmin"))) is Refusal.NOT_THE_HANDLER
    carried = story(want("notice"), progress(actor="xincunban"))
    assert refused(given(*carried).when(resolve(actor="xincunban"))) is Refusal.NOT_THE_HANDLER


# Counted


def test_a_count_adds_up_to_its_target_in_percent() -> None:
    [fact] = given(*story(want("training"), count(1))).when(count(1, LATER))
    assert isinstance(fact, ProgressRecorded)
    assert (fact.done, fact.percent, fact.evidence) == (2, 66, ("签到表",))
    assert work(want("training"), count(2), count(9, LATER)).percent == 100


def test_a_counted_measure_is_not_done_before_its_target() -> None:
    assert refused(given(*story(want("training"), count(2))).when(resolve())) is Refusal.INCOMPLETE
    assert isinstance(given(*story(want("training"), count(3))).when(resolve())[-1], EntryResolved)


@pytest.mark.parametrize(
    ("name", "command"),
    [("notice", count(1)), ("training", meet("roads")), ("works", occur("dongcun")), ("cleaning", count(1))],
)
def test_what_does_not_fit_the_shape_is_refused(name: str, command: Any) -> None:
    assert refused(given(*story(want(name))).when(command)) is Refusal.WRONG_STATE


def test_what_was_counted_needs_evidence_by_the_time_that_it_is_said_to_be_done() -> None:
    bare = story(want("training"), count(3, evidence=()))
    assert refused(given(*bare).when(resolve())) is Refusal.EVIDENCE_MISSING
    proven = given(*bare, *given(*bare).when(progress()))
    assert isinstance(proven.when(resolve())[-1], EntryResolved)


@pytest.mark.parametrize(
    ("name", "command", "reason"),
    [
        ("notice", progress(note="  "), Refusal.REASON_MISSING),
        ("notice", progress(evidence=("照片1", " ")), Refusal.EVIDENCE_MISSING),
        ("training", replace(count(1), note="\t"), Refusal.REASON_MISSING),
        ("training", count(1, evidence=("",)), Refusal.EVIDENCE_MISSING),
        ("works", replace(meet("roads"), note=" "), Refusal.REASON_MISSING),
        ("works", meet("roads", evidence=("  ",)), Refusal.EVIDENCE_MISSING),
        ("cleaning", occur("dongcun", evidence=(" ",)), Refusal.EVIDENCE_MISSING),
        ("notice", resolve(answer="  "), Refusal.REASON_MISSING),
    ],
)
def test_blank_words_and_blank_evidence_are_none(name: str, command: Any, reason: Refusal) -> None:
    assert refused(given(*story(want(name), progress())).when(command)) is reason


def test_a_verification_that_fails_gives_a_reason_that_is_not_blank() -> None:
    done = story(want("notice"), progress(), resolve())
    assert refused(given(*done).when(verify(passed=False, reason=" \n"))) is Refusal.REASON_MISSING


# Milestones


def test_milestones_are_met_in_their_order_each_with_evidence() -> None:
    opened = story(want("works"))
    assert refused(given(*opened).when(meet("toilets"))) is Refusal.OUT_OF_ORDER
    assert refused(given(*opened).when(meet("roads", evidence=()))) is Refusal.EVIDENCE_MISSING
    [fact] = given(*opened).when(meet("roads"))
    assert fact == MilestoneMet(
        at=NOON,
        station="qingjieban",
        entry=NUMBER,
        milestone="roads",
        name="道路",
        percent=40,
        note="完工",
        evidence=("验收单",),
        late=False,
    )
    met = story(want("works"), meet("roads"))
    assert refused(given(*met).when(meet("roads", LATER))) is Refusal.ALREADY_DONE
    assert given(*met).state.work.percent == 40


def test_a_milestone_is_missed_at_the_end_of_its_day_once_and_may_still_be_met_late() -> None:
    at = local("2024-04-19")
    [fact] = given(*story(want("works"))).when(Wake(at))
    assert isinstance(fact, MilestoneMissed)
    assert (fact.milestone, fact.at, fact.due.last_day) == ("roads", at, date(2024, 4, 18))
    late = given(*story(want("works"), Wake(at))).when(meet("roads", at))
    assert kinds(late) == ["MilestoneMet"]
    assert late[-1].late is True


def test_a_milestone_with_another_date_may_be_missed_anew() -> None:
    works = measure_of("works").shape.model_dump()
    works["milestones"][0]["due"] = date(2024, 4, 22)
    moved = want("works", local("2024-04-19", "09:00"), shape=works)
    facts = story(want("works"), moved, Wake(local("2024-04-23")))
    assert [fact.at for fact in facts if isinstance(fact, MilestoneMissed)] == [
        local("2024-04-19"),
        local("2024-04-23"),
    ]


def test_milestones_are_done_when_all_are_met() -> None:
    half = story(want("works"), meet("roads"), meet("toilets"))
    assert refused(given(*half).when(resolve())) is Refusal.INCOMPLETE
    assert isinstance(given(*half, *given(*half).when(meet("sewage"))).when(resolve())[-1], EntryResolved)


# Due dates, inspection


def test_a_measure_is_reminded_of_and_overdue_like_a_matter_and_each_once() -> None:
    facts = given(*story(want("notice"))).when(Wake(DUE + timedelta(days=9)))
    assert kinds(facts) == ["EntryDueSoon", "EntryDueSoon", "EntryOverdue"]
    assert [fact.on_due_day for fact in facts if isinstance(fact, EntryDueSoon)] == [False, True]
    overdue = facts[-1]
    assert isinstance(overdue, EntryOverdue)
    assert (overdue.at, overdue.station, overdue.entry_kind) == (DUE, "qingjieban", EntryKind.MEASURE)


def test_an_inspection_accepts_what_was_said_to_be_done_and_strikes_it_off() -> None:
    done = story(want("notice"), progress(), resolve())
    assert isinstance(given(*done).state, SaidDone)
    [fact] = given(*done).when(verify(LATER))
    assert isinstance(fact, EntryStruckOff)
    assert (fact.by, fact.late, fact.entry_kind) == ("office", False, EntryKind.MEASURE)


def test_no_responsible_station_inspects_its_own_measure() -> None:
    done = story(want("notice", stations=("jiwei", "qingjieban")), progress(), resolve(actor="jiwei"))
    assert refused(given(*done).when(verify(actor="discipline"))) is Refusal.OWN_WORK
    assert refused(given(*done).when(verify(actor="qingjieban"))) is Refusal.OWN_WORK
    assert refused(given(*done).when(verify(actor="bianmin"))) is Refusal.NOT_ALLOWED


def test_where_all_who_inspect_are_responsible_the_leaders_do() -> None:
    matters = TOWN.matters.model_copy(update={"verify_roles": (Role.DISCIPLINE,)})
    register_of = Given(register(UNDER.model_copy(update={"matters": matters})))
    done = story(want("notice", stations=("jiwei",)), progress(actor="jiwei"), resolve(actor="jiwei"))
    assert refused(register_of(*done).when(verify(actor="discipline"))) is Refusal.OWN_WORK
    assert refused(register_of(*done).when(verify(actor="office"))) is Refusal.NOT_ALLOWED
    assert kinds(register_of(*done).when(verify(actor="leader"))) == ["EntryStruckOff"]


def test_nobody_takes_back_what_the_plan_wants() -> None:
    shown = story(want("notice"), progress())
    command = replace(resolve(), outcome=Outcome.WITHDRAWN)
    assert refused(given(*shown).when(command)) is Refusal.NOT_ALLOWED


def test_what_is_not_said_to_be_done_is_not_inspected() -> None:
    assert refused(given(*story(want("notice"))).when(verify())) is Refusal.WRONG_STATE
    done = story(want("notice"), progress(), resolve(), verify())
    assert refused(given(*done).when(verify(LATER))) is Refusal.WRONG_STATE


def test_below_requirement_it_goes_back_under_the_same_due_date_with_a_reason() -> None:
    done = story(want("notice"), progress(), resolve())
    assert refused(given(*done).when(verify(passed=False))) is Refusal.REASON_MISSING
    [fact] = given(*done).when(verify(passed=False, reason="照片不全"))
    assert isinstance(fact, VerificationRejected)
    assert (fact.round, fact.due and fact.due.at) == (2, DUE)
    assert isinstance(given(*done, fact).state, Underway)


def test_a_matters_commands_are_not_for_a_measure() -> None:
    opened = story(want("notice"))
    assert refused(given(*opened).when(Accept(asked("qingjieban", NOON, "accept")))) is Refusal.WRONG_STATE
    assert refused(given.when(count(1))) is Refusal.NO_SUCH_ENTRY
