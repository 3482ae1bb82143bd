"""What every message is: a typed, versioned command or fact, entered in one catalogue."""

import re
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from duban_contracts.charter import Role, Token
from duban_contracts.fields import Key as Key
from duban_contracts.fields import Moment as Moment
from duban_contracts.masking import PersonalData

SERVICES = ("intake", "ledger", "rating", "supervision", "escalation")

CATALOGUE: dict[str, type["Message"]] = {}
"""Every message type by its `ce-type`, e.g. `duban.ledger.entry_overdue.v1`."""


class Part(BaseModel):
    """A piece of a message. Readers ignore unknown fields; writers are strict by their types."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Question(Part):
    """Something asked. A field that nobody knows is refused: were it ignored, as in a message, the answer
    would look like the one that was asked for."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Message(Part):
    service: ClassVar[str]
    message_name: ClassVar[str]
    version: ClassVar[int]
    type: ClassVar[str]

    def __init_subclass__(
        cls, service: str | None = None, version: int = 1, message_name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if service is None:
            return  # an abstract class between us and the messages
        cls.service, cls.version = service, version
        cls.message_name = message_name or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.type = f"duban.{service}.{cls.message_name}.v{version}"
        CATALOGUE[cls.type] = cls


class Command(Message):
    """Imperative: somebody wants something done. `by` says who may ask at all."""

    by: ClassVar[frozenset[Role]] = frozenset()

    def __init_subclass__(cls, by: tuple[Role, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.by = frozenset(by)


class Fact(Message):
    """Past tense: it happened, at `at`. `station` names whom it concerns, if anyone."""

    at: Moment
    station: Token | None = None


class Refusal(StrEnum):
    """Why a command was refused: read by programs, so values are never renamed."""

    NO_SUCH_ENTRY = "no_such_entry"
    NO_SUCH_SUBMISSION = "no_such_submission"
    NO_SUCH_ROUND = "no_such_round"
    NO_SUCH_CAMPAIGN = "no_such_campaign"
    NO_SUCH_INSPECTION = "no_such_inspection"
    NO_SUCH_FINDING = "no_such_finding"
    NO_SUCH_ORDER = "no_such_order"
    NO_SUCH_STEP = "no_such_step"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_VILLAGE = "unknown_village"
    UNKNOWN_MEASURE = "unknown_measure"
    UNKNOWN_ACTOR = "unknown_actor"
    NOT_ALLOWED = "not_allowed"
    NOT_BELIEVED = "not_believed"
    NOT_THE_HANDLER = "not_the_handler"
    OWN_WORK = "own_work"
    OWN_CASE = "own_case"
    WRONG_STATE = "wrong_state"
    ALREADY_DONE = "already_done"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    TIME_IN_FUTURE = "time_in_future"
    REASON_MISSING = "reason_missing"
    EVIDENCE_MISSING = "evidence_missing"
    OUT_OF_ORDER = "out_of_order"
    INCOMPLETE = "incomplete"
    OBJECTION_OPEN = "objection_open"
    WITHOUT_CHARTER = "without_charter"
    ID_REUSED = "id_reused"
    TOO_LARGE = "too_large"
    NO_OPEN_DUTY = "no_open_duty"


class CommandRefused(Fact):
    """The answer "no": which command, by whom, why, in a code and in a sentence.

    Refusals of releases before 0.2.0 have no `sentence` and no `params`.
    """

    key: Key
    command: str
    actor: str
    reason: Refusal
    detail: str = Field("", description="In English; `sentence` and `params` make it in another language")
    sentence: str | None = Field(
        None, description="`detail` with names in braces, for `params` to fill; absent: `detail` has none"
    )
    params: dict[str, str] | None = Field(
        None, description="Some may be sentences with names in braces themselves, to be made in the same way"
    )


class MaskedField(Part):
    """Where in a command personal data stood, and of which kinds; never what it was."""

    field: str = Field(description="With a dot before a field inside of it")
    kinds: tuple[PersonalData, ...]


class PersonalDataMasked(Fact):
    """To whoever sent a command: personal data stood where it does not belong, and was masked there."""

    key: Key
    command: str
    actor: str
    fields: tuple[MaskedField, ...]


FOR_ITS_SENDER = CommandRefused | PersonalDataMasked
"""What the sender of a command alone is told: it holds nothing of the matter that it is about."""
