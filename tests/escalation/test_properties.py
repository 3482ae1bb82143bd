"""What holds for the ladder whatever is told to it, in whatever order."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import example
from hypothesis import given as for_all
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
from tests.escalation.town import START, STATION, TOWNSHIP, asked, finding, flag, late_item, supervised

DECIDER = escalation(TOWNSHIP)
ADAPTERS = {situation: TypeAdapter(situation) for situation in DECIDER.states}
FACTS = ("campaign", "due_soon", "overdue", "rectification", "mend", "close", "close_early", "wait")
GRAVE = ("found", "flagged")
REQUESTS = ("acknowledge", "answer", "approve", "decline", "instruct", "receive", "withdraw", "meddle")


@dataclass(frozen=True)
class Act:
    """One thing that happens `hours` after the one before; `pick` chooses whom or what it is about."""

    hours: int
    what: str
    pick: int = 0


def acts(*what, hours):
    return st.builds(Act, hours, st.sampled_from(what), st.integers(0, 11))


gaps = st.sampled_from([0, 1, 15, 24, 48, 150, 400])
shuffled = st.one_of(gaps, st.just(-100))
forward = [Act(0, "campaign"), Act(24, "overdue"), Act(48, "wait")]
anything = st.lists(acts(*FACTS, *GRAVE, *REQUESTS, hours=shuffled), max_size=30)
in_order = st.lists(acts(*FACTS, *GRAVE, *REQUESTS, hours=gaps), min_size=10, max_size=40).map(
    forward.__add__
)
by_time_alone = st.lists(
    acts("overdue", "rectification", "wait", "wait", "approve", "mend", *REQUESTS, hours=gaps), min_size=10
).map(forward.__add__)


def command_of(act, now, state):
    """Fits what stands against the station at that time, so that stories reach the higher rungs."""
    if act.what in REQUESTS:
        return request_of(act, now, state)
    entry, ground = str(act.pick % 4), list(Ground)[act.pick % len(Ground)]
    keys = [*state.items, f"overdue/{entry}", f"finding/{entry}"]
    key, turn = keys[act.pick % len(keys)], 1 + act.pick % 3
    match act.what:
        case "campaign":
            return BeginSupervision(now, STATION, "campaign/2024")
        case "due_soon":
            return Remind(now, STATION, entry)
        case "overdue":
            return Open(now, STATION, late_item(entry, now), turn)
        case "rectification":
            item = OpenItem(id=f"rectification/{entry}/1", kind=ItemKind.RECTIFICATION_OVERDUE, since=now)
            return Open(now, STATION, item)
        case "found":
            return Open(now, STATION, finding(entry, ground, now), serious=act.pick > 9)
        case "flagged":
            return Open(now, STATION, flag(now, entry))
        case "close":
            return Close(now, STATION, (key,), 3)
        case "mend":
            return Close(now, STATION, tuple(state.items), 3)
        case "close_early":
            return Close(now, STATION, (f"overdue/{entry}",), turn, (f"overdue/{entry}",))
        case _:
            return Wake(now)


def request_of(act, now, state):
    order = getattr(state, "order", None)
    proposal = getattr(state, "proposal", None)
    taken = getattr(state, "taken", ()) or (None,)
    known = taken[act.pick % len(taken)]
    number = order.key if order else f"{STATION}-2024-{act.pick}"
    step = proposal.step if proposal else f"{STATION}-2024-step-{act.pick}"
    decider = asked(now, proposal.decided_by[0].value if proposal else "office")
    past = known.step if known else step
    circular = (known and known.circular) or f"{STATION}-2024-circular-{act.pick}"
    match act.what:
        case "acknowledge":
            return AcknowledgeOrder(asked(now, STATION), STATION, number)
        case "answer":
            return AnswerOrder(asked(now, STATION), STATION, number, "done")
        case "approve":
            return ApproveStep(decider, STATION, step, "head")
        case "decline":
            return DeclineStep(decider, STATION, step, "head", "no")
        case "instruct":
            return RecordInstruction(asked(now, "leader"), STATION, past, "go on")
        case "receive":
            return RecordReceipt(asked(now, "discipline"), STATION, past, "R-1")
        case "withdraw":
            return WithdrawCircular(asked(now, "office"), STATION, circular, "mistake")
        case _:
            return AnswerOrder(asked(now, "gateway"), STATION, number, "done")


def moment_of(command):
    return command.asked.now if hasattr(command, "asked") else command.now


def answers(told, polls=()):
    """Each command with its events and the state after it; pollers wake the station in between."""
    state, now = DECIDER.initial_state, START
    for act in told:
        before, now = now, now + timedelta(hours=act.hours)
        for poll in sorted(START + timedelta(hours=hours) for hours in polls):
            if before < poll < now:
                events, state = DECIDER.answer(Wake(poll), poll, state)
                yield Wake(poll), events, state
        command = command_of(act, now, DECIDER.up_to(now, state)[1])
        events, state = DECIDER.answer(command, now, state)
        yield command, events, state


def story(told, polls=()):
    return [event for _, events, _ in answers(told, polls) for event in events]


@for_all(st.one_of(anything, in_order))
def test_whatever_comes_in_whatever_order_never_raises_and_every_request_gets_an_answer(told):
    for command, events, _ in answers(told):
        assert events or not hasattr(command, "asked")


@for_all(st.one_of(anything, in_order))
def test_the_state_follows_from_what_was_told_alone(told):
    events = []
    for _, fresh, state in answers(told):
        events += fresh
        assert DECIDER.fold(DECIDER.initial_state, events) == state


@for_all(st.one_of(anything, in_order))
def test_every_state_survives_being_stored(told):
    for _, _, state in answers(told):
        adapter = ADAPTERS[type(state)]
        assert adapter.validate_json(adapter.dump_json(state)) == state
        assert standing(STATION, state, 1) is not None or state.at is None


@for_all(st.one_of(anything, in_order))
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


@for_all(st.one_of(anything, in_order))
def test_a_wake_before_anything_is_due_tells_nothing(told):
    for command, _, state in answers(told):
        now = moment_of(command)
        assert DECIDER.answer(Wake(now), now, state) == ([], state)


@for_all(in_order, st.lists(st.integers(0, 2_000), max_size=20))
def test_the_outcome_never_depends_on_when_a_poller_ran(told, polls):
    assert story(told, polls) == story(told)


@for_all(st.one_of(anything, in_order))
def test_at_most_one_order_is_outstanding(told):
    outstanding = 0
    for event in story(told):
        outstanding += isinstance(event, OrderIssued) - isinstance(event, OrderLifted)
        assert outstanding in (0, 1)


@for_all(st.one_of(anything, in_order))
def test_numbers_are_given_out_once_and_without_gaps(told):
    events = story(told)
    for series in (
        [event.order for event in events if isinstance(event, OrderIssued)],
        [event.step for event in events if isinstance(event, StepProposed)],
    ):
        assert [int(key.rpartition("-")[2]) for key in series] == list(range(1, len(series) + 1))


LAGS_AGAIN_BEFORE_THE_TRANSFER_IS_DECIDED = [
    Act(0, "campaign"),
    Act(24, "overdue"),
    Act(1200, "answer"),
    Act(0, "approve", 2),
    Act(800, "approve", 7),
    Act(300, "mend", 2),
    Act(400, "overdue", 2),
    Act(400, "answer", 4),
    Act(0, "approve", 4),
]
"""A transfer was proposed, the station recovered and lags again, and only then somebody approves it."""


@for_all(by_time_alone)
@example(LAGS_AGAIN_BEFORE_THE_TRANSFER_IS_DECIDED)
def test_where_only_time_passes_no_level_is_skipped(told):
    rungs = [Rung.SUPERVISED]
    for event in story(told):
        if isinstance(event, StationStillLagging):
            rungs.append(event.rung)
        if isinstance(event, StationRecovered):
            rungs.append(Rung.SUPERVISED)
    assert all(after - before <= 1 for before, after in pairwise(rungs))


@for_all(st.one_of(anything, in_order))
def test_a_station_recovers_only_without_open_items_and_without_an_order(told):
    state = DECIDER.initial_state
    for event in story(told):
        if isinstance(event, StationRecovered):
            assert not state.items
            assert state.order is None
        state = DECIDER.evolve(state, event)


@for_all(st.one_of(anything, in_order))
def test_a_refusal_changes_nothing(told):
    state = DECIDER.initial_state
    for event in story(told):
        after = DECIDER.evolve(state, event)
        if isinstance(event, EscalationCommandRefused):
            assert after == state
        state = after


def test_the_state_does_not_grow_with_what_was_closed():
    def size_after(count):
        story = supervised()
        for number in range(count):
            now = START + timedelta(hours=number)
            story.overdue(f"{number:06}", since=now)
            story.close(now + timedelta(minutes=30), f"overdue/{number:06}")
        assert story.state.items == {}
        state = story.state
        return len(ADAPTERS[Supervised].dump_json(state))

    assert size_after(400) == size_after(40)


def test_every_situation_is_known_to_the_snapshots():
    assert DECIDER.states == (Unsupervised, Supervised)
