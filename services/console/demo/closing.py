"""The demo's own check at its end: did the story touch every station and every rung of the ladder?"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from duban_contracts.charter import Charter
from duban_contracts.escalation import (
    CircularPublished,
    InstructionRecorded,
    LeadersReported,
    OrderAcknowledged,
    OrderAnswered,
    OrderIssued,
    OrderLifted,
    OrderOverdue,
    ReminderSent,
    Rung,
    StationRecovered,
    StepDecided,
    StepProposed,
    TransferMade,
    TransferReceived,
)
from duban_contracts.ledger import EntryOpened
from duban_contracts.message import CommandRefused, Fact
from duban_contracts.rating import RatingGiven
from duban_contracts.supervision import InspectionConducted

RUNGS: Mapping[Rung, type[Fact]] = {
    Rung.REMINDER: ReminderSent,
    Rung.SUPERVISED: OrderIssued,
    Rung.CIRCULAR: CircularPublished,
    Rung.LEADERS: LeadersReported,
    Rung.DISCIPLINE: TransferMade,
}
AT_EACH_STATION: tuple[type[Fact], ...] = (EntryOpened, InspectionConducted, RatingGiven)
SOMEWHERE: tuple[type[Fact], ...] = (
    *RUNGS.values(),
    OrderAcknowledged,
    OrderAnswered,
    OrderOverdue,
    OrderLifted,
    StepProposed,
    InstructionRecorded,
    TransferReceived,
    StationRecovered,
)


@dataclass
class Tally:
    """How often each fact was told, at all and at each station."""

    facts: Counter[type[Fact]] = field(default_factory=Counter)
    at: Counter[tuple[type[Fact], str]] = field(default_factory=Counter)
    declined: int = 0

    def count(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.facts[type(fact)] += 1
            self.at[type(fact), fact.station or ""] += 1
            self.declined += isinstance(fact, StepDecided) and not fact.approved

    @property
    def total(self) -> int:
        return self.facts.total()

    @property
    def refused(self) -> int:
        return sum(count for type_, count in self.facts.items() if issubclass(type_, CommandRefused))

    def rungs(self) -> dict[Rung, int]:
        """How often each rung was reached."""
        return {rung: self.facts[type_] for rung, type_ in RUNGS.items()}


def missing(tally: Tally, charter: Charter) -> list[str]:
    """What the story should have shown and did not: names of facts, with the station if it is about one."""
    return [*_absent(tally), *_untouched(tally, charter)]


def _absent(tally: Tally) -> Iterator[str]:
    yield from (type_.message_name for type_ in SOMEWHERE if not tally.facts[type_])
    if not tally.declined:
        yield "step_decided (declined)"


def _untouched(tally: Tally, charter: Charter) -> Iterator[str]:
    for station in charter.stations:
        for type_ in AT_EACH_STATION:
            if not tally.at[type_, station]:
                yield f"{type_.message_name} ({station})"
