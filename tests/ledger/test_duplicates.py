"""Which open entries a new matter looks like: found by an index, named with enough to judge."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from duban_contracts.charter import MatterKind
from duban_contracts.intake import Channel, MatterAccepted, Outcome, PastOutcome
from duban_contracts.merging import DuplicateSuspected, MergeMatter
from services.chassis.heard import Heard
from services.chassis.mongo import MongoDocuments, connect
from services.ledger.decider import Merge, Open, Resembling, Survivor, Withdraw, ledger
from services.ledger.handlers import HEARS
from services.ledger.views import INDEXES, PARTIAL_INDEXES, row
from services.ledger.views.lookup import MOST_COMPARED, MOST_NAMED, look_up, newest
from tests.given import Given
from tests.ledger.register import MATTER, OPENED, TOWN, given, kinds

pytestmark = pytest.mark.case("A9")

POTHOLE = "东村村口路面塌陷积水"
SAME = "东村村口路面塌陷严重积水"
HOUR = timedelta(hours=1)


def accepted(title: str, number: str, **fields: Any) -> Heard[MatterAccepted]:
    said = {
        "submission": f"test:{number}",
        "category": "rural_road",
        "kind": MatterKind.HELP,
        "village": "dongcun",
        "channel": Channel.HOTLINE,
        "petitioner": "p-1",
        "rule": "r",
    } | fields
    fact = MatterAccepted(at=OPENED + HOUR, station="xincunban", title=title, **said)
    return Heard(number, str(said["submission"]), fact, OPENED + HOUR, number=number, numbers={"x": number})


def stored(
    number: str, title: str, at: datetime = OPENED, then: Withdraw | None = None, **fields: Any
) -> dict[str, Any]:
    matter, known = replace(MATTER, title=title, **fields), Given(ledger(TOWN))
    for command in (Open(at, number, matter), then):
        known = known(*known.when(command)) if command else known
    return {"_id": number, "row": row(known.state)}


@pytest.fixture
async def database(mongo: Any) -> AsyncIterator[Any]:
    client = connect(mongo.url)
    found = client["test_duplicates"]
    await MongoDocuments(found, "ledger", INDEXES, PARTIAL_INDEXES).prepare()
    yield found
    await client.drop_database("test_duplicates")
    client.close()


async def named(database: Any, *messages: Heard[Any]) -> list[list[str]]:
    found = await look_up(database, TOWN, messages)
    return [[each.entry for each in one.entries] if one else [] for one in found]


async def test_a_new_matter_that_looks_like_an_open_one_is_told_with_enough_to_judge(database: Any) -> None:
    await database["ledger"].insert_one(stored("2024-000123", POTHOLE))
    heard = accepted(SAME, "2024-000131")
    [found] = await look_up(database, TOWN, [heard])
    [(number, command)] = HEARS[MatterAccepted](replace(heard, found=found), TOWN)
    events = given.when(command)
    assert kinds(events) == ["EntryOpened", "DuplicateSuspected"]
    hint_ = events[-1]
    assert isinstance(hint_, DuplicateSuspected)
    [other] = hint_.of
    assert (hint_.entry, hint_.station) == (number, "xincunban")
    assert (other.entry, other.title, other.station) == ("2024-000123", POTHOLE, "xincunban")
    assert (other.opened_at, other.likeness_percent >= 40) == (OPENED, True)
    assert "same category and village" in hint_.why
    assert "40 percent" in hint_.why
    shown = row(given(*events).state)
    assert shown is not None
    assert shown["resembles"] == ["2024-000123"]


async def test_what_is_elsewhere_ended_old_restricted_or_different_is_not_named(database: Any) -> None:
    ended = stored("2024-000002", POTHOLE, then=Withdraw(OPENED + HOUR, "2024-000002", "xincunban"))
    assert ended["row"]["open"] is False
    await database["ledger"].insert_many(
        [
            stored("2024-000001", "垃圾桶没有及时清运"),
            ended,
            stored("2024-000003", POTHOLE, village="xicun"),
            stored("2024-000004", POTHOLE, category="household_road"),
            stored("2024-000005", POTHOLE, at=OPENED - timedelta(days=60)),
            stored("2024-000006", POTHOLE, restricted=True),
        ]
    )
    assert await named(database, accepted(SAME, "2024-000131")) == [[]]


async def test_conduct_matters_past_cases_and_applications_give_no_hint(database: Any) -> None:
    await database["ledger"].insert_one(stored("2024-000123", POTHOLE))
    past = PastOutcome(outcome=Outcome.SOLVED)
    assert await named(
        database,
        accepted(SAME, "2024-000131", restricted=True),
        accepted(SAME, "2024-000132", past=past),
        accepted(SAME, "2024-000133", solved_on_the_spot="好了"),
        accepted(SAME, "2024-000134", category="minimum_living"),
    ) == [[], [], [], []]
    unruled = TOWN.model_copy(update={"hot_list": None})
    assert await look_up(database, unruled, [accepted(SAME, "2024-000131")]) == [None]


async def test_two_of_one_batch_are_compared_too_and_an_entry_never_with_itself(database: Any) -> None:
    await database["ledger"].insert_one(stored("2024-000131", SAME))
    assert await named(database, accepted(POTHOLE, "2024-000130"), accepted(SAME, "2024-000131")) == [
        ["2024-000131"],
        ["2024-000130"],
    ]


@pytest.mark.parametrize("village", ["dongcun", None])
async def test_the_most_alike_come_first_and_only_so_many_are_named_and_looked_at(
    database: Any, village: str | None
) -> None:
    titles = {f"2024-{n:06d}": POTHOLE + "附近" * (n % 3) for n in range(1, 3 * MOST_COMPARED)}
    await database["ledger"].insert_many([stored(n, t, village=village) for n, t in titles.items()])
    [found] = await look_up(database, TOWN, [accepted(POTHOLE, "2024-000999", village=village)])
    assert len(found.entries) == MOST_NAMED
    percents = [each.likeness_percent for each in found.entries]
    assert percents == sorted(percents, reverse=True)
    assert percents[0] == 100
    stats = (await newest(database["ledger"], ("rural_road", village)).explain())["executionStats"]
    assert stats["totalKeysExamined"] <= MOST_COMPARED + 1
    assert stats["totalDocsExamined"] == 0


async def test_a_request_to_merge_comes_with_how_the_other_matter_stands(database: Any) -> None:
    await database["ledger"].insert_one(stored("2024-000123", POTHOLE))
    ask = Heard(
        "1", "2024-000131", MergeMatter(into="2024-000123", reason="同一处"), OPENED, "office", "office"
    )
    nowhere = replace(ask, data=MergeMatter(into="2024-000999", reason="同一处"))
    found = await look_up(database, TOWN, [ask, nowhere])
    assert found == [Survivor("2024-000123", "xincunban", True), None]
    [(key, command)] = HEARS[MergeMatter](replace(ask, found=found[0]), TOWN)
    assert key == "2024-000131"
    assert isinstance(command, Merge)
    assert command.survivor == found[0]


def test_a_message_without_a_lookup_opens_an_entry_like_any_other() -> None:
    [(_, command)] = HEARS[MatterAccepted](accepted(SAME, "2024-000131"), TOWN)
    assert kinds(given.when(command)) == ["EntryOpened"]
    assert Resembling().entries == ()
