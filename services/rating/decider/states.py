"""The situations a round can be in, and how each fact leads from one to the next."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from duban_contracts.rating import (
    CallbackOverdue,
    CallbackRecorded,
    CallbackResult,
    IntegrityFlagged,
    NegativeRatingReceived,
    OfRound,
    RatingCommandRefused,
    RatingEvent,
    RatingGiven,
    RatingInvited,
    RatingLapsed,
    RatingPersonalDataMasked,
    RectificationOrdered,
    RectificationOverdue,
    Rectified,
)
from services.chassis.decider import Audience
from services.rating.decider.commands import Round


@dataclass(frozen=True)
class NotInvited:
    """The round was not struck off yet, or elsewhere before it came to this register."""


@dataclass(frozen=True)
class Invited:
    round: Round
    until: datetime


@dataclass(frozen=True)
class Lapsed:
    """Nobody rated in time. Rating is voluntary, so nothing follows."""

    round: Round


@dataclass(frozen=True)
class Duty:
    """Something owed after a negative rating. Its lateness is told once; it stays owed until done."""

    by: datetime
    owed: bool = True
    told_late: bool = False

    @property
    def wake_at(self) -> datetime | None:
        return self.by if self.owed and not self.told_late else None


@dataclass(frozen=True)
class Rated:
    """Rated once and for all. Without duties the rating was not negative."""

    round: Round
    callback: Duty | None = None
    rectification: Duty | None = None


State = NotInvited | Invited | Lapsed | Rated


def evolve(state: State, event: RatingEvent) -> State:
    after = happened(state, event)
    if isinstance(after, NotInvited) or isinstance(event, RatingCommandRefused | RatingPersonalDataMasked):
        return after
    return replace(after, round=replace(after.round, told_at=after.round.told_as_of(event.at)))


def happened(state: State, event: RatingEvent) -> State:
    match event:
        case RatingInvited(until=until):
            round_ = replace(_round(event), brought_by=event.brought_by, restricted=event.restricted)
            return Invited(round_, until)
        case RatingLapsed():
            return Lapsed(_known(state, event))
        case RatingGiven():
            return Rated(_known(state, event))
        case NegativeRatingReceived(callback_by=by):
            return replace(_rated(state, event), callback=Duty(by))
        case RectificationOrdered(rectify_by=by):
            return replace(_rated(state, event), rectification=Duty(by))
        case CallbackOverdue():
            rated = _rated(state, event)
            return replace(rated, callback=_late(rated.callback))
        case RectificationOverdue():
            rated = _rated(state, event)
            return replace(rated, rectification=_late(rated.rectification))
        case CallbackRecorded(result=CallbackResult.CONFIRMED | CallbackResult.UNFOUNDED):
            rated = _rated(state, event)
            return replace(rated, callback=_done(rated.callback))
        case Rectified():
            rated = _rated(state, event)
            return replace(rated, rectification=_done(rated.rectification))
        case CallbackRecorded() | IntegrityFlagged() | RatingCommandRefused() | RatingPersonalDataMasked():
            return state
        case _:
            assert_never(event)


def _round(fact: OfRound) -> Round:
    return Round(fact.entry, fact.round, fact.station)


def _known(state: State, fact: OfRound) -> Round:
    """With what only the invitation said of it."""
    return _round(fact) if isinstance(state, NotInvited) else state.round


def _rated(state: State, fact: OfRound) -> Rated:
    """What follows from a rating changes the rated round, whichever fact of it is read first."""
    return state if isinstance(state, Rated) else Rated(_round(fact))


def _late(duty: Duty | None) -> Duty | None:
    return duty and replace(duty, told_late=True)


def _done(duty: Duty | None) -> Duty | None:
    return duty and replace(duty, owed=False)


def audience_of(state: State) -> Audience | None:
    """The channel that brought the matter, and of a conduct matter nobody without the right to it."""
    if isinstance(state, NotInvited):
        return None
    return Audience(state.round.restricted, state.round.brought_by, (state.round.station,))


def wake_at(state: State) -> datetime | None:
    """When the time to rate ends, or the next duty after a negative rating becomes late."""
    match state:
        case Invited(until=until):
            return until
        case Rated():
            duties = (state.callback, state.rectification)
            return min((duty.wake_at for duty in duties if duty and duty.wake_at), default=None)
        case NotInvited() | Lapsed():
            return None
        case _:
            assert_never(state)
