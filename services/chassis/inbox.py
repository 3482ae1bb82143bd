"""From bytes on the wire to commands for keys: read, check who and when, hand to the handlers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from duban_contracts.charter import Actor, Charter, Role
from duban_contracts.envelope import Attributes, Envelope, Poison, PoisonReason, decode
from duban_contracts.identity import digest_of, identity
from duban_contracts.masking import mask_message
from duban_contracts.message import Command, Fact, MaskedField, Message, Refusal
from duban_contracts.subjects import is_restricted_subject
from services.chassis.decider import Refuse, WithMasking
from services.chassis.heard import Handlers, Heard
from services.chassis.wording import Wording, nearest, wording

TOLERANCE = timedelta(minutes=5)
"""How far a clock outside may run ahead of the broker's before a time counts as future."""


class Delivery(NamedTuple):
    """A message as the broker delivered it."""

    subject: str
    headers: Mapping[str, str]
    body: bytes
    stored_at: datetime


class Read(NamedTuple):
    """A message that could be read. `refused` says why a request must not reach the decider."""

    heard: Heard[Any]
    attributes: Attributes
    refused: Refuse | None = None
    name: str = ""
    """Under which its answer is stored: the id of a fact, the identity of a command."""
    digest: str | None = None
    """Of what a command says."""


Actors = Mapping[str, Actor]
"""Everybody the charter knows, `charter.everyone()`: made once per revision, asked for every message."""


def read(delivery: Delivery, actors: Actors, *, keeps_personal_data: bool = False) -> Read:
    """Raises Poison, and nothing else. The actor comes from the subject, never from the body; what people
    wrote is masked.

    `keeps_personal_data` hands on the whole command beside the masked one.
    """
    envelope = decode(delivery.subject, delivery.headers, delivery.body)
    if isinstance(envelope.data, Fact):
        return Read(
            _heard_fact(envelope, delivery.subject), envelope.attributes, None, envelope.attributes.id
        )
    return _request(envelope, delivery, actors, keeps_personal_data)


def commands(message: Read, handlers: Handlers, charter: Charter) -> list[tuple[str, Any]]:
    """What the message means, as (key, command) pairs. Raises Poison if nobody here handles it."""
    if message.refused:
        return [(message.heard.key, message.refused)]
    handler = handlers.get(type(message.heard.data))
    if handler is None:
        raise Poison(PoisonReason.UNKNOWN_TYPE, f"{message.attributes.type} is not handled here")
    handled = list(handler(message.heard, charter))
    if message.heard.masked and handled:  # told once, with the first of the keys that it concerns
        key, command = handled[0]
        handled[0] = key, WithMasking(message.heard.asked, command, message.heard.masked)
    return handled


def _heard_fact(envelope: Envelope, subject: str) -> Heard[Any]:
    attributes, fact = envelope.attributes, envelope.data
    if not isinstance(fact, Fact):
        raise TypeError(f"{attributes.type} is not a fact")
    return Heard(
        attributes.id,
        attributes.key,
        fact,
        in_time(fact.at),
        attributes.source,
        attributes.source,
        restricted=is_restricted_subject(subject),
    )


def _request(envelope: Envelope, delivery: Delivery, actors: Actors, keeps_personal_data: bool) -> Read:
    attributes = envelope.attributes
    data, places = mask_message(envelope.data)
    told_by = envelope.last
    teller = actors.get(told_by)
    stored, claimed = in_time(delivery.stored_at), attributes.time and in_time(attributes.time)
    future = claimed is not None and claimed > stored + TOLERANCE
    # Never decided at a time that has not come: the refusal itself happens when it was stored.
    believed = claimed is not None and not future and teller is not None and teller.may_backdate
    heard: Heard[Message] = Heard(
        attributes.id,
        attributes.key,
        data,
        claimed if believed and claimed else stored,
        attributes.acting_for or told_by,
        told_by,
        stored_at=stored,
        masked=tuple(MaskedField(field=place.field, kinds=place.kinds) for place in places),
        whole=envelope.data if keeps_personal_data else None,
    )
    refused = _not_entitled(heard, actors, stored.date())
    # Whom somebody named without the right to has no part in it: the refusal is the sender's.
    if refused is not None and refused.reason in (Refusal.NOT_BELIEVED, Refusal.UNKNOWN_ACTOR):
        refused = replace(refused, asked=replace(refused.asked, actor=told_by))
    if future:
        asked = heard.asked if refused is None else refused.asked
        detail = wording("ce-time {time} has not come yet; set your clock", time=attributes.time)
        refused = asked.refuse(Refusal.TIME_IN_FUTURE, detail)
    name = identity(told_by, attributes.source, attributes.id)
    return Read(heard, attributes, refused, name, digest_of(attributes.type, delivery.body))


def _not_entitled(heard: Heard[Any], actors: Actors, today: date) -> Refuse | None:
    teller, actor = actors.get(heard.told_by), actors.get(heard.actor)
    if teller is None or actor is None:
        unknown = heard.told_by if teller is None else heard.actor
        return heard.asked.refuse(
            Refusal.UNKNOWN_ACTOR,
            wording(
                "the charter knows no actor '{actor}'{hint}", actor=unknown, hint=nearest(unknown, actors)
            ),
        )
    if heard.actor != heard.told_by and not teller.may_act_for:
        return heard.asked.refuse(
            Refusal.NOT_BELIEVED,
            wording("'{told_by}' may not report what others did (may_act_for)", told_by=heard.told_by),
        )
    if heard.actor != heard.told_by and (bound := _beyond_its_bounds(teller, actor, today)):
        return heard.asked.refuse(
            Refusal.NOT_BELIEVED, wording("'{told_by}' {bound}", told_by=heard.told_by, bound=bound)
        )
    if not _may(heard.data, actor.role):
        allowed = ", ".join(sorted(role.value for role in heard.data.by))
        return heard.asked.refuse(
            Refusal.NOT_ALLOWED, wording("only these may ask for it: {allowed}", allowed=allowed)
        )
    return None


def _beyond_its_bounds(teller: Actor, actor: Actor, today: date) -> Wording | None:
    """By the broker's day, not by the one that the teller says."""
    if teller.acts_until is not None and today > teller.acts_until:
        return wording(
            "was believed about others until {acts_until} only (acts_until)", acts_until=teller.acts_until
        )
    if teller.acts_for is not None and actor.role not in teller.acts_for:
        allowed = ", ".join(sorted(role.value for role in teller.acts_for)) or "nobody"
        return wording("may report what these did, and nobody else: {allowed} (acts_for)", allowed=allowed)
    return None


def _may(command: Command, role: Role) -> bool:
    return role in command.by


def in_time(moment: datetime) -> datetime:
    """UTC in whole milliseconds, which is what the stores keep."""
    if moment.tzinfo is UTC and moment.microsecond % 1000 == 0:
        return moment
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)
