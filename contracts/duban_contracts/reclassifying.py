"""A matter that was filed under the wrong category: part of the ledger's language. The key is its number."""

from enum import StrEnum

from pydantic import Field

from duban_contracts.charter import MatterKind
from duban_contracts.due import Due
from duban_contracts.fields import Text
from duban_contracts.message import Command, Fact, Key, Moment, Part
from duban_contracts.rules import Role, Token


class ClockEffect(StrEnum):
    """What a reclassification did to a clock: from when it counts now, and which elapsed time counts."""

    WHOLE_LIMIT = "whole_limit"
    """Another station has it: the whole limit of the new category from the reclassification on."""
    SAME_START = "same_start"
    """The limit of the new category from the old start: all elapsed time counts."""
    FROM_NOW = "from_now"
    """The limit of the new category is shorter: it counts from the reclassification on."""
    UNCHANGED = "unchanged"
    """The old date stands: it had passed already, was nearer than a new one, or was set elsewhere."""
    NONE = "none"
    """There is no such clock: the new category has no limit."""


class ReclassifyMatter(Command, service="ledger", by=(Role.OFFICE, Role.LEADER, Role.GATEWAY)):
    """The matter belongs to another category: category, station and limit are chosen again by the charter."""

    category: Token = Field(description="A category of the charter without a procedure")
    kind: MatterKind | None = Field(None, description="Default: the category's")
    reason: Text = Field(description="What the citizen is told, without names")


class EntryReclassified(Fact, service="ledger"):
    """The entry has another category; `station` is responsible from now on, `rule` says why and how long."""

    entry: Key
    submission: Key | None = Field(None, description="The key that it was submitted under")
    category: Token
    was: Token = Field(description="The category until now")
    kind: MatterKind
    restricted: bool = False
    co_handlers: tuple[Token, ...] = ()
    by: Token
    reason: str
    rule: str = Field(description="In words, what chose the station and the limit")
    moved: bool = Field(description="False: it stays with the station that had it")
    from_station: Token | None = Field(None, description="Who had it before, if that is somebody else")
    round: int = 1
    was_late: bool = Field(False, description="It was overdue with `from_station` in this round")
    late_due: Due | None = Field(None, description="The date that `from_station` missed")
    acceptance: Due | None = Field(None, description="Until then a new station signs for it or returns it")
    due: Due | None = Field(None, description="The station's due date from now on")
    citizen: Due | None = Field(None, description="The citizen's due date from now on")
    station_clock: ClockEffect = ClockEffect.UNCHANGED
    citizen_clock: ClockEffect = ClockEffect.UNCHANGED


class Reclassification(Part):
    """One reclassification, as `why` explains it."""

    at: Moment
    was: Token
    category: Token
    by: Token
    from_station: Token | None = Field(
        None, description="Absent: the station stayed the same, or nobody had it"
    )
    station: Token
    station_clock: ClockEffect
    citizen_clock: ClockEffect
