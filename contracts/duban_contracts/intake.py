"""What intake is asked and tells. Stored and on the wire: change by adding optional fields only.

Personal data arrives in commands, stays in intake's own database, and is in none of the facts: what stands in
a title or an answer is masked there (`duban_contracts.masking`). Whoever has an open duty on a matter reads
the whole by `show_petitioner`, and each reading is a fact.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from duban_contracts.charter import Limit, MatterKind, Role, Token
from duban_contracts.fields import Day, Line, Materials, OptionalName, RequestMoment, Text, Words
from duban_contracts.masking import PERSONAL
from duban_contracts.message import Command, CommandRefused, Fact, Key, Moment, Part, PersonalDataMasked

Anyone = (Role.GATEWAY, Role.FEED, Role.OFFICE, Role.STATION)


class Channel(StrEnum):
    WINDOW = "window"
    HOTLINE = "hotline"
    WEB = "web"
    APP = "app"
    VISIT = "visit"
    LETTER = "letter"
    PATROL = "patrol"
    OTHER = "other"


class Outcome(StrEnum):
    """What came of a matter; "closed" alone would hide that some are not solved."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    NOT_FEASIBLE = "not_feasible"
    NOT_OURS = "not_ours"
    WITHDRAWN = "withdrawn"


class DeclineReason(StrEnum):
    OUTSIDE_JURISDICTION = "outside_jurisdiction"
    COURT = "court"
    ARBITRATION = "arbitration"
    DISCIPLINE = "discipline"
    PETITION_CHANNEL = "petition_channel"
    ALREADY_CLOSED = "already_closed"
    SECRETS = "secrets"


class Priority(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"


class Stored(Part):
    """What is kept of a part of a command. It has the fields of that part and none of its bounds, so that
    what was accepted under wider ones can be read; a part of a command put in its place becomes one."""

    model_config = ConfigDict(revalidate_instances="subclass-instances")


class StoredPetitioner(Stored):
    """Personal data: never leaves intake's own database."""

    name: str | None = None
    phone: str | None = None
    confidential: bool = False
    on_behalf_of: str | None = None


class Petitioner(StoredPetitioner):
    """Personal data: never leaves intake's own database."""

    name: OptionalName | None = None
    phone: Annotated[str, Words(40, optional=True)] | None = None
    on_behalf_of: OptionalName | None = None


class Duty(StrEnum):
    """Why somebody may read who the petitioner is."""

    HANDLER = "handler"
    CO_HANDLER = "co_handler"
    CALLBACK = "callback"
    """The office owes the petitioner a call after a negative rating (回访)."""
    ASSIGNMENT = "assignment"
    """The entry was returned, and the office has to say whose it is."""


class StoredOutcome(Stored):
    """How a case that was closed elsewhere ended."""

    outcome: Outcome
    closed_at: Moment | None = Field(None, description="Absent: the time was not recorded")


class PastOutcome(StoredOutcome):
    """How a case that was closed elsewhere ended; believed only from actors who may backdate."""

    closed_at: RequestMoment | None = Field(None, description="Absent: the time was not recorded")


class StoredMatter(Stored):
    """A matter as it came in. A new field stands here, and in SubmitMatter again where it has bounds."""

    title: str
    category: Token
    kind: MatterKind | None = Field(None, description="Default: the category's")
    village: Token | None = None
    channel: Channel = Channel.OTHER
    text: Annotated[str, PERSONAL] = Field("", description="The petitioner's own words; stays in intake")
    petitioner: Annotated[StoredPetitioner | None, PERSONAL] = None
    materials: tuple[str, ...] = ()
    hardship: bool = False
    safety: bool = False
    urgent: bool = False
    solved_on_the_spot: str | None = None
    station: Token | None = Field(None, description="The responsible station, from actors who may route")
    due_on: date | None = None
    due_at: Moment | None = None
    past: StoredOutcome | None = None
    recurs: str | None = None


class SubmitMatter(StoredMatter, Command, service="intake", by=Anyone):
    """A matter comes in. Answered by matter_accepted, matter_incomplete or command_refused."""

    title: Line = Field(description="What it is about, without names")
    text: Annotated[str, Words(10_000, optional=True), PERSONAL] = Field(
        "", description="The petitioner's own words; stays in intake"
    )
    petitioner: Annotated[Petitioner | None, PERSONAL] = None
    materials: Materials = ()
    solved_on_the_spot: Text | None = Field(None, description="The answer given")
    due_on: Day | None = Field(None, description="Last day, from actors who may set deadlines")
    due_at: RequestMoment | None = Field(
        None,
        description="The first instant that is too late, from actors who may set deadlines; before due_on",
    )
    past: PastOutcome | None = None
    recurs: str | None = Field(
        None,
        max_length=20,
        pattern=r"^[0-9]{4}-[0-9]{6,}$",
        description="The number of the struck-off entry that came back; the ledger checks it",
    )


class SupplementMatter(Command, service="intake", by=Anyone):
    """The missing material of an incomplete submission."""

    materials: Materials = Field(min_length=1)


class WithdrawMatter(Command, service="intake", by=Anyone):
    """The petitioner takes the matter back."""

    reason: Annotated[str, Words(500, optional=True)] = ""


class DeclineMatter(Command, service="intake", by=(Role.GATEWAY, Role.OFFICE)):
    """A matter that we may not take, with the reason code that says why."""

    reason: DeclineReason
    explanation: Text


class ShowPetitioner(Command, service="intake", by=(Role.STATION, Role.OFFICE, Role.DISCIPLINE)):
    """Who is behind an entry, for whoever has an open duty on it. The key is the entry's number.

    Answered by petitioner_shown, which is the record of the reading; the data itself is then answered to
    `query.intake.petitioner` for a few minutes.
    """

    reason: Annotated[str, Words(500)] = Field(description="What it is needed for; stays on record")


class MatterAccepted(Fact, service="intake"):
    """It is complete and ours; `station` leads. `rule` says in words what chose station and limit."""

    submission: Key
    title: str
    category: Token
    kind: MatterKind
    co_handlers: tuple[Token, ...] = ()
    village: Token | None = None
    channel: Channel
    priority: Priority = Priority.NORMAL
    restricted: bool = False
    petitioner: Key = Field(description="Pseudonymous id; the person is known to intake only")
    limit: Limit | None = None
    due_on: date | None = Field(None, description="Last day as set elsewhere; goes before `limit`")
    due_at: Moment | None = Field(
        None, description="The first instant that is too late, as set elsewhere; goes before `due_on`"
    )
    rule: str
    solved_on_the_spot: str | None = None
    past: StoredOutcome | None = None
    source: Token | None = Field(None, description="Who told intake, e.g. the feed")
    recurs: Key | None = Field(None, description="The struck-off entry that came back, as submitted")
    submitted_at: Moment | None = Field(None, description="When it first came in, complete or not")
    revision: int | None = Field(None, description="The charter's revision that chose station and limit")


class MatterIncomplete(Fact, service="intake"):
    """Everything that is missing, told once and in full (一次性告知)."""

    submission: Key
    missing: tuple[str, ...]


class MatterDeclined(Fact, service="intake"):
    """A person declined it, with the reason code and an explanation for the petitioner."""

    submission: Key
    reason: DeclineReason
    explanation: str


class MatterWithdrawn(Fact, service="intake"):
    """The petitioner took it back; `accepted` says whether there is an entry to close."""

    submission: Key
    accepted: bool = Field(description="It had been accepted, so there is an entry to close")
    reason: str = ""


class PetitionerShown(Fact, service="intake"):
    """`by` was shown who the petitioner of an entry is, what for, and because of which duty."""

    entry: Key
    submission: Key
    by: Token
    duty: Duty
    reason: str
    until: Moment = Field(description="How long the question is answered; then it takes another reading")


class IntakeCommandRefused(CommandRefused, service="intake", message_name="command_refused"):
    pass


class IntakePersonalDataMasked(PersonalDataMasked, service="intake", message_name="personal_data_masked"):
    pass


IntakeEvent = (
    MatterAccepted
    | MatterIncomplete
    | MatterDeclined
    | MatterWithdrawn
    | PetitionerShown
    | IntakeCommandRefused
    | IntakePersonalDataMasked
)
