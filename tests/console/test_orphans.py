"""What a change of the charter leaves without anybody is told before it is published."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from duban_contracts.charter import Charter
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import EntryKind
from duban_contracts.reading import EntryInFull, EntryStatus
from services.chassis.charter_file import read_charter
from services.console.client import Order, duban
from services.console.embedded import NatsServer
from services.console.orphans import NotAsked, found, left_out, orphans
from services.console.system import System
from tests.conftest import CHARTERS

NOW = datetime(2024, 4, 15, tzinfo=UTC)
OLD = read_charter(CHARTERS / "township-2024.yaml")


def without(**left: set[str]) -> Charter:
    kept = {
        field: {token: each for token, each in getattr(OLD, field).items() if token not in tokens}
        for field, tokens in left.items()
    }
    return OLD.model_copy(update=kept)


def entry(number: str, **fields: Any) -> EntryInFull:
    known = {
        "status": EntryStatus.OPEN,
        "station": "bianmin",
        "title": "x",
        "opened_at": NOW,
        "updated_at": NOW,
    }
    return EntryInFull.model_validate({"number": number, **known, **fields})


@pytest.mark.case("A6")
def test_a_station_with_open_entries_or_items_is_told() -> None:
    left = left_out(OLD, without(stations={"nongye", "minzheng", "wenhuazhan"}))
    entries = [
        entry("2024-000001", station="nongye"),
        entry("2024-000002", co_handlers=("nongye",)),
        entry("2024-000003"),
    ]
    told = {
        each.token: (each.entries, each.items, each.first) for each in found(left, entries, {"minzheng": 2})
    }
    assert told == {"nongye": (2, 0, "2024-000001"), "minzheng": (0, 2, "")}


@pytest.mark.case("A6")
def test_categories_villages_measures_and_actors_are_told() -> None:
    new = without(categories={"garbage"}, villages={"dongcun"}, actors={"gateway"})
    assert new.plan is not None
    left = left_out(OLD, new.model_copy(update={"plan": new.plan.model_copy(update={"problems": ()})}))
    entries = [
        entry("2024-000001", category="garbage", village="dongcun"),
        entry("2024-000002", entry_kind=EntryKind.MEASURE, measure="p1-1-1"),
        entry("2024-000003", category="sewage"),
    ]
    told = {(each.kind, each.token) for each in found(left, entries, {})}
    assert told == {
        ("category", "garbage"), ("village", "dongcun"), ("measure", "p1-1-1"), ("actor", "gateway")
    }  # fmt: skip
    assert all(each.sentence() for each in found(left, entries, {}))


@pytest.mark.case("A6")
def test_a_charter_that_leaves_nothing_out_asks_nothing() -> None:
    assert not left_out(OLD, OLD)
    assert not left_out(without(stations={"nongye"}), OLD)


@pytest.mark.case("A6")
async def test_the_running_services_say_what_is_left_over(system: System) -> None:
    matter = SubmitMatter(title="路灯不亮", category="reading_room")
    async with duban(system.nats_url) as connection:
        await connection.outcome(Order(matter, key=f"hotline:{uuid4()}", actor="gateway"))
        await connection.caught_up()
        left = await orphans(connection, OLD, without(stations={"wenhuazhan"}, categories={"reading_room"}))
    told = {(each.kind, each.token): each.entries for each in left}
    assert told[("station", "wenhuazhan")] >= 1
    assert told[("category", "reading_room")] >= 1


async def test_services_that_do_not_answer_are_told_as_not_asked(nats_server: NatsServer) -> None:
    async with duban(nats_server.url) as connection:
        with pytest.raises(NotAsked):
            await orphans(connection, OLD, without(stations={"nongye"}))
        assert await orphans(connection, OLD, OLD) == []
        assert await orphans(connection, None, OLD) == []
