"""What a service heard, as its handlers see it: the message with everything already checked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from duban_contracts.charter import Charter
from duban_contracts.message import MaskedField, Message
from services.chassis.decider import Asked

Data = TypeVar("Data", bound=Message, covariant=True)


@dataclass(frozen=True)
class Heard(Generic[Data]):
    id: str
    key: str
    """What the message is about: `ce-subject`."""
    data: Data
    """Of a command: without personal data, see `duban_contracts.masking`."""
    now: datetime
    """When it counts as done: the broker's time, or a believed actor's own; of a fact its `at`."""
    actor: str = "-"
    """Who did it; for facts the service that told it."""
    told_by: str = "-"
    """Who said so: differs from `actor` where a marked actor reports what others did."""
    number: str | None = None
    """The register number allotted to this message, where the service asked for one and no more."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The register numbers allotted to this message, by who holds them."""
    stored_at: datetime | None = None
    """The broker's time of a command, whatever time it claims for itself; None for a fact."""
    masked: tuple[MaskedField, ...] = ()
    """Where in the command personal data was masked."""
    restricted: bool = False
    """A fact that travelled on a restricted subject: what follows from it is restricted, too."""
    whole: Data | None = None
    """The command as it came, for the one service that keeps personal data; None everywhere else."""

    found: Any = None
    """What the service looked up for this message before it is decided, see `Service.lookup`."""

    @property
    def asked(self) -> Asked:
        return Asked(self.now, self.actor, self.key, self.data.message_name)


Handler = Callable[[Heard[Any], Charter], Iterable[tuple[str, Any]]]
"""Pure: a message heard becomes commands for keys, `(key, command)`."""

Handlers = Mapping[type[Message], Handler]
