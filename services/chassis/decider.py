"""A decision is pure: what to do, what follows from it, where it starts, when it wants to be woken."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Generic, TypeVar

from duban_contracts.charter import Charter
from duban_contracts.masking import mask
from duban_contracts.message import CommandRefused, Fact, MaskedField, PersonalDataMasked, Refusal
from duban_contracts.readers import Reader
from services.chassis.wording import Wording

Command = TypeVar("Command")
State = TypeVar("State")
Event = TypeVar("Event")

TOO_MANY_WAKES = 100_000
MOST_DETAIL = 2_000
"""Characters of a refusal's sentence: one that repeats what was sent must not grow with it."""


class Kept(Fact):
    """A fact for the service's own store: folded like any other, never told and never shown to a query.

    Personal data lives in such facts only.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.type = f"{KEPT}{cls.__name__}"


KEPT = "kept:"
"""How the type of a fact begins that must not be told."""


@dataclass(frozen=True)
class Wake:
    """What fell due at `now` becomes a fact. Every decider takes it besides its own commands."""

    now: datetime


@dataclass(frozen=True)
class Asked:
    """What every request of a person carries: when, who, about which key, under which name."""

    now: datetime
    actor: str
    key: str
    command: str

    def refuse(self, reason: Refusal, detail: Wording) -> "Refuse":
        return Refuse(self, reason, detail)


@dataclass(frozen=True)
class Refuse:
    """A request that was found wanting before the decider saw it."""

    asked: Asked
    reason: Refusal
    detail: Wording


@dataclass(frozen=True)
class WithMasking:
    """A request in which personal data was masked: its sender is told so, whatever is decided."""

    asked: Asked
    request: Any
    fields: tuple[MaskedField, ...]


class StuckError(Exception):
    """A decider that is woken and changes nothing would be woken for ever: a bug."""


def never(_: object) -> None:
    """For deciders that need no waking."""


def open_to_all(_: Asked, __: object) -> bool:
    """For deciders whose keys are no secret."""
    return False


@dataclass(frozen=True)
class Decider(Generic[Command, State, Event]):
    """`states` lists every class a state can be, so that snapshots can name them."""

    decide: Callable[[Command | Wake, State], Sequence[Event]]
    evolve: Callable[[State, Event], State]
    initial_state: State
    states: tuple[type[State], ...]
    events: tuple[type[Event], ...]
    refused: type[CommandRefused] | None = None
    masked: type[PersonalDataMasked] | None = None
    wake_at: Callable[[State], datetime | None] = never
    hides: Callable[[Asked, State], bool] = open_to_all
    """Whether a key's existence is hidden from who asks: his refusals are then those for an unknown key."""

    def fold(self, state: State, events: Iterable[Event]) -> State:
        return reduce(self.evolve, events, state)

    def up_to(self, now: datetime, state: State) -> tuple[list[Event], State]:
        """Everything that fell due until `now`, each thing at the time it fell due.

        So what is decided never depends on when a poller ran.
        """
        facts: list[Event] = []
        for _ in range(TOO_MANY_WAKES):
            due = self.wake_at(state)
            if due is None or due > now:
                return facts, state
            woken = self.decide(Wake(due), state)
            if not woken:
                break
            facts.extend(woken)
            state = self.fold(state, woken)
        raise StuckError(f"woken at {due}, {type(state).__name__} changes nothing")

    def answer(
        self, command: "Command | Wake | Refuse | WithMasking", now: datetime, state: State
    ) -> tuple[list[Event], State]:
        """Up to now, then decide: the events that follow, and the state after them."""
        if isinstance(command, WithMasking):
            facts, state = self.answer(command.request, now, state)
            masked = [self._masked(command)]
            return [*facts, *masked], self.fold(state, masked)
        facts, state = self.up_to(now, state)
        if isinstance(command, Wake):
            return facts, state
        decided = [self._no(command)] if isinstance(command, Refuse) else self._decide(command, state)
        return [*facts, *decided], self.fold(state, decided)

    def _decide(self, command: Command, state: State) -> Sequence[Event]:
        """A refusal says how a key stands; to who may not know of the key it says what it says of any other.

        What the rules allow him is done all the same. What was refused before it came here does not depend
        on the key, and stays.
        """
        decided = self.decide(command, state)
        asked = getattr(command, "asked", None)
        refused = any(isinstance(event, CommandRefused) for event in decided)
        if not refused or not isinstance(asked, Asked) or not self.hides(asked, state):
            return decided
        return self.decide(command, self.initial_state)

    def _no(self, refuse: Refuse) -> Event:
        if self.refused is None:
            raise TypeError("a read model takes no requests, so it cannot refuse one")
        return refusal(self.refused, refuse.asked, refuse.reason, refuse.detail)  # type: ignore[return-value]

    def _masked(self, masking: WithMasking) -> Event:
        if self.masked is None:
            raise TypeError("a read model takes no requests, so there is nothing to mask in one")
        asked = masking.asked
        return self.masked(  # type: ignore[return-value]
            at=asked.now,
            station=asked.actor,
            key=asked.key,
            command=asked.command,
            actor=asked.actor,
            fields=masking.fields,
        )


@dataclass(frozen=True)
class Audience:
    """Who hears the facts about one key, besides whom they concern."""

    restricted: bool = False
    """A conduct matter: its facts travel on restricted subjects only."""
    channel: str | None = None
    """Who brought the matter, and is told what its petitioner must be told."""
    stations: Collection[str | None] = ()
    """Who has it in hand, or is offered it."""


AudienceOf = Callable[[State], Audience | None]


def hidden_from(charter: Charter, audience_of: "AudienceOf[State]") -> Callable[[Asked, State], bool]:
    """Conduct matters exist for the office and the commission, who has them in hand, and who brought them.

    Who brought one has its number as the receipt.
    """

    def hides(asked: Asked, state: State) -> bool:
        audience = audience_of(state)
        if audience is None or not audience.restricted:
            return False
        actor = charter.actor(asked.actor)
        if actor is None:
            return True
        reader = Reader(asked.actor, actor.role, actor.station)
        in_hand = any(reader.handles(station) for station in audience.stations)
        return not (reader.sees_restricted or in_hand or asked.actor == audience.channel)

    return hides


def nobody_special(_: object) -> AudienceOf[Any]:
    """For services whose facts say by themselves who may hear them."""
    return never


def _masked(text: str) -> str:
    return mask(text).text[:MOST_DETAIL]


def _sentence_of(detail: Wording) -> dict[str, Any]:
    return {
        "sentence": detail.text,
        "params": {name: _masked(value) for name, value in detail.values.items()},
    }


Refused = TypeVar("Refused", bound=CommandRefused)


def refusal(fact: type[Refused], asked: Asked, reason: Refusal, detail: Wording) -> Refused:
    """The service's own `command_refused` for a request; it travels under the actor's token.

    It can be built whatever was asked: what the reader lets through is fit for each of its fields.
    `detail` often repeats what was asked for, so it is masked.
    """
    return fact(
        at=asked.now,
        station=asked.actor,
        key=asked.key,
        command=asked.command,
        actor=asked.actor,
        reason=reason,
        detail=_masked(detail),
        **(_sentence_of(detail) if detail.values else {}),
    )
