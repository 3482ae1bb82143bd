"""What holds for every entry, whatever is asked of it, in whatever order and however late it is heard."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from duban_contracts.charter import Limit, Role
from duban_contracts.due import Due, DueClock
from duban_contracts.handling import (
    Adjudicated,
    CitizenOverdue,
    DeadlineRecomputed,
    EntryHeld,
    EntryRecurred,
    EntryResumed,
    EntryReturned,
    ExtensionDecided,
    HoldGround,
    InterimAnswerOverdue,
)
from duban_contracts.intake import Outcome, PastOutcome
from duban_contracts.ledger import (
    AcceptanceOverdue,
    EntryAccepted,
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    ReopenReason,
    VerificationRejected,
)
from duban_contracts.merging import MatterUnmerged
from duban_contracts.reclassifying import EntryReclassified
from services.chassis.decider import Asked, Wake
from services.ledger.decider import (
    Accept,
    AddCoHandler,
    Adjudicate,
    ApplyExtension,
    DecideExtension,
    FollowSurvivor,
    Hold,
    LinkMerged,
    LinkRecurrence,
    Merge,
    Reclassify,
    RecordProgress,
    Reopen,
    ReopenForRating,
    ReportUp,
    Resolve,
    Resume,
    Return,
    RevisionSeen,
    Survivor,
    Transfer,
    UnlinkMerged,
    Verify,
    Withdraw,
    ledger,
)
from services.ledger.views import row
from tests.ledger.register import NUMBER, OPENED, SHIPPED, TOWN, day, open_

everybody_may_verify = SHIPPED.matters.model_copy(update={"verify_roles": tuple(Role)})
CHARTER = SHIPPED.model_copy(update={"matters": everybody_may_verify, "revision": 7})
slower = {"limits": dict.fromkeys(SHIPPED.matters.limits, Limit(amount=9)), "accept_within": Limit(amount=2)}
LATER_CHARTER = CHARTER.model_copy(
    update={
        "matters": everybody_may_verify.model_copy(update=slower),
        "revision": 8,
        "published_at": OPENED + timedelta(days=3),
    }
)
REGISTER, REVISED = ledger(CHARTER), ledger(LATER_CHARTER)

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
texts = st.sampled_from(["", "因为"])
EARLIER, LATER = "2024-000007", "2024-000900"
CATEGORIES = ["rural_road", "garbage", "littering", "conduct", "minimum_living", "nonsense"]
survivors = st.none() | st.builds(
    Survivor, st.just(EARLIER), stations, st.booleans(), st.booleans(), st.none() | st.just("2024-000003")
)
follows = st.builds(
    FollowSurvivor,
    moments,
    st.just(EARLIER),
    stations,
    st.booleans(),
    st.just("office"),
    st.none() | st.just(Outcome.SOLVED),
    st.just("好了"),
    st.none() | moments,
)
handling = st.one_of(
    st.builds(Return, requests, texts),
    st.builds(Transfer, requests, stations, texts),
    st.builds(Adjudicate, requests, stations, st.just(()), texts),
    st.builds(AddCoHandler, requests, st.sampled_from(["jiwei", "wenhuazhan"])),
    st.builds(ReportUp, requests, st.just("市住建局"), texts),
    st.builds(ApplyExtension, requests, st.builds(Limit, amount=st.integers(0, 40)), texts),
    st.builds(DecideExtension, requests, st.booleans(), texts),
    st.builds(Hold, requests, st.sampled_from(HoldGround), texts),
    st.builds(Resume, requests),
    st.builds(Reclassify, requests, st.sampled_from(CATEGORIES), st.none(), texts),
    st.builds(Merge, requests, st.sampled_from([EARLIER, LATER]), texts, survivors),
    st.builds(LinkMerged, moments, st.just(LATER), st.integers(1, 2), st.booleans()),
    st.builds(UnlinkMerged, moments, st.just(LATER), st.integers(1, 2)),
    follows,
    st.builds(LinkRecurrence, moments, st.just("2024-000999"), st.just("rural_road"), st.just("dongcun")),
)
others = st.one_of(
    handling,
    st.builds(Wake, moments),
    st.builds(Withdraw, moments, st.just(NUMBER), stations),
    st.builds(ReopenForRating, moments, st.integers(1, 3), st.just("")),
    st.builds(Accept, requests),
    st.builds(RecordProgress, requests, st.just("在办"), interim_answer=st.booleans()),
    st.builds(Resolve, requests, st.sampled_from(Outcome), st.just("好了")),
    st.builds(Verify, requests, st.booleans(), st.sampled_from(["", "没好"])),
    st.builds(Reopen, requests, st.just("又坏了")),
)


beginnings = st.builds(
    open_,
    st.just(OPENED),
    station=st.just("jiwei"),
    limit=st.sampled_from([Limit(amount=5), Limit(amount=0), None]),
    due_on=st.none() | st.none() | st.sampled_from([day("2024-04-12"), day("2024-04-20")]),
    solved_on_the_spot=st.none() | st.none() | st.just("好了"),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Any]:
    """An entry in the hands of people who mostly do what they may, one after the other."""
    steps: list[Any] = [draw(beginnings)]
    now = OPENED
    for _ in range(draw(st.integers(1, 12))):
        now += timedelta(hours=draw(st.sampled_from([0, 1, 5, 20, 24, 100])))
        station, other = draw(st.permutations(["jiwei", "bianmin"]))
        handler, office = Asked(now, station, NUMBER, "x"), Asked(now, "office", NUMBER, "x")
        steps.append(
            draw(
                st.sampled_from(
                    [
                        Accept(handler),
                        Accept(handler),
                        RecordProgress(handler, "已报", interim_answer=True),
                        Transfer(handler, other, "因为"),
                        Return(handler, "因为"),
                        Adjudicate(office, station, (), "因为"),
                        ReportUp(handler, "市住建局", "因为"),
                        ApplyExtension(handler, Limit(amount=3), "因为"),
                        DecideExtension(office, True, "因为"),
                        Hold(handler, HoldGround.AWAITING_PETITIONER, "因为"),
                        Resume(office),
                        Resolve(handler, Outcome.SOLVED, "好了"),
                        Verify(office, draw(st.booleans()), "因为"),
                        Reopen(office, "又坏了"),
                        ReopenForRating(now, draw(st.integers(1, 3)), "不满意"),
                        Withdraw(now, NUMBER, station),
                        Reclassify(office, draw(st.sampled_from(CATEGORIES)), None, "因为"),
                        Merge(office, EARLIER, "因为", Survivor(EARLIER, other, open=True)),
                        FollowSurvivor(now, EARLIER, other, draw(st.booleans()), "office", Outcome.SOLVED),
                        LinkMerged(now, LATER, 1),
                        Wake(now),
                    ]
                )
            )
        )
    return steps


commands = (
    st.lists(st.one_of(openings, others), max_size=6)
    | st.tuples(openings, st.lists(others, max_size=12)).map(lambda parts: [parts[0], *parts[1]])
    | lives()
)


adapter_of = cache(TypeAdapter)
"""Made once for each class: making one costs more than many steps."""


def run(steps: Sequence[Any], revised: int | None = None) -> list[tuple[Any, list[Any]]]:
    """Each command with what followed; every state on the way replays and survives being stored.

    From the step numbered `revised` on by another charter, which was published some time before.
    """
    state, told, answers = REGISTER.initial_state, list[Any](), []
    for number, command in enumerate(steps):
        register = REVISED if revised is not None and number >= revised else REGISTER
        now = command.asked.now if hasattr(command, "asked") else command.now
        events, state = register.answer(command, now, state)
        told += events
        answers.append((command, events))
        assert register.fold(register.initial_state, told) == state
        adapter = adapter_of(type(state))
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
            if isinstance(event, EntryStruckOff) and not event.past and event.merged_into is None:
                assert isinstance(command, Verify)
                assert command.passed
                assert command.asked.actor == event.by
                assert station_of(event.by) not in (station_of(resolved_by), event.station)


BY_TIME = (
    AcceptanceOverdue
    | CitizenOverdue
    | DeadlineRecomputed
    | EntryDueSoon
    | EntryOverdue
    | InterimAnswerOverdue
    | RevisionSeen
)
MOVES = EntryOpened | EntryReopened | ExtensionDecided | EntryResumed | EntryReclassified
COMES_TO_A_STATION = EntryReturned | Adjudicated | MatterUnmerged


@for_all(commands)
def test_a_due_date_moves_only_where_a_fact_says_so_and_never_earlier_by_a_pause_or_an_extension(
    steps: list[Any],
) -> None:
    due, citizen, promised = None, None, None
    for event in facts(run(steps)):
        if isinstance(event, ExtensionDecided | EntryResumed):
            assert not_earlier(event.due, due)
            assert not_earlier(event.citizen, citizen)
        if isinstance(event, MOVES):
            due, citizen = event.due, event.citizen
        if isinstance(event, COMES_TO_A_STATION) or (isinstance(event, EntryAccepted) and event.taken_over):
            responsible = not isinstance(event, EntryReturned) or event.was_responsible
            due = event.due if responsible else due
        if due is not None:
            promised = due if due.limit is None else None
        waited_for = citizen or promised
        if isinstance(event, EntryDueSoon):
            assert event.due == (due if event.clock is DueClock.STATION else waited_for)
        if isinstance(event, EntryOverdue | VerificationRejected):
            assert event.due == due
        if isinstance(event, CitizenOverdue):
            assert event.due == waited_for


def not_earlier(new: Due | None, old: Due | None) -> bool:
    return new == old or (new is not None and old is not None and new.at >= old.at)


@for_all(commands)
def test_each_clock_rings_once_for_each_date_that_it_is_set_to(steps: list[Any]) -> None:
    round_of, seen = 1, list[Any]()
    for event in facts(run(steps)):
        if isinstance(event, VerificationRejected | EntryReopened):
            assert event.round == round_of + 1
            round_of = event.round
        if isinstance(event, EntryOverdue | CitizenOverdue | EntryDueSoon):
            kind = (event.clock, event.on_due_day) if isinstance(event, EntryDueSoon) else type(event)
            seen.append((round_of, event.due.start, event.due.at, event.station, kind))
        if isinstance(event, InterimAnswerOverdue):
            seen.append((event.due.start, event.due.at))
    assert len(seen) == len(set(seen))


@for_all(commands)
def test_a_held_or_ended_entry_has_no_clock_of_station_or_citizen_running(steps: list[Any]) -> None:
    still = False
    for event in facts(run(steps)):
        assert not (still and isinstance(event, EntryOverdue | CitizenOverdue | EntryDueSoon))
        if isinstance(event, EntryHeld | EntryStruckOff | EntryClosedUnsolved):
            still = True
        if isinstance(event, EntryResumed | EntryReopened):
            still = False


@for_all(lives(), st.none() | st.integers(0, 12))
def test_the_facts_of_an_entry_never_run_backwards(steps: list[Any], revised: int | None) -> None:
    told = [event.at for event in facts(run(steps, revised)) if not isinstance(event, LedgerCommandRefused)]
    assert told == sorted(told)


@for_all(commands, st.none() | st.integers(0, 12))
def test_what_time_brings_about_is_never_told_as_of_before_what_was_told(
    steps: list[Any], revised: int | None
) -> None:
    """However late or early the requests between are heard; nor what happened elsewhere."""
    last = None
    for event in facts(run(steps, revised)):
        if isinstance(event, BY_TIME | EntryClosedUnsolved | EntryRecurred) or (
            isinstance(event, EntryReopened) and event.reason is ReopenReason.NEGATIVE_RATING
        ):
            assert last is None or event.at >= last
        if not isinstance(event, LedgerCommandRefused):
            last = event.at if last is None else max(last, event.at)


@for_all(commands, st.none() | st.integers(0, 12))
def test_no_clock_of_an_ended_entry_runs_until_it_is_reopened(steps: list[Any], revised: int | None) -> None:
    ended = False
    for event in facts(run(steps, revised)):
        assert not (ended and isinstance(event, BY_TIME))
        ended = isinstance(event, EntryStruckOff | EntryClosedUnsolved) or (
            ended and not isinstance(event, EntryReopened)
        )


@for_all(commands)
def test_a_closing_is_late_exactly_from_its_due_instant_on(steps: list[Any]) -> None:
    for event in facts(run(steps)):
        if isinstance(event, EntryStruckOff):
            if event.due is None or event.resolved_at is None:
                assert event.late is None
            else:
                assert event.late is (event.resolved_at >= event.due.at)


@for_all(commands, moments)
def test_waking_twice_changes_nothing(steps: list[Any], now: Any) -> None:
    story = facts(run(steps))
    state = REGISTER.fold(REGISTER.initial_state, story)
    events, woken = REGISTER.answer(Wake(now), now, state)
    assert REGISTER.answer(Wake(now), now, woken) == ([], woken)
    assert [event.at for event in events] == sorted(event.at for event in events)
