"""What a service is to the chassis: everything it decides with, and nothing about how it runs."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from pydantic import BaseModel

from duban_contracts.charter import Charter
from duban_contracts.escalation import Standing
from duban_contracts.queries import Answers, HistoryOf
from duban_contracts.readers import NOBODY, Reader, ReaderRole
from services.chassis.clock import Clock
from services.chassis.decider import AudienceOf, Decider, nobody_special
from services.chassis.heard import Handlers, Heard

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Numbering:
    """Who needs register numbers: the holders that a message names; the series is the local year."""

    holders: Callable[[Heard[Any]], Iterable[str]]

    def series(self, heard: Heard[Any], zone: tzinfo) -> str:
        return str(heard.now.astimezone(zone).year)


Lookup = Callable[[Any, Charter, Sequence[Heard[Any]]], Awaitable[Sequence[Any]]]
"""What messages need to know of other keys, one answer for each, None where there is nothing to know.

Takes the service's own database. Read by an index before the batch is decided, so it may be overtaken: what
is decided by it has to stay right if the other key changed meanwhile.
"""


@dataclass(frozen=True)
class Query:
    """How a question of the catalogue is answered, `query.<service>.<name>.v1.<actor>`."""

    asks: type[BaseModel]
    answer: Callable[["Reading", Any], Awaitable[BaseModel]]


@dataclass(frozen=True)
class Service:
    name: str
    """Also the name of its consumers in the topology and of its collection."""
    handlers: Handlers
    decider: Callable[[Charter], Decider[Any, Any, Any]]
    keeps_personal_data: bool = False
    """Intake alone: its handlers are given commands as they came, too."""
    tells: bool = True
    """False for a read model: it folds what it hears and tells nobody."""
    gathers: float = 0.0
    """Seconds between two batches of facts where they come one after another and nobody waits for what they
    change: they are worked on together."""
    row: Callable[[Charter], Callable[[Any], dict[str, Any] | None]] | None = None
    """What a state is found and listed by, under a revision of the charter."""
    indexes: Sequence[Sequence[tuple[str, int]]] = ()
    partial_indexes: Sequence[Sequence[tuple[str, int]]] = ()
    """Only of rows whose first field there is a text."""
    follows_charter: bool = False
    """What is open is woken when a new revision is published. Its rows then hold `open` and `revision`,
    its decider wakes at `charter.published_at`, and it has an index over both."""
    numbering: Numbering | None = None
    audience: Callable[[Charter], AudienceOf[Any]] = nobody_special
    """Of a state: who else than its station hears what is told of the key, and who does not."""
    lookup: Lookup | None = None
    standing: Callable[[str, Any, int], Standing | None] | None = None
    queries: Mapping[str, Query] = field(default_factory=dict)
    """By name, with `.v2` where it is not the first version; the contracts' catalogue has each of them. One
    by the name of a question that every service answers goes before it."""

    @property
    def part_of(self) -> str:
        """The service whose process and database this belongs to."""
        return self.name.partition("-")[0]


States = Callable[[str, Iterable[str]], Awaitable[dict[str, tuple[int, Any]]]]


@dataclass(frozen=True)
class Reading:
    """What a query may read: the service's own database, and the charter."""

    database: Any
    """For indexed reads of rows."""
    states: States
    """`await states(<service or read model>, keys)`: version and state of those keys that exist."""
    charter: Charter
    now: Clock
    history: Callable[[Reader | None, HistoryOf], Awaitable[Answers]]
    """Of a key, what the reader may see of it; for None everything."""
    reader: Reader = NOBODY
    """Who asks."""

    @property
    def actor(self) -> str:
        return self.reader.actor

    @property
    def role(self) -> ReaderRole:
        return self.reader.role
