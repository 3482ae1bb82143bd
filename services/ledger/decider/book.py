"""What every rule of the register asks: who is who by the charter, whose an entry is, how to say no."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeGuard

from duban_contracts.charter import Charter, Role
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, refusal
from services.chassis.wording import Wording, wording
from services.ledger.decider.clocks import Clocks
from services.ledger.decider.dues import Dues
from services.ledger.decider.situations import (
    Closed,
    Entry,
    Event,
    Handling,
    Known,
    Merged,
    Resolved,
    Returned,
    StruckOff,
)

Events = Sequence[Event]

no: Callable[[Asked, Refusal, str], LedgerCommandRefused] = partial(refusal, LedgerCommandRefused)


@dataclass(frozen=True)
class Book:
    charter: Charter
    dues: Dues
    clocks: Clocks

    def station_of(self, asked: Asked) -> str | None:
        return self.station_behind(asked.actor)

    def station_behind(self, token: str) -> str | None:
        actor = self.charter.actor(token)
        return actor.station if actor else None

    def has_role(self, asked: Asked, roles: Iterable[Role]) -> bool:
        actor = self.charter.actor(asked.actor)
        return actor is not None and actor.role in roles

    def said(self, moment: datetime) -> str:
        return self.dues.calendar.local_time(moment)

    def is_handler(self, asked: Asked, entry: Entry) -> bool:
        return entry.holder is not None and self.station_of(asked) == entry.holder

    def not_the_handler(self, asked: Asked, entry: Entry) -> LedgerCommandRefused | None:
        if self.is_handler(asked, entry):
            return None
        detail = wording(
            "{key} is with {holder}; only that station can do this",
            key=asked.key,
            holder=entry.holder or wording("nobody yet"),
        )
        return no(asked, Refusal.NOT_THE_HANDLER, detail)

    def handler_or_office(self, asked: Asked, entry: Entry) -> LedgerCommandRefused | None:
        return None if self.has_role(asked, (Role.OFFICE,)) else self.not_the_handler(asked, entry)


def impartial(charter: Charter, roles: Collection[Role], parties: Collection[str | None]) -> Collection[Role]:
    """Who decides: whom the charter names or, where all of them are parties to it, the leaders above."""
    named = (actor for actor in charter.everyone().values() if actor.role in roles)
    free = any(actor.station is None or actor.station not in parties for actor in named)
    return roles if free else (Role.LEADER,)


def running(state: Known) -> TypeGuard[Handling]:
    """With its station, and not on hold."""
    return isinstance(state, Handling) and state.entry.held is None


def blank(text: str) -> bool:
    return not text.strip()


def no_such_entry(asked: Asked) -> LedgerCommandRefused:
    return no(
        asked,
        Refusal.NO_SUCH_ENTRY,
        wording("the register has no number {key}; check the number", key=asked.key),
    )


def not_now(asked: Asked, state: Known) -> LedgerCommandRefused:
    return no(asked, Refusal.WRONG_STATE, wording("{key} is {state}", key=asked.key, state=situation(state)))


def not_in_charter(asked: Asked, what: Wording) -> LedgerCommandRefused:
    return no(
        asked,
        Refusal.NOT_ALLOWED,
        wording("the charter has no rule for {what}; have one added to it first", what=what),
    )


def situation(state: Known) -> Wording:
    match state:
        case Handling(entry) if entry.held is not None:
            return wording("on hold; resume it first")
        case Handling():
            return wording("open; it has to be resolved first")
        case Returned():
            return wording("given back by its station; the office has to say whose it is")
        case Resolved():
            return wording("resolved; it waits for somebody else to verify it")
        case StruckOff():
            return wording("struck off; it can only be reopened")
        case Closed():
            return wording("taken back by the petitioner; submit a new matter instead")
        case Merged():
            return wording(
                "merged into {into} and handled there; reopen it if it is not the same", into=state.into
            )
