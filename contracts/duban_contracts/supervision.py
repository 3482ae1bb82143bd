"""What supervision is asked and tells. Stored and on the wire: change by adding optional fields only.

Keys: `campaign/<id>` for the campaign with its inspections, `finding/<id>` for a finding.
"""

from datetime import date

from pydantic import Field

from duban_contracts.charter import Ground, Role, Token
from duban_contracts.fields import MAX_EXACT_INTEGER, Day, OptionalText, RequestKey, Text
from duban_contracts.message import Command, CommandRefused, Fact, Key, Moment, PersonalDataMasked

Inspectors = (Role.OFFICE, Role.DISCIPLINE)


class StartCampaign(Command, service="supervision", by=(Role.OFFICE, Role.LEADER)):
    """The charter's campaign begins: from now on stations can climb the ladder."""


class DrawInspections(Command, service="supervision", by=Inspectors):
    """Draw stations to inspect unannounced; the recorded seed makes the draw reproducible."""

    day: Day
    count: int = Field(ge=1, le=100)
    seed: int = Field(ge=-MAX_EXACT_INTEGER, le=MAX_EXACT_INTEGER)


class RecordInspection(Command, service="supervision", by=Inspectors):
    """An inspection took place, drawn or not."""

    station: Token
    passed: bool
    note: OptionalText = ""


class RecordFinding(Command, service="supervision", by=Inspectors):
    """What an inspection found, with its ground."""

    station: Token
    ground: Ground
    text: Text
    measure: Token | None = Field(None, description="The plan's leaf measure concerned")
    entry: RequestKey | None = Field(None, description="The ledger entry concerned")
    serious: bool = False


class VerifyRectification(Command, service="supervision", by=Inspectors):
    """A re-inspection of a finding: mended, or not yet."""

    passed: bool
    note: OptionalText = ""


class CampaignStarted(Fact, service="supervision"):
    """Inspections began at `stations`: what is late counts for the ladder from now on."""

    campaign: Key
    name: str
    stations: tuple[Token, ...]
    until: Moment | None = Field(None, description="The first instant after its last day, if it has one")


class PlanGapDetected(Fact, service="supervision"):
    """The plan leaves something open: a problem without leader, a measure without date."""

    campaign: Key
    path: str
    gap: str = Field(description="In English; `code` and `params` make it in another language")
    code: str | None = Field(None, description="Of `charter_findings`; absent in what was told earlier")
    params: dict[str, str | int] = Field(default_factory=dict)


class InspectionDrawn(Fact, service="supervision"):
    """`station` is to be inspected on `day`, unannounced; restricted to the office."""

    campaign: Key
    day: date
    seed: int


class InspectionConducted(Fact, service="supervision"):
    """The station was inspected, with the result."""

    campaign: Key
    passed: bool
    note: str = ""


class CoverageReported(Fact, service="supervision"):
    """Every station at least once: said when the last one was inspected, and at the campaign's end."""

    campaign: Key
    inspected: tuple[Token, ...]
    missing: tuple[Token, ...] = ()


class FindingRecorded(Fact, service="supervision"):
    """An inspection found something against the station, on this ground."""

    finding: Key
    ground: Ground
    text: str
    measure: Token | None = None
    entry: Key | None = None
    serious: bool = False


class FindingVerified(Fact, service="supervision"):
    """The finding was inspected again: mended if `passed`, else still open."""

    finding: Key
    passed: bool
    ground: Ground
    note: str = ""


class SupervisionCommandRefused(CommandRefused, service="supervision", message_name="command_refused"):
    pass


class SupervisionPersonalDataMasked(
    PersonalDataMasked, service="supervision", message_name="personal_data_masked"
):
    pass


SupervisionEvent = (
    CampaignStarted
    | PlanGapDetected
    | InspectionDrawn
    | InspectionConducted
    | CoverageReported
    | FindingRecorded
    | FindingVerified
    | SupervisionCommandRefused
    | SupervisionPersonalDataMasked
)
