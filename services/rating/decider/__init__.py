"""What a citizen thought of one round of one entry, and what is owed after a negative rating."""

from typing import get_args

from duban_contracts.charter import Charter
from duban_contracts.rating import RatingCommandRefused, RatingEvent, RatingPersonalDataMasked
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Decider, hidden_from
from services.rating.decider.commands import (
    Command,
    EndRedo,
    InviteRating,
    Rate,
    RecordCallback,
    RecordRectification,
    Round,
)
from services.rating.decider.rules import Rules
from services.rating.decider.states import (
    Duty,
    Invited,
    Lapsed,
    NotInvited,
    Rated,
    State,
    audience_of,
    evolve,
    wake_at,
)

__all__ = [
    "Command",
    "Duty",
    "EndRedo",
    "InviteRating",
    "Invited",
    "Lapsed",
    "NotInvited",
    "Rate",
    "Rated",
    "RecordCallback",
    "RecordRectification",
    "Round",
    "State",
    "rating",
]


def rating(charter: Charter) -> Decider[Command, State, RatingEvent]:
    """The rules of 好差评 under one charter: its `rating` time limits, its calendar, its actors."""
    return Decider(
        decide=Rules(charter, WorkingCalendar(charter)).decide,
        evolve=evolve,
        initial_state=NotInvited(),
        states=get_args(State),
        events=get_args(RatingEvent),
        refused=RatingCommandRefused,
        masked=RatingPersonalDataMasked,
        wake_at=wake_at,
        hides=hidden_from(charter, audience_of),
    )
