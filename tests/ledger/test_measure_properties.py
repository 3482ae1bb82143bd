"""What holds for every measure, however often the plan changes its mind and whatever its stations do."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from duban_contracts.charter import Charter, OfficeHours, Shift
from duban_contracts.ledger import EntryDueSoon, EntryOverdue, EntryResolved, EntryStruckOff
from duban_contracts.measures import (
    MeasureChanged,
    MeasureOpened,
    MeasureRetired,
    MilestoneMissed,
    OccurrenceMissed,
    OccurrenceReported,
    PlannedMeasure,
)
from duban_contracts.plan import Counted, Milestone, Milestones, Recurring
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Kept, Wake
from services.chassis.snapshots import Snapshots
from services.ledger.measures import Retire, SaidDone, Underway, Want
from services.ledger.register_kinds import register
from services.ledger.views import row
from services.ledger.why import explain
from tests.ledger.plan import (
    NUMBER,
    SHAPES,
    STARTED,
    UNDER,
    count,
    measure_of,
    meet,
    occur,
    progress,
    resolve,
    verify,
)

whole = register(UNDER)
snapshots = Snapshots(whole)

NOTICE = measure_of("notice")
WANTED = [
    *SHAPES.values(),
    Counted(target=1, unit="场培训"),
    Milestones(milestones=(Milestone(id="roads", name="道路", due=date(2024, 4, 16), percent=100),)),
    Recurring(villages=("dongcun", "xicun"), by=time(9)),
    Recurring(villages=("dongcun",)),
]
last_days = st.none() | st.sampled_from([date(2024, 4, day) for day in (10, 16, 17, 22, 30)])
leads = st.sampled_from([("qingjieban", "xincunban")] * 3 + [("xincunban", "qingjieban")])


@st.composite
def lives(draw: st.DrawFn) -> list[Any]:
    """A measure of a plan that is revised now and then, with stations that mostly do what they may."""
    now, steps, measure = STARTED, list[Any](), NOTICE
    for _ in range(draw(st.integers(1, 16))):
        if not steps or draw(st.integers(0, 4)) == 0:
            measure = draw(revisions)
            steps.append(Want(now, NUMBER, "2024", measure))
        else:
            steps.append(draw(st.sampled_from(deeds(now, measure))))
        now += timedelta(hours=draw(st.sampled_from([0, 0, 1, 5, 14, 24, 100])))
    return steps


def deeds(now: datetime, measure: PlannedMeasure) -> list[Any]:
    lead, shape = measure.stations[0], measure.shape
    match shape:
        case Counted():
            work = [count(3, now, lead)]
        case Milestones():
            work = [meet(each.id, now) for each in shape.milestones]
        case Recurring():
            work = [occur(place, now) for place in shape.villages or (None,)]
        case _:
            work = []
    ends = [resolve(now, lead), verify(now), verify(now, passed=False, reason="没好")]
    return [Wake(now), Retire(now, NUMBER, "2024", "it"), *[progress(now, lead)] * 3, *work * 2, *ends * 3]


def wanted(shape: Any, last_day: date | None, stations: tuple[str, ...]) -> PlannedMeasure:
    villages = shape.villages if isinstance(shape, Recurring) else ()
    fields = {"shape": shape, "villages": villages, "last_day": last_day, "stations": stations}
    return NOTICE.model_copy(update=fields)


revisions = st.builds(wanted, st.sampled_from(WANTED), last_days, leads)


def when(command: Any) -> datetime:
    moment: datetime = command.asked.now if hasattr(command, "asked") else command.now
    return moment


def run(steps: Sequence[Any], whose: Any = whole) -> list[tuple[Any, Any, list[Any]]]:
    """Each command with what followed and the state after it; every state replays and survives storing."""
    state, told, answers = whose.initial_state, list[Any](), []
    for command in steps:
        events, state = whose.answer(command, when(command), state)
        told += events
        answers.append((command, events, state))
        assert whose.fold(whose.initial_state, told) == state
        assert snapshots.thaw(snapshots.freeze(state)) == state
        row(state)
    return answers


def facts(answers: list[tuple[Any, list[Any], Any]]) -> list[Any]:
    return [event for _, events, _ in answers for event in events if not isinstance(event, Kept)]


@for_all(lives())
def test_facts_never_run_backwards_in_time(steps: list[Any]) -> None:
    told = facts(run(steps))
    assert all(earlier.at <= later.at for earlier, later in pairwise(told))


@for_all(lives(), st.integers(0, 14))
def test_facts_never_run_backwards_under_a_new_charter_either(steps: list[Any], since: int) -> None:
    """Another share of the time or other office hours remind of nothing that is past."""
    state, told, decider = whole.initial_state, list[Any](), whole
    for n, command in enumerate(steps):
        if n == since:
            decider = register(reminding_earlier(when(command)))
        events, state = decider.answer(command, when(command), state)
        told += events
    assert all(earlier.at <= later.at for earlier, later in pairwise(told))


def reminding_earlier(published_at: datetime) -> Charter:
    matters = UNDER.matters.model_copy(update={"reminder_percent": 30})
    hours = OfficeHours(shifts=(Shift(start=time(6), end=time(22)),), source="new")
    fields = {"revision": 8, "published_at": published_at, "matters": matters, "hours": hours}
    return UNDER.model_copy(update=fields)


@for_all(lives())
def test_nothing_is_told_of_a_date_before_the_plan_set_it(steps: list[Any]) -> None:
    for event in facts(run(steps)):
        if isinstance(event, EntryDueSoon | EntryOverdue | MilestoneMissed):
            assert event.due.start is not None
            assert event.at >= event.due.start
            assert isinstance(event, EntryDueSoon) or event.at >= event.due.at


@for_all(lives())
def test_what_recurs_is_reported_or_missed_on_days_that_count_and_each_once(steps: list[Any]) -> None:
    seen: list[Any] = []
    first_day = date.min
    for event in facts(run(steps)):
        if isinstance(event, MeasureOpened | MeasureChanged):
            first_day = event.first_day or first_day
            again = isinstance(event, MeasureOpened) or "shape" in event.changed
            seen = [] if again and event.first_day else seen
        if isinstance(event, OccurrenceReported | OccurrenceMissed):
            assert event.day >= first_day
            seen.append((event.day, event.village))
            assert len(seen) == len(set(seen))


@for_all(lives())
def test_it_is_overdue_once_for_each_round_and_date_and_a_late_closing_was_overdue(steps: list[Any]) -> None:
    overdue = list[Any]()
    resolved: Any = None
    for event in facts(run(steps)):
        if isinstance(event, MeasureOpened | MeasureRetired):
            overdue = []
        if isinstance(event, EntryOverdue):
            overdue.append((event.station, event.round, event.due.at, event.due.start))
            assert len(overdue) == len(set(overdue))
        if isinstance(event, EntryResolved):
            resolved = (event.at, event.round)
        if isinstance(event, EntryStruckOff) and event.due is not None:
            at, number = resolved
            rang = {(due_at, start) for _, of, due_at, start in overdue if of == number}
            assert event.late is ((event.due.at, event.due.start) in rang)
            assert event.late is (at >= event.due.late_from)


@for_all(lives())
def test_asking_twice_changes_nothing(steps: list[Any]) -> None:
    decider = whole
    for command, _, state in run(steps):
        now = when(command)
        _, state = decider.answer(Wake(now), now, state)
        again = command if isinstance(command, Want | Retire) else Wake(now)
        assert decider.answer(again, now, state) == ([], state)


@for_all(lives())
def test_what_is_said_to_be_done_is_done_as_it_is_wanted_now(steps: list[Any]) -> None:
    """A resolution under the plan of today would be accepted, or it is under way again."""
    decider = whole
    for command, _, state in run(steps):
        if isinstance(command, Want) and isinstance(state, SaidDone):
            at = when(command)
            under_way = Underway(state.work)
            [*_, fact] = decider.decide(resolve(at, state.work.station), under_way)
            assert isinstance(fact, EntryResolved)


@for_all(lives())
def test_every_due_date_is_explained_and_agrees(steps: list[Any]) -> None:
    for _, _, state in run(steps):
        for each in explain(NUMBER, state, UNDER).dues if hasattr(state, "work") else ():
            assert each.agrees
            assert max(day.day for day in each.days) == each.due.last_day
            assert (each.due.revision, each.due.calendar) == (7, WorkingCalendar(UNDER).version)
