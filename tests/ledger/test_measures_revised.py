"""What becomes of a measure when the plan wants it otherwise: dates, leads, more than was done."""

from datetime import date, timedelta
from typing import Any

from duban_contracts.ledger import EntryDueSoon, EntryOverdue, EntryResolved, EntryStruckOff
from duban_contracts.measures import (
    MeasureChanged,
    MeasureOpened,
    MeasureRetired,
    MilestoneMet,
    MilestoneMissed,
)
from duban_contracts.plan import Counted, Milestone, Milestones
from services.chassis.decider import Wake
from services.ledger.measures import Achieved, Retire, SaidDone, Underway
from services.ledger.views import row
from tests.ledger.plan import (
    DUE,
    NOON,
    NUMBER,
    SHAPES,
    STARTED,
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
from tests.ledger.register import kinds, local

LATER = NOON + timedelta(hours=1)
NOVEMBER, JUNE = local("2024-11-01", "10:00"), local("2024-06-01", "10:00")


def of(kind: Any, facts: Any) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


# Dates


def test_a_date_that_is_set_later_is_counted_from_then_on() -> None:
    due = date(2024, 11, 29)
    facts = story(want("notice", due=None), want("notice", NOVEMBER, due=due), Wake(local("2024-12-01")))
    assert [(fact.at, fact.on_due_day) for fact in of(EntryDueSoon, facts)] == [
        (local("2024-11-25", "16:30"), False),  # four fifths of the working time from the 1st on are used
        (local("2024-11-29", "08:30"), True),
    ]
    assert [fact.at for fact in of(EntryOverdue, facts)] == [local("2024-11-30")]


def test_a_date_that_is_past_when_the_plan_sets_it_is_overdue_from_then_on_and_not_before() -> None:
    past = want("notice", JUNE, due=date(2024, 5, 1))
    facts = story(want("notice", due=None), past, Wake(JUNE))
    assert [(type(fact), fact.at) for fact in facts[2:]] == [(EntryOverdue, JUNE)]
    late = facts[-1].due
    assert (late.at, late.late_from) == (local("2024-05-02"), JUNE)


def test_a_milestone_that_is_past_when_the_plan_sets_it_is_missed_from_then_on() -> None:
    undated = Milestones(milestones=(Milestone(id="roads", name="道路", percent=100),))
    dated = Milestones(milestones=(Milestone(id="roads", name="道路", due=date(2024, 5, 1), percent=100),))
    first = want("works", shape=undated, due=None)
    facts = story(first, want("works", JUNE, shape=dated, due=None), Wake(JUNE))
    [missed] = of(MilestoneMissed, facts)
    assert (missed.at, missed.due.at, missed.due.start) == (JUNE, local("2024-05-02"), JUNE)


def test_a_date_that_the_plan_only_says_again_stands_and_rings_no_second_time() -> None:
    alone = want("notice", JUNE, stations=("qingjieban",))
    facts = story(want("notice"), alone, Wake(JUNE + timedelta(days=9)))
    assert kinds(facts) == ["MeasureOpened", *["EntryDueSoon"] * 2, "EntryOverdue", "MeasureChanged"]
    assert facts[-1].due == facts[0].due
    works = story(want("works"), want("works", NOON, stations=("qingjieban",)))
    assert works[-1].milestones == works[0].milestones
    assert {each.due.start for each in works[0].milestones} == {STARTED}


def test_what_was_done_before_there_was_a_date_is_not_late() -> None:
    done = story(want("notice", due=None), progress(), resolve(local("2024-05-20")))
    facts = [*done, *given(*done).when(want("notice", JUNE, due=date(2024, 5, 1)))]
    [struck_off] = of(EntryStruckOff, given(*facts).when(verify(JUNE)))
    assert (struck_off.late, struck_off.due) == (None, None)


def test_what_was_late_when_it_was_said_to_be_done_stays_late_whatever_the_plan_says_later() -> None:
    late = story(want("notice"), progress(), resolve(DUE), want("notice", JUNE, due=date(2024, 12, 31)))
    [struck_off] = given(*late).when(verify(JUNE))
    assert (struck_off.late, struck_off.due.at) == (True, DUE)


def test_a_plan_that_is_heard_late_is_told_after_what_was_told_before_it_was_heard() -> None:
    reported = story(want("notice"), progress(LATER))
    [changed] = given(*reported).when(want("notice", NOON, due=None))
    assert (changed.at, changed.planned_at) == (LATER, NOON)
    [retired] = given(*reported).when(Retire(NOON, NUMBER, "2024", "notice"))
    assert (retired.at, retired.planned_at) == (LATER, NOON)
    again = given(*reported, retired).when(want("notice", NOON + timedelta(minutes=1)))
    assert kinds(again) == ["MeasureOpened"]
    assert again[0].at == LATER


# Which word of the plan is the last one


def test_of_two_revisions_the_later_one_stands_whichever_is_heard_first() -> None:
    """A, then B, then A again: B is older than what the plan says now, though nothing changed with it."""
    first, other = want("notice"), want("notice", NOON, due=None)
    again = want("notice", LATER)
    assert story(first, again, other) == story(first, again)
    assert given(*story(first, other, again)).state.work.due is not None


def test_of_two_retirements_the_later_one_stands_whichever_is_heard_first() -> None:
    retired = [Retire(NOON + timedelta(hours=n), NUMBER, "2024", "notice") for n in (0, 2)]
    facts = story(want("notice"), *retired)
    assert len(of(MeasureRetired, facts)) == 1
    assert given(*facts).when(want("notice", LATER)) == []
    assert kinds(given(*facts).when(want("notice", NOON + timedelta(hours=3)))) == ["MeasureOpened"]


# More than was done


def test_more_than_was_said_to_be_done_takes_it_back_under_way() -> None:
    done = story(want("training"), count(3), resolve())
    more = want("training", LATER, shape=Counted(target=10, unit="场培训"))
    [changed] = given(*done).when(more)
    assert isinstance(changed, MeasureChanged)
    assert changed.round == 2
    back = given(*done, changed)
    assert isinstance(back.state, Underway)
    assert kinds(back.when(verify(LATER))) == ["LedgerCommandRefused"]
    assert kinds(back.when(count(7, LATER))) == ["ProgressRecorded"]


def test_one_more_milestone_or_a_later_end_takes_it_back_under_way() -> None:
    works = SHAPES["works"]
    assert isinstance(works, Milestones)
    opened = Milestone(id="opening", name="通车", percent=20)
    more = want("works", LATER, shape=Milestones(milestones=(opened, *works.milestones)))
    done = story(want("works"), meet("roads"), meet("toilets"), meet("sewage"), resolve())
    facts = [*done, *given(*done).when(more)]
    assert isinstance(given(*facts).state, Underway)
    [met] = of(MilestoneMet, given(*facts).when(meet("opening", LATER)))
    assert met.percent == 100, "the others were met before"

    tuesday = want("cleaning", due=date(2024, 4, 16))
    ended = story(tuesday, occur("dongcun"), occur("xicun"), resolve())
    [changed] = given(*ended).when(want("cleaning", LATER))
    assert (changed.round, changed.first_day) == (2, date(2024, 4, 17))


def test_a_revision_under_which_it_is_done_still_leaves_it_to_the_inspection() -> None:
    done = story(want("training"), count(3), resolve())
    [changed] = given(*done).when(want("training", LATER, shape=Counted(target=2, unit="场培训")))
    assert changed.round is None
    assert isinstance(given(*done, changed).state, SaidDone)


def test_what_was_accepted_stays_achieved_though_more_is_wanted_now() -> None:
    done = story(want("training"), count(3), resolve(), verify())
    assert given(*done).when(want("training", LATER, shape=Counted(target=10, unit="场培训"))) == []
    assert isinstance(given(*done).state, Achieved)


def test_it_may_be_overdue_once_more_in_the_round_that_begins() -> None:
    late = story(want("training"), count(3), resolve(DUE))
    more = want("training", JUNE, shape=Counted(target=10, unit="场培训"))
    facts = [*late, *given(*late).when(more)]
    [again] = given(*facts).when(Wake(JUNE))
    assert isinstance(again, EntryOverdue)
    assert (again.round, again.at) == (2, JUNE)


def test_done_in_another_way_from_now_on_it_needs_evidence_of_that() -> None:
    other = want("notice", LATER)
    facts = story(want("training"), count(3), other)
    assert kinds(given(*facts).when(resolve(LATER))) == ["LedgerCommandRefused"]
    proven = [*facts, *given(*facts).when(progress(LATER))]
    assert isinstance(given(*proven).when(resolve(LATER))[-1], EntryResolved)


def test_what_was_said_done_in_time_is_shown_in_time_whatever_date_the_plan_sets_afterwards() -> None:
    said = local("2024-04-20", "10:00")
    earlier = want("notice", said + timedelta(hours=1), due=date(2024, 4, 18))
    facts = story(want("notice"), progress(), resolve(said))
    told = given(*facts).when(earlier)
    ended = [*facts, *told, *given(*facts, *told).when(verify(said + timedelta(hours=2)))]
    assert ended[-1].late is False
    for history in ([*facts, *told], ended):
        shown = row(given(*history).state)
        assert shown
        assert (shown["late"], shown["due_at"]) == (False, DUE)


def test_under_a_date_that_was_past_when_it_was_set_a_list_says_late_as_the_strike_off_does() -> None:
    facts = story(want("notice", due=None), progress(), want("notice", NOVEMBER, due=date(2024, 5, 1)))
    said = [*facts, *given(*facts).when(resolve(NOVEMBER))]
    [ended] = given(*said).when(verify(NOVEMBER))
    shown = row(given(*said).state)
    assert shown
    assert shown["late"] is ended.late is True


# Leads


def test_another_lead_is_late_by_what_it_has_to_do_itself() -> None:
    missed_at = local("2024-04-19")
    handed = want("works", missed_at + timedelta(hours=9), stations=("xincunban",))
    facts = story(want("works"), handed, Wake(missed_at + timedelta(hours=9)))
    [changed] = of(MeasureChanged, facts)
    assert (changed.station, changed.former, changed.excused) == ("xincunban", "qingjieban", ("roads",))
    assert [(fact.station, fact.at) for fact in of(MilestoneMissed, facts)] == [
        ("qingjieban", missed_at),
        ("xincunban", changed.at),
    ]


# Facts of before


def test_facts_of_before_that_say_no_milestone_dates_are_understood() -> None:
    [opened] = story(want("works"))
    bare = {"milestones": (), "due": opened.due.model_copy(update={"start": None, "set_for": None})}
    old = MeasureOpened.model_validate(opened.model_copy(update=bare).model_dump())
    missed = given(old).when(Wake(local("2024-04-19")))
    assert [(type(fact), fact.due) for fact in missed] == [(MilestoneMissed, opened.milestones[0].due)]


def test_a_measure_that_recurs_no_longer_starts_its_dates_anew() -> None:
    once = want("notice", NOON)
    facts = story(want("cleaning"), once)
    assert (facts[-1].due.at, facts[-1].due.start) == (DUE, NOON)
