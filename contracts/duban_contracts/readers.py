"""Who asks and who listens: an actor with a role, or one of our own programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from duban_contracts.charter import Actor, Role


class Program(StrEnum):
    """Credentials that no charter names: they read, and send no command."""

    OPERATOR = "operator"
    """Watches the escalation stream and reads the register."""
    ADMIN = "admin"
    """Publishes the charter; sees nothing of the town's work."""


ReaderRole = Role | Program
INSPECTORS = frozenset({Role.OFFICE, Role.DISCIPLINE})
"""See everything that is restricted: conduct matters, unannounced draws, integrity."""


@dataclass(frozen=True)
class Reader:
    """The last token of the subject that a question came on, and the role which the charter gives it."""

    actor: str
    role: ReaderRole
    station: str | None = None
    """The station that this actor is, if it is one."""

    @property
    def sees_restricted(self) -> bool:
        return self.role in INSPECTORS

    def handles(self, station: str | None) -> bool:
        """Whether `station` is this reader itself."""
        return station is not None and station in (self.actor, self.station)


NOBODY = Reader("-", Program.ADMIN)
"""Sees least."""


def reader_of(actor: str, actors: Mapping[str, Actor]) -> Reader | None:
    """`actors` is `charter.everyone()`; None: neither the charter nor we know that name."""
    if actor in tuple(Program):
        return Reader(actor, Program(actor))
    known = actors.get(actor)
    return Reader(actor, known.role, known.station) if known else None
