"""Rungs 2 to 4: what the rules propose, what people decide, and who may decide about whom."""

from datetime import time, timedelta

import pytest

from duban_contracts.charter import Actor, Ground, Limit, OfficeHours, Role, Shift, Unit
from duban_contracts.escalation import (
    CircularPublished,
    CircularWithdrawn,
    EscalationCommandRefused,
    InstructionRecorded,
    ItemClosed,
    LeadersReported,
    Rung,
    StationRecovered,
    StationStillLagging,
    StepDecided,
    StepProposed,
    TransferMade,
    TransferReceived,
)
from duban_contracts.message import Refusal
from services.escalation.decider import escalation
from services.escalation.standing import standing
from tests.escalation.town import (
    ANSWER_BY,
    OVERDUE,
    STATION,
    TICK,
    TOWNSHIP,
    UNMET,
    Story,
    charter,
    day,
    finding,
    flag,
    kinds,
    late_item,
    only,
    ordered,
    revised,
    supervised,
)

GRAVE = [Ground.PERFUNCTORY, Ground.NONFEASANCE, Ground.BUCK_PASSING]
PUBLISHED = day(5, 13, 10)
UNMET_CIRCULAR = day(5, 21)  # five working days after Monday, 13 May
REPORTED = day(5, 21, 10)
UNMET_REPORT = day(5, 29)  # five working days after Tuesday, 21 May


def refused(events):
    return only(EscalationCommandRefused, events).reason


def proposed(events):
    return only(StepProposed, events)


def published(**kwargs):
    """The order stayed unmet, and its circular came out on 13 May."""
    story = ordered(**kwargs)
    story.wait(UNMET)
    story.approve(PUBLISHED)
    return story


def reported():
    story = published()
    story.wait(UNMET_CIRCULAR)
    story.approve(REPORTED, 2, "leader")
    return story


def transferred():
    story = reported()
    story.wait(UNMET_REPORT)
    story.approve(day(5, 29, 10), 3, "leader")
    return story


# Rung 2 by time


def test_the_circular_is_proposed_when_the_order_stays_unmet_for_the_charters_time():
    story = ordered()
    story.wait(ANSWER_BY)
    assert story.wait(UNMET - TICK) == []
    assert story.wait(UNMET) == [
        StepProposed(
            at=UNMET,
            station=STATION,
            step="qingjieban-2024-step-1",
            rung=Rung.CIRCULAR,
            because="qingjieban-2024-1: the order was not lifted in time",
            items=(late_item(),),
            decided_by=(Role.OFFICE,),
        )
    ]
    assert story.wait(day(12, 31)) == []


def test_no_circular_is_proposed_for_an_order_lifted_in_its_last_moment():
    story = ordered()
    story.answer(day(5, 8))
    story.close(UNMET - TICK)
    assert "StepProposed" not in kinds(story.wait(day(12, 31)))


def test_an_unanswered_order_leads_to_the_circular_even_where_everything_is_closed():
    story = ordered()
    story.close(day(4, 22))
    assert proposed(story.wait(UNMET)).rung is Rung.CIRCULAR


def test_the_office_publishes_the_circular():
    story = ordered()
    story.wait(UNMET)
    assert story.approve(PUBLISHED) == [
        StepDecided(
            at=PUBLISHED,
            station=STATION,
            step="qingjieban-2024-step-1",
            rung=Rung.CIRCULAR,
            approved=True,
            decided_by="the head",
            actor="office",
        ),
        CircularPublished(
            at=PUBLISHED,
            station=STATION,
            circular="qingjieban-2024-circular-1",
            number="某镇营商办通报〔2024〕镇清洁办1号",
            step="qingjieban-2024-step-1",
            items=(late_item(),),
            next_at=UNMET_CIRCULAR,
        ),
        StationStillLagging(at=PUBLISHED, station=STATION, rung=Rung.CIRCULAR, items=(late_item(),)),
    ]


def test_one_order_leads_to_one_circular():
    story = published()
    story.close(day(5, 14))
    assert story.wait(day(12, 31)) == [], "although the order stays unanswered"


# Rung 2 by ground


@pytest.mark.parametrize("ground", GRAVE)
def test_a_grave_ground_leads_to_the_circular_at_once_and_without_an_order(ground):
    now = day(4, 16, 10)
    events = supervised().found(ground, now)
    assert kinds(events) == ["ItemOpened", "StationBecameLagging", "StepProposed"]
    step = proposed(events)
    assert (step.rung, step.grounds, step.items) == (
        Rung.CIRCULAR,
        (ground,),
        (finding("1", ground, now),),
    )


def test_a_grave_ground_joins_an_outstanding_order_too():
    story = ordered()
    story.found(Ground.NONFEASANCE, day(4, 19, 10))
    assert story.state.order.items == {OVERDUE, "finding/1"}


# No


def test_a_no_is_recorded_and_the_interval_begins_anew():
    story = ordered()
    story.wait(UNMET)
    (decided,) = story.decline(PUBLISHED)
    assert (decided.approved, decided.reason, decided.next_at) == (False, "not yet", UNMET_CIRCULAR)
    assert story.wait(UNMET_CIRCULAR - TICK) == []
    again = proposed(story.wait(UNMET_CIRCULAR))
    assert (again.step, again.rung) == ("qingjieban-2024-step-2", Rung.CIRCULAR)


def test_after_a_no_nothing_is_proposed_again_once_the_order_is_lifted():
    story = ordered()
    story.wait(UNMET)
    story.decline(PUBLISHED)
    story.answer(day(5, 14))
    story.close(day(5, 14))
    assert kinds(story.wait(day(12, 31))) == ["StationRecovered"]


def test_a_fresh_ground_is_proposed_at_once_after_a_no_to_another():
    story = supervised()
    story.found(Ground.NONFEASANCE, day(4, 16), "1")
    assert "StepProposed" not in kinds(story.found(Ground.NONFEASANCE, day(4, 17), "2"))
    again = proposed(story.decline(day(4, 18)))
    assert [item.id for item in again.items] == ["finding/2"]


# One proposal at a time


def test_a_graver_proposal_supersedes_a_lesser_which_comes_back_after_the_decision():
    story = ordered()
    story.wait(UNMET)
    graver = proposed(story.found(Ground.MISCONDUCT, day(5, 12, 9)))
    assert (graver.rung, graver.supersedes) == (Rung.DISCIPLINE, "qingjieban-2024-step-1")
    assert refused(story.approve(day(5, 12, 10), 1)) is Refusal.ALREADY_DONE
    assert refused(story.decline(day(5, 12, 10), 1)) is Refusal.ALREADY_DONE
    back = proposed(story.approve(day(5, 12, 11), 2, "leader"))
    assert (back.rung, back.step) == (Rung.CIRCULAR, "qingjieban-2024-step-3")


def test_a_lesser_step_waits_while_a_graver_one_is_to_be_decided():
    story = ordered()
    story.found(Ground.MISCONDUCT, day(4, 19, 9))
    assert "StepProposed" not in kinds(story.wait(day(6, 3)))
    assert story.decider.wake_at(story.state) is None
    back = proposed(story.decline(day(6, 3, 9), 1, "leader"))
    assert (back.rung, back.at) == (Rung.CIRCULAR, day(6, 3, 9))


def test_a_proposal_stays_to_be_decided_when_everything_is_closed_meanwhile():
    story = ordered()
    story.wait(UNMET)
    story.answer(day(5, 12, 9))
    story.close(day(5, 12, 10))
    assert only(StationRecovered, story.wait(day(6, 3))).highest_rung is Rung.SUPERVISED
    events = story.approve(day(6, 3, 9))
    assert kinds(events) == ["StepDecided", "CircularPublished"]
    assert standing(STATION, story.state, 1).rung is Rung.REMINDER
    assert story.wait(day(12, 31)) == []


# Rung 3


def test_the_leaders_are_proposed_when_items_stay_open_after_the_circular():
    story = published()
    assert story.wait(UNMET_CIRCULAR - TICK) == []
    step = proposed(story.wait(UNMET_CIRCULAR))
    assert (step.rung, step.decided_by, step.items) == (Rung.LEADERS, (Role.LEADER,), (late_item(),))


def test_the_leaders_are_not_proposed_where_the_items_of_the_circular_were_closed():
    story = published()
    story.close(UNMET_CIRCULAR - TICK)
    assert story.wait(day(12, 31)) == []


def test_the_report_to_the_leaders_is_decided_by_the_leaders_alone():
    story = published()
    story.wait(UNMET_CIRCULAR)
    assert refused(story.approve(REPORTED, 2, "office")) is Refusal.NOT_ALLOWED
    assert story.approve(REPORTED, 2, "leader")[1:] == [
        LeadersReported(
            at=REPORTED,
            station=STATION,
            step="qingjieban-2024-step-2",
            items=(late_item(),),
            next_at=UNMET_REPORT,
        ),
        StationStillLagging(at=REPORTED, station=STATION, rung=Rung.LEADERS, items=(late_item(),)),
    ]


def circular(story, number, month, date):
    """A finding of nonfeasance, named in a circular and mended on one day."""
    name = str(number)
    story.found(Ground.NONFEASANCE, day(month, date, 9), name)
    step = story.state.proposal.step
    events = story.approve(day(month, date, 10), int(step.rpartition("-")[2]))
    return events, story.close(day(month, date, 11), f"finding/{name}")


def test_so_many_circulars_in_one_quarter_lead_to_the_leaders_even_if_all_is_mended():
    story = supervised()
    first, _ = circular(story, 1, 4, 16)
    assert "StepProposed" not in kinds(first)
    second, _ = circular(story, 2, 6, 28)
    assert proposed(second).rung is Rung.LEADERS
    assert proposed(second).because == (
        "qingjieban-2024-circular-2: there were so many circulars in one quarter"
    )


def test_circulars_of_two_quarters_do_not_add_up():
    story = supervised()
    circular(story, 1, 6, 28)
    second, _ = circular(story, 2, 7, 1)
    assert "StepProposed" not in kinds(second)


def test_a_withdrawn_circular_does_not_add_up():
    story = supervised()
    circular(story, 1, 4, 16)
    story.withdraw(day(4, 17))
    second, _ = circular(story, 2, 6, 28)
    assert "StepProposed" not in kinds(second)


def test_after_a_no_so_many_circulars_are_not_proposed_again_by_themselves():
    story = supervised()
    circular(story, 1, 4, 16)
    circular(story, 2, 6, 28)
    story.decline(day(6, 28, 12), 3, "leader")
    assert "StepProposed" not in kinds(story.wait(day(12, 31)))


def test_a_report_of_what_was_mended_before_it_leads_no_further():
    story = supervised()
    circular(story, 1, 4, 16)
    circular(story, 2, 6, 28)
    events = story.approve(day(6, 28, 12), 3, "leader")
    assert kinds(events)[:2] == ["StepDecided", "LeadersReported"]
    assert "StepProposed" not in kinds(story.wait(day(12, 31)))


def test_circulars_that_wait_behind_a_graver_case_lead_nowhere_once_the_station_recovered():
    story = supervised()
    circular(story, 1, 4, 16)
    circular(story, 2, 6, 20)
    graver = proposed(story.found(Ground.MISCONDUCT, day(6, 20, 12)))
    assert (graver.rung, graver.supersedes) == (Rung.DISCIPLINE, "qingjieban-2024-step-3")
    story.answer(day(6, 20, 13))
    story.close(day(6, 20, 14), "finding/1")
    only(StationRecovered, story.wait(day(8, 1)))
    assert kinds(story.decline(day(8, 1, 9), 4, "leader")) == ["StepDecided"]
    assert "StepProposed" not in kinds(story.wait(day(12, 31)))


def test_one_report_covers_both_reasons_of_one_circular():
    story = supervised(charter=charter(leaders={"circulars_in_quarter": 1}))
    story.found(Ground.NONFEASANCE, day(4, 16))
    assert proposed(story.approve(day(4, 16, 10))).rung is Rung.LEADERS
    story.approve(day(4, 16, 11), 2, "leader")
    later = story.wait(day(12, 31))
    assert [event.rung for event in later if isinstance(event, StepProposed)] == [Rung.DISCIPLINE]


def test_the_leaders_instruction_is_recorded_once():
    story = reported()
    now = day(5, 22)
    assert story.instruct(now, 2) == [
        InstructionRecorded(at=now, station=STATION, step="qingjieban-2024-step-2", instruction="go on")
    ]
    assert refused(story.instruct(now, 2)) is Refusal.ALREADY_DONE


def test_a_report_that_was_declined_cannot_be_instructed():
    story = published()
    story.wait(UNMET_CIRCULAR)
    story.decline(REPORTED, 2, "leader")
    [refusal] = story.instruct(day(5, 22), 2)
    assert (refusal.reason, refusal.detail.endswith("led to no report")) == (Refusal.WRONG_STATE, True)


def test_an_instruction_needs_a_report_to_the_leaders():
    story = published()
    assert refused(story.instruct(day(5, 14), 1)) is Refusal.WRONG_STATE
    assert refused(story.instruct(day(5, 14), 9)) is Refusal.NO_SUCH_STEP


# Rung 4


def test_the_transfer_is_proposed_when_items_stay_open_after_the_report():
    story = reported()
    assert story.wait(UNMET_REPORT - TICK) == []
    step = proposed(story.wait(UNMET_REPORT))
    assert (step.rung, step.decided_by) == (Rung.DISCIPLINE, (Role.LEADER,))


def test_the_transfer_says_which_report_was_not_enough():
    assert proposed(reported().wait(UNMET_REPORT)).because == (
        "qingjieban-2024-step-2: items stayed open after the report to the principal leaders"
    )


def test_each_interval_is_the_charters_own_and_counted_by_the_stations_own_hours():
    """Cleaners work evenings: three hours after 10:00 are over at 21:00, and seven the evening after next."""
    evening = OfficeHours(shifts=(Shift(start=time(18), end=time(21)),), source="test")
    station = TOWNSHIP.stations[STATION].model_copy(update={"hours": evening})
    hours = [Limit(amount=amount, unit=Unit.WORKING_HOURS) for amount in (3, 7)]
    ladder = charter(leaders={"after_unmet": hours[0]}, discipline={"after_unmet": hours[1]}).ladder
    town = revised(ladder=ladder, stations={**TOWNSHIP.stations, STATION: station})
    story = published(charter=town)
    assert only(CircularPublished, story.events).next_at == day(5, 13, 21)
    story.wait(day(5, 13, 21))
    story.approve(day(5, 14, 10), 2, "leader")
    assert only(LeadersReported, story.events).next_at == day(5, 16, 19)


def test_a_receipt_leaves_the_report_before_it_to_be_instructed():
    story = transferred()
    story.receive(day(5, 30), 3)
    assert kinds(story.instruct(day(5, 30, 9), 2)) == ["InstructionRecorded"]


def test_the_transfer_is_not_proposed_where_everything_reported_was_closed():
    story = reported()
    story.close(UNMET_REPORT - TICK)
    assert story.wait(day(12, 31)) == []


def test_the_leader_transfers_the_case_to_the_commission_which_receives_it():
    story = transferred()
    transfer = only(TransferMade, story.events)
    assert (transfer.to, transfer.items) == ("discipline", (late_item(),))
    assert only_rung(story) is Rung.DISCIPLINE
    assert story.receive(day(5, 30), 3) == [
        TransferReceived(at=day(5, 30), station=STATION, step="qingjieban-2024-step-3", receipt="R-1")
    ]
    assert OVERDUE in story.state.items, "an entry is closed by the register alone"


def only_rung(story):
    return standing(story.station, story.state, 1).rung


def test_each_rung_is_climbed_one_by_one_where_only_time_passes():
    story = transferred()
    told = [event.rung for event in story.events if isinstance(event, StationStillLagging)]
    assert told == [Rung.CIRCULAR, Rung.LEADERS, Rung.DISCIPLINE]


@pytest.mark.parametrize("lags_again", [False, True])
def test_a_transfer_by_time_is_only_declined_once_the_station_recovered(lags_again):
    story = reported()
    assert proposed(story.wait(UNMET_REPORT)).rung is Rung.DISCIPLINE
    story.answer(UNMET_REPORT + TICK)
    story.close(UNMET_REPORT + TICK, *story.state.items)
    only(StationRecovered, story.wait(day(7, 31)))
    if lags_again:
        story.found(Ground.LAGGING, day(7, 31, 10))
    assert refused(story.approve(day(7, 31, 11), 3, "leader")) is Refusal.WRONG_STATE
    assert kinds(story.decline(day(7, 31, 12), 3, "leader")) == ["StepDecided"]


def test_a_transfer_by_ground_is_approved_even_if_the_station_recovered_and_lags_again():
    story = supervised()
    story.found(Ground.LAGGING, day(4, 16, 10), serious=True)
    story.answer(day(4, 16, 11))
    story.close(day(4, 16, 12), *story.state.items)
    only(StationRecovered, story.wait(day(7, 31)))
    story.found(Ground.LAGGING, day(7, 31, 10), "2")
    assert "TransferMade" in kinds(story.approve(day(7, 31, 11), 1, "leader"))


@pytest.mark.parametrize("ground", [Ground.MISCONDUCT, Ground.INTEGRITY])
def test_misconduct_and_integrity_go_to_the_discipline_track_only(ground):
    events = supervised().found(ground, day(4, 16, 10))
    assert kinds(events) == ["ItemOpened", "StepProposed"]
    assert proposed(events).rung is Rung.DISCIPLINE


def test_a_serious_finding_is_ordered_and_proposed_to_the_commission():
    events = supervised().found(Ground.LAGGING, day(4, 16, 10), serious=True)
    assert kinds(events) == ["ItemOpened", "StationBecameLagging", "OrderIssued", "StepProposed"]
    assert proposed(events).rung is Rung.DISCIPLINE


def test_a_serious_finding_of_nonfeasance_wants_both_and_the_commission_first():
    story = supervised()
    events = story.found(Ground.NONFEASANCE, day(4, 16, 10), serious=True)
    assert proposed(events).rung is Rung.DISCIPLINE
    assert proposed(story.approve(day(4, 16, 11), 1, "leader")).rung is Rung.CIRCULAR


def test_an_integrity_flag_bypasses_the_service_ladder():
    story = supervised()
    events = story.flagged(day(4, 16))
    assert kinds(events) == ["ItemOpened", "StepProposed"]
    step = proposed(events)
    assert (step.rung, step.grounds, step.items) == (
        Rung.DISCIPLINE,
        (Ground.INTEGRITY,),
        (flag(day(4, 16)),),
    )
    assert kinds(story.approve(day(4, 17), 1, "leader")) == ["StepDecided", "TransferMade"]


def test_a_case_that_bypassed_the_ladder_is_on_rung_4_until_its_receipt():
    story = supervised()
    story.flagged(day(4, 16))
    assert only_rung(story) is Rung.REMINDER
    story.approve(day(4, 17), 1, "leader")
    assert only_rung(story) is Rung.DISCIPLINE
    assert kinds(story.receive(day(4, 18))) == ["TransferReceived", "ItemClosed"]
    assert (only_rung(story), story.state.items) == (Rung.REMINDER, {})


def test_a_case_that_bypassed_the_ladder_does_not_lift_the_rung_of_a_lagging_station():
    story = ordered()
    story.flagged(day(4, 19, 9))
    story.approve(day(4, 19, 10), 1, "leader")
    assert (story.state.rung, only_rung(story)) == (Rung.SUPERVISED, Rung.DISCIPLINE)
    story.receive(day(4, 19, 11))
    assert only_rung(story) is Rung.SUPERVISED


def test_an_integrity_flag_ends_with_a_no():
    story = supervised()
    story.flagged(day(4, 16))
    events = story.decline(day(4, 17), 1, "leader")
    assert events[1:] == [ItemClosed(at=day(4, 17), station=STATION, item=flag(day(4, 16)).id)]
    assert story.wait(day(12, 31)) == []


def test_the_interval_before_the_transfer_begins_anew_after_a_no_to_misconduct():
    story = supervised()
    story.found(Ground.MISCONDUCT, day(4, 16, 9))
    story.decline(day(4, 16, 10), 1, "leader")
    assert proposed(story.wait(day(12, 31))).at == day(4, 24)


def test_a_receipt_needs_a_transfer_and_is_recorded_once():
    story = transferred()
    assert refused(story.receive(day(5, 30), 1)) is Refusal.WRONG_STATE
    assert refused(story.receive(day(5, 30), 7)) is Refusal.NO_SUCH_STEP
    story.receive(day(5, 30), 3)
    assert refused(story.receive(day(5, 30), 3)) is Refusal.ALREADY_DONE


def test_only_who_was_sent_the_case_receives_it():
    assert refused(transferred().receive(day(5, 30), 3, "leader")) is Refusal.NOT_ALLOWED


# Withdrawing


def test_a_withdrawn_circular_leads_nowhere_and_the_station_is_back_under_its_order():
    story = published()
    assert story.withdraw(day(5, 14)) == [
        CircularWithdrawn(
            at=day(5, 14),
            station=STATION,
            circular="qingjieban-2024-circular-1",
            reason="by mistake",
        )
    ]
    assert only_rung(story) is Rung.SUPERVISED
    assert story.wait(day(12, 31)) == []


def test_the_rung_stays_while_another_circular_stands():
    story = published()
    story.found(Ground.NONFEASANCE, day(5, 14))
    story.approve(day(5, 14, 9), 2)
    story.withdraw(day(5, 14, 10), 1)
    assert only_rung(story) is Rung.CIRCULAR


def test_a_circular_of_an_earlier_time_does_not_hold_the_rung():
    story = supervised()
    circular(story, 1, 4, 16)
    story.answer(day(4, 17))
    only(StationRecovered, story.wait(day(7, 1)))
    circular(story, 2, 7, 2)
    story.withdraw(day(7, 3), 2)
    assert only_rung(story) is Rung.SUPERVISED


def test_a_circular_is_withdrawn_once_and_only_if_it_was_published():
    story = published()
    story.withdraw(day(5, 14))
    assert refused(story.withdraw(day(5, 15))) is Refusal.ALREADY_DONE
    assert refused(story.withdraw(day(5, 15), 2)) is Refusal.NO_SUCH_STEP
    assert refused(Story().withdraw(day(5, 15))) is Refusal.NO_SUCH_STEP


def test_a_circular_is_withdrawn_by_who_decides_it_or_the_leaders():
    assert refused(published().withdraw(day(5, 14), actor="gateway")) is Refusal.NOT_ALLOWED
    assert kinds(published().withdraw(day(5, 14), actor="leader")) == ["CircularWithdrawn"]


# Who decides about whom


@pytest.mark.parametrize("decide", [Story.approve, Story.decline])
def test_a_step_is_decided_only_by_the_roles_that_the_charter_names(decide):
    story = ordered()
    story.wait(UNMET)
    assert refused(decide(story, PUBLISHED, actor="gateway")) is Refusal.NOT_ALLOWED
    assert refused(decide(story, PUBLISHED, actor="leader")) is Refusal.NOT_ALLOWED


@pytest.mark.parametrize("decide", [Story.approve, Story.decline])
def test_a_step_that_was_never_proposed_or_is_decided_cannot_be_decided(decide):
    assert refused(decide(Story(), PUBLISHED)) is Refusal.NO_SUCH_STEP
    assert refused(decide(ordered(), UNMET - TICK)) is Refusal.NO_SUCH_STEP
    assert refused(decide(published(), day(5, 14))) is Refusal.ALREADY_DONE


def test_the_case_of_the_commission_is_decided_by_the_body_above_it():
    story = ordered("jiwei")
    assert proposed(story.wait(UNMET)).decided_by == (Role.LEADER,)
    assert refused(story.approve(PUBLISHED, actor="office")) is Refusal.NOT_ALLOWED
    assert refused(story.approve(PUBLISHED, actor="discipline")) is Refusal.OWN_CASE
    assert "CircularPublished" in kinds(story.approve(PUBLISHED, actor="leader"))
    assert refused(story.withdraw(day(5, 14), actor="discipline")) is Refusal.OWN_CASE


def test_the_commission_neither_gets_nor_receives_its_own_case():
    story = supervised("jiwei")
    story.flagged(day(4, 16))
    assert only(TransferMade, story.approve(day(4, 16, 9), 1, "leader")).to == "leader"
    assert refused(story.receive(day(4, 17), 1, "discipline")) is Refusal.OWN_CASE
    assert "TransferReceived" in kinds(story.receive(day(4, 17), 1, "leader"))


def test_the_case_of_the_commission_goes_to_whom_the_charter_sets_above_it():
    mayor = Actor(name="镇长", role=Role.LEADER)
    stations = TOWNSHIP.stations | {
        "jiwei": TOWNSHIP.stations["jiwei"].model_copy(update={"superior": "mayor"})
    }
    story = supervised("jiwei", revised(actors=TOWNSHIP.actors | {"mayor": mayor}, stations=stations))
    assert proposed(story.flagged(day(4, 16))).decided_by == (Role.LEADER,)
    assert only(TransferMade, story.approve(day(4, 16, 9), 1, "leader")).to == "mayor"


def test_without_a_commission_a_leader_whose_own_case_it_is_does_not_get_it():
    actors = {name: actor for name, actor in TOWNSHIP.actors.items() if name != "discipline"}
    actors["deputy"] = Actor(name="副镇长", role=Role.LEADER)
    story = supervised("leader", revised(actors=actors))
    story.flagged(day(4, 16))
    assert refused(story.approve(day(4, 16, 9), 1, "leader")) is Refusal.OWN_CASE
    assert only(TransferMade, story.approve(day(4, 16, 9), 1, "deputy")).to == "deputy"


def with_actor(name, **changes):
    actors = TOWNSHIP.actors | {name: TOWNSHIP.actors[name].model_copy(update=changes)}
    return revised(actors=actors)


def test_an_office_that_is_itself_the_station_does_not_decide_its_own_case():
    town = with_actor("office", station=STATION)
    story = ordered(charter=town)
    assert proposed(story.wait(UNMET)).decided_by == (Role.LEADER,)
    assert refused(story.approve(PUBLISHED, actor="office")) is Refusal.OWN_CASE


def test_the_case_of_the_office_is_decided_by_the_leaders_and_goes_to_the_commission():
    story = ordered("office")
    assert proposed(story.wait(UNMET)).decided_by == (Role.LEADER,)
    assert refused(story.approve(PUBLISHED, actor="office")) is Refusal.OWN_CASE
    story.decline(PUBLISHED, actor="leader")
    story.flagged(day(5, 14))
    assert only(TransferMade, story.approve(day(5, 14, 9), 2, "leader")).to == "discipline"


def test_a_town_without_a_commission_transfers_to_its_leaders():
    actors = {name: actor for name, actor in TOWNSHIP.actors.items() if name != "discipline"}
    actors["leader"] = Actor(name="mayor", role=Role.LEADER)
    story = supervised(charter=revised(actors=actors))
    story.flagged(day(4, 16))
    assert only(TransferMade, story.approve(day(4, 16, 9), 1, "leader")).to == "leader"


def test_a_station_with_a_superior_among_the_stations_is_decided_about_by_the_leaders():
    stations = TOWNSHIP.stations | {
        STATION: TOWNSHIP.stations[STATION].model_copy(update={"superior": "bianmin"})
    }
    story = ordered(charter=revised(stations=stations))
    assert proposed(story.wait(UNMET)).decided_by == (Role.LEADER,)


def test_a_proposal_is_decided_by_the_roles_of_the_day_it_was_made():
    story = ordered()
    story.wait(UNMET)
    story.decider = escalation(charter(circular={"decided_by": (Role.LEADER,)}))
    assert "CircularPublished" in kinds(story.approve(PUBLISHED + timedelta(hours=1)))
