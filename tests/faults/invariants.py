"""What must hold when everything has caught up, whatever was done to the town meanwhile.

Each check returns sentences about what does not hold; none is the promise kept.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from nats.aio.msg import Msg
from tenacity import RetryError

from duban_contracts.charter import Actor, Charter
from duban_contracts.escalation import Standing
from duban_contracts.ledger import EntryOpened
from duban_contracts.measures import MeasureOpened
from duban_contracts.message import SERVICES
from duban_contracts.subjects import command_stream, parse_subject
from duban_contracts.topology import HEARS
from services.chassis.charter_bucket import published_charter
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Event, Snapshot
from services.chassis.inbox import Delivery, commands, read
from services.chassis.mongo import MongoDocuments, connect
from services.chassis.settle import Item, Settler, refold
from services.chassis.snapshots import Snapshots
from services.chassis.telling import event_id, subject_for
from services.console.client import Duban, Order
from services.escalation.app import REPORT
from services.escalation.standing import standing
from services.ledger.measures.handlers import holder
from tests.faults.kept import Store, Streams, databases, read_stores
from tests.faults.town import Town
from tests.standings import shown_standings
from tests.waiting import until

REBUILT = "escalation-report_rebuilt"
NO_ACTORS: dict[str, Actor] = {}
"""Facts are read without asking who may say so."""
SHOWN = 5
"""How many offenders a sentence names."""


def violations(town: Town, acknowledged: Mapping[str, Order], streams: Streams) -> list[str]:
    """Everything there is to check."""
    stores = read_stores(town.system.mongo.url)
    charter = town.do(_charter)
    return [
        *answered_once(acknowledged, stores),
        *told_is_stored(stores, streams),
        *heard_by_all(stores, streams, charter),
        *numbers_without_gaps(town, stores["ledger"]),
        *states_equal_their_history(stores, charter),
        *rows_equal_their_history(stores["ledger"], charter),
        *standings_equal_the_stream(town.do(_standings), stores["escalation"], streams, charter),
        *asyncio.run(report_rebuilt(town, stores[REPORT.name], streams, charter)),
        *commands_vanished(town),
    ]


def answered_once(acknowledged: Mapping[str, Order], stores: Mapping[str, Store]) -> Iterator[str]:
    """Every acknowledged command has one answer, and it says something: facts, or a refusal."""
    for service, ids in _by_service(acknowledged).items():
        store = stores[service]
        times = Counter(to for _, to in store.answered())
        silent = {a.to for answers in store.answers.values() for a in answers if not a.events}
        yield from _said(f"{service} never answered", (i for i in ids if times[i] == 0))
        yield from _said(f"{service} answered twice", (i for i in ids if times[i] > 1))
        yield from _said(f"{service} answered with nothing", (i for i in ids if i in silent))
    for name, store in stores.items():
        yield from _said(f"{name} keeps two answers to", (f"{to} for {key}" for key, to in store.given_twice))


def told_is_stored(stores: Mapping[str, Store], streams: Streams) -> Iterator[str]:
    """Nothing told that is not stored, nothing stored that is not told, nothing told twice, word for word."""
    stored = {name: event for store in stores.values() for name, event in events_to_tell(store)}
    yield from _said("stored and not told", stored.keys() - streams.told.keys())
    yield from _said("told and not stored", streams.told.keys() - stored.keys())
    yield from _said("told twice", streams.twice)
    both = stored.keys() & streams.told.keys()
    yield from _said("told otherwise than stored", (i for i in both if _differ(stored[i], streams.told[i])))


def events_to_tell(store: Store) -> Iterator[tuple[str, Event]]:
    for key, answers in store.answers.items():
        for answer in answers:
            for n, event in enumerate(answer.events):
                if not event.type.startswith(KEPT):
                    yield event_id(answer.to, key, n), event


def _differ(event: Event, told: Msg) -> bool:
    return event.data.encode() != told.data or subject_for(event) != told.subject


def heard_by_all(stores: Mapping[str, Store], streams: Streams, charter: Charter) -> Iterator[str]:
    """Whoever listens to a fact has answered it, once for each key that it concerns."""
    for name, store in stores.items():
        heard = {fact.type for fact in HEARS[name]}
        times = Counter(store.answered())
        keys = {to: key for key, to in times}
        for id_, msg in streams.told.items():
            if parse_subject(msg.subject).type in heard:
                for key in _keys_for(store, msg, charter, keys.get(id_, "no number")):
                    if times[key, id_] != 1:
                        yield f"{name} answered {id_} ({msg.subject}) {times[key, id_]} times for {key}"


def _keys_for(store: Store, msg: Msg, charter: Charter, answering: str) -> Iterable[str]:
    """The keys a fact concerns; a number allotted on arrival is the one that answered."""
    message, numbering = read(_delivery(msg), NO_ACTORS), store.service.numbering
    if numbering and list(numbering.holders(message.heard)):
        return [answering]
    return dict.fromkeys(key for key, _ in commands(message, store.service.handlers, charter))


def numbers_without_gaps(town: Town, ledger: Store) -> Iterator[str]:
    """Each series counts 1, 2, 3…; each number has one holder, and what was opened under it is its own."""
    with databases(town.system.mongo.url) as found:
        register = list(found["ledger"]["register"].find())
    series: dict[str, list[int]] = {}
    for raw in register:
        series.setdefault(raw["series"], []).append(raw["n"])
    for name, numbers in series.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"numbers of {name} have gaps or repeat: {sorted(numbers)[:SHOWN]}…"
    holders = {f"{raw['series']}-{raw['n']:06d}": raw["_id"] for raw in register}
    opened = {
        key: held_by
        for key, answers in ledger.answers.items()
        for answer in answers
        for event in answer.events
        if (held_by := _holder(event)) is not None
    }
    yield from _said(
        "entries under a number that is not theirs", (n for n in opened if opened[n] != holders.get(n))
    )
    yield from _said("numbers without an entry", holders.keys() - opened.keys())


def _holder(event: Event) -> str | None:
    """Who holds the number that this fact opened something under; None if it opened nothing."""
    if event.type == EntryOpened.type:
        return EntryOpened.model_validate_json(event.data).submission
    if event.type == MeasureOpened.type:
        opened = MeasureOpened.model_validate_json(event.data)
        return holder(opened.campaign, opened.measure.id)
    return None


def states_equal_their_history(stores: Mapping[str, Store], charter: Charter) -> Iterator[str]:
    """As states, not as texts: a set may be written down in any order."""
    for name, store in stores.items():
        if store.service.tells:
            decider = store.service.decider(charter)
            thaw = Snapshots(decider).thaw
            live = {
                key: thaw(Snapshot(document["shape"], document["kind"], document["state"]))
                for key, document in store.documents.items()
            }
            rebuilt = {key: refold(decider, answers) for key, answers in store.answers.items()}
            yield from _differing(f"states of {name}", live, rebuilt)


def rows_equal_their_history(ledger: Store, charter: Charter) -> Iterator[str]:
    """The register's rows, which lists and questions are answered from."""
    assert ledger.service.row is not None
    decider, row = ledger.service.decider(charter), ledger.service.row(charter)
    rebuilt = {key: _text(row(refold(decider, answers))) for key, answers in ledger.answers.items()}
    live = {key: _text(document["row"]) for key, document in ledger.documents.items()}
    yield from _compared("rows of the register", live, rebuilt)


def standings_equal_the_stream(
    shown: Mapping[str, Standing], store: Store, streams: Streams, charter: Charter
) -> Iterator[str]:
    """The bucket against a fold of nothing but what was told, in the order in which it was decided."""
    decider = store.service.decider(charter)
    for station, answers in store.answers.items():
        state = refold(decider, [_as_told(station, answer, streams) for answer in answers])
        expected = standing(station, state, 0)
        if expected is None:
            continue
        if station not in shown:
            yield f"{station} has no standing in the bucket"
        elif (is_shown := _substance(shown[station])) != (ought := _substance(expected)):
            yield f"the standing of {station} is {is_shown}, the stream says {ought}"


def _as_told(key: str, answer: Answer, streams: Streams) -> Answer:
    told = [streams.told.get(event_id(answer.to, key, n)) for n in range(len(answer.events))]
    events = [
        event._replace(data=msg.data.decode())
        for event, msg in zip(answer.events, told, strict=True)
        if msg is not None
    ]
    return answer._replace(events=tuple(events))


def commands_vanished(town: Town) -> Iterator[str]:
    """Bodies of commands do not stay with the broker once they are answered."""
    try:
        until(lambda: not town.do(_commands_held), 30)
    except RetryError:
        yield f"answered commands are still in their streams: {town.do(_commands_held)}"


async def _commands_held(town: Duban) -> dict[str, int]:
    jetstream = town.client.jetstream(timeout=10)
    held = {stream: await jetstream.stream_info(stream) for stream in map(command_stream, SERVICES)}
    return {stream: info.state.messages for stream, info in held.items() if info.state.messages}


async def report_rebuilt(town: Town, live: Store, streams: Streams, charter: Charter) -> list[str]:
    """The laggard report's read model, from zero out of the streams into a place of its own."""
    client = connect(town.system.mongo.url)
    database = client["duban_escalation"]
    for name in (REBUILT, f"{REBUILT}_archive"):
        await database[name].drop()
    rebuilt = MongoDocuments(database, REBUILT)
    await rebuilt.prepare()
    settler = Settler(REPORT.decider(charter), rebuilt, _nobody, tells=False)
    heard = {fact.type for fact in HEARS[REPORT.name]}
    items = [
        Item(message.heard.id, key, command, message.heard.now)
        for msg in streams.told.values()
        if parse_subject(msg.subject).type in heard
        for message in [read(_delivery(msg), NO_ACTORS)]
        for key, command in commands(message, REPORT.handlers, charter)
    ]
    for start in range(0, len(items), 500):
        await settler.settle(items[start : start + 500])
    states = {raw["_id"]: raw["state"] async for raw in rebuilt.collection.find()}
    client.close()
    return list(_compared("the laggard report", {k: d["state"] for k, d in live.documents.items()}, states))


async def _nobody(_: object) -> None:
    raise AssertionError("a read model tells nobody")


async def _charter(town: Duban) -> Charter:
    charter = await published_charter(town.client)
    assert charter is not None
    return charter


async def _standings(town: Duban) -> dict[str, Standing]:
    shown = await shown_standings(town.client)
    return {station: Standing.model_validate_json(value) for station, value in shown.items()}


def _by_service(acknowledged: Mapping[str, Order]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for id_, order in acknowledged.items():
        ids.setdefault(order.command.service, []).append(id_)
    return ids


def _delivery(msg: Msg) -> Delivery:
    return Delivery(msg.subject, msg.headers or {}, msg.data, msg.metadata.timestamp)


def _substance(shown: Standing) -> str:
    return shown.model_dump_json(exclude={"version", "at"})


def _text(row: Any) -> str:
    return json.dumps(row, sort_keys=True, default=str, ensure_ascii=False)


def _compared(what: str, live: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Iterator[str]:
    """By hash, and by key where the hashes differ."""
    if digest(live) != digest(rebuilt):
        yield from _differing(what, live, rebuilt)


def _differing(what: str, live: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Iterator[str]:
    if live != rebuilt:
        differing = sorted(key for key in live.keys() | rebuilt.keys() if live.get(key) != rebuilt.get(key))
        yield from _said(f"{what} are not what their history says", differing)
        yield _where(live.get(differing[0]), rebuilt.get(differing[0]))


def _where(live: object, rebuilt: object) -> str:
    """The surroundings of the first difference."""
    one, other = str(live), str(rebuilt)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    around = slice(max(0, same - 60), same + 60)
    return f"  live {one[around]!r}, rebuilt {other[around]!r}"


def digest(states: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(states, sort_keys=True).encode()).hexdigest()


def _said(what: str, offenders: Iterable[str]) -> Iterator[str]:
    found = sorted(offenders)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield f"{what}: {', '.join(found[:SHOWN])}{more}"
