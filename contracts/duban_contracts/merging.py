"""Matters that are about the same thing: suspected, merged, taken apart again. Part of the ledger's language.

The key of each message is the number of the entry that it is about. A matter is merged into an earlier one
only, so that chains of merged matters end and no earlier date is lost.
"""

from pydantic import Field

from duban_contracts.due import Due
from duban_contracts.fields import RequestKey, Text
from duban_contracts.intake import Outcome
from duban_contracts.message import Command, Fact, Key, Moment, Part
from duban_contracts.rules import Role, Token


class MergeMatter(Command, service="ledger", by=(Role.OFFICE, Role.LEADER)):
    """The matter is the same as an earlier open one: it is closed by reference to it and shares its outcome.

    `reopen` takes it out again.
    """

    into: RequestKey = Field(description="The number of the earlier entry, which goes on")
    reason: Text = Field(description="What the citizen is told, without names")


class MatterMerged(Fact, service="ledger"):
    """Closed by reference to `into`: `station` no longer has it, its petitioner shares the other's outcome.

    Not solved and not struck off: that follows with the entry `into`.
    """

    entry: Key
    into: Key
    by: Token
    reason: str
    nth: int = Field(1, description="How often this entry has been merged by now")
    restricted: bool = False
    round: int = 1
    was_late: bool = Field(False, description="It was overdue with `station` in this round")
    late_due: Due | None = Field(None, description="The date that `station` missed")


class MergeLinked(Fact, service="ledger"):
    """The other end of the link: `merged` is handled with `entry`, or is not any more."""

    entry: Key
    merged: Key
    linked: bool = Field(description="False: `merged` was taken out again")
    nth: int = Field(1, description="Which merging of `merged` this is about")


class SurvivorEnded(Fact, service="ledger"):
    """The entry `survivor` ended, and so concerns `entry`, which was merged into it."""

    entry: Key
    survivor: Key
    struck_off: bool = Field(description="False: taken back by its petitioner, or it could not be linked")
    by: Token | None = None
    outcome: Outcome | None = None
    answer: str = Field("", description="What its petitioner was told")
    resolved_at: Moment | None = None


class MatterUnmerged(Fact, service="ledger"):
    """Back in the register on its own, with the station and the clock that it had, which stood still."""

    entry: Key
    was_into: Key
    by: Token | None = Field(None, description="Absent: the entry that it was merged into ended unsolved")
    reason: str = ""
    nth: int = 1
    round: int = 1
    was_late: bool = Field(
        False, description="It was overdue with `station` when it was merged, and is again"
    )
    acceptance: Due | None = None
    due: Due | None = None


class SuspectedDuplicate(Part):
    """An open entry that looks like the same matter, with what somebody needs to judge it."""

    entry: Key
    title: str
    station: Token
    opened_at: Moment
    likeness_percent: int = Field(ge=0, le=100, description="Shared pairs of characters of both titles")


class DuplicateSuspected(Fact, service="ledger"):
    """A hint and nothing else: the new entry looks like open ones. Nothing is merged or refused by it."""

    entry: Key
    of: tuple[SuspectedDuplicate, ...] = Field(min_length=1, description="The most alike first, at most five")
    why: str = Field(description="In words, by which rule they are alike")


MergingFact = MatterMerged | MergeLinked | SurvivorEnded | MatterUnmerged | DuplicateSuspected
