"""What holds for every application, whatever is asked of it, in whatever order and however late heard."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from duban_contracts.applications import ObjectionOverdue, StageOverdue
from duban_contracts.charter import Limit
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import (
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryStruckOff,
    LedgerCommandRefused,
)
from services.chassis.decider import Asked, Wake
from services.ledger.applications import (
    Apply,
    CompleteStage,
    DecideObjection,
    RaiseObjection,
    applications,
)
from services.ledger.decider import RecordProgress, RevisionSeen, Verify, Withdraw
from services.ledger.views import row
from tests.ledger.register import MATTER, NUMBER, OPENED, SHIPPED

STAGES = ("application", "investigation", "appraisal", "notice", "approval", "filing")
LOW_INCOME = replace(MATTER, category="minimum_living", station="minzheng", co_handlers=(), limit=None)
APPLY = Apply(OPENED, NUMBER, LOW_INCOME, "benefit")
benefit = SHIPPED.procedures["benefit"]
slower = tuple(stage.model_copy(update={"limit": Limit(amount=20)}) for stage in benefit.stages)
CHARTER = SHIPPED.model_copy(update={"revision": 7})
LATER_CHARTER = CHARTER.model_copy(
    update={
        "procedures": {"benefit": benefit.model_copy(update={"stages": slower})},
        "revision": 8,
        "published_at": OPENED + timedelta(days=12),
    }
)
REGISTER, REVISED = applications(CHARTER), applications(LATER_CHARTER)
BY_TIME = EntryDueSoon | StageOverdue | ObjectionOverdue | DeadlineRecomputed | RevisionSeen

moments = st.integers(-48, 24 * 90).map(lambda hours: OPENED + timedelta(hours=hours))
actors = st.sampled_from(["minzheng", "office", "leader", "discipline", "gateway", "nobody"])
requests = st.builds(Asked, moments, actors, st.just(NUMBER), st.just("verify"))
texts = st.sampled_from(["", "因为"])
anything = st.one_of(
    st.just(APPLY),
    st.builds(Wake, moments),
    st.builds(Withdraw, moments, st.just(NUMBER), st.just("minzheng")),
    st.builds(CompleteStage, requests, st.sampled_from(STAGES), st.booleans(), texts),
    st.builds(RaiseObjection, requests, texts),
    st.builds(DecideObjection, requests, st.integers(1, 3), st.booleans(), texts),
    st.builds(RecordProgress, requests, texts),
    st.builds(Verify, requests, st.booleans(), texts),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Any]:
    """An application in the hands of people who mostly do what they may, one after the other."""
    steps: list[Any] = [APPLY]
    now, stage = OPENED, 0
    for _ in range(draw(st.integers(1, 16))):
        now += timedelta(hours=draw(st.sampled_from([0, 1, 20, 24, 100, 200])))
        handler, office = Asked(now, "minzheng", NUMBER, "x"), Asked(now, "office", NUMBER, "x")
        decider = office if STAGES[stage] == "approval" else handler
        done = CompleteStage(decider, STAGES[stage], draw(st.sampled_from([True, True, True, False])), "好")
        others = [
            RaiseObjection(Asked(now, "gateway", NUMBER, "x"), "家里有车"),
            DecideObjection(office, draw(st.integers(1, 2)), draw(st.booleans()), "已核实"),
            RecordProgress(handler, "在办"),
            Verify(Asked(now, "leader", NUMBER, "x"), draw(st.booleans()), "缺签字"),
            Withdraw(now, NUMBER, "minzheng"),
            Wake(now),
        ]
        steps.append(draw(st.sampled_from([done, done, done, *others])))
        stage = draw(st.sampled_from([1, stage])) if steps[-1] is not done else min(stage + 1, 5)
    return steps


commands = st.lists(anything, max_size=10).map(lambda steps: [APPLY, *steps]) | lives()
revisions = st.none() | st.integers(0, 12)


def run(steps: Sequence[Any], revised: int | None = None) -> list[Any]:
    """What followed; every state on the way replays and survives being stored.

    From the step numbered `revised` on by another charter, which was published some time before.
    """
    state, told = REGISTER.initial_state, list[Any]()
    for number, command in enumerate(steps):
        register = REVISED if revised is not None and number >= revised else REGISTER
        events, state = register.answer(command, moment(command), state)
        told += events
        assert register.fold(register.initial_state, told) == state
        adapter = TypeAdapter(type(state))
        assert adapter.validate_json(adapter.dump_json(state)) == state
        row(state)
        assert events or not hasattr(command, "asked"), "every request is answered"
    return [event for event in told if not isinstance(event, LedgerCommandRefused)]


def moment(command: Any) -> datetime:
    now: datetime = command.asked.now if hasattr(command, "asked") else command.now
    return now


@for_all(lives(), revisions)
def test_the_facts_of_an_application_never_run_backwards(steps: list[Any], revised: int | None) -> None:
    told = [event.at for event in run(steps, revised)]
    assert told == sorted(told)


@for_all(commands, revisions)
def test_what_time_brings_about_is_never_told_as_of_before_what_was_told(
    steps: list[Any], revised: int | None
) -> None:
    """However late or early the requests between are heard; nor that it was taken back."""
    last = OPENED
    for event in run(steps, revised):
        if isinstance(event, BY_TIME | EntryClosedUnsolved):
            assert event.at >= last
        last = max(last, event.at)


@for_all(commands, revisions)
def test_no_clock_of_an_ended_application_runs(steps: list[Any], revised: int | None) -> None:
    ended = False
    for event in run(steps, revised):
        assert not (ended and isinstance(event, BY_TIME))
        ended = ended or isinstance(event, EntryStruckOff | EntryClosedUnsolved)


@for_all(commands, revisions)
def test_a_stage_is_overdue_once_for_each_visit_and_date(steps: list[Any], revised: int | None) -> None:
    told = [(fact.visit, fact.due.at) for fact in run(steps, revised) if isinstance(fact, StageOverdue)]
    assert len(told) == len(set(told))


@for_all(commands, moments)
def test_waking_twice_changes_nothing(steps: list[Any], now: Any) -> None:
    state = REGISTER.fold(REGISTER.initial_state, run(steps))
    events, woken = REGISTER.answer(Wake(now), now, state)
    assert REGISTER.answer(Wake(now), now, woken) == ([], woken)
    assert [event.at for event in events] == sorted(event.at for event in events)
