"""What users of comparable systems complained of as readers (domain.md §4), and what is done here instead."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from duban_contracts.fields import Bookmark
from duban_contracts.message import CATALOGUE
from duban_contracts.queries import Answers, HistoryOf, ShowEntry
from duban_contracts.reading import (
    AskDisclosure,
    AskHotList,
    EntryInFull,
    EntryPage,
    EntryStatus,
    ListEntries,
    PublicApplication,
)
from services.chassis.decider import Wake
from services.chassis.documents import Answer, Change, Snapshot
from services.chassis.mongo import MongoDocuments, connect
from services.chassis.queries import bookmark, faults
from services.chassis.service import Reading
from services.ledger.decider import Withdraw
from services.ledger.views import QUERIES, row
from services.ledger.views.row import NEVER, instant
from tests.ledger.filled import NOW, ask, every
from tests.ledger.matters import apply_extension, hold, report_up, resume, transfer
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    accept,
    given,
    local,
    open_,
    resolve,
    story,
    verify,
)

TUESDAY, THURSDAY = local("2024-04-16"), local("2024-04-18")
LATER = EARLY + timedelta(hours=1)


@asynccontextmanager
async def changed(reading: Reading, number: str, **fields: Any) -> AsyncIterator[None]:
    """An entry whose row says something else for a while."""
    ledger = reading.database["ledger"]
    before = (await ledger.find_one({"_id": number}, {"row": True}))["row"]
    await ledger.update_one({"_id": number}, {"$set": {f"row.{name}": to for name, to in fields.items()}})
    try:
        yield
    finally:
        await ledger.update_one({"_id": number}, {"$set": {"row": before}})


async def numbers(reading: Reading, **filters: Any) -> list[str]:
    return [entry.number for entry in await every(reading, **filters)]


# CCRS / DIGIT


@pytest.mark.parametrize("limit", [7, 100, 500])
async def test_ccrs_916_how_many_there_are_does_not_depend_on_the_size_of_a_page(
    reading: Reading, limit: int
) -> None:
    asked = {"village": "dongcun", "statuses": ("open", "accepted", "resolved")}
    stored = {f"row.{name}": value for name, value in (("village", "dongcun"), ("open", True))}
    in_all = await reading.database["ledger"].count_documents({**stored, "row.restricted": False})
    found = await numbers(reading, **asked, limit=limit)
    assert len(found) == len(set(found)) == in_all > 7


async def test_ccrs_916_a_pile_is_as_large_as_it_is_however_few_piles_are_shown(reading: Reading) -> None:
    one = await ask(reading, "hot_list", AskHotList(within_days=300, limit=1))
    many = await ask(reading, "hot_list", AskHotList(within_days=300, limit=100))
    assert one.clusters[0] == many.clusters[0]
    assert one.clusters[0].size == len(one.clusters[0].entries) > 1


async def test_ccrs_1058_what_is_due_first_comes_first_from_page_to_page(reading: Reading) -> None:
    found = await every(reading, statuses=("open", "accepted"), limit=9)
    dues = [entry.due_at for entry in found if entry.due_at]
    assert dues == sorted(dues)
    assert all(entry.due_at is None for entry in found[len(dues) :])
    assert len(found) > len(dues) > 9


async def test_ccrs_the_scan_begins_with_what_is_overdue_longest_and_leaves_nothing_out(mongo: Any) -> None:
    client = connect(mongo.url)
    documents = MongoDocuments(client[f"test_{uuid4().hex}"], "ledger")
    await documents.prepare()
    hours = list(range(250))
    random.Random(1).shuffle(hours)  # when something came in says nothing about when it is due
    idle, message = Snapshot("s", "k", "{}"), (Answer("m", "m"),)
    due_ago = {f"e{n}": NOW - timedelta(hours=n) for n in hours}
    stored = [Change(key, 0, idle, at, True, None, message) for key, at in due_ago.items()]
    await documents.save(stored)
    looked_at: list[str] = []
    while due := await documents.due(NOW, 100):
        looked_at += [key for key, _ in due]
        await documents.rest([(key, 1, None) for key, _ in due])
    assert looked_at == [f"e{n}" for n in sorted(hours, reverse=True)]
    await client.drop_database(documents.collection.database.name)
    client.close()


async def test_ccrs_1092_what_is_masked_for_the_public_is_masked_in_the_answer_only(reading: Reading) -> None:
    async def stored() -> list[Any]:
        return await reading.database["ledger"].find({"row.entry_kind": "application"}).to_list(None)

    before = await stored()
    public = (await ask(reading, "disclosure", AskDisclosure())).applications
    assert None in {each.village for each in public}
    assert await stored() == before
    shown = [await ask(reading, "show", ShowEntry(entry=each["_id"])) for each in before[:50]]
    assert all(each.entry.village for each in shown)
    masked = {PublicApplication, EntryInFull}
    assert not masked & set(CATALOGUE.values()), "nobody can send it back as if it were the matter"


# Open311


def keys_of(entries: list[Any]) -> list[str]:
    """What lists are sorted by."""
    return [f"{instant(entry.due_at) if entry.due_at else NEVER}|{entry.number}" for entry in entries]


async def test_open311_4_who_asks_for_changes_gets_each_one_even_those_that_happen_meanwhile(
    reading: Reading,
) -> None:
    since = NOW - timedelta(days=60)
    first = await ask(reading, "list", ListEntries(updated_since=since, limit=20))
    copy = {entry.number: entry for entry in first.entries}
    again, mark = first.entries[0].number, first.next
    news = {"updated_at": NOW, "updated_key": f"{NOW:%Y%m%dT%H%M%S}|{again}", "note": "变了"}
    async with changed(reading, again, **news):
        while mark:
            page = await ask(reading, "list", ListEntries(updated_since=since, limit=20, after=mark))
            copy |= {entry.number: entry for entry in page.entries}
            mark = page.next
        assert copy[again].note == "变了"
        assert copy == {entry.number: entry for entry in await every(reading, updated_since=since)}
    assert await numbers(reading, updated_since=copy[again].updated_at) == [], "and nothing since then"


FINER: dict[str, list[Any]] = {
    "unsigned": [open_()],
    "in_hand": [open_(), accept()],
    "on_hold": [open_(), accept(), hold(TUESDAY)],
    "offered": [open_(), accept(), transfer("nongye")],
    "extension_asked": [open_(), accept(), apply_extension()],
    "reported_up": [open_(), accept(), report_up()],
    "awaiting_verification": [open_(), accept(), resolve()],
    "verified": [open_(), accept(), resolve(), verify(LATER)],
    "taken_back": [open_(), Withdraw(LATER, NUMBER, "xincunban")],
}


@pytest.mark.parametrize(("situation", "commands"), FINER.items(), ids=FINER)
def test_open311_61_a_coarse_status_that_never_changes_stands_beside_a_finer_one(
    situation: str, commands: list[Any]
) -> None:
    found = row(given(*story(*commands)).state)
    assert found
    assert found["situation"] == situation
    assert EntryInFull.model_validate(found).status in EntryStatus
    assert {each.value for each in EntryStatus} == {"open", "accepted", "resolved", "struck_off", "closed"}
    if situation in ("in_hand", "on_hold", "offered", "extension_asked", "reported_up"):
        assert found["status"] == "accepted"


def test_open311_61_what_goes_on_is_in_hand_again() -> None:
    found = row(given(*story(open_(), accept(), hold(TUESDAY), resume(THURSDAY))).state)
    assert found
    assert (found["status"], found["situation"]) == ("accepted", "in_hand")


def test_open311_16_every_list_is_paged_in_the_same_way() -> None:
    paged = {
        name: (query.asks, query.answer.__annotations__["return"])
        for name, query in QUERIES.items()
        if "after" in query.asks.model_fields
    }
    assert set(paged) == {
        *("list", "export", "history", "hot_list", "disclosure"),
    }
    for asks, answers in paged.values():
        assert answers.model_fields["next"].annotation == str | None
        assert asks.model_fields["after"].annotation == Bookmark | None
        assert asks is HistoryOf or asks.model_fields["limit"].annotation is int
    assert {EntryPage, Answers} <= {answers for _, answers in paged.values()}


async def test_open311_16_after_the_last_page_there_is_nothing_and_not_the_last_page_again(
    reading: Reading,
) -> None:
    last = keys_of(await every(reading))[-1]
    beyond = await ask(reading, "list", ListEntries(after=bookmark(last)))
    assert (beyond.entries, beyond.next) == ((), None)


# CiviCase


async def test_civicase_4_there_is_a_list_of_what_is_overdue_longest_overdue_first(
    reading: Reading, all_entries: list[Any]
) -> None:
    owed = [entry for entry in all_entries if entry.status in ("open", "accepted") and entry.due_at]
    overdue = [entry.number for entry in owed if entry.due_at <= NOW]
    listed = await numbers(reading, overdue=True)
    assert listed == overdue
    assert 0 < len(listed) < len(all_entries)
    held, resolved = listed[0], listed[1]
    async with changed(reading, held, held=True), changed(reading, resolved, status="resolved"):
        assert await numbers(reading, overdue=True) == listed[2:], "its clock stands still; it is answered"


# Keep


@pytest.mark.parametrize("name", QUERIES)
def test_keep_6793_a_filter_that_nobody_knows_is_refused_and_never_ignored(name: str) -> None:
    asks = QUERIES[name].asks
    with pytest.raises(ValidationError) as refused:
        asks.model_validate({"statoin": "xincunban"})
    assert "statoin: there is no such field; this question knows" in faults(refused.value, asks)


@pytest.mark.parametrize("question", ["list", "export"])
@pytest.mark.parametrize("field", ["station", "category", "village"])
async def test_keep_6793_a_name_that_neither_charter_nor_register_knows_is_refused(
    reading: Reading, question: str, field: str
) -> None:
    with pytest.raises(ValueError, match=f"{field}: the charter knows no 'nobody'; use one of "):
        await ask(reading, question, ListEntries(**{field: "nobody"}))


async def test_keep_6793_a_name_of_an_earlier_charter_is_no_mistake_where_entries_have_it(
    reading: Reading, all_entries: list[Any]
) -> None:
    one = all_entries[0].number
    async with changed(reading, one, station="closed_office"):
        assert await numbers(reading, station="closed_office") == [one]
        assert await numbers(reading, station="closed_office", village="xicun", kind="report") == []


async def test_keep_6793_a_filter_that_can_let_nothing_through_is_refused(reading: Reading) -> None:
    with pytest.raises(ValueError, match="only what is open or accepted can be overdue"):
        await ask(reading, "list", ListEntries(overdue=True, statuses=(EntryStatus.CLOSED,)))


# FixMyStreet


async def test_fixmystreet_1677_a_hint_of_what_is_alike_shows_enough_to_judge_it(
    reading: Reading, all_entries: list[Any]
) -> None:
    by_number = {entry.number: entry for entry in all_entries}
    hot = await ask(reading, "hot_list", AskHotList(within_days=100))
    assert hot.clusters
    for cluster in hot.clusters:
        assert tuple(matter.number for matter in cluster.members) == cluster.entries
        for matter in cluster.members:
            entry = by_number[matter.number]
            for field in ("title", "station", "status", "opened_at"):
                assert getattr(matter, field) == getattr(entry, field)


# OnCall


async def test_oncall_3111_what_ended_is_never_looked_at_again_however_many_months_go_by(
    reading: Reading,
) -> None:
    ledger = reading.database["ledger"]
    due = await MongoDocuments(reading.database, "ledger").due(NOW + timedelta(days=365), 10_000)
    woken = await ledger.find({"_id": {"$in": [key for key, _ in due]}}, {"row.open": True}).to_list(None)
    assert woken
    assert all(each["row"]["open"] for each in woken)


def test_oncall_3111_what_is_known_to_be_late_is_not_told_again_months_later() -> None:
    known = story(open_(), accept(), Wake(DUE))
    assert given(*known).when(Wake(DUE + timedelta(days=120))) == []
