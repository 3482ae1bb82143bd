"""Applications: six stages in their order, each in its time; public notice, objections, approval, filing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from duban_contracts import applications as requested
from duban_contracts.applications import (
    ObjectionDecided,
    ObjectionOverdue,
    ObjectionRaised,
    ProcedureBegun,
    StageBegun,
    StageCompleted,
    StageOverdue,
)
from duban_contracts.charter import Charter, Limit, Role
from duban_contracts.due import DayReason, DueClock
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.intake import Outcome, PastOutcome
from duban_contracts.ledger import (
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryKind,
    EntryOpened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, Wake
from services.chassis.heard import Heard
from services.ledger.applications import (
    Apply,
    Completed,
    CompleteStage,
    Concluded,
    DecideObjection,
    Dropped,
    RaiseObjection,
    applications,
)
from services.ledger.applications.handlers import opening
from services.ledger.applications.rules import MOST_UNDECIDED
from services.ledger.decider import (
    Accept,
    Open,
    RecordProgress,
    Reopen,
    ReopenForRating,
    RevisionSeen,
    Verify,
    Withdraw,
)
from services.ledger.handlers import HEARS
from services.ledger.register_kinds import register
from services.ledger.views import row
from services.ledger.why import explain
from tests.given import Given
from tests.ledger.register import MATTER, TOWN, kinds, local

NUMBER = "2024-000042"
OPENED = local("2024-04-15", "10:00")  # a Monday
given = Given(register(TOWN.model_copy(update={"revision": 7})))
LOW_INCOME = replace(
    MATTER, title="申请低保", category="minimum_living", station="minzheng", co_handlers=(), limit=None
)
APPLY = Apply(OPENED, NUMBER, LOW_INCOME, "benefit")
STAGES = ("application", "investigation", "appraisal", "notice", "approval", "filing")
DONE_AT = {  # each stage completed on the day it begins, the notice after its seven natural days
    "application": local("2024-04-15", "11:00"),
    "investigation": local("2024-04-15", "12:00"),
    "appraisal": local("2024-04-15", "15:00"),
    "notice": local("2024-04-23"),
    "approval": local("2024-04-24", "09:00"),
    "filing": local("2024-04-24", "10:00"),
}


def asked(actor: str, now: Any, command: str) -> Asked:
    return Asked(now, actor, NUMBER, command)


def complete(stage: str, now: Any = None, actor: str = "", **fields: Any) -> CompleteStage:
    actor = actor or ("leader" if stage == "approval" else "minzheng")
    return CompleteStage(asked(actor, now or DONE_AT[stage], "complete_stage"), stage, **fields)


def objects(now: Any, actor: str = "gateway") -> RaiseObjection:
    return RaiseObjection(asked(actor, now, "raise_objection"), "家里有车")


def decides(now: Any, n: int = 1, upheld: bool = False, actor: str = "office") -> DecideObjection:
    return DecideObjection(asked(actor, now, "decide_objection"), n, upheld, "已核实")


def verify(now: Any, actor: str = "office", passed: bool = True, reason: str = "") -> Verify:
    return Verify(asked(actor, now, "verify"), passed, reason)


def story(*commands: Any) -> list[Any]:
    events: list[Any] = []
    for command in commands:
        events += given(*events).when(command)
    return events


def until(stage: str) -> list[Any]:
    """Every stage before this one is completed."""
    return story(APPLY, *(complete(each) for each in STAGES[: STAGES.index(stage)]))


def refused(events: Any) -> Refusal:
    event = events[-1]
    assert isinstance(event, LedgerCommandRefused)
    assert len(event.detail.split()) > 4, "a refusal says what to do"
    return event.reason


def of(kind: type[Any], events: Any) -> Any:
    return [event for event in events if isinstance(event, kind)]


# Opening


def test_an_application_that_was_taken_back_before_it_came_is_not_verified() -> None:
    never = story(Withdraw(OPENED, NUMBER, "minzheng"), APPLY)
    assert refused(given(*never).when(verify(OPENED))) is Refusal.WRONG_STATE


def test_an_application_is_opened_with_its_stages_and_the_first_one_begins() -> None:
    opened, procedure, stage = given.when(APPLY)
    assert isinstance(opened, EntryOpened)
    assert (opened.procedure, opened.due, opened.accept_by) == ("benefit", None, None)
    assert isinstance(procedure, ProcedureBegun)
    assert tuple(each.id for each in procedure.stages) == STAGES
    assert isinstance(stage, StageBegun)
    assert (stage.stage, stage.number, stage.of) == ("application", 1, 6)
    assert stage.due.at == local("2024-04-17")


def test_a_category_that_names_a_procedure_makes_an_application_of_its_matter() -> None:
    assert opening(OPENED, NUMBER, LOW_INCOME, TOWN) == APPLY
    assert opening(OPENED, NUMBER, MATTER, TOWN) == Open(OPENED, NUMBER, MATTER)


def test_a_case_that_ended_elsewhere_goes_through_no_stages_any_more() -> None:
    past = replace(LOW_INCOME, past=PastOutcome(outcome=Outcome.SOLVED))
    assert opening(OPENED, NUMBER, past, TOWN) == Open(OPENED, NUMBER, past)


def test_what_was_solved_on_the_spot_still_goes_through_every_stage() -> None:
    on_the_spot = replace(LOW_INCOME, solved_on_the_spot="办好了")
    assert kinds(given.when(opening(OPENED, NUMBER, on_the_spot, TOWN))) == kinds(given.when(APPLY))


# Stages in their order


def test_six_stages_in_their_order_lead_to_the_file_and_to_somebody_elses_verification() -> None:
    facts = story(APPLY, *map(complete, STAGES))
    assert [fact.stage for fact in of(StageCompleted, facts)] == list(STAGES)
    assert isinstance(given(*facts).state, Completed)
    assert facts[-1].outcome is Outcome.SOLVED
    [struck_off] = given(*facts).when(verify(local("2024-04-24", "11:00")))
    assert isinstance(struck_off, EntryStruckOff)
    assert (struck_off.late, struck_off.entry_kind) == (False, EntryKind.APPLICATION)
    assert isinstance(given(*facts, struck_off).state, Concluded)


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_skipped_stage_is_refused_and_recorded(stage: str) -> None:
    facts = given(*story(APPLY)).when(complete(stage, OPENED + timedelta(hours=1)))
    assert refused(facts) is Refusal.OUT_OF_ORDER
    assert (facts[-1].command, facts[-1].actor) == ("complete_stage", complete(stage).asked.actor)


def test_a_stage_is_not_completed_twice_and_an_unknown_one_not_at_all() -> None:
    second = until("investigation")
    assert refused(given(*second).when(complete("application"))) is Refusal.ALREADY_DONE
    assert refused(given(*second).when(complete("lottery", DONE_AT["application"]))) is Refusal.OUT_OF_ORDER


def test_a_station_completes_its_own_stages_and_approval_is_somebody_elses() -> None:
    first, fifth = story(APPLY), until("approval")
    assert refused(given(*first).when(complete("application", actor="bianmin"))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*first).when(complete("application", actor="office"))) is Refusal.NOT_ALLOWED
    assert refused(given(*fifth).when(complete("approval", actor="minzheng"))) is Refusal.NOT_ALLOWED


def test_a_stage_that_is_not_passed_ends_the_procedure_with_a_reason() -> None:
    second = until("investigation")
    assert refused(given(*second).when(complete("investigation", passed=False))) is Refusal.REASON_MISSING
    completed, resolved = given(*second).when(complete("investigation", passed=False, note="收入超标"))
    assert isinstance(completed, StageCompleted)
    assert not completed.passed
    assert isinstance(resolved, EntryResolved)
    assert resolved.outcome is Outcome.NOT_FEASIBLE


def test_each_stage_has_its_own_time_limit_and_is_overdue_once() -> None:
    facts = given(*story(APPLY)).when(Wake(local("2024-06-01")))
    [late] = of(StageOverdue, facts)
    assert (late.stage, late.at) == ("application", local("2024-04-17"))
    at = local("2024-04-18", "09:00")
    completed = given(*story(APPLY)).when(complete("application", at))
    assert of(StageCompleted, completed)[0].late is True
    assert completed[-1].due.at == local("2024-05-07"), "ten working days over the May holidays"


def test_a_stage_is_reminded_of_at_four_fifths_and_on_its_due_day_in_office_hours() -> None:
    approving = until("approval")
    told = given(*approving).when(Wake(local("2024-06-01")))
    assert [(fact.at, fact.on_due_day) for fact in of(EntryDueSoon, told)] == [
        (local("2024-05-07", "16:12"), False),  # of 23 April and ten days more, 8.8 are used
        (local("2024-05-09", "08:30"), True),
    ]
    assert [fact.due for fact in of(EntryDueSoon, told)] == [approving[-1].due] * 2
    assert kinds(told)[-1] == "StageOverdue"


def test_a_completed_stage_is_reminded_of_no_more_and_the_next_one_is() -> None:
    second = story(APPLY, complete("application"))
    told = given(*second).when(Wake(local("2024-06-01")))
    assert {fact.due for fact in of(EntryDueSoon, told)} == {second[-1].due}
    assert (
        of(EntryDueSoon, given(*story(APPLY, *map(complete, STAGES))).when(Wake(local("2024-06-01")))) == []
    )


def test_an_application_is_late_when_one_of_its_stages_was() -> None:
    facts = story(APPLY, complete("application", local("2024-04-18", "09:00"), passed=False, note="材料不实"))
    assert given(*facts).when(verify(local("2024-04-18", "10:00")))[-1].late is True


# A stage that its station may not complete


def test_who_may_decide_is_reminded_of_it_and_late_with_it_not_the_station() -> None:
    approving = until("approval")
    told = given(*approving).when(Wake(local("2024-06-01")))
    assert kinds(told) == ["EntryDueSoon", "EntryDueSoon", "StageOverdue"]
    assert {fact.station for fact in told} == {"office"}
    late = [*approving, *told]
    completed = given(*late).when(complete("approval", local("2024-06-03", "09:00")))[0]
    assert (completed.station, completed.late, completed.late_with) == ("minzheng", True, "office")


def test_the_stations_own_late_stage_is_its_own() -> None:
    at = local("2024-04-18", "09:00")
    [late, completed, _] = given(*story(APPLY)).when(complete("application", at))[-3:]
    assert (late.station, completed.late_with) == ("minzheng", "minzheng")


def test_an_application_is_not_late_because_its_approval_was() -> None:
    late = [*until("approval"), *given(*until("approval")).when(Wake(local("2024-06-01")))]
    late += given(*late).when(complete("approval", local("2024-06-03", "09:00")))
    late += given(*late).when(complete("filing", local("2024-06-03", "10:00")))
    assert given(*late).when(verify(local("2024-06-03", "11:00")))[-1].late is False
    dropped = [*until("approval"), *given(*until("approval")).when(Wake(local("2024-06-01")))]
    [closed] = given(*dropped).when(Withdraw(local("2024-06-02"), NUMBER, "minzheng"))
    assert (closed.station, closed.late_with) == ("minzheng", "office")


def test_a_late_approval_that_an_objection_breaks_off_is_late_no_more_and_nobodys_lateness() -> None:
    late = [*until("approval"), *given(*until("approval")).when(Wake(local("2024-06-01")))]
    late += given(*late).when(objects(local("2024-06-01")))
    late += given(*late).when(decides(local("2024-06-03", "09:00"), upheld=True))
    [decided] = of(ObjectionDecided, late)
    assert (decided.late_with, decided.visit) == ("office", 5)
    assert given(*late).state.application.late is False


def test_where_the_office_handles_it_the_next_who_may_approve_has_to_act() -> None:
    changed = {"office": TOWN.actors["office"].model_copy(update={"station": "minzheng"})}
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, **changed}})
    told = Given(applications(town))(*until("approval")).when(Wake(local("2024-06-01")))
    assert {fact.station for fact in told} == {"leader"}


# Public notice


def test_a_public_notice_stands_for_its_natural_days_the_first_one_not_counted() -> None:
    noticed = until("notice")
    assert noticed[-1].not_before == local("2024-04-23")
    assert (
        refused(given(*noticed).when(complete("notice", local("2024-04-22", "23:59")))) is Refusal.TOO_EARLY
    )
    assert kinds(given(*noticed).when(complete("notice", local("2024-04-23")))) == [
        "StageCompleted",
        "StageBegun",
    ]


# Objections


def test_an_objection_is_raised_from_the_notice_on_and_until_the_approval() -> None:
    assert refused(given(*until("appraisal")).when(objects(DONE_AT["appraisal"]))) is Refusal.TOO_EARLY
    [raised] = given(*until("notice")).when(objects(local("2024-04-17")))
    assert raised == ObjectionRaised(
        at=local("2024-04-17"),
        station="minzheng",
        entry=NUMBER,
        objection=1,
        stage="notice",
        by="gateway",
        text="家里有车",
        due=raised.due,
    )
    assert raised.due.at == local("2024-04-25"), "five working days to decide it"
    assert refused(given(*until("filing")).when(objects(DONE_AT["filing"]))) is Refusal.TOO_LATE


def test_an_objection_pauses_the_approval_until_it_is_decided() -> None:
    noticed = until("notice")
    paused = [*noticed, *given(*noticed).when(objects(local("2024-04-17")))]
    paused += given(*paused).when(complete("notice"))
    assert refused(given(*paused).when(complete("approval"))) is Refusal.OBJECTION_OPEN
    told = given(*paused).when(Wake(local("2024-08-01")))
    assert kinds(told) == ["ObjectionOverdue"], "its own clock stands still"
    after = [*paused, *given(*paused).when(decides(local("2024-05-20", "09:00")))]
    assert kinds(given(*after).when(complete("approval", local("2024-05-21")))) == [
        "StageCompleted",
        "StageBegun",
    ]


def test_after_a_dismissed_objection_the_working_days_that_were_left_are_left_still() -> None:
    approving = until("approval")
    due = approving[-1].due.at  # ten working days from 23 April: Thursday 9 May is the last one
    assert due == local("2024-05-10")
    paused = [*approving, *given(*approving).when(objects(local("2024-05-06", "10:00")))]
    *overdue, decided = given(*paused).when(decides(local("2024-05-17", "10:00")))
    assert kinds(overdue) == ["ObjectionOverdue"]
    assert isinstance(decided, ObjectionDecided)
    assert decided.due
    assert decided.due.at == local("2024-05-23"), "three were left: the 7th, 8th and 9th"
    [late] = of(StageOverdue, given(*paused, *overdue, decided).when(Wake(local("2024-06-01"))))
    assert late.at == decided.due.at


def test_an_objection_that_nobody_decides_is_told_of_whoever_has_to() -> None:
    approving, at = until("approval"), local("2024-04-23", "10:00")
    raised = [*approving, *given(*approving).when(objects(at))]
    [late] = given(*raised).when(Wake(local("2024-08-01")))
    assert isinstance(late, ObjectionOverdue)
    assert (late.station, late.objection, late.at) == ("office", 1, local("2024-04-30")), (
        "Sunday the 28th is worked"
    )
    assert given(*raised, late).when(Wake(local("2024-08-01"))) == [], "once"
    [own] = given(*approving, *given(*approving).when(objects(at, "office"))).when(Wake(local("2024-08-01")))
    assert own.station == "leader", "who raised it does not decide it"
    decided = [*raised, *given(*raised).when(decides(local("2024-04-24", "10:00")))]
    assert of(ObjectionOverdue, given(*decided).when(Wake(local("2024-08-01")))) == []


def test_where_the_charter_gives_no_time_to_decide_an_objection_it_is_never_overdue() -> None:
    benefit = TOWN.procedures["benefit"].model_copy(update={"objection_within": None})
    town = Given(applications(TOWN.model_copy(update={"procedures": {"benefit": benefit}})))
    [raised] = town(*until("approval")).when(objects(local("2024-04-23", "10:00")))
    assert raised.due is None
    assert town(*until("approval"), raised).when(Wake(local("2024-08-01"))) == []


def test_an_open_objection_explains_by_when_it_has_to_be_decided() -> None:
    approving = until("approval")
    raised = [*approving, *given(*approving).when(objects(local("2024-05-06", "10:00")))]
    [_, told] = explain(NUMBER, given(*raised).state, TOWN).dues
    assert (told.part, told.station, told.due, told.agrees) == ("objection 1", "office", raised[-1].due, True)


def test_a_stage_whose_date_an_objection_moved_is_reminded_of_again() -> None:
    approving = until("approval")
    reminded = [*approving, *given(*approving).when(Wake(local("2024-05-08")))]
    assert isinstance(reminded[-1], EntryDueSoon)
    paused = [*reminded, *given(*reminded).when(objects(local("2024-05-08", "10:00")))]
    decided = [*paused, *given(*paused).when(decides(local("2024-05-17", "10:00")))]
    again = of(EntryDueSoon, given(*decided).when(Wake(local("2024-06-01"))))
    assert [fact.on_due_day for fact in again] == [True]
    assert again[0].due == decided[-1].due != reminded[-1].due


def test_a_stage_whose_time_ran_out_during_an_objection_has_the_working_day_on_which_it_goes_on() -> None:
    approving = until("approval")
    raised = [*approving, *given(*approving).when(objects(local("2024-05-09", "18:30")))]
    dismissed = [*raised, *given(*raised).when(decides(local("2024-05-12", "09:30")))]
    assert dismissed[-1].due.at == local("2024-05-14"), "the decision came on a Sunday"
    [late] = of(StageOverdue, given(*dismissed).when(Wake(local("2024-06-01"))))
    assert late.at == local("2024-05-14")


def test_a_second_upheld_objection_gives_the_investigation_no_new_time() -> None:
    approving, at = until("approval"), DONE_AT["filing"]
    raised = [*approving, *given(*approving).when(objects(DONE_AT["approval"]))]
    raised += given(*raised).when(objects(DONE_AT["approval"], "discipline"))
    back = [*raised, *given(*raised).when(decides(at, upheld=True))]
    assert back[-1].stage == "investigation"
    assert kinds(given(*back).when(decides(local("2024-04-30"), n=2, upheld=True))) == ["ObjectionDecided"]


def test_an_objection_upheld_at_the_stage_to_which_it_leads_back_ends_its_pause() -> None:
    benefit = TOWN.procedures["benefit"].model_copy(update={"upheld_back_to": "approval"})
    town = Given(applications(TOWN.model_copy(update={"procedures": {"benefit": benefit}})))
    raised = [*town.when(APPLY)]
    for step in (*map(complete, STAGES[:4]), objects(DONE_AT["approval"])):
        raised += town(*raised).when(step)
    [decided] = town(*raised).when(decides(local("2024-04-29", "10:00"), upheld=True))
    assert decided.due.at > raised[-2].due.at
    assert kinds(town(*raised, decided).when(complete("approval", local("2024-04-30")))) == [
        "StageCompleted",
        "StageBegun",
    ]


def test_who_raised_an_objection_does_not_decide_it() -> None:
    approving = until("approval")
    raised = [*approving, *given(*approving).when(objects(DONE_AT["approval"], "office"))]
    assert refused(given(*raised).when(decides(DONE_AT["filing"]))) is Refusal.OWN_WORK
    assert kinds(given(*raised).when(decides(DONE_AT["filing"], actor="leader"))) == ["ObjectionDecided"]


def test_an_objection_without_words_and_a_decision_without_reason_are_refused() -> None:
    approving = until("approval")
    blank = RaiseObjection(asked("gateway", DONE_AT["approval"], "raise_objection"), "  ")
    assert refused(given(*approving).when(blank)) is Refusal.REASON_MISSING
    raised = [*approving, *given(*approving).when(objects(DONE_AT["approval"]))]
    silent = DecideObjection(asked("office", DONE_AT["filing"], "decide_objection"), 1, False, " ")
    assert refused(given(*raised).when(silent)) is Refusal.REASON_MISSING


def test_an_upheld_objection_sends_the_application_back_to_its_investigation() -> None:
    approving = until("approval")
    paused = [*approving, *given(*approving).when(objects(DONE_AT["approval"]))]
    decided, begun = given(*paused).when(decides(DONE_AT["filing"], upheld=True))
    assert isinstance(decided, ObjectionDecided)
    assert isinstance(begun, StageBegun)
    assert begun.stage == "investigation"
    assert refused(given(*paused, decided, begun).when(complete("approval", DONE_AT["filing"]))) is (
        Refusal.OUT_OF_ORDER
    )


def test_an_objection_is_decided_once_by_somebody_else_and_only_where_there_is_one() -> None:
    approving = until("approval")
    raised = [*approving, *given(*approving).when(objects(DONE_AT["approval"]))]
    at = DONE_AT["filing"]
    assert refused(given(*raised).when(decides(at, actor="minzheng"))) is Refusal.OWN_WORK
    assert refused(given(*raised).when(decides(at, n=2))) is Refusal.WRONG_STATE
    decided = [*raised, *given(*raised).when(decides(at))]
    assert refused(given(*decided).when(decides(at))) is Refusal.ALREADY_DONE


def test_nobody_objects_to_his_own_work() -> None:
    assert (
        refused(given(*until("approval")).when(objects(DONE_AT["approval"], "minzheng"))) is Refusal.OWN_WORK
    )


def test_an_official_objects_once_until_it_is_sent_back() -> None:
    at = DONE_AT["filing"]
    raised = [*until("approval"), *given(*until("approval")).when(objects(DONE_AT["approval"], "nongye"))]
    assert refused(given(*raised).when(objects(at, "nongye"))) is Refusal.ALREADY_DONE
    dismissed = [*raised, *given(*raised).when(decides(at))]
    assert refused(given(*dismissed).when(objects(at, "nongye"))) is Refusal.ALREADY_DONE
    assert kinds(given(*dismissed).when(objects(at, "discipline"))) == ["ObjectionRaised"]
    upheld = [*raised, *given(*raised).when(decides(at, upheld=True))]
    for step in map(complete, ("investigation", "appraisal")):
        upheld += given(*upheld).when(replace(step, asked=replace(step.asked, now=at)))
    assert kinds(given(*upheld).when(objects(at, "nongye"))) == ["ObjectionRaised"]


def test_a_channel_brings_the_objections_of_many_people_and_so_many_at_a_time() -> None:
    at, raised = DONE_AT["approval"], list(until("approval"))
    for _ in range(MOST_UNDECIDED):
        raised += given(*raised).when(objects(at))
    assert kinds(raised[-1:]) == ["ObjectionRaised"]
    assert refused(given(*raised).when(objects(at))) is Refusal.OBJECTION_OPEN
    assert kinds(given(*raised).when(objects(at, "discipline"))) == ["ObjectionRaised"]
    raised += given(*raised).when(decides(DONE_AT["filing"], n=3))
    assert kinds(given(*raised).when(objects(DONE_AT["filing"]))) == ["ObjectionRaised"]


# Ending


def test_whoever_completed_it_does_not_verify_it() -> None:
    failed = [*until("approval")]
    failed += given(*failed).when(complete("approval", actor="office", passed=False, note="不符合"))
    at = DONE_AT["filing"]
    assert refused(given(*failed).when(verify(at))) is Refusal.OWN_WORK
    assert refused(given(*failed).when(verify(at, "minzheng"))) is Refusal.OWN_WORK
    assert kinds(given(*failed).when(verify(at, "leader"))) == ["EntryStruckOff"]


@pytest.mark.parametrize(("approves", "verifies"), [("office", "leader"), ("leader", "office")])
def test_who_approved_it_does_not_verify_it(approves: str, verifies: str) -> None:
    steps = [complete(each, actor=approves if each == "approval" else "") for each in STAGES]
    filed = story(APPLY, *steps)
    at = local("2024-04-24", "11:00")
    assert refused(given(*filed).when(verify(at, approves))) is Refusal.OWN_WORK
    assert kinds(given(*filed).when(verify(at, verifies))) == ["EntryStruckOff"]


def test_where_only_the_office_approves_and_verifies_the_leaders_verify_what_it_approved() -> None:
    benefit = TOWN.procedures["benefit"]
    stages = tuple(
        each.model_copy(update={"by": (Role.OFFICE,)}) if each.approval else each for each in benefit.stages
    )
    procedures = {"benefit": benefit.model_copy(update={"stages": stages})}
    town = Given(applications(TOWN.model_copy(update={"procedures": procedures})))
    filed: list[Any] = []
    for step in (APPLY, *(complete(each, actor="office" if each == "approval" else "") for each in STAGES)):
        filed += town(*filed).when(step)
    at = local("2024-04-24", "11:00")
    assert town(*filed).when(verify(at))[-1].detail.endswith("somebody else has to verify: leader")
    assert kinds(town(*filed).when(verify(at, "leader"))) == ["EntryStruckOff"]


def test_a_rejected_verification_reopens_the_stage_at_which_it_ended() -> None:
    filed = story(APPLY, *map(complete, STAGES))
    at = local("2024-04-24", "11:00")
    assert refused(given(*filed).when(verify(at, passed=False))) is Refusal.REASON_MISSING
    [rejected] = given(*filed).when(verify(at, passed=False, reason="缺签字"))
    assert isinstance(rejected, VerificationRejected)
    assert rejected.round == 2
    again = given(*filed, rejected).when(complete("filing", local("2024-04-24", "12:00")))
    assert kinds(again) == ["StageCompleted", "EntryResolved"]


def test_a_rejected_stage_that_is_late_is_overdue_once_in_each_visit() -> None:
    late = [*until("filing"), *given(*until("filing")).when(Wake(local("2024-05-20")))]
    late += given(*late).when(complete("filing", local("2024-05-20", "09:00")))
    late += given(*late).when(verify(local("2024-05-20", "10:00"), passed=False, reason="缺签字"))
    late += given(*late).when(Wake(local("2024-06-20")))
    assert [event.visit for event in of(StageOverdue, late)] == [6, 7]


def test_a_station_that_helps_verifies_nothing() -> None:
    helped = replace(LOW_INCOME, co_handlers=("jiwei",))
    filed = story(replace(APPLY, matter=helped), *map(complete, STAGES))
    at = local("2024-04-24", "11:00")
    assert refused(given(*filed).when(verify(at, "discipline"))) is Refusal.OWN_WORK


def test_an_applicant_may_take_it_back_until_it_is_struck_off() -> None:
    withdraw = Withdraw(DONE_AT["appraisal"], NUMBER, "minzheng")
    [closed] = given(*until("appraisal")).when(withdraw)
    assert isinstance(closed, EntryClosedUnsolved)
    assert given.decider.wake_at(given(*until("appraisal"), closed).state) is None
    assert given(*until("appraisal"), closed).when(withdraw) == []


def test_a_withdrawal_heard_late_is_not_told_as_of_before_what_happened_since() -> None:
    noticed = until("notice")
    [closed] = given(*noticed).when(Withdraw(OPENED, NUMBER, "minzheng"))
    assert closed.at == noticed[-1].at


def test_a_withdrawal_that_overtakes_its_application_closes_it_when_it_comes() -> None:
    under = Given(register(TOWN))
    early = under().when(Withdraw(OPENED, NUMBER, "minzheng"))
    [opened] = under(*early).when(APPLY)
    assert isinstance(opened, EntryOpened)
    state = under(*early, opened).state
    assert isinstance(state, Dropped)
    assert (state.outcome, state.application.opened.procedure) == (Outcome.WITHDRAWN, "benefit")
    assert under(*early, opened).when(APPLY) == []
    assert row(state)["status"] == "closed"
    complaint = complete("application")
    assert refused(under(*early).when(complaint)) is Refusal.NO_SUCH_ENTRY


# A new revision


def under(**changes: Any) -> Charter:
    return TOWN.model_copy(update={"revision": 8, "published_at": DONE_AT["appraisal"], **changes})


def with_limits(days: int) -> dict[str, Any]:
    benefit = TOWN.procedures["benefit"]
    stages = tuple(each.model_copy(update={"limit": Limit(amount=days)}) for each in benefit.stages)
    return {"procedures": {"benefit": benefit.model_copy(update={"stages": stages})}}


def days_off(*days: str) -> dict[str, Any]:
    overlay = {"country": "CN", "off": days, "source": "a notice of the town"}
    return {"calendar": TOWN.calendar.model_validate(overlay)}


def recounted(charter: Charter, history: list[Any], now: Any = DONE_AT["filing"]) -> list[Any]:
    return Given(applications(charter))(*history).when(Wake(now))


def test_a_new_calendar_counts_the_stage_under_way_anew_at_its_publication() -> None:
    history = until("notice")
    told, seen = recounted(under(**days_off("2024-04-18")), history)
    assert isinstance(told, DeadlineRecomputed)
    assert (told.at, told.clock, told.old) == (DONE_AT["appraisal"], DueClock.STATION, history[-1].due)
    assert told.new.last_day > told.old.last_day
    assert told.new.start == told.old.start
    assert "counts other days" in told.why
    assert isinstance(seen, RevisionSeen)
    assert recounted(under(**days_off("2024-04-18")), [*history, told, seen]) == []


def test_a_new_limit_of_a_stage_holds_for_it_and_for_those_that_follow() -> None:
    history = until("notice")
    charter = under(**with_limits(20))
    told = recounted(charter, history)
    assert told[0].new.limit == Limit(amount=20)
    assert told[0].why.startswith("revision 8 of the charter says: 20 working days for the stage 公示")
    decider = Given(applications(charter))(*history, *told)
    assert decider.when(complete("notice"))[-1].due.limit == Limit(amount=20)


def test_a_stage_whose_time_was_moved_ahead_again_is_overdue_no_more_and_may_be_again() -> None:
    history = until("filing")
    late = [*history, *given(*history).when(Wake(local("2024-05-09")))]
    assert isinstance(late[-1], StageOverdue)
    charter = under(**with_limits(30), published_at=local("2024-05-10"))
    told = recounted(charter, late, local("2024-07-01"))
    soon = ["EntryDueSoon", "EntryDueSoon"]
    assert kinds(told) == ["DeadlineRecomputed", "RevisionSeen", *soon, "StageOverdue"]
    assert told[-1].at == told[0].new.at
    in_time = Given(applications(charter))(*late, *told[:2])
    assert not in_time.when(complete("filing", local("2024-05-11")))[0].late


def test_a_stage_whose_time_was_moved_into_the_past_is_overdue_from_then_on() -> None:
    charter = under(**with_limits(0), published_at=local("2024-04-24", "15:00"))
    told = recounted(charter, until("filing"), local("2024-07-01"))
    soon = ["EntryDueSoon", "EntryDueSoon"]
    assert kinds(told) == ["DeadlineRecomputed", "RevisionSeen", *soon, "StageOverdue"]
    assert told[-1].at == max(told[0].new.at, told[0].at)
    assert min(fact.at for fact in told) == told[0].at, "nobody is reminded as of before it was moved"


def test_what_waits_to_be_verified_is_recounted_for_a_redo_and_what_is_closed_is_not() -> None:
    filed = story(APPLY, *map(complete, STAGES))
    charter = under(**with_limits(20), published_at=local("2024-04-25"))
    told = recounted(charter, filed, local("2024-04-26"))
    assert kinds(told) == ["DeadlineRecomputed", "RevisionSeen"]
    redo = verify(local("2024-04-26"), passed=False, reason="缺签字")
    [rejected] = Given(applications(charter))(*filed, *told).when(redo)
    assert rejected.due == told[0].new
    off = [*filed, *given(*filed).when(verify(local("2024-04-24", "12:00")))]
    assert recounted(charter, off, local("2024-04-26")) == []


def test_a_stage_is_reminded_of_what_fell_due_before_a_revision_under_its_old_date() -> None:
    approving = until("approval")
    charter = under(**with_limits(20), published_at=local("2024-05-08"))
    told = recounted(charter, approving, local("2024-05-09"))
    assert kinds(told) == ["EntryDueSoon", "DeadlineRecomputed", "RevisionSeen"]
    assert (told[0].at, told[0].due) == (local("2024-05-07", "16:12"), approving[-1].due)


def test_a_recount_that_comes_after_a_reminder_is_not_told_as_of_before_it() -> None:
    approving = until("approval")
    reminded = [*approving, *given(*approving).when(Wake(local("2024-05-08")))]
    charter = under(**with_limits(20), published_at=local("2024-05-01"))
    told = recounted(charter, reminded, local("2024-05-09"))
    assert [fact.at for fact in told] == [reminded[-1].at] * 2


def test_a_stage_explains_its_due_date_day_by_day_with_the_objection_as_a_pause() -> None:
    approving = until("approval")
    paused = [*approving, *given(*approving).when(objects(local("2024-05-06", "10:00")))]
    held = explain(NUMBER, given(*paused).state, TOWN)
    assert held.held_since == local("2024-05-06", "10:00")
    decided = [*paused, *given(*paused).when(decides(local("2024-05-17", "10:00")))]
    [told] = explain(NUMBER, given(*decided).state, TOWN).dues
    assert (told.part, told.agrees, told.due.last_day) == ("审批", True, told.days[-1].day)
    assert told.station == "office", "it is the office's to decide"
    assert told.due.rule.startswith("10 working days for the stage 审批 (Plan 2(3)")
    assert sum(day.counted for day in told.days) == pytest.approx(10)
    assert DayReason.PAUSED in {day.reason for day in told.days}


def test_a_matters_commands_are_not_for_an_application_and_progress_is_for_its_station() -> None:
    first = story(APPLY)
    at = OPENED + timedelta(hours=1)
    assert refused(given(*first).when(Accept(asked("minzheng", at, "accept")))) is Refusal.WRONG_STATE
    progress = RecordProgress(asked("bianmin", at, "record_progress"), "在办")
    assert refused(given(*first).when(progress)) is Refusal.NOT_THE_HANDLER
    progress = RecordProgress(asked("minzheng", at, "record_progress"), "在办")
    assert kinds(given(*first).when(progress)) == ["ProgressRecorded"]
    assert refused(given.when(complete("application"))) is Refusal.NO_SUCH_ENTRY


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"note": " "}, Refusal.REASON_MISSING),
        ({"note": "在办", "percent": 50}, Refusal.WRONG_STATE),
        ({"note": "在办", "interim_answer": True}, Refusal.WRONG_STATE),
    ],
)
def test_progress_of_an_application_is_told_in_words_alone(fields: dict[str, Any], why: Refusal) -> None:
    progress = RecordProgress(asked("minzheng", OPENED, "record_progress"), **fields)
    assert refused(given(*story(APPLY)).when(progress)) is why


def test_a_station_that_helps_tells_what_it_did() -> None:
    helped = story(replace(APPLY, matter=replace(LOW_INCOME, co_handlers=("bianmin",))))
    [told] = given(*helped).when(RecordProgress(asked("bianmin", OPENED, "record_progress"), "已入户"))
    assert (told.station, told.by) == ("minzheng", "bianmin")


def test_an_outcome_is_not_reopened_by_request_or_rating_and_who_asks_hears_what_to_do() -> None:
    filed = story(APPLY, *map(complete, STAGES))
    at = local("2024-04-24", "11:00")
    off = [*filed, *given(*filed).when(verify(at))]
    [no] = given(*off).when(Reopen(asked("office", at, "reopen"), "材料不实"))
    assert no.detail == (
        f"{NUMBER} is an application, and 'reopen' is not for one; "
        "its outcome stands: submit a new application, or a complaint about this one"
    )
    assert given(*off).when(ReopenForRating(at, 1, "不满意")) == []


@pytest.mark.parametrize(
    ("said", "command"),
    [
        (
            requested.CompleteStage(stage="notice", note="好"),
            complete("notice", OPENED, "minzheng", note="好"),
        ),
        (requested.RaiseObjection(text="家里有车"), objects(OPENED, "minzheng")),
        (
            requested.DecideObjection(objection=1, upheld=False, reason="已核实"),
            decides(OPENED, actor="minzheng"),
        ),
    ],
)
def test_a_request_becomes_its_command_under_the_number_it_names(said: Any, command: Any) -> None:
    heard: Heard[Any] = Heard("m1", NUMBER, said, OPENED, "minzheng", "minzheng")
    assert list(HEARS[type(said)](heard, TOWN)) == [(NUMBER, command)]
