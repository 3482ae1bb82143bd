"""What settling hands on, stores and returns, to the last field."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.message import Fact, Refusal
from services.chassis import settle as settle_module
from services.chassis.decider import Asked, Decider, Kept, StuckError, Wake
from services.chassis.documents import Answer, Change, Event
from services.chassis.settle import Item, Settled, Settler, as_event, in_milliseconds, refold, wake_id
from services.chassis.wording import wording
from tests.chassis.world import START, Add, Died, Summed, Total, World, add, decide, evolve, total

HOUR = timedelta(hours=1)


class Watched(World):
    """Keeps what was written and told."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []
        self.fresh: list[bool] = []

    async def save(self, changes: Any) -> set[str]:
        self.changes += changes
        return await super().save(changes)

    async def tell(self, tellings: Any) -> None:
        self.fresh += [telling.fresh for telling in tellings]
        await super().tell(tellings)

    def settled(self, *items: Item[Any], **more: Any) -> Settled:
        return asyncio.run(Settler(total, self, self.tell, **more).settle(items))


def wake(key: str, at: datetime, now: datetime) -> Item[Any]:
    return Item(wake_id(key, at), key, Wake(now), now)


def test_version_state_and_count_of_what_was_decided_are_returned() -> None:
    world = Watched()
    first = world.settled(add("m1", "a", 5), add("m2", "b", 1))
    assert first.states == {"a": (1, Total(5, START + HOUR)), "b": (1, Total(1, START + HOUR))}
    assert first.answered == 2
    again = world.settled(add("m1", "a", 5))
    assert again.states == {"a": (1, Total(5, START + HOUR))}
    assert again.answered == 0


def test_what_a_decider_raised_is_returned_by_key() -> None:
    def broken(command: Any, state: Any) -> Any:
        raise ZeroDivisionError

    world = World()
    bad = Decider(broken, evolve, Total(), (Total,), (Summed,))
    settled = asyncio.run(Settler(bad, world, world.tell).settle([add("m1", "a", 1)]))
    assert isinstance(settled.failures["a"], ZeroDivisionError)


def test_new_answers_are_told_as_new_and_copies_as_copies() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5))
    world.settled(add("m1", "a", 5), add("m2", "a", 1))
    assert world.fresh == [True, False, True]


def test_a_wake_that_somebody_else_answered_changes_nothing_and_holds_nothing_up() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5))
    settled = world.settled(wake("a", START, START), add("m2", "a", 1))
    assert settled.answered == 1
    assert list(world.answers["a"]) == ["m1", "m2"]


def test_a_key_that_wants_no_waking_is_not_woken() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5))
    world.settled(wake("a", START + HOUR, START + HOUR))
    assert world.documents["a"].wake_at is None
    assert world.settled(wake("a", START + 2 * HOUR, START + 2 * HOUR)).answered == 0


def test_at_the_very_instant_a_key_is_due() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5))
    assert world.settled(wake("a", START + HOUR, START + HOUR)).answered == 1


def test_a_wake_that_could_not_be_told_stays_owed_though_a_message_follows_it_in_the_batch() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5))
    later = START + 2 * HOUR

    async def nobody_hears(_: object) -> None:
        raise Died

    items = [wake("a", START + HOUR, later), add("m2", "a", 1, minute=120)]
    with pytest.raises(Died):
        asyncio.run(Settler(total, world, nobody_hears).settle(items))
    assert asyncio.run(world.due(later, 10)) == [("a", START + HOUR)]


def test_an_answer_says_what_it_belongs_to() -> None:
    world = Watched()
    item = add("m1", "a", 5)
    world.settled(item._replace(correlation="c", traceparent="00-t"), revision=7)
    world.settled(add("m2", "a", 1))
    answers = world.answers["a"]
    assert answers["m1"][:4] == ("m1", "c", 7, "00-t")
    assert answers["m2"][:4] == ("m2", "m2", None, None)


def test_a_read_model_keeps_the_proof_of_an_answer_and_tells_nothing() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5), tells=False)
    assert world.answers["a"]["m1"].events == ()
    assert (world.told, world.fresh) == ({}, [])


def test_the_row_is_made_of_the_new_state() -> None:
    world = Watched()
    world.settled(add("m1", "a", 5), row=lambda state: {"total": state.total})
    world.settled(add("m2", "a", 5))
    assert [change.row for change in world.changes] == [{"total": 5}, None]


def test_a_document_is_trimmed_to_its_newest_answers_when_it_holds_twice_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle_module, "KEEP", 3)
    world = Watched()
    for n in range(7):
        world.settled(add(f"m{n}", "a", 1))
    assert [(change.kept, len(change.spilled)) for change in world.changes] == [
        *((n, 0) for n in range(1, 7)),
        (3, 4),
    ]
    assert world.changes[-1].spilled == ("m0", "m1", "m2", "m3")


def test_wakes_are_rounded_up_to_the_stores_milliseconds_in_utc() -> None:
    east = timezone(timedelta(hours=8))
    found = in_milliseconds(datetime(2024, 4, 15, 9, 0, 0, 1_200, tzinfo=east))
    assert found == datetime(2024, 4, 15, 1, 0, 0, 2_000, tzinfo=UTC)
    assert found is not None
    assert found.tzinfo is UTC
    assert in_milliseconds(START) == START
    assert in_milliseconds(None) is None


def test_a_fact_about_nobody_travels_under_a_dash() -> None:
    fact = Summed(at=START, total=1)
    assert as_event(fact) == Event(
        Summed.type, "-", "2024-04-15T01:00:00Z", fact.model_dump_json(exclude_none=True)
    )
    assert as_event(fact.model_copy(update={"station": "bianmin"})).station == "bianmin"


def test_a_history_is_folded_from_the_beginning() -> None:
    event = as_event(Summed(at=START, total=3))
    assert refold(total, []) == Total()
    assert refold(total, [Answer("m1", "m1", events=(event,))]) == Total(3, START + HOUR)


def test_a_stuck_decider_says_where_it_is_stuck() -> None:
    stuck: Decider[Any, Any, Any] = Decider(
        lambda *_: [], evolve, Total(1, START), (Total,), (), wake_at=lambda state: state.remind_at
    )
    with pytest.raises(StuckError, match=r"woken at 2024-04-15 01:00:00\+00:00, Total changes nothing"):
        stuck.up_to(START, stuck.initial_state)


def test_a_request_found_wanting_is_refused_under_the_name_of_who_asked() -> None:
    refusing: Decider[Any, Any, Any] = Decider(
        decide, lambda state, _: state, Total(), (Total,), (Summed,), refused=LedgerCommandRefused
    )
    asked = Asked(START, "bianmin", "2024-000001", "accept")
    facts, state = refusing.answer(asked.refuse(Refusal.NOT_ALLOWED, wording("why")), START, Total())
    assert facts == [
        LedgerCommandRefused(
            at=START,
            station="bianmin",
            key="2024-000001",
            command="accept",
            actor="bianmin",
            reason=Refusal.NOT_ALLOWED,
            detail="why",
        )
    ]
    assert state == Total()
    assert isinstance(facts[0], Fact)


def test_a_read_model_cannot_refuse() -> None:
    with pytest.raises(TypeError, match=r"^a read model takes no requests, so it cannot refuse one$"):
        total.answer(Asked(START, "a", "k", "c").refuse(Refusal.NOT_ALLOWED, wording("why")), START, Total())


def test_a_command_of_the_decider_is_decided_and_folded() -> None:
    facts, state = total.answer(Add(2, START), START, Total())
    assert [fact.total for fact in facts] == [2]
    assert state == Total(2, START + HOUR)


def test_a_kept_fact_is_known_by_its_type_as_never_to_be_told() -> None:
    class Secret(Kept):
        pass

    assert Secret.type == "kept:Secret"
