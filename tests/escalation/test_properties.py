"""What holds for the ladder whatever is told to it, in whatever order."""

from datetime import timedelta
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given as for_all
from hypothesis import settings
from pydantic import TypeAdapter

from duban_contracts.charter import Ground
from duban_contracts.escalation import (
    EscalationCommandRefused,
    ItemKind,
    OpenItem,
    OrderIssued,
    OrderLifted,
    Rung,
    StationRecovered,
    StationStillLagging,
    StepProposed,
)
from services.chassis.decider import Wake
from services.escalation.decider import (
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    BeginSupervision,
    Close,
    DeclineStep,
    Open,
    RecordInstruction,
    RecordReceipt,
    Remind,
    Supervised,
    Unsupervised,
    WithdrawCircular,
    escalation,
)
from services.escalation.standing import standing
from tests.escalation.town import START, STATION, TOWNSHIP, asked, finding, flag, late_item

DECIDER = escalation(TOWNSHIP)
SERVICE_GROUNDS = [Ground.LAGGING, Ground.BELOW_REQUIREMENT]

moments = st.integers(-10 * 24, 120 * 24).map(lambda hours: START + timedelta(hours=hours))
entries = st.sampled_from(["1", "2", "3"])
numbers = st.integers(1, 4)
rounds = st.integers(1, 3)


def requests(now, grounds):
    who = st.sampled_from([STATION, "office", "leader", "discipline"]).map(lambda actor: asked(now, actor))
    orders, steps = (
        numbers.map(lambda n: f"{STATION}-2024-{n}"),
        numbers.map(lambda n: f"{STATION}-2024-step-{n}"),
    )
    circulars = numbers.map(lambda n: f"{STATION}-2024-circular-{n}")
    station = st.just(STATION)
    return [
        st.builds(AcknowledgeOrder, who, station, orders),
        st.builds(AnswerOrder, who, station, orders, st.just("done")),
        st.builds(ApproveStep, who, station, steps, st.just("head")),
        st.builds(DeclineStep, who, station, steps, st.just("head"), st.just("no")),
        st.builds(RecordInstruction, who, station, steps, st.just("go on")),
        st.builds(RecordReceipt, who, station, steps, st.just("R-1")),
        st.builds(WithdrawCircular, who, station, circulars, st.just("mistake")),
    ]


def facts(now, grounds):
    station, at = st.just(STATION), st.just(now)
    overdue = entries.map(lambda entry: late_item(entry, now))
    rectification = entries.map(
        lambda entry: OpenItem(id=f"rectification/{entry}/1", kind=ItemKind.RECTIFICATION_OVERDUE, since=now)
    )
    keys = st.tuples(
        st.sampled_from(
            ["overdue/1", "overdue/2", "overdue/3", "finding/1", "finding/2", "rectification/1/1"]
        )
    )
    found = st.builds(lambda name, ground: finding(name, ground, now), entries, st.sampled_from(grounds))
    serious = st.booleans() if len(grounds) == len(Ground) else st.just(False)
    told = [
        st.builds(BeginSupervision, at, station, st.just("campaign/2024")),
        st.builds(Remind, at, station, entries),
        st.builds(Open, at, station, overdue, rounds),
        st.builds(Open, at, station, rectification),
        st.builds(Open, at, station, found, st.just(0), serious),
        keys.flatmap(
            lambda ids: st.builds(Close, at, station, st.just(ids), rounds, st.sampled_from([(), ids]))
        ),
    ]
    flags = st.builds(Open, at, station, entries.map(lambda entry: flag(now, entry)))
    return [*told, flags] if len(grounds) == len(Ground) else told


def commands(grounds):
    return moments.flatmap(lambda now: st.one_of(*facts(now, grounds), *requests(now, grounds)))


def moment_of(command):
    return command.asked.now if hasattr(command, "asked") else command.now


anything = st.lists(commands(list(Ground)), max_size=25)
in_order = anything.map(lambda told: sorted(told, key=moment_of))
by_time_alone = st.lists(commands(SERVICE_GROUNDS), max_size=25).map(
    lambda told: [BeginSupervision(START, STATION, "campaign/2024"), *sorted(told, key=moment_of)]
)


def answers(told):
    """Each command with its events and the state after it."""
    state = DECIDER.initial_state
    for command in told:
        events, state = DECIDER.answer(command, moment_of(command), state)
        yield command, events, state


def story(told):
    return [event for _, events, _ in answers(told) for event in events]


@for_all(anything)
def test_whatever_comes_in_whatever_order_never_raises_and_every_request_gets_an_answer(told):
    for command, events, _ in answers(told):
        assert events or not hasattr(command, "asked")


@for_all(anything)
def test_the_state_follows_from_what_was_told_alone(told):
    events = []
    for _, fresh, state in answers(told):
        events += fresh
        assert DECIDER.fold(DECIDER.initial_state, events) == state


@for_all(anything)
def test_every_state_survives_being_stored(told):
    for _, _, state in answers(told):
        adapter = TypeAdapter(type(state))
        assert adapter.validate_json(adapter.dump_json(state)) == state
        assert standing(STATION, state, 1) is not None or state.at is None


@for_all(anything)
def test_nothing_is_left_due_after_an_answer_and_every_wake_tells_something(told):
    for command, _, state in answers(told):
        for _ in range(50):
            due = DECIDER.wake_at(state)
            if due is None:
                break
            assert due > moment_of(command)
            events = DECIDER.decide(Wake(due), state)
            assert events
            state = DECIDER.fold(state, events)


@for_all(anything, moments)
def test_a_wake_before_anything_is_due_tells_nothing(told, now):
    *_, (_, _, state) = [(None, None, DECIDER.initial_state), *answers(told)]
    due = DECIDER.wake_at(state)
    if due is None or now < due:
        assert DECIDER.answer(Wake(now), now, state) == ([], state)


@for_all(in_order, st.lists(moments))
def test_the_outcome_never_depends_on_when_a_poller_ran(told, polls):
    polled = sorted([*told, *map(Wake, polls)], key=moment_of)
    last = [Wake(START + timedelta(days=400))]
    assert story(told + last) == story(polled + last)


@for_all(anything)
def test_at_most_one_order_is_outstanding(told):
    outstanding = 0
    for event in story(told):
        outstanding += isinstance(event, OrderIssued) - isinstance(event, OrderLifted)
        assert outstanding in (0, 1)


@for_all(anything)
def test_numbers_are_given_out_once_and_without_gaps(told):
    events = story(told)
    for series in (
        [event.order for event in events if isinstance(event, OrderIssued)],
        [event.step for event in events if isinstance(event, StepProposed)],
    ):
        assert [int(key.rpartition("-")[2]) for key in series] == list(range(1, len(series) + 1))


@settings(max_examples=300)
@for_all(by_time_alone)
def test_where_only_time_passes_no_level_is_skipped(told):
    rungs = [Rung.SUPERVISED]
    for event in story(told):
        if isinstance(event, StationStillLagging):
            rungs.append(event.rung)
        if isinstance(event, StationRecovered):
            rungs.append(Rung.SUPERVISED)
    assert all(after - before <= 1 for before, after in pairwise(rungs))


@for_all(anything)
def test_a_station_recovers_only_without_open_items_and_without_an_order(told):
    state = DECIDER.initial_state
    for event in story(told):
        if isinstance(event, StationRecovered):
            assert not state.items
            assert state.order is None
        state = DECIDER.evolve(state, event)


@for_all(anything)
def test_a_refusal_changes_nothing(told):
    state = DECIDER.initial_state
    for event in story(told):
        after = DECIDER.evolve(state, event)
        if isinstance(event, EscalationCommandRefused):
            assert after == state
        state = after


def test_the_state_does_not_grow_with_what_was_closed():
    def size_after(count):
        told = [BeginSupervision(START, STATION, "campaign/2024")]
        for number in range(count):
            now = START + timedelta(hours=number)
            told += [Open(now, STATION, late_item(f"{number:06}", now), 1)]
            told += [Close(now + timedelta(minutes=30), STATION, (f"overdue/{number:06}",), 1)]
        *_, (_, _, state) = answers(told)
        assert state.items == {}
        return len(TypeAdapter(Supervised).dump_json(state))

    assert size_after(400) == size_after(40)


def test_every_situation_is_known_to_the_snapshots():
    assert DECIDER.states == (Unsupervised, Supervised)
