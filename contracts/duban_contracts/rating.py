"""What rating is asked and tells. Stored and on the wire: change by adding optional fields only.

The key is one round of one entry, e.g. `2024-000123/1`. Who rated is never in a fact.
"""

from enum import IntEnum, StrEnum

from pydantic import Field

from duban_contracts.charter import Role, Token
from duban_contracts.fields import OptionalText, Text
from duban_contracts.message import Command, CommandRefused, Fact, Key, Moment, PersonalDataMasked


class Level(IntEnum):
    """好差评: five levels, the last two are negative."""

    VERY_DISSATISFIED = 1
    DISSATISFIED = 2
    FAIRLY_SATISFIED = 3
    SATISFIED = 4
    VERY_SATISFIED = 5

    @property
    def negative(self) -> bool:
        return self <= Level.DISSATISFIED


class Dimension(StrEnum):
    EFFICIENCY = "efficiency"
    SERVICE = "service"
    ATTITUDE = "attitude"
    CONVENIENCE = "convenience"
    INTEGRITY = "integrity"


class CallbackResult(StrEnum):
    CONFIRMED = "confirmed"
    UNFOUNDED = "unfounded"
    NOT_REACHED = "not_reached"


class Rate(Command, service="rating", by=(Role.GATEWAY, Role.FEED)):
    """The citizen's rating, passed on by the channel that asked. Voluntary, one per round."""

    level: Level
    dimensions: dict[Dimension, Level] = Field(default_factory=dict)


class RecordCallback(Command, service="rating", by=(Role.OFFICE,)):
    """An independent call to the citizen after a negative rating (回访)."""

    result: CallbackResult
    note: OptionalText = Field("", description="Without names")


class RecordRectification(Command, service="rating", by=(Role.STATION, Role.OFFICE)):
    """What was put right after a negative rating."""

    note: Text = Field(description="Without names")


class OfRound(Fact):
    """What every fact about one round of one entry says; `station` handled it."""

    entry: Key
    round: int


class RatingInvited(OfRound, service="rating"):
    """The round was struck off and may be rated once, until `until`."""

    until: Moment
    restricted: bool = Field(False, description="A conduct matter")
    brought_by: Token | None = Field(None, description="The channel that submitted it")


class RatingGiven(OfRound, service="rating"):
    """The citizen rated the round; who that was is not said."""

    level: Level
    dimensions: dict[Dimension, Level] = Field(default_factory=dict)


class NegativeRatingReceived(OfRound, service="rating"):
    """Dissatisfied or worse: to be called back by `callback_by`; the entry opens again."""

    level: Level
    callback_by: Moment


class CallbackRecorded(OfRound, service="rating"):
    """What the call to the citizen found; one that reached nobody leaves it owed."""

    result: CallbackResult
    note: str = ""


class CallbackOverdue(OfRound, service="rating"):
    """Nobody called the citizen back in time: that is the office's to answer for."""


class RectificationOrdered(OfRound, service="rating"):
    """What the citizen complained of is to be put right by `rectify_by`."""

    rectify_by: Moment


class Rectified(OfRound, service="rating"):
    """It was put right, or found unfounded: nothing is owed after this rating any more."""

    late: bool = False
    note: str = ""


class RectificationOverdue(OfRound, service="rating"):
    """What the citizen complained of was not put right in time."""


class RatingLapsed(OfRound, service="rating"):
    """Nobody rated in time: counted as nothing, never as a default."""


class IntegrityFlagged(OfRound, service="rating"):
    """The integrity dimension was rated negative: goes to the discipline track, not the service ladder."""


class RatingCommandRefused(CommandRefused, service="rating", message_name="command_refused"):
    pass


class RatingPersonalDataMasked(PersonalDataMasked, service="rating", message_name="personal_data_masked"):
    pass


RatingEvent = (
    RatingInvited
    | RatingGiven
    | NegativeRatingReceived
    | CallbackRecorded
    | CallbackOverdue
    | RectificationOrdered
    | Rectified
    | RectificationOverdue
    | RatingLapsed
    | IntegrityFlagged
    | RatingCommandRefused
    | RatingPersonalDataMasked
)
