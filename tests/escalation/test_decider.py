"""Items, lagging, the order and recovery: rung 0 and rung 1 of the ladder, and who may answer."""

from datetime import timedelta

import pytest

from duban_contracts.charter import Ground, Limit, Unit
from duban_contracts.escalation import (
    AcknowledgementOverdue,
    ClosingNoted,
    EscalationCommandRefused,
    ItemClosed,
    ItemKind,
    ItemOpened,
    OpenItem,
    OrderAcknowledged,
    OrderAnswered,
    OrderIssued,
    OrderLifted,
    OrderOverdue,
    RecoveryBegan,
    ReminderSent,
    Rung,
    StationBecameLagging,
    StationRecovered,
    StationStillLagging,
    StepProposed,
    SupervisionBegan,
)
from duban_contracts.message import Refusal
from services.escalation.decider import EVERY_ROUND, BeginSupervision, Close, Open, Remind, escalation
from tests.escalation.town import (
    ACKNOWLEDGE_BY,
    ANSWER_BY,
    DUE,
    ENTRY,
    OVERDUE,
    SERIOUS,
    START,
    STATION,
    TICK,
    TOWNSHIP,
    UNMET,
    Story,
    charter,
    day,
    finding,
    kinds,
    late_item,
    only,
    ordered,
    supervised,
)
from tests.given import Given

given = Given(escalation(TOWNSHIP))
BEGAN = SupervisionBegan(at=START, station=STATION, campaign="campaign/2024", late_serious_at=day(4, 17))
OPENED = ItemOpened(at=DUE, station=STATION, item=late_item(), occurrence=1, serious_at=SERIOUS)
LAGS = StationBecameLagging(at=SERIOUS, station=STATION, items=(late_item(),))
ISSUED = OrderIssued(
    at=SERIOUS,
    station=STATION,
    order="qingjieban-2024-1",
    number="某镇营商办督〔2024〕镇清洁办1号",
    items=(late_item(),),
    acknowledge_by=ACKNOWLEDGE_BY,
    answer_by=ANSWER_BY,
    next_at=UNMET,
)


def refused(events):
    return only(EscalationCommandRefused, events).reason


# Rung 0


def test_a_reminder_is_passed_on_before_the_campaign_too_and_opens_nothing():
    assert given().when(Remind(START, STATION, ENTRY)) == [
        ReminderSent(at=START, station=STATION, entry=ENTRY)
    ]
    assert given(ReminderSent(at=START, station=STATION, entry=ENTRY)).state.items == {}


def test_a_reminder_says_whether_it_is_the_due_day():
    [sent] = Given(escalation(TOWNSHIP)).when(Remind(START, STATION, ENTRY, on_due_day=True))
    assert sent.on_due_day


def test_a_later_round_of_what_is_open_is_the_same_item_as_grave_as_it_was():
    story = supervised()
    first = only(ItemOpened, story.found(Ground.NONFEASANCE, day(4, 16), serious=True))
    later = Open(day(4, 17), STATION, finding("1", Ground.LAGGING, day(4, 17)), 2)
    again = only(ItemOpened, story.tell(later))
    assert again == first.model_copy(update={"at": day(4, 17), "occurrence": 2})
    assert again.calls_for


def test_no_reminder_goes_out_on_the_due_day_where_the_charter_does_not_want_it():
    quiet = Given(escalation(charter(reminder={"on_due_day": False})))
    assert quiet().when(Remind(START, STATION, ENTRY, on_due_day=True)) == []
    assert quiet().when(Remind(START, STATION, ENTRY)) != []


# The campaign


def test_the_campaign_puts_a_station_under_the_ladder():
    assert given().when(BeginSupervision(START, STATION, "campaign/2024")) == [BEGAN]


def test_a_second_campaign_changes_nothing():
    again = BeginSupervision(day(9, 2), STATION, "campaign/autumn")
    assert given(BEGAN).when(again) == []


def test_nothing_climbs_before_the_campaign():
    story = Story()
    story.overdue(since=day(3, 1))
    story.found(Ground.NONFEASANCE, day(3, 4))
    assert story.wait(START) == []
    assert story.decider.wake_at(story.state) is None


def test_what_was_late_before_the_campaign_counts_from_its_start():
    story = Story()
    story.overdue(since=day(3, 1))
    story.begin()
    assert story.wait(day(4, 17) - TICK) == []
    assert kinds(story.wait(day(4, 17))) == ["StationBecameLagging", "OrderIssued"]


def test_what_was_late_before_the_campaign_counts_from_its_start_even_if_it_is_heard_later():
    story = supervised()
    opened = only(ItemOpened, story.overdue(since=day(3, 1), now=day(4, 16)))
    assert opened.serious_at == day(4, 17)


def test_a_finding_from_before_the_campaign_takes_effect_at_its_start():
    story = Story()
    story.found(Ground.LAGGING, day(3, 4))
    assert kinds(story.begin()) == ["SupervisionBegan", "StationBecameLagging", "OrderIssued"]


def test_what_was_closed_before_the_campaign_never_counts():
    story = Story()
    story.overdue(since=day(3, 1))
    story.close(day(3, 2))
    assert kinds(story.begin()) == ["SupervisionBegan"]
    assert story.wait(day(12, 31)) == []


# Items


def test_an_overdue_entry_opens_an_item_that_turns_serious_after_the_grace():
    assert given(BEGAN).when(Open(DUE, STATION, late_item(), 1)) == [OPENED]


def test_one_fact_is_counted_once_however_many_problems_name_the_station():
    found = Open(DUE, STATION, finding("1", Ground.LAGGING, DUE))
    story = supervised()
    story.tell(found)
    assert story.tell(found) == []


def test_a_finding_about_an_overdue_entry_is_a_fact_of_its_own():
    story = ordered()
    events = story.found(Ground.LAGGING, day(4, 20))
    assert kinds(events) == ["ItemOpened", "StationStillLagging"]
    assert story.state.items.keys() == {OVERDUE, "finding/1"}


def test_a_closing_closes_its_item():
    assert given(BEGAN, OPENED).when(Close(day(4, 18, 9), STATION, (OVERDUE,), 1)) == [
        ItemClosed(at=day(4, 18, 9), station=STATION, item=OVERDUE)
    ]


def test_a_closing_of_nothing_is_already_so():
    assert given(BEGAN).when(Close(day(4, 18, 9), STATION, (OVERDUE,), 1)) == []


def test_a_closing_that_overtakes_its_opening_leaves_no_ghost():
    story = supervised()
    noted = ClosingNoted(at=day(4, 18, 9), station=STATION, item=OVERDUE, occurrence=1)
    assert story.close(day(4, 18, 9), owed=True) == [noted]
    assert story.close(day(4, 18, 9), owed=True) == []
    assert story.overdue(now=DUE) == []
    assert story.state.items == {}


def test_a_closing_that_overtook_its_opening_does_not_close_a_later_round():
    story = supervised()
    story.close(day(4, 18, 9), owed=True)
    later = only(ItemOpened, story.overdue(since=day(4, 25), round=2))
    assert (later.occurrence, later.item.since) == (2, day(4, 25))


def test_an_entry_closed_for_good_never_opens_an_item_again():
    story = supervised()
    story.close(day(4, 18, 9), occurrence=EVERY_ROUND, owed=True)
    assert story.overdue(now=DUE) == []
    assert story.overdue(since=day(4, 25), round=2) == []


def test_only_so_many_overtaking_closings_are_remembered():
    story = supervised()
    for number in range(250):
        story.close(day(4, 18, 9), f"overdue/{number}", owed=True)
    assert len(story.state.closings) == 100
    assert story.overdue("249") == []
    assert kinds(story.overdue("0")) == ["ItemOpened"]


def test_an_entry_reopened_and_late_again_is_a_new_occurrence():
    story = supervised()
    story.overdue()
    story.close(day(4, 18, 9))
    assert kinds(story.overdue(since=day(4, 25), round=2)) == ["ItemOpened"]
    assert story.state.items[OVERDUE].fact.since == day(4, 25)


def test_an_entry_late_in_its_next_round_while_still_open_is_one_item_that_lasts_since_the_first():
    story = ordered()
    events = story.overdue(since=DUE, now=day(4, 25), round=2)
    assert kinds(events) == ["AcknowledgementOverdue", "ItemOpened"]
    assert (len(story.state.items), story.state.items[OVERDUE].fact.since) == (1, DUE)
    assert story.state.items[OVERDUE].serious


def test_the_late_closing_of_an_earlier_round_does_not_close_a_later_one():
    story = supervised()
    story.overdue()
    story.overdue(since=day(4, 18, 12), round=2)
    assert story.close(day(4, 18, 13), occurrence=1) == []
    assert kinds(story.close(day(4, 18, 14), occurrence=2)) == ["ItemClosed"]


def test_a_ground_that_leads_to_no_rung_is_kept_open_and_climbs_nowhere():
    story = supervised(charter=charter(order={"grounds": ()}))
    assert kinds(story.found(Ground.LAGGING, day(4, 16))) == ["ItemOpened"]
    assert story.wait(day(12, 31)) == []


# Lagging, and the order


def test_a_station_lags_and_is_ordered_when_an_item_has_been_late_for_the_grace():
    assert given(BEGAN, OPENED).when(Remind(SERIOUS - TICK, STATION, "x"))[:-1] == []
    assert given(BEGAN, OPENED).when(Remind(SERIOUS, STATION, "x"))[:-1] == [LAGS, ISSUED]


def test_a_station_does_not_lag_for_what_it_closed_within_the_grace():
    story = supervised()
    story.overdue()
    story.close(SERIOUS - TICK)
    assert story.wait(day(12, 31)) == []


@pytest.mark.parametrize("ground", [Ground.LAGGING, Ground.BELOW_REQUIREMENT])
def test_a_finding_that_calls_for_an_order_does_so_at_once(ground):
    events = supervised().found(ground, day(4, 16, 10))
    assert kinds(events) == ["ItemOpened", "StationBecameLagging", "OrderIssued"]
    assert {event.at for event in events} == {day(4, 16, 10)}


@pytest.mark.parametrize(
    "kind", [ItemKind.ACCEPTANCE_OVERDUE, ItemKind.RECTIFICATION_OVERDUE, ItemKind.CALLBACK_OVERDUE]
)
def test_everything_that_is_late_turns_serious_after_the_same_grace(kind):
    story = supervised()
    item = OpenItem(id="late/1", kind=kind, since=DUE)
    assert only(ItemOpened, story.tell(Open(DUE, STATION, item))).serious_at == SERIOUS


def test_what_turns_serious_at_one_instant_is_told_as_one_group_and_ordered_once():
    story = supervised()
    story.overdue("1")
    story.overdue("2")
    lags, issued = story.wait(SERIOUS)
    assert isinstance(lags, StationBecameLagging)
    assert lags.items == issued.items == (late_item("1"), late_item("2"))


def test_what_turns_serious_later_joins_the_outstanding_order():
    story = ordered()
    story.overdue("2", since=day(4, 19))
    joined = story.wait(day(4, 20))
    assert joined == [
        StationStillLagging(
            at=day(4, 20), station=STATION, rung=Rung.SUPERVISED, items=(late_item("2", day(4, 19)),)
        )
    ]
    assert story.state.order.items == {OVERDUE, "overdue/2"}


def test_a_lagging_station_is_never_told_again_without_a_change():
    story = ordered()
    assert [story.wait(day(4, 19, hour)) for hour in range(1, 24)] == [[]] * 23


def test_a_station_that_still_lags_gets_its_next_order_once_the_last_one_is_lifted():
    story = ordered()
    story.answer(day(4, 22))
    story.close(day(4, 22))
    events = story.found(Ground.LAGGING, day(4, 23, 9))
    assert kinds(events) == ["ItemOpened", "StationStillLagging", "OrderIssued"]
    assert events[-1].order == "qingjieban-2024-2"


def test_orders_are_numbered_per_station_and_local_year():
    story = supervised()
    story.found(Ground.LAGGING, day(12, 31, 23, 59), "1")
    story.answer(day(12, 31, 23, 59))
    story.close(day(12, 31, 23, 59), "finding/1")
    issued = only(OrderIssued, story.found(Ground.LAGGING, day(12, 31, 23, 59) + timedelta(minutes=1), "2"))
    assert (issued.order, issued.number) == ("qingjieban-2025-1", "某镇营商办督〔2025〕镇清洁办1号")


def test_an_order_keeps_the_deadlines_it_was_issued_under():
    story = ordered()
    soon = Limit(amount=0, unit=Unit.CALENDAR_DAYS)
    story.decider = escalation(charter(order={"answer_within": soon}, circular={"after_unmet": soon}))
    assert kinds(story.wait(UNMET - TICK)) == ["AcknowledgementOverdue", "OrderOverdue"]
    assert kinds(story.wait(UNMET)) == ["StepProposed"]


# Acknowledging


def test_the_station_acknowledges_its_order():
    assert given(BEGAN, OPENED, LAGS, ISSUED).state.order.key == "qingjieban-2024-1"
    assert ordered().acknowledge(ACKNOWLEDGE_BY - TICK) == [
        OrderAcknowledged(at=ACKNOWLEDGE_BY - TICK, station=STATION, order="qingjieban-2024-1")
    ]


def test_an_unacknowledged_order_counts_as_a_fact_once():
    story = ordered()
    assert story.wait(ACKNOWLEDGE_BY - TICK) == []
    missed = AcknowledgementOverdue(at=ACKNOWLEDGE_BY, station=STATION, order="qingjieban-2024-1")
    assert story.wait(ACKNOWLEDGE_BY) == [missed]
    assert story.wait(ANSWER_BY - TICK) == []


def test_an_order_acknowledged_at_the_very_deadline_is_too_late_and_still_acknowledged():
    assert kinds(ordered().acknowledge(ACKNOWLEDGE_BY)) == ["AcknowledgementOverdue", "OrderAcknowledged"]


def test_an_acknowledged_order_is_not_missed():
    story = ordered()
    story.acknowledge(day(4, 19, 9))
    assert story.wait(ANSWER_BY - TICK) == []


def test_an_answer_acknowledges_too():
    story = ordered()
    story.answer(day(4, 19, 9))
    assert story.wait(ANSWER_BY - TICK) == []
    assert refused(story.acknowledge(day(5, 7, 9))) is Refusal.ALREADY_DONE


@pytest.mark.parametrize("actor", ["bianmin", "office", "leader", "discipline"])
def test_only_the_station_itself_acknowledges_and_answers(actor):
    assert refused(ordered().acknowledge(day(4, 19, 9), actor=actor)) is Refusal.NOT_THE_HANDLER
    assert refused(ordered().answer(day(4, 19, 9), actor=actor)) is Refusal.NOT_THE_HANDLER


def test_an_order_that_never_was_cannot_be_acknowledged():
    assert refused(supervised().acknowledge(day(4, 19, 9))) is Refusal.NO_SUCH_ORDER
    assert refused(Story().answer(day(4, 19, 9))) is Refusal.NO_SUCH_ORDER
    assert refused(ordered().acknowledge(day(4, 19, 9), number=2)) is Refusal.NO_SUCH_ORDER


def test_acknowledging_or_answering_twice_is_refused():
    story = ordered()
    story.acknowledge(day(4, 19, 9))
    assert refused(story.acknowledge(day(4, 19, 10))) is Refusal.ALREADY_DONE
    story.answer(day(4, 19, 11))
    assert refused(story.answer(day(4, 19, 12))) is Refusal.ALREADY_DONE


def test_a_lifted_order_cannot_be_answered_again():
    story = ordered()
    story.answer(day(4, 19, 9))
    story.close(day(4, 19, 10))
    assert refused(story.answer(day(4, 19, 11))) is Refusal.ALREADY_DONE


# Answering and lifting


def test_an_answer_alone_does_not_lift_an_order():
    assert ordered().answer(day(4, 22)) == [
        OrderAnswered(at=day(4, 22), station=STATION, order="qingjieban-2024-1", answer="done")
    ]


def test_closing_everything_alone_does_not_lift_an_order():
    assert kinds(ordered().close(day(4, 22))) == ["ItemClosed"]


def test_an_order_is_lifted_by_its_answer_where_everything_is_closed():
    story = ordered()
    story.close(day(4, 22, 9))
    assert story.answer(day(4, 22, 10))[1:] == [
        OrderLifted(at=day(4, 22, 10), station=STATION, order="qingjieban-2024-1"),
        RecoveryBegan(at=day(4, 22, 10), station=STATION, until=day(4, 29)),
    ]


def test_an_order_is_lifted_by_the_last_closing_where_it_is_answered():
    story = ordered()
    story.answer(day(4, 22, 9))
    assert kinds(story.close(day(4, 22, 10))) == ["ItemClosed", "OrderLifted", "RecoveryBegan"]


def test_an_order_is_not_lifted_while_something_that_joined_it_is_open():
    story = ordered()
    story.found(Ground.LAGGING, day(4, 19, 9))
    story.answer(day(4, 22, 9))
    assert kinds(story.close(day(4, 22, 10))) == ["ItemClosed"]
    assert "OrderLifted" in kinds(story.close(day(4, 22, 11), "finding/1"))


def test_an_order_is_overdue_once_when_its_deadline_passes_unmet():
    story = ordered()
    story.answer(day(4, 22))
    assert story.wait(ANSWER_BY - TICK) == []
    assert story.wait(ANSWER_BY) == [
        OrderOverdue(
            at=ANSWER_BY, station=STATION, order="qingjieban-2024-1", answered=True, items=(late_item(),)
        )
    ]
    assert story.wait(UNMET - TICK) == []


def test_an_overdue_order_can_still_be_answered_and_lifted():
    story = ordered()
    story.wait(ANSWER_BY)
    story.close(day(5, 8))
    assert "OrderLifted" in kinds(story.answer(day(5, 9)))
    assert "StepProposed" not in kinds(story.wait(day(12, 31)))


# Recovery


def recovering():
    story = ordered()
    story.answer(day(4, 22, 9))
    story.close(day(4, 22, 10))
    return story


def test_a_station_recovers_after_it_stayed_without_open_items_for_the_charters_time():
    story = recovering()
    assert story.wait(day(4, 29) - TICK) == []
    assert story.wait(day(4, 29)) == [
        StationRecovered(at=day(4, 29), station=STATION, lagging_since=SERIOUS, highest_rung=Rung.SUPERVISED)
    ]
    assert (story.state.rung, story.state.lagging) == (Rung.REMINDER, False)
    assert story.wait(day(12, 31)) == []


def test_any_new_item_interrupts_the_recovery_which_then_begins_anew():
    story = recovering()
    story.overdue("2", since=day(4, 27))
    assert story.wait(day(4, 28, 12)) == []
    again = only(RecoveryBegan, story.close(day(4, 28, 12), "overdue/2"))
    assert again.until == day(5, 9)
    assert "StationRecovered" not in kinds(story.wait(day(5, 9) - TICK))
    assert kinds(story.wait(day(5, 9))) == ["StationRecovered"]


def test_a_station_does_not_recover_while_an_order_is_unanswered():
    story = ordered()
    story.close(day(4, 22))
    assert "StationRecovered" not in kinds(story.wait(day(12, 31)))


def test_a_recovered_station_can_lag_again():
    story = recovering()
    story.wait(day(5, 6))
    events = story.found(Ground.LAGGING, day(5, 6))
    assert kinds(events) == ["ItemOpened", "StationBecameLagging", "OrderIssued"]


# What comes late


def test_a_fact_that_comes_late_is_decided_at_its_own_time():
    story = recovering()
    story.wait(day(5, 6))
    story.overdue("2", since=day(4, 23))
    events = story.wait(day(5, 6))
    assert kinds(events)[:2] == ["StationBecameLagging", "OrderIssued"]
    assert events[0].at == day(4, 24)


def test_what_was_decided_stays_decided_when_its_reason_turns_out_to_have_ended_before():
    story = ordered()
    story.close(DUE + TICK)
    assert story.state.order is not None
    assert kinds(story.answer(day(4, 19, 9))) == ["OrderAnswered", "OrderLifted", "RecoveryBegan"]


def test_the_office_is_handled_like_a_station_where_it_is_itself_late():
    story = ordered("office")
    issued = only(OrderIssued, story.events)
    assert (issued.order, issued.number) == ("office-2024-1", "某镇营商办督〔2024〕镇营商办1号")
    assert kinds(story.acknowledge(day(4, 19, 9), actor="office")) == ["OrderAcknowledged"]
    assert only(StepProposed, story.wait(UNMET)).decided_by == ("leader",)
