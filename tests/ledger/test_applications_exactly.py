"""Fields of facts and corners of the stages that no other story looks at; mutants found them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from duban_contracts.applications import ObjectionDecided, ObjectionOverdue, StageCompleted
from duban_contracts.charter import Limit
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import (
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Wake
from services.ledger.applications import applications
from services.ledger.decider import RecordProgress
from tests.given import Given
from tests.ledger.register import TOWN, local
from tests.ledger.test_applications import (
    APPLY,
    DONE_AT,
    STAGES,
    asked,
    complete,
    decides,
    objects,
    of,
    refused,
    story,
    until,
    verify,
)

FILED = story(APPLY, *map(complete, STAGES))
AFTER = DONE_AT["filing"] + timedelta(hours=1)


def answered(history: Any, command: Any, town: Any = TOWN) -> list[Any]:
    return [*history, *Given(applications(town))(*history).when(command)]


def test_every_fact_says_whose_the_application_is_and_when_it_was_touched() -> None:
    progress = RecordProgress(
        asked("minzheng", DONE_AT["approval"], "record_progress"), "在办", None, ("照片1",)
    )
    objected = answered(answered(until("approval"), progress), objects(DONE_AT["approval"]))
    dismissed = answered(objected, decides(DONE_AT["filing"]))
    rejected = answered(FILED, verify(AFTER, passed=False, reason="材料不齐"))
    struck_off = answered(FILED, verify(AFTER))
    for history in (objected, dismissed, FILED, rejected, struck_off):
        assert {event.station for event in history} == {"minzheng"}
        state = Given(applications(TOWN))(*history).state
        assert state.application.updated_at == history[-1].at
    [said] = of(ProgressRecorded, objected)
    assert said.evidence == ("照片1",)


def test_a_second_round_says_that_it_is_one_and_from_which_visit_it_came() -> None:
    rejected = answered(FILED, verify(AFTER, passed=False, reason="材料不齐"))
    [round_] = of(VerificationRejected, rejected)
    at = AFTER + timedelta(hours=1)
    again = answered(rejected, replace(complete("filing", at), note="补齐了"))
    [*_, completed] = of(StageCompleted, again)
    [*_, resolved] = of(EntryResolved, again)
    assert (completed.visit, completed.note) == (len(STAGES) + 1, "补齐了")
    assert (round_.round, resolved.round, resolved.answer) == (2, 2, "补齐了")
    assert Given(applications(TOWN))(*again).state.application.note == "补齐了"
    [struck_off] = of(EntryStruckOff, answered(again, verify(at + timedelta(hours=1))))
    assert (struck_off.round, struck_off.resolved_at) == (2, at)


def test_nobody_decides_at_a_stage_of_the_station_to_which_he_belongs() -> None:
    leader = TOWN.actors["leader"].model_copy(update={"station": "minzheng"})
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, "leader": leader}})
    [refusal] = answered(until("approval"), complete("approval"), town)[-1:]
    assert refused([refusal]) is Refusal.OWN_WORK


def test_whom_the_charter_does_not_know_neither_completes_nor_verifies() -> None:
    for command in (complete("filing", actor="nobody"), verify(AFTER, "nobody")):
        history = FILED if command.asked.command == "verify" else until("filing")
        assert refused(answered(history, command)) is Refusal.NOT_ALLOWED


def test_an_objection_before_the_approval_stops_no_clock_and_two_stop_it_once() -> None:
    noticed = answered(until("notice"), objects(local("2024-04-17")))
    assert Given(applications(TOWN))(*noticed).state.application.paused_at is None
    first, second = local("2024-04-24", "09:00"), local("2024-04-25", "09:00")
    both = answered(answered(until("approval"), objects(first)), objects(second, "discipline"))
    one_left = answered(both, decides(local("2024-04-26", "09:00")))
    assert one_left[-1].due is None
    assert Given(applications(TOWN))(*one_left).state.application.paused_at == first
    none_left = answered(one_left, decides(local("2024-04-29", "09:00"), n=2))
    [*_, decided] = of(ObjectionDecided, none_left)
    assert [(pause.start, pause.end) for pause in decided.due.pauses] == [
        (first, local("2024-04-29", "09:00"))
    ]


def test_an_objection_waits_for_the_first_who_neither_raised_it_nor_is_a_party() -> None:
    for raised_by, waits_for in (("gateway", "office"), ("office", "leader")):
        history = answered(until("approval"), objects(DONE_AT["approval"], raised_by))
        assert history[-1].due.hours_of == waits_for
        [told] = of(ObjectionOverdue, Given(applications(TOWN))(*history).when(Wake(local("2024-06-01"))))
        assert (told.station, told.objection, told.at) == (waits_for, 1, told.due.at)


def test_each_objection_is_overdue_by_itself() -> None:
    later = local("2024-04-29", "09:00")
    both = answered(answered(until("approval"), objects(DONE_AT["approval"])), objects(later, "discipline"))
    told = of(ObjectionOverdue, Given(applications(TOWN))(*both).when(Wake(local("2024-06-01"))))
    assert [each.objection for each in told] == [1, 2]
    assert told[0].at < told[1].at


def test_what_is_late_stays_late_where_a_revision_moves_its_date_and_it_is_past_still() -> None:
    late = answered(until("filing"), Wake(local("2024-05-20")))
    benefit = TOWN.procedures["benefit"]
    stages = tuple(
        stage.model_copy(update={"limit": Limit(amount=stage.limit.amount + 1)}) for stage in benefit.stages
    )
    town = TOWN.model_copy(
        update={
            "revision": 8,
            "published_at": local("2024-05-21"),
            "procedures": {**TOWN.procedures, "benefit": benefit.model_copy(update={"stages": stages})},
        }
    )
    under = Given(applications(TOWN.model_copy(update={"revision": 7})))
    history = [*under.when(APPLY)]
    for stage in STAGES[:5]:
        history += under(*history).when(complete(stage))
    history += under(*history).when(Wake(local("2024-05-20")))
    told = Given(applications(town))(*history).when(Wake(local("2024-06-01")))
    [moved] = of(DeadlineRecomputed, told)
    assert (moved.station, late[-1].station) == ("minzheng", "minzheng")
    assert not of(type(history[-1]), told), "it was told, and is still so"


def test_a_refusal_says_where_the_application_stands() -> None:
    [refusal] = answered(FILED, complete("filing", AFTER))[-1:]
    assert isinstance(refusal, LedgerCommandRefused)
    assert (refusal.reason, "waits for somebody else" in refusal.detail) == (Refusal.WRONG_STATE, True)
