"""What holds for every key of the register, whatever stands under it and whatever is asked of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from duban_contracts.ledger import EntryStruckOff
from duban_contracts.measures import OccurrenceMissed, OccurrenceReported
from services.chassis.decider import Asked, Wake
from services.chassis.snapshots import Snapshots
from services.ledger.applications import Apply, CompleteStage, DecideObjection, RaiseObjection
from services.ledger.decider import Accept, Open, RecordProgress, Resolve, Verify, Withdraw
from services.ledger.measures import (
    ApplyPlan,
    BeginPlan,
    MeetMilestone,
    ReportCount,
    ReportOccurrence,
    Retire,
    Want,
)
from services.ledger.register_kinds import register
from services.ledger.views import row
from tests.ledger.plan import NUMBER, SHAPES, STARTED, measure_of
from tests.ledger.register import MATTER, TOWN

for_each = settings(deadline=None)
whole = register(TOWN.model_copy(update={"revision": 7}))
snapshots = Snapshots(whole)
moments = st.integers(-24, 24 * 40).map(lambda hours: STARTED + timedelta(hours=hours))
actors = st.sampled_from(["qingjieban", "minzheng", "discipline", "office", "leader", "gateway", "nobody"])
requests = st.builds(Asked, moments, actors, st.just(NUMBER), st.just("verify"))
texts = st.sampled_from(["", "在办"])
proofs = st.sampled_from([(), ("照片",)])
days = st.none() | st.integers(14, 30).map(lambda day: date(2024, 4, day))
low_income = replace(MATTER, category="minimum_living", station="minzheng", co_handlers=())
wanted = st.builds(
    lambda now, name, due: Want(now, NUMBER, "2024", measure_of(name, due=due)),
    moments,
    st.sampled_from(sorted(SHAPES)),
    st.none() | st.sampled_from([date(2024, 4, 16), date(2024, 4, 30)]),
)
openings = st.one_of(
    wanted,
    st.builds(Apply, moments, st.just(NUMBER), st.just(low_income), st.just("benefit")),
    st.builds(Open, moments, st.just(NUMBER), st.just(MATTER)),
    st.builds(BeginPlan, moments, st.just("2024")),
)
others = st.one_of(
    st.builds(Wake, moments),
    st.builds(Retire, moments, st.just(NUMBER), st.just("2024"), st.just("notice")),
    st.builds(Withdraw, moments, st.just(NUMBER), st.just("minzheng")),
    st.builds(ApplyPlan, requests, st.sampled_from([None, 7, 8])),
    st.builds(Accept, requests),
    st.builds(RecordProgress, requests, texts, st.none() | st.just(100), proofs),
    st.builds(ReportCount, requests, st.integers(1, 4), texts, proofs),
    st.builds(MeetMilestone, requests, st.sampled_from(["roads", "toilets", "sewage"]), texts, proofs),
    st.builds(ReportOccurrence, requests, st.sampled_from([None, "dongcun", "xicun"]), days),
    st.builds(Resolve, requests, st.just("solved"), texts),
    st.builds(Verify, requests, st.booleans(), texts),
    st.builds(
        CompleteStage,
        requests,
        st.sampled_from(["application", "investigation", "appraisal", "notice", "approval", "filing"]),
        st.booleans(),
        texts,
    ),
    st.builds(RaiseObjection, requests, texts),
    st.builds(DecideObjection, requests, st.integers(1, 3), st.booleans(), texts),
)
in_time = st.lists(others, max_size=14).map(lambda steps: sorted(steps, key=when))
commands = st.one_of(
    st.lists(openings | others, max_size=8),
    st.tuples(openings, in_time).map(lambda parts: [parts[0], *parts[1]]),
)


def when(command: Any) -> Any:
    return command.asked.now if hasattr(command, "asked") else command.now


def run(steps: Sequence[Any]) -> list[tuple[Any, Any, list[Any]]]:
    """Each command with the state before it and what followed; every state replays and survives storing."""
    state, told, answers = whole.initial_state, list[Any](), []
    for command in steps:
        events, after = whole.answer(command, when(command), state)
        told += events
        answers.append((command, state, events))
        state = after
        assert whole.fold(whole.initial_state, told) == state
        assert snapshots.thaw(snapshots.freeze(state)) == state
        row(state)
    return answers


def test_states_of_all_kinds_have_names_of_their_own() -> None:
    names = [state.__name__ for state in whole.states]
    assert len(names) == len(set(names))


@for_each
@given(commands)
def test_every_request_is_answered_and_everything_replays(steps: list[Any]) -> None:
    for command, _, events in run(steps):
        assert events or not hasattr(command, "asked")


@for_each
@given(commands)
def test_nothing_is_struck_off_except_by_a_verification_of_somebody_else(steps: list[Any]) -> None:
    for command, before, events in run(steps):
        for event in events:
            if isinstance(event, EntryStruckOff):
                assert isinstance(command, Verify)
                assert command.asked.actor == event.by != before.by
                actor = TOWN.actor(event.by)
                assert actor
                assert actor.station != event.station


@for_each
@given(commands)
def test_an_occurrence_is_reported_or_missed_and_each_once(steps: list[Any]) -> None:
    seen: list[Any] = []
    for command, _, events in run(steps):
        if isinstance(command, Want):
            seen = []  # it may recur in another way from now on
        seen += [
            (event.day, event.village)
            for event in events
            if isinstance(event, OccurrenceReported | OccurrenceMissed)
        ]
        assert len(seen) == len(set(seen))


@for_each
@given(commands, moments)
def test_waking_twice_changes_nothing(steps: list[Any], now: Any) -> None:
    told = [event for _, _, events in run(steps) for event in events]
    events, woken = whole.answer(Wake(now), now, whole.fold(whole.initial_state, told))
    assert whole.answer(Wake(now), now, woken) == ([], woken)
    assert [event.at for event in events] == sorted(event.at for event in events)
