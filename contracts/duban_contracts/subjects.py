"""Where a message travels: subjects, streams and buckets, and nothing else builds their names.

cmd.<service>.<command>.v<version>.<actor>      evt.<service>.<fact>.v<version>.<station>
                                                restricted.<service>.<fact>.v<version>.<station>
notice.<service>.<name>.v<version>.<actor>      (heard live by the actor, and not kept)
dead.<service>.<reason>                         query.<service>.<name>.v<version>.<actor>
"""

from dataclasses import dataclass
from typing import Literal

from duban_contracts.message import SERVICES, Command, Message

NOBODY = "-"
"""Stands for the station in the subject of a fact that concerns none."""

DEAD_STREAM = "DEAD"
CHARTER_BUCKET = "charter"
CHARTER_KEY = "current"
STANDINGS_BUCKET = "standings"


Kind = Literal["cmd", "evt", "restricted"]
FACTS: tuple[Kind, Kind] = ("evt", "restricted")
"""The two kinds of subject under which a fact may travel; see `visibility`."""


@dataclass(frozen=True)
class Subject:
    kind: Kind
    service: str
    name: str
    version: int
    last: str
    """The actor of a command, the station of a fact."""

    @property
    def type(self) -> str:
        return f"duban.{self.service}.{self.name}.v{self.version}"

    def __str__(self) -> str:
        return f"{self.kind}.{self.service}.{self.name}.v{self.version}.{self.last}"


def subject_of(message: Message | type[Message], last: str | None, *, restricted: bool = False) -> str:
    kind: Kind = "cmd" if _is_command(message) else "restricted" if restricted else "evt"
    return str(Subject(kind, message.service, message.message_name, message.version, last or NOBODY))


def _is_command(message: Message | type[Message]) -> bool:
    return issubclass(message if isinstance(message, type) else type(message), Command)


def is_command(subject: str) -> bool:
    """Whether a command travels under this subject, whatever it is."""
    return subject.startswith("cmd.")


def filter_of(message: type[Message]) -> str:
    """The subject filter under which every message of this type travels, whoever acts; of a fact, when it is
    not restricted."""
    return subject_of(message, "*")


def fact_filters(fact: type[Message]) -> list[str]:
    """The filters under which every fact of this type travels, restricted or not."""
    return [filter_of(fact), subject_of(fact, "*", restricted=True)]


def is_restricted_subject(subject: str) -> bool:
    return subject.startswith("restricted.")


def notice_subject(service: str, name: str, actor: str, version: int = 1) -> str:
    """What `actor` is told as it happens: a core publish, not kept by any stream."""
    return f"notice.{service}.{name}.v{version}.{actor}"


def parse_subject(text: str) -> Subject:
    """Raises ValueError unless `text` follows the grammar."""
    match text.split("."):
        case ["cmd" | "evt" | "restricted" as kind, service, name, version, last] if (
            service in SERVICES and version[:1] == "v" and version[1:].isdigit()
        ):
            known: Kind = "cmd" if kind == "cmd" else "evt" if kind == "evt" else "restricted"
            return Subject(known, service, name, int(version[1:]), last)
        case _:
            raise ValueError(f"not a subject of ours: {text!r}")


def command_stream(service: str) -> str:
    return f"{service.upper()}_CMD"


def fact_stream(service: str) -> str:
    return f"{service.upper()}_EVT"


def dead_subject(service: str, reason: str) -> str:
    return f"dead.{service}.{reason}"


def query_subject(service: str, name: str, actor: str, version: int = 1) -> str:
    """`actor` is who asks; `*` for the filter of whoever answers."""
    return f"query.{service}.{name}.v{version}.{actor}"


def asker_of(subject: str) -> str:
    """The last token of a question's subject."""
    return subject.rpartition(".")[2]
