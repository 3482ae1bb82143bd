"""What can be asked about a round: by a person, or because the ledger struck it off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from duban_contracts.rating import CallbackResult, Dimension, Level
from services.chassis.decider import Asked


@dataclass(frozen=True)
class Round:
    """One closing of one entry, by the station that handled it."""

    entry: str
    number: int
    station: str | None
    brought_by: str | None = None
    restricted: bool = False
    told_at: datetime | None = None
    """When anything was last told of it."""

    def told_as_of(self, at: datetime) -> datetime:
        """Nothing is told of a round as of before what was told already, whenever a feed says that it was."""
        return at if self.told_at is None else max(at, self.told_at)


@dataclass(frozen=True)
class InviteRating:
    """The round was struck off: whoever brought the matter may rate it."""

    now: datetime
    round: Round


@dataclass(frozen=True)
class EndRedo:
    """The round after this one was struck off: what this one's rating complained of was done again."""

    now: datetime


@dataclass(frozen=True)
class Rate:
    asked: Asked
    level: Level
    dimensions: Mapping[Dimension, Level] = field(default_factory=dict)
    told_by: str | None = None
    """The token of who told us; None: the actor itself."""


@dataclass(frozen=True)
class RecordCallback:
    asked: Asked
    result: CallbackResult
    note: str = ""


@dataclass(frozen=True)
class RecordRectification:
    asked: Asked
    note: str


Command = InviteRating | EndRedo | Rate | RecordCallback | RecordRectification
