"""What a charter says about a matter in the hands of its stations; each rule may be left out."""

from pydantic import Field

from duban_contracts.rules import Limit, Role, Rule


class CitizenRule(Rule):
    """The citizen's own clock, from submission to strike-off: the station's limit, and then this long."""

    closing: Limit = Field(description="For verification, after the station's limit")


class HandoverRule(Rule):
    """Returns (退单) and transfers (转办). Without it nothing is handed over, except by adjudication."""

    return_within: Limit
    ping_pong_at: int = Field(ge=2, description="The hand-over that goes to adjudication instead")
    adjudicated_by: tuple[Role, ...] = Field((Role.OFFICE,), min_length=1)


class ExtensionRule(Rule):
    """延期: applied for before expiry, decided by somebody else. Without it nothing is extended."""

    times: int = Field(ge=1, description="How often one entry may be extended")
    total: Limit = Field(description="The longest that a limit may become, extensions included")
    decided_by: tuple[Role, ...] = Field((Role.OFFICE,), min_length=1)


class HoldRule(Rule):
    """How the clocks may be stopped for a while. Without it they are not."""

    times: int = Field(ge=1, description="How often one entry may be held")
    longest: Limit = Field(description="A hold that nobody ended ends by itself")
    by: tuple[Role, ...] = Field(
        (Role.STATION, Role.OFFICE), min_length=1, description="A station: only the handler"
    )


class ReportUpRule(Rule):
    """上报: what cannot be solved at this level still gets an interim answer from it."""

    interim_within: Limit


class RecurrenceRule(Rule):
    """How long after strike-off the same trouble counts as the old one come back."""

    within: Limit
