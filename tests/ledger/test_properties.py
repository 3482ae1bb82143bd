"""What holds for every entry, whatever is asked of it, in whatever order and however late it is heard."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from duban_contracts.charter import Role
from duban_contracts.intake import Outcome, PastOutcome
from duban_contracts.ledger import (
    EntryDueSoon,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    VerificationRejected,
)
from services.chassis.decider import Asked, Wake
from services.ledger.decider import (
    Accept,
    RecordProgress,
    Reopen,
    ReopenForRating,
    Resolve,
    Verify,
    Withdraw,
    ledger,
)
from services.ledger.views import row
from tests.ledger.register import NUMBER, OPENED, TOWN, day, open_

everybody_may_verify = TOWN.matters.model_copy(update={"verify_roles": tuple(Role)})
CHARTER = TOWN.model_copy(update={"matters": everybody_may_verify})
register = ledger(CHARTER)

moments = st.integers(-48, 24 * 45).map(lambda hours: OPENED + timedelta(hours=hours))
stations = st.sampled_from(["jiwei", "bianmin"])
actors = st.sampled_from(["jiwei", "bianmin", "discipline", "office", "leader", "gateway", "nobody"])
requests = st.builds(Asked, moments, actors, st.just(NUMBER), st.just("verify"))
pasts = st.builds(
    PastOutcome,
    outcome=st.sampled_from(Outcome),
    closed_at=st.none() | st.integers(0, 500).map(lambda hours: OPENED + timedelta(hours=hours)),
)
openings = st.builds(
    open_,
    moments,
    station=stations,
    limit=st.none() | st.just(TOWN.matters.accept_within) | st.just(TOWN.rating.rate_within),
    due_on=st.none() | st.sampled_from([day("2024-04-01"), day("2024-04-20")]),
    solved_on_the_spot=st.none() | st.just("好了"),
    past=st.none() | st.none() | pasts,
)
others = st.one_of(
    st.builds(Wake, moments),
    st.builds(Withdraw, moments, st.just(NUMBER), stations),
    st.builds(ReopenForRating, moments, st.integers(1, 3), st.just("")),
    st.builds(Accept, requests),
    st.builds(RecordProgress, requests, st.just("在办")),
    st.builds(Resolve, requests, st.sampled_from(Outcome), st.just("好了")),
    st.builds(Verify, requests, st.booleans(), st.sampled_from(["", "没好"])),
    st.builds(Reopen, requests, st.just("又坏了")),
)
commands = st.lists(st.one_of(openings, others), max_size=6) | st.tuples(
    openings, st.lists(others, max_size=12)
).map(lambda parts: [parts[0], *parts[1]])


def run(steps: Sequence[Any]) -> list[tuple[Any, list[Any]]]:
    """Each command with what followed; every state on the way replays and survives being stored."""
    state, told, answers = register.initial_state, list[Any](), []
    for command in steps:
        now = command.asked.now if hasattr(command, "asked") else command.now
        events, state = register.answer(command, now, state)
        told += events
        answers.append((command, events))
        assert register.fold(register.initial_state, told) == state
        adapter = TypeAdapter(type(state))
        assert adapter.validate_json(adapter.dump_json(state)) == state
        row(state)
    return answers


def facts(answers: list[tuple[Any, list[Any]]]) -> list[Any]:
    return [event for _, events in answers for event in events]


def station_of(token: str) -> str | None:
    actor = CHARTER.actor(token)
    return actor.station if actor else None


@for_all(commands)
def test_every_request_is_answered_and_everything_replays(steps: list[Any]) -> None:
    for command, events in run(steps):
        assert events or not hasattr(command, "asked")


@for_all(commands)
def test_nothing_is_struck_off_unless_somebody_else_verified_it_or_it_was_closed_elsewhere(
    steps: list[Any],
) -> None:
    resolved_by = ""
    for command, events in run(steps):
        for event in events:
            if isinstance(event, EntryResolved):
                resolved_by = event.by
            if isinstance(event, EntryStruckOff) and not event.past:
                assert isinstance(command, Verify)
                assert command.passed
                assert command.asked.actor == event.by
                assert station_of(event.by) not in (station_of(resolved_by), event.station)


@for_all(commands)
def test_a_due_date_moves_only_when_a_struck_off_entry_is_reopened(steps: list[Any]) -> None:
    due = None
    for event in facts(run(steps)):
        if isinstance(event, EntryOpened | EntryReopened):
            due = event.due
        if isinstance(event, EntryDueSoon | EntryOverdue | VerificationRejected):
            assert event.due == due


@for_all(commands)
def test_each_round_is_overdue_once_and_reminded_of_at_most_twice(steps: list[Any]) -> None:
    round_of, seen = 1, list[Any]()
    for event in facts(run(steps)):
        if isinstance(event, VerificationRejected | EntryReopened):
            assert event.round == round_of + 1
            round_of = event.round
        if isinstance(event, EntryOverdue):
            assert event.round == round_of
            seen.append((round_of, "overdue"))
        if isinstance(event, EntryDueSoon):
            seen.append((round_of, event.on_due_day))
    assert len(seen) == len(set(seen))


@for_all(commands)
def test_a_closing_is_late_exactly_from_its_rounds_due_instant_on(steps: list[Any]) -> None:
    due = None
    for event in facts(run(steps)):
        if isinstance(event, EntryOpened | EntryReopened):
            due = event.due
        if isinstance(event, EntryStruckOff):
            if due is None or event.resolved_at is None:
                assert event.late is None
            else:
                assert event.late is (event.resolved_at >= due.at)


@for_all(commands, moments)
def test_waking_twice_changes_nothing(steps: list[Any], now: Any) -> None:
    story = facts(run(steps))
    state = register.fold(register.initial_state, story)
    events, woken = register.answer(Wake(now), now, state)
    assert register.answer(Wake(now), now, woken) == ([], woken)
    assert [event.at for event in events] == sorted(event.at for event in events)
