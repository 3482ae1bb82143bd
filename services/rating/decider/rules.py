"""The rules of 好差评: who may rate until when, and what follows from a negative rating."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, assert_never

from duban_contracts.charter import Charter, Role
from duban_contracts.message import Refusal
from duban_contracts.rating import (
    CallbackOverdue,
    CallbackRecorded,
    CallbackResult,
    Dimension,
    IntegrityFlagged,
    Level,
    NegativeRatingReceived,
    OfRound,
    RatingCommandRefused,
    RatingEvent,
    RatingGiven,
    RatingInvited,
    RatingLapsed,
    RectificationOrdered,
    RectificationOverdue,
    Rectified,
)
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Asked, Wake, refusal
from services.chassis.wording import Wording, wording
from services.rating.decider.commands import (
    Command,
    EndRedo,
    InviteRating,
    Rate,
    RecordCallback,
    RecordRectification,
    Round,
)
from services.rating.decider.states import Duty, Invited, Lapsed, NotInvited, Rated, State

Told = TypeVar("Told", bound=OfRound)
NO_SUCH_ROUND = wording(
    "no rating was invited under this key; use <entry>/<round> of a round that was struck off"
)
NOT_NEGATIVE = wording("only a negative rating is called back and mended; this round has none")


@dataclass(frozen=True)
class Rules:
    charter: Charter
    calendar: WorkingCalendar

    def decide(self, command: Command | Wake, state: State) -> list[RatingEvent]:
        match command, state:
            case Wake(now), _:
                return _fallen_due(now, state)
            case InviteRating(now, of), NotInvited():
                until = self.calendar.due(now, self.charter.rating.rate_within).at
                return [
                    _told(
                        RatingInvited,
                        of,
                        now,
                        until=until,
                        restricted=of.restricted,
                        brought_by=of.brought_by,
                    )
                ]
            case EndRedo(now), Rated(of, rectification=Duty(owed=True) as owed):
                ended = of.told_as_of(now)
                return [_told(Rectified, of, ended, late=ended >= owed.by)]
            case ((InviteRating() | EndRedo()), _):
                return []  # invited before, or nothing left to mend
            case ((Rate() | RecordCallback() | RecordRectification()), NotInvited()):
                return [_no(command.asked, Refusal.NO_SUCH_ROUND, NO_SUCH_ROUND)]
            case Rate(), _ if not self._may_rate(command, state.round):
                return [_no(command.asked, Refusal.NO_SUCH_ROUND, NO_SUCH_ROUND)]
            case Rate(), _:
                return self._rate(command, state)
            case RecordCallback(), _:
                return _record_callback(command, state)
            case RecordRectification(), _:
                return self._record_rectification(command, state)
            case _:
                assert_never(command)

    def _may_rate(self, command: Rate, of: Round) -> bool:
        """The channel that brought the matter passes its citizen's rating on, or the gateway, where citizens
        rate without one; for another feed there is no such round.

        Of rounds without a channel (`brought_by`), as the earlier release stored them, any feed may.
        """
        asked = command.asked
        sender = command.told_by or asked.actor
        if of.brought_by in (None, sender, asked.actor):
            return True
        known = self.charter.actor(sender)
        return known is not None and known.role in (Role.GATEWAY, Role.OFFICE)

    def _rate(self, command: Rate, state: State) -> list[RatingEvent]:
        """One rating per round, within the time to rate, never a default (domain.md §5.1)."""
        match state:
            case Invited(of):
                return self._rated(command, of)
            case Lapsed():
                return [_no(command.asked, Refusal.TOO_LATE, wording("the time to rate this round is over"))]
            case _:
                detail = wording("this round was rated; another rating takes another round")
                return [_no(command.asked, Refusal.ALREADY_DONE, detail)]

    def _rated(self, command: Rate, of: Round) -> list[RatingEvent]:
        now, dimensions = of.told_as_of(command.asked.now), dict(command.dimensions)
        given = _told(RatingGiven, of, now, level=command.level, dimensions=dimensions)
        duties = self._duties(now, command.level, of) if command.level.negative else []
        integrity = dimensions.get(Dimension.INTEGRITY)
        flag = [_told(IntegrityFlagged, of, now)] if integrity and integrity.negative else []
        return [given, *duties, *flag]

    def _duties(self, now: datetime, level: Level, of: Round) -> list[RatingEvent]:
        """Every negative rating is called back and mended, each in its time (domain.md §5.1)."""
        rules, due = self.charter.rating, self.calendar.due
        callback_by, rectify_by = due(now, rules.callback_within).at, due(now, rules.rectify_within).at
        return [
            _told(NegativeRatingReceived, of, now, level=level, callback_by=callback_by),
            _told(RectificationOrdered, of, now, rectify_by=rectify_by),
        ]

    def _record_rectification(self, command: RecordRectification, state: State) -> list[RatingEvent]:
        """Who handled it mends it (谁办理谁负责, domain.md §5.1); the office may record it too."""
        asked = command.asked
        match state:
            case Rated(of, rectification=Duty()) if not self._may_record(asked.actor, of):
                detail = wording(
                    "only {station} or the office may record this",
                    station=of.station or wording("the handling station"),
                )
                return [_no(asked, Refusal.NOT_THE_HANDLER, detail)]
            case Rated(of, rectification=Duty(owed=True) as owed):
                now = of.told_as_of(asked.now)
                return [_told(Rectified, of, now, late=now >= owed.by, note=command.note)]
            case Rated(rectification=Duty()):
                return [_no(asked, Refusal.ALREADY_DONE, wording("nothing is left to mend in this round"))]
            case _:
                return [_no(asked, Refusal.WRONG_STATE, NOT_NEGATIVE)]

    def _may_record(self, token: str, of: Round) -> bool:
        actor = self.charter.actor(token)
        return actor is not None and (
            actor.role is Role.OFFICE or (of.station is not None and actor.station == of.station)
        )


def _record_callback(command: RecordCallback, state: State) -> list[RatingEvent]:
    """Whoever could not be reached must be called again; an unfounded complaint is explained, and
    leaves nothing to mend, so nobody is late in mending it (domain.md §5.1)."""
    asked = command.asked
    match state:
        case Rated(of, Duty(owed=True), rectification):
            now = of.told_as_of(asked.now)
            recorded = _told(CallbackRecorded, of, now, result=command.result, note=command.note)
            unfounded = command.result is CallbackResult.UNFOUNDED
            dropped = unfounded and rectification is not None and rectification.owed
            return [recorded, *([_told(Rectified, of, now)] if dropped else [])]
        case Rated(callback=Duty()):
            return [
                _no(asked, Refusal.ALREADY_DONE, wording("the citizen was called back and reached already"))
            ]
        case _:
            return [_no(asked, Refusal.WRONG_STATE, NOT_NEGATIVE)]


def _fallen_due(now: datetime, state: State) -> list[RatingEvent]:
    match state:
        case Invited(of, until) if until <= now:
            return [_told(RatingLapsed, of, now)]
        case Rated(of, callback, rectification):
            called = [_told(CallbackOverdue, of, now)] if _falls_due(callback, now) else []
            mended = [_told(RectificationOverdue, of, now)] if _falls_due(rectification, now) else []
            return [*called, *mended]
        case _:
            return []


def _falls_due(duty: Duty | None, now: datetime) -> bool:
    return duty is not None and duty.wake_at is not None and duty.wake_at <= now


def _told(fact: type[Told], of: Round, at: datetime, **more: Any) -> Told:
    return fact(at=at, station=of.station, entry=of.entry, round=of.number, **more)


def _no(asked: Asked, reason: Refusal, detail: Wording) -> RatingCommandRefused:
    return refusal(RatingCommandRefused, asked, reason, detail)
