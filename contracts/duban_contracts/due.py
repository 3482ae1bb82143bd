"""A due date that explains itself: the rule, where it starts, what stopped it, what made it longer."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from duban_contracts.message import Moment, Part
from duban_contracts.rules import Limit, Token


class DueClock(StrEnum):
    """What a matter is timed by. The station's runs from assignment to its answer, the citizen's from
    submission to strike-off; signing and the interim answer after a report to a higher level have their own.
    """

    STATION = "station"
    CITIZEN = "citizen"
    ACCEPTANCE = "acceptance"
    INTERIM = "interim"


class Pause(Part):
    """Half-open: the clock stood still in [start, end)."""

    start: Moment
    end: Moment


class Extension(Part):
    """A longer limit, granted by somebody other than the handler."""

    length: Limit
    by: Token
    granted_at: Moment


class Closing(Part):
    """What verification may take on top of the station's limit, in the citizen's clock."""

    length: Limit
    source: str


class Due(Part):
    """The rule stands apart from what happened to it: a changed limit forgets no pause and no extension."""

    at: Moment = Field(description="The first instant that is too late (half-open)")
    last_day: date = Field(description="The last day that is in time, local")
    provisional: bool = Field(False, description="Counted over a year without a holiday notice")
    rule: str = Field(description="The rule in words, with its source")
    revision: int | None = Field(None, description="The charter's revision it was counted under")
    calendar: str | None = Field(None, description="The national calendar underneath, with its version")
    start: Moment | None = Field(None, description="From here it is counted; its day itself is not")
    limit: Limit | None = Field(None, description="Absent: the day was set elsewhere")
    set_for: date | None = Field(None, description="The last day as it was set elsewhere")
    set_at: Moment | None = Field(
        None, description="The first instant that is too late, as it was set elsewhere; instead of `set_for`"
    )
    closing: Closing | None = Field(None, description="Of the citizen's clock only")
    hours_of: Token | None = Field(None, description="The station whose office hours count")
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()

    @property
    def late_from(self) -> datetime:
        """The first instant at which anything can be late: never before there was this due date."""
        return max(self.at, self.start or self.at)


class DayReason(StrEnum):
    """Why a day was counted, or was not."""

    START = "start"
    COUNTED = "counted"
    MAKE_UP = "make_up"
    """A weekend day that is a working day by notice (调休): counted."""
    OVERLAY_WORKING = "overlay_working"
    """Working by the charter: counted."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    OVERLAY_OFF = "overlay_off"
    PAUSED = "paused"
    PARTLY_PAUSED = "partly_paused"
    MOVED = "moved"
    """The limit ended on a day off or while it was paused, so it moves on until the next working day."""
    SET_ELSEWHERE = "set_elsewhere"
    """Up to the last day that was set elsewhere nothing is counted."""
