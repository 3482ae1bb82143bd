"""Why an entry is due when it is due, for programs and for people."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_all

from duban_contracts.due import DayReason, Due, DueClock
from duban_contracts.queries import Why
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Wake
from services.console.i18n import Lang, use
from services.console.sentences import Town
from services.console.why import REASONS, tell
from services.console.words import WORDS
from services.ledger.decider import Dues, ledger
from services.ledger.why import Timed, explain, explained
from tests.given import Given
from tests.ledger import plan
from tests.ledger.matters import apply_extension, decide_extension, hold, report_up, resume, transfer
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    OPENED,
    SHIPPED,
    accept,
    day,
    local,
    open_,
    resolve,
    story,
    verify,
)
from tests.ledger.test_properties import CHARTER, REGISTER, facts, lives, run

UNDER = SHIPPED.model_copy(update={"revision": 7})
TUESDAY, WEDNESDAY = local("2024-04-16"), local("2024-04-17")


def why(*commands: Any) -> Why:
    state = Given(ledger(UNDER))(*story(*commands, charter=SHIPPED)).state
    return explain(NUMBER, state, UNDER)


def test_every_due_date_has_its_rule_revision_start_calendar_and_days() -> None:
    station, citizen, acceptance = why(open_()).dues
    assert [each.clock for each in (station, citizen, acceptance)] == [
        DueClock.STATION,
        DueClock.CITIZEN,
        DueClock.ACCEPTANCE,
    ]
    assert (station.due.rule, station.due.revision, station.due.start) == (
        "5 working days for kind help (12345 rule)",
        7,
        OPENED,
    )
    assert station.due.calendar
    assert station.due.calendar.startswith("chinesecalendar ")
    assert [(day.day.day, day.reason) for day in station.days] == [
        (15, DayReason.START),
        (16, DayReason.COUNTED),
        (17, DayReason.COUNTED),
        (18, DayReason.COUNTED),
        (19, DayReason.COUNTED),
        (20, DayReason.WEEKEND),
        (21, DayReason.WEEKEND),
        (22, DayReason.COUNTED),
    ]
    assert station.agrees


def test_pauses_and_extensions_are_shown_with_the_days_that_they_took() -> None:
    extended = (apply_extension(days=2), decide_extension(EARLY))
    [station, _] = why(open_(), accept(), *extended, hold(TUESDAY), resume(WEDNESDAY)).dues
    assert [day.reason for day in station.days[:3]] == [
        DayReason.START,
        DayReason.PAUSED,
        DayReason.COUNTED,
    ]
    assert (len(station.due.pauses), len(station.due.extensions)) == (1, 1)
    assert sum(day.counted for day in station.days) == 7


def test_the_clocks_of_a_transfer_and_of_an_interim_answer_are_explained_too() -> None:
    clocks = [each.clock for each in why(open_(), accept(), report_up()).dues]
    assert clocks == [DueClock.STATION, DueClock.CITIZEN, DueClock.INTERIM]
    asked = why(open_(), accept(), transfer("nongye")).dues[-1]
    assert (asked.clock, asked.station) == (DueClock.ACCEPTANCE, "nongye")


def test_a_held_entry_says_since_when_and_an_ended_one_that_its_clocks_stopped() -> None:
    assert why(open_(), accept(), hold(TUESDAY)).held_since == TUESDAY
    ended = why(open_(), accept(), resolve(), verify(EARLY))
    assert ended.stopped
    assert ended.dues[0].due.at == DUE


def test_a_date_that_would_be_another_one_today_says_so() -> None:
    history = story(open_(), accept(), resolve(), verify(EARLY), charter=SHIPPED)
    overlay = {"off": ("2024-04-18",), "source": "a later notice"}
    later = UNDER.model_copy(update={"revision": 8, "calendar": UNDER.calendar.model_validate(overlay)})
    state = REGISTER.fold(REGISTER.initial_state, history)
    assert [each.agrees for each in explain(NUMBER, state, later).dues] == [False, False]


def of_measure(*commands: Any) -> Why:
    return explain(plan.NUMBER, plan.given(*plan.story(*commands)).state, plan.UNDER)


@pytest.mark.parametrize("name", ["notice", "training"])
def test_the_plans_own_date_is_explained_as_one_that_was_set_elsewhere(name: str) -> None:
    [told] = of_measure(plan.want(name)).dues
    assert (told.clock, told.station, told.part) == (DueClock.STATION, "qingjieban", None)
    assert (told.due.start, told.due.set_for, told.due.revision) == (plan.STARTED, plan.LAST_DAY, 7)
    assert told.due.calendar == WorkingCalendar(UNDER).version
    assert [(day.day, day.reason) for day in told.days] == [(plan.LAST_DAY, DayReason.SET_ELSEWHERE)]
    assert told.agrees


def test_each_milestone_is_explained_by_itself() -> None:
    whole, roads, toilets = of_measure(plan.want("works")).dues
    assert (whole.part, roads.part, toilets.part) == (None, "道路", "公厕")
    assert [day.reason for day in roads.days] == [DayReason.SET_ELSEWHERE]
    assert (roads.due.start, roads.due.last_day) == (plan.STARTED, day("2024-04-18"))
    for then in (plan.meet("roads"), Wake(local("2024-04-19"))):
        parts = [each.part for each in of_measure(plan.want("works"), then).dues]
        assert parts == [None, "道路", "公厕"], "met or missed, it was timed"


def test_what_is_said_to_be_done_is_explained_by_the_date_that_it_had_then() -> None:
    done = plan.want("notice"), plan.progress(), plan.resolve()
    [told] = of_measure(*done, plan.want("notice", TUESDAY + timedelta(days=1), due=None)).dues
    assert told.due.last_day == plan.LAST_DAY


def test_what_recurs_is_explained_by_the_working_day_after_its_last_one() -> None:
    [told] = of_measure(plan.want("cleaning")).dues
    assert told.due.rule == "1 working day to say that it is done, after its last day 2024-04-30 (Plan)"
    assert [(each.day.day, each.reason) for each in told.days] == [
        (30, DayReason.START),
        *((holiday, DayReason.HOLIDAY) for holiday in (1, 2, 3, 4, 5)),
        (6, DayReason.COUNTED),
    ]
    assert told.agrees


def test_a_due_date_without_a_count_is_told_by_its_rule() -> None:
    due = Due(at=DUE, last_day=local("2024-04-22").date(), rule="as it was told long ago")
    told = explained(Dues(UNDER, WorkingCalendar(UNDER)), Timed(DueClock.STATION, "jiwei", due))
    assert (told.due, told.days, told.agrees) == (due, (), True)


@for_all(lives())
def test_the_explanation_always_ends_where_the_entry_is_due(steps: list[Any]) -> None:
    state = REGISTER.fold(REGISTER.initial_state, facts(run(steps)))
    for each in explain(NUMBER, state, CHARTER).dues:
        assert each.agrees
        counted = [day.day for day in each.days]
        assert counted == sorted(set(counted))
        assert max(counted) == each.due.last_day


@pytest.mark.parametrize("language", Lang)
def test_people_read_it_day_by_day(language: Lang, capsys: pytest.CaptureFixture[str]) -> None:
    extended = (apply_extension(days=2), decide_extension(EARLY))
    answer = why(open_(), accept(), *extended, hold(TUESDAY), resume(WEDNESDAY))
    use(language)
    try:
        tell(answer, Town(UNDER))
    finally:
        use(Lang.EN)
    printed = capsys.readouterr().out
    for said in ("2024-04-15 10:00", "2024-04-16 00:00", "2024-04-20", "7", "chinesecalendar", "fsou"):
        assert said in printed


def test_every_clock_and_every_reason_has_its_words() -> None:
    assert set(DueClock) <= set(WORDS[DueClock])
    assert set(REASONS) == set(DayReason)
