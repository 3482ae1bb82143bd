"""A day set for the end of the century, or of all time, costs what next month costs."""

from collections import Counter

import pytest

from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Wake
from services.ledger.why import explain
from tests.ledger.matters import apply_extension, decide_extension, hold, resume
from tests.ledger.register import NUMBER, TOWN, accept, day, local, open_, register, story

FAR_DAYS = ("2027-05-20", "2099-12-31", "9999-12-29", "9999-12-31")
LIFE = (
    accept(),
    hold(local("2024-04-16", "10:00")),
    resume(local("2024-04-18", "10:00")),
    apply_extension(local("2024-04-18", "11:00")),
    decide_extension(local("2024-04-18", "12:00")),
    Wake(local("2024-06-01")),
)


@pytest.fixture
def calls(monkeypatch):
    """How often the calendar is asked about a day."""
    counted = Counter()
    for name in ("is_working", "is_provisional", "openings", "about", "day_of"):
        plain = getattr(WorkingCalendar, name)

        def asked(self, *args, _plain=plain, _name=name):
            counted[_name] += 1
            return _plain(self, *args)

        monkeypatch.setattr(WorkingCalendar, name, asked)
    return counted


@pytest.mark.case("A2")
@pytest.mark.parametrize("due_on", FAR_DAYS)
def test_a_decision_costs_the_same_however_far_the_due_day_is(calls, due_on):
    story(open_(due_on=day("2024-05-20")), *LIFE)
    near = calls.total()
    calls.clear()
    events = story(open_(due_on=day(due_on)), *LIFE)
    assert len(events) > 4
    assert calls.total() < 3 * near


@pytest.mark.case("A2")
@pytest.mark.parametrize("due_on", FAR_DAYS)
def test_why_costs_the_same_however_far_the_due_day_is(calls, due_on):
    state = register.fold(register.initial_state, story(open_(due_on=day(due_on)), *LIFE[:3]))
    calls.clear()
    why = explain(NUMBER, state, TOWN)
    assert calls.total() < 200
    assert all(len(due.days) < 50 for due in why.dues)
