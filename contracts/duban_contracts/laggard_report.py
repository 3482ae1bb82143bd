"""The laggard report, as `query.escalation.laggards` answers it."""

from pydantic import BaseModel, ConfigDict

from duban_contracts.charter import Token
from duban_contracts.escalation import Rung
from duban_contracts.message import Moment


class LaggardRow(BaseModel):
    """One station in the columns of the circular table (domain.md §5.3), with where it stands.

    Rates are shares from 0 to 1, and None (printed "–") where there is nothing to divide by. They are
    counted over the register: open entries and withdrawn ones are in no on-time rate.
    """

    model_config = ConfigDict(frozen=True)

    station: Token
    name: str
    name_en: str
    left_charter: bool = False
    """Not in the charter any more, and still with something open or on the ladder."""
    rung: Rung = Rung.REMINDER
    lagging_since: Moment | None = None
    open_items: int = 0
    late_items: int = 0
    """Open items about a time limit: the ones that `days_late` is summed over."""
    days_late: int = 0
    """Calendar days past due at the time of the report, summed over the open late items."""
    average_days_late: float | None = None
    """`days_late` by `late_items`."""
    dispatched: int = 0
    closed_on_time: int = 0
    closed_late: int = 0
    closed_undated: int = 0
    """Closings without a due date or a time: counted as closed, neither as on time nor as late."""
    open: int = 0
    withdrawn: int = 0
    merged: int = 0
    """Handled with an earlier entry: in no denominator."""
    reclassified: int = 0
    """Went to another station with another category: not dispatched here any more."""
    close_rate: float | None = None
    """Closed by dispatched, withdrawn and merged entries left out."""
    on_time_rate: float | None = None
    """Closed on time by closed on time or late."""
    average_days_closed_late: float | None = None
    """Calendar days past due, over all late closings that ever were, reopened or not."""
    ratings: int = 0
    dissatisfied: int = 0
    dissatisfied_rate: float | None = None
    """The two negative levels by all ratings given; no default rating is counted."""
    rank: int | None = None
    """1 is the best on-time rate; equal rates share a rank."""
    unranked: str | None = None
    """Why there is no rank."""


class LaggardReport(BaseModel):
    """Worst first: by rung from the top, then by on-time rate from the bottom; without a rate last."""

    model_config = ConfigDict(frozen=True)

    charter: str
    at: Moment
    minimum_sample: int
    """A station with fewer closings on time or late is not ranked."""
    rows: tuple[LaggardRow, ...]
