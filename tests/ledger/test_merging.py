"""Matters that are the same: merged into an earlier one, struck off with it, taken apart again."""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from duban_contracts import reclassifying
from duban_contracts.handling import CitizenOverdue
from duban_contracts.ledger import EntryClosedUnsolved, EntryOverdue, EntryReopened, EntryStruckOff
from duban_contracts.merging import MatterMerged, MatterUnmerged, MergeLinked, SurvivorEnded
from duban_contracts.message import Message, Refusal
from services.chassis.decider import Asked, Wake
from services.chassis.heard import Heard
from services.ledger.decider import (
    Accept,
    Closed,
    Handling,
    Merge,
    Merged,
    Open,
    Reclassify,
    Reopen,
    ReopenForRating,
    Resolve,
    StruckOff,
    Verify,
    Withdraw,
    ledger,
)
from services.ledger.regrouping import HEARS
from services.ledger.views import row
from services.ledger.views.lookup import survivor
from services.ledger.why import explain
from tests.ledger.matters import hold, refused
from tests.ledger.register import DUE, EARLY, MATTER, OPENED, SHIPPED, TOWN, kinds, local

pytestmark = pytest.mark.case("A9")

FIRST, SECOND, THIRD = "2024-000123", "2024-000131", "2024-000140"
HOUR = timedelta(hours=1)
CHARTER = SHIPPED.model_copy(update={"revision": 7})
UNTIMED = TOWN.model_copy(update={"revision": 7})


class Town:
    """The ledger's keys in memory, with its own facts brought back to it in their order."""

    def __init__(self, charter: Any = UNTIMED) -> None:
        self.charter, self.decider = charter, ledger(charter)
        self.states: dict[str, Any] = {}
        self.told: list[Any] = []

    def do(self, key: str, command: Any) -> list[Any]:
        """What was decided for the key itself; what follows for others is told, too."""
        now = command.asked.now if hasattr(command, "asked") else command.now
        events, self.states[key] = self.decider.answer(command, now, self.state(key))
        self.told += events
        waiting: deque[Message] = deque(events)
        while waiting:
            fact = waiting.popleft()
            for other, following in HEARS.get(type(fact), lambda *_: ())(heard(fact), self.charter):
                more, self.states[other] = self.decider.answer(following, following.now, self.state(other))
                self.told += more
                waiting += more
        return list(events)

    def state(self, key: str) -> Any:
        return self.states.get(key, self.decider.initial_state)

    def open(self, key: str, now: datetime = OPENED, **fields: Any) -> None:
        matter = replace(MATTER, submission=f"test:{key}", petitioner=f"p-{key}", **fields)
        self.do(key, Open(now, key, matter))

    def merge(
        self, key: str, into: str, now: datetime = EARLY, actor: str = "office", **fields: Any
    ) -> list[Any]:
        found = row(self.state(into))
        return self.do(
            key, Merge(by(actor, key, now), into, fields.get("reason", "同一处"), found and survivor(found))
        )

    def strike_off(self, key: str, now: datetime, actor: str = "xincunban") -> list[Any]:
        self.do(key, Resolve(by(actor, key, now), "solved", "已修好"))  # type: ignore[arg-type]
        return self.do(key, Verify(by("office", key, now + HOUR), True))

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.told if isinstance(fact, kind)]


def by(actor: str, key: str, now: datetime) -> Asked:
    return Asked(now, actor, key, "x")


def heard(fact: Any) -> Heard[Any]:
    return Heard("id", getattr(fact, "entry", "-"), fact, fact.at)


@pytest.fixture
def town() -> Town:
    """Two matters about one thing, with one station."""
    both = Town()
    both.open(FIRST)
    both.open(SECOND, OPENED + HOUR, station="qingjieban", category="littering")
    return both


# Merging


def test_a_merged_matter_is_closed_by_reference_and_linked_both_ways(town: Town) -> None:
    [fact] = town.merge(SECOND, FIRST)
    assert isinstance(fact, MatterMerged)
    assert (fact.entry, fact.into, fact.station, fact.by) == (SECOND, FIRST, "qingjieban", "office")
    assert isinstance(town.state(SECOND), Merged)
    merged, goes_on = row(town.state(SECOND)), row(town.state(FIRST))
    assert merged is not None
    assert goes_on is not None
    assert (merged["status"], merged["situation"], merged["open"]) == ("closed", "merged", False)
    assert merged["merged_into"] == FIRST
    assert goes_on["merged"] == [SECOND]
    assert goes_on["open"]


def test_nobody_is_late_with_a_merged_matter_and_its_citizen_still_waits() -> None:
    town = Town(CHARTER)
    town.open(FIRST)
    town.open(SECOND, OPENED + HOUR)
    town.merge(SECOND, FIRST)
    told = town.do(SECOND, Wake(DUE + timedelta(days=60)))
    assert not [fact for fact in told if isinstance(fact, EntryOverdue)]
    [waits] = [fact for fact in told if isinstance(fact, CitizenOverdue)]
    assert waits.station == "office"
    assert explain(SECOND, town.state(SECOND), CHARTER).merged_into == FIRST
    assert [each.clock for each in explain(SECOND, town.state(SECOND), CHARTER).dues] == ["citizen"]


def test_striking_off_the_earlier_entry_strikes_off_both_with_the_same_answer(town: Town) -> None:
    town.merge(SECOND, FIRST)
    town.strike_off(FIRST, EARLY + HOUR)
    [of_first, of_second] = town.of(EntryStruckOff)
    assert (of_first.entry, of_first.merged_into) == (FIRST, None)
    assert (of_second.entry, of_second.merged_into) == (SECOND, FIRST)
    assert (of_second.outcome, of_second.answer, of_second.by) == ("solved", "已修好", "office")
    assert of_second.station == "xincunban"  # who did the work is rated for it
    assert of_second.brought_by == "hotline"  # its channel hears of it, and whom to ask for a rating
    assert of_second.late is None
    assert isinstance(town.state(SECOND), StruckOff)
    found = row(town.state(SECOND))
    assert found is not None
    assert (found["status"], found["note"]) == ("struck_off", "已修好")


def test_a_rejected_answer_of_the_earlier_entry_ends_nothing(town: Town) -> None:
    town.merge(SECOND, FIRST)
    town.do(FIRST, Resolve(by("xincunban", FIRST, EARLY + HOUR), "solved", "好了"))  # type: ignore[arg-type]
    town.do(FIRST, Verify(by("office", FIRST, EARLY + 2 * HOUR), False, "没好"))
    assert isinstance(town.state(SECOND), Merged)
    assert town.of(SurvivorEnded) == []


def test_chains_of_merged_matters_end_together(town: Town) -> None:
    town.open(THIRD, OPENED + 2 * HOUR)
    town.merge(THIRD, SECOND)
    town.merge(SECOND, FIRST, EARLY + HOUR)
    town.strike_off(FIRST, EARLY + 2 * HOUR)
    assert [fact.entry for fact in town.of(EntryStruckOff)] == [FIRST, SECOND, THIRD]
    assert town.of(EntryStruckOff)[-1].answer == "已修好"


# Who may merge what


def test_merging_is_refused_with_what_to_do(town: Town) -> None:
    def no(key: str, into: str, **more: Any) -> tuple[Refusal, str]:
        events = town.merge(key, into, EARLY, **more)
        return refused(events), events[-1].detail

    assert no(FIRST, FIRST)[0] is Refusal.WRONG_STATE
    assert no(FIRST, "2024-999999")[0] is Refusal.NO_SUCH_ENTRY
    reason, detail = no(FIRST, SECOND)
    assert reason is Refusal.WRONG_STATE
    assert f"merge it into {FIRST} instead" in detail
    assert no(SECOND, FIRST, reason=" ")[0] is Refusal.REASON_MISSING
    assert no("2024-000999", FIRST)[0] is Refusal.NO_SUCH_ENTRY
    assert no(SECOND, FIRST, actor="leader")[0] is Refusal.NOT_ALLOWED
    assert no(SECOND, FIRST, actor="gateway")[0] is Refusal.NOT_ALLOWED
    for station in ("xincunban", "qingjieban"):  # neither side makes work disappear
        assert no(SECOND, FIRST, actor=station)[0] is Refusal.OWN_CASE


def test_merging_into_a_merged_matter_is_refused_with_the_number_that_goes_on(town: Town) -> None:
    town.open(THIRD, OPENED + 2 * HOUR)
    town.merge(SECOND, FIRST)
    [refusal] = town.merge(THIRD, SECOND)
    assert refusal.reason is Refusal.WRONG_STATE
    assert FIRST in refusal.detail
    assert refused(town.merge(SECOND, FIRST)) is Refusal.ALREADY_DONE


def test_only_open_matters_are_merged(town: Town) -> None:
    town.strike_off(FIRST, EARLY)
    assert refused(town.merge(SECOND, FIRST, EARLY + 2 * HOUR)) is Refusal.WRONG_STATE
    town.open(THIRD, EARLY)
    town.do(THIRD, Accept(by("xincunban", THIRD, EARLY)))
    town.do(THIRD, replace(hold(EARLY), asked=by("xincunban", THIRD, EARLY)))
    assert refused(town.merge(THIRD, SECOND, EARLY + HOUR)) is Refusal.WRONG_STATE


def test_nothing_is_merged_across_the_boundary_of_conduct_matters_nor_shown_by_the_refusal(
    town: Town,
) -> None:
    town.open(THIRD, OPENED + 2 * HOUR, category="conduct", station="jiwei", restricted=True)
    [into_open] = town.merge(THIRD, FIRST)
    assert into_open.reason is Refusal.NO_SUCH_ENTRY
    hidden = Town()
    hidden.open(FIRST, category="conduct", station="jiwei", restricted=True)
    hidden.open(SECOND, OPENED + HOUR)
    [into_hidden] = hidden.merge(SECOND, FIRST)
    [into_nothing] = hidden.do(SECOND, Merge(by("office", SECOND, EARLY), FIRST, "同一处", None))
    assert into_hidden.detail == into_nothing.detail


def test_conduct_matters_are_merged_among_themselves() -> None:
    town = Town()
    for key in (FIRST, SECOND):
        town.open(key, category="conduct", station="jiwei", restricted=True)
    assert kinds(town.merge(SECOND, FIRST)) == ["MatterMerged"]
    assert refused(town.do(SECOND, Merge(by("leader", SECOND, EARLY), FIRST, "同一处", None))) is (
        Refusal.NO_SUCH_ENTRY
    )


def test_an_entry_that_others_are_merged_into_does_not_become_a_conduct_matter(town: Town) -> None:
    town.merge(SECOND, FIRST)
    [refusal] = town.do(FIRST, Reclassify(by("office", FIRST, EARLY), "conduct", None, "涉及作风"))
    assert refusal.reason is Refusal.WRONG_STATE


# On its own again


@pytest.mark.parametrize("actor", ["office", "gateway"])
def test_reopening_takes_a_merged_matter_out_again_with_its_own_clock(town: Town, actor: str) -> None:
    before = town.state(SECOND).entry.due
    town.merge(SECOND, FIRST)
    day_later = EARLY + timedelta(days=1)
    [fact] = town.do(SECOND, Reopen(by(actor, SECOND, day_later), "不是同一处"))
    assert isinstance(fact, MatterUnmerged)
    assert (fact.station, fact.by, fact.was_into) == ("qingjieban", actor, FIRST)
    assert fact.due is not None
    assert fact.due.at > before.at
    assert fact.due.pauses[-1].end == day_later
    assert isinstance(town.state(SECOND), Handling)
    assert row(town.state(FIRST))["merged"] == []  # type: ignore[index]
    town.strike_off(FIRST, day_later)
    assert [closed.entry for closed in town.of(EntryStruckOff)] == [FIRST]


def test_a_matter_that_was_late_when_it_was_merged_is_late_again(town: Town) -> None:
    late = local("2024-04-26", "10:00")
    [*_, merged] = town.merge(SECOND, FIRST, late)
    assert merged.was_late
    [fact] = town.do(SECOND, Reopen(by("office", SECOND, late + timedelta(days=3)), "不是同一处"))
    assert fact.was_late
    assert fact.due.at == merged.late_due.at


def test_the_withdrawal_of_the_earlier_matter_leaves_the_other_on_its_own(town: Town) -> None:
    town.merge(SECOND, FIRST)
    town.do(FIRST, Withdraw(EARLY + HOUR, FIRST, "xincunban"))
    assert isinstance(town.state(FIRST), Closed)
    assert isinstance(town.state(SECOND), Handling)
    [back] = town.of(MatterUnmerged)
    assert (back.by, back.station) == (None, "qingjieban")


def test_a_merged_matter_may_be_withdrawn_and_counts_for_nobody(town: Town) -> None:
    town.merge(SECOND, FIRST)
    town.do(SECOND, Withdraw(EARLY + HOUR, SECOND, "qingjieban"))
    [closed] = town.of(EntryClosedUnsolved)
    assert closed.station is None
    town.strike_off(FIRST, EARLY + 2 * HOUR)
    assert [each.entry for each in town.of(EntryStruckOff)] == [FIRST]


def test_after_strike_off_each_is_reopened_by_itself(town: Town) -> None:
    town.merge(SECOND, FIRST)
    town.strike_off(FIRST, EARLY + HOUR)
    town.do(SECOND, ReopenForRating(EARLY + 5 * HOUR, 1, "不满意"))
    [reopened] = town.of(EntryReopened)
    assert (reopened.entry, reopened.station, reopened.merged_into) == (SECOND, "xincunban", FIRST)
    assert isinstance(town.state(SECOND), Handling)
    assert isinstance(town.state(FIRST), StruckOff)
    town.do(FIRST, Reopen(by("office", FIRST, EARLY + 6 * HOUR), "又坏了"))
    town.strike_off(FIRST, EARLY + 7 * HOUR)
    assert isinstance(town.state(SECOND), Handling)


# What is overtaken


def test_an_earlier_matter_that_ended_before_it_heard_of_the_merging_says_so(town: Town) -> None:
    as_it_was = row(town.state(FIRST))
    assert as_it_was is not None
    town.strike_off(FIRST, EARLY)
    town.do(SECOND, Merge(by("office", SECOND, EARLY + 2 * HOUR), FIRST, "同一处", survivor(as_it_was)))
    assert [each.entry for each in town.of(EntryStruckOff)] == [FIRST, SECOND]
    gone = Town()
    gone.open(FIRST)
    gone.open(SECOND, OPENED + HOUR)
    gone.do(FIRST, Withdraw(EARLY, FIRST, "xincunban"))
    gone.do(SECOND, Merge(by("office", SECOND, EARLY + HOUR), FIRST, "同一处", survivor(as_it_was)))
    assert isinstance(gone.state(SECOND), Handling)


def test_an_earlier_matter_that_became_a_conduct_matter_meanwhile_takes_nothing_over(town: Town) -> None:
    as_it_was = row(town.state(FIRST))
    assert as_it_was is not None
    town.do(FIRST, Reclassify(by("office", FIRST, EARLY), "conduct", None, "涉及作风"))
    town.do(SECOND, Merge(by("office", SECOND, EARLY + HOUR), FIRST, "同一处", survivor(as_it_was)))
    assert isinstance(town.state(SECOND), Handling)
    assert town.state(FIRST).entry.linked == ()


def test_a_link_is_told_once_however_often_it_is_heard(town: Town) -> None:
    [merged] = town.merge(SECOND, FIRST)
    for key, command in HEARS[MatterMerged](heard(merged), CHARTER):
        assert town.do(key, command) == []
    assert len(town.of(MergeLinked)) == 1


# Whatever is done


KEYS = [FIRST, SECOND, THIRD, "2024-000150"]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["merge", "merge", "reopen", "resolve", "verify", "withdraw", "reclassify", "rate", "wake"]
        ),
        st.sampled_from(KEYS),
        st.sampled_from(KEYS),
        st.sampled_from([1, 7, 30]),
        st.sampled_from(["garbage", "littering", "rural_road", "sewage"]),
    ),
    max_size=14,
)


@for_all(steps)
def test_merging_and_reclassifying_never_lose_an_entry_or_shorten_what_was_told(script: list[Any]) -> None:
    town, now = Town(CHARTER), OPENED
    for number, key in enumerate(KEYS):
        town.open(key, OPENED + number * HOUR)
    for what, key, other, hours, category in script:
        now += timedelta(hours=hours)
        entry = getattr(town.state(key), "entry", None)
        before = entry.due if entry else None
        match what:
            case "merge":
                town.merge(key, other, now)
            case "reopen":
                town.do(key, Reopen(by("office", key, now), "不是"))
            case "resolve":
                town.do(key, Resolve(by(entry.station if entry else "-", key, now), "solved", "好"))  # type: ignore[arg-type]
            case "verify":
                town.do(key, Verify(by("office", key, now), True))
            case "withdraw":
                town.do(key, Withdraw(now, key, None))
            case "rate":
                town.do(key, ReopenForRating(now, 1, "不满意"))
            case "wake":
                town.do(key, Wake(now))
            case _:
                told = town.do(key, Reclassify(by("office", key, now), category, None, "是"))
                check_due(told, before, now)
    for key in KEYS:  # everything that still goes on is struck off in the end, and takes the others with it
        state = town.state(key)
        if isinstance(state, Handling):
            town.strike_off(key, now + timedelta(hours=1), state.entry.station)
        elif not isinstance(state, StruckOff | Closed | Merged):
            town.do(key, Verify(by("office", key, now + timedelta(hours=2)), True))
    assert all(isinstance(town.state(key), StruckOff | Closed) for key in KEYS)
    rounds = [(fact.entry, fact.round) for fact in town.of(EntryStruckOff)]
    assert len(rounds) == len(set(rounds)), "each round is struck off once, so it is rated once"


def check_due(told: list[Any], before: Any, now: datetime) -> None:
    for fact in told:
        if isinstance(fact, reclassifying.EntryReclassified) and fact.due is not None:
            limit = fact.due.limit
            assert fact.due.at >= min(before.at if before else now, now)
            if fact.moved and limit is not None:
                assert fact.due.start == now
                assert fact.due.at > now
