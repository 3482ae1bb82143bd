"""Reading the register on a real MongoDB: every list by its index, every page whole, nobody shown."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import get_ident
from typing import Any

import pytest

from duban_contracts.charter import MatterKind, Role
from duban_contracts.ledger import EntryKind
from duban_contracts.queries import FindEntry, HistoryOf, ShowEntry, Why, WhyEntry
from duban_contracts.readers import Program, Reader, ReaderRole
from duban_contracts.reading import AskDisclosure, AskHotList, EntryStatus, ListEntries
from services.chassis.mongo import MongoDocuments, waiting
from services.chassis.queries import bookmark, place
from services.chassis.service import Reading
from services.ledger.applications.handlers import opening
from services.ledger.register_kinds import register
from services.ledger.views import QUERIES, rows
from services.ledger.views.clusters import clusters
from services.ledger.views.disclosure import village_of_many
from services.ledger.views.indexes import IN_PUBLIC
from services.ledger.views.listing import walking
from services.ledger.views.row import public_day, public_key
from services.ledger.views.text import grams, likeness, plain
from tests.benchmarks.explaining import explained, walk_explained
from tests.ledger.filled import COUNT, NOW, OFFICE, SHANGHAI, ask, every
from tests.ledger.register import MATTER, NUMBER, TOWN, local

QUESTIONS: list[dict[str, Any]] = [
    {},
    {"station": "xincunban"},
    {"statuses": ("open",)},
    {"statuses": ("open", "accepted", "resolved")},
    {"station": "bianmin", "statuses": ("open", "accepted")},
    {"kind": "consult"},
    {"kind": "complaint", "statuses": ("open",)},
    {"category": "garbage"},
    {"category": "sewage", "village": "xicun"},
    {"category": "sewage", "village": "xicun", "statuses": ("struck_off", "accepted")},
    {"village": "dongcun"},
    {"village": "dongcun", "statuses": ("resolved",), "kind": "help"},
    {"entry_kind": "application"},
    {"due_from": date(2024, 3, 1), "due_until": date(2024, 3, 31)},
    {"due_from": date(2024, 6, 1)},
    {"station": "wenhuazhan", "due_from": date(2024, 6, 1)},
    {"station": "wenhuazhan", "due_from": date(2024, 1, 1), "statuses": ("struck_off",)},
    {"due_until": date(2024, 6, 1)},
    {"updated_since": datetime(2024, 9, 1, tzinfo=UTC)},
    {"updated_since": datetime(2024, 9, 1, tzinfo=UTC), "station": "bianmin"},
    {"updated_since": datetime(2024, 9, 1, tzinfo=UTC), "village": "beicun", "statuses": ("struck_off",)},
    {"updated_since": datetime(2024, 2, 1, tzinfo=UTC), "due_from": date(2024, 11, 1)},
    {"overdue": True},
    {"overdue": True, "station": "xincunban", "statuses": ("accepted",)},
    {"overdue": True, "due_from": date(2024, 6, 1), "due_until": date(2024, 9, 1)},
    {"text": "污水处理"},
    {"text": "老桥边"},
]


def overdue(entry: Any) -> bool:
    return entry.status in ("open", "accepted") and entry.due_at is not None and entry.due_at <= NOW


def holds(entry: Any, asked: ListEntries) -> bool:
    """What a filter means, said once more without any index."""
    last_day = entry.due_at and (entry.due_at - timedelta(microseconds=1)).astimezone(SHANGHAI).date()
    return (
        all(
            getattr(asked, name) in (None, getattr(entry, name))
            for name in ("station", "kind", "category", "village", "entry_kind")
        )
        and (not asked.statuses or entry.status in asked.statuses)
        and (asked.due_from is None or (last_day is not None and last_day >= asked.due_from))
        and (asked.due_until is None or (last_day is not None and last_day <= asked.due_until))
        and (not asked.overdue or overdue(entry))
        and (asked.updated_since is None or entry.updated_at >= asked.updated_since)
        and (asked.text is None or asked.text in entry.title)
    )


async def test_all_pages_together_hold_every_entry_once_and_conduct_matters_are_not_among_them(
    reading: Reading, all_entries: list[Any]
) -> None:
    numbers = {entry.number for entry in all_entries}
    hidden = await reading.database["ledger"].count_documents({"row.restricted": True})
    assert len(numbers) == len(all_entries) == COUNT - hidden
    assert hidden > 0
    assert not any(entry.restricted for entry in all_entries)


@pytest.mark.parametrize("filters", QUESTIONS, ids=str)
async def test_a_list_holds_what_was_asked_for_and_all_of_it_in_order(
    reading: Reading, all_entries: list[Any], filters: dict[str, Any]
) -> None:
    found, asked = await every(reading, **filters), ListEntries(**filters)
    wanted = {entry.number for entry in all_entries if holds(entry, asked)}
    assert wanted, "a question that finds nothing tests nothing"
    assert {entry.number for entry in found} == wanted
    assert len(found) == len(wanted)
    if asked.updated_since:
        assert found == sorted(found, key=lambda entry: entry.updated_at.replace(microsecond=0))
    else:
        dated = [entry.due_at for entry in found if entry.due_at]
        assert dated == sorted(dated)
        assert all(entry.due_at is None for entry in found[len(dated) :]), "what is never late comes last"


async def test_what_has_no_due_date_is_due_neither_from_a_day_on_nor_until_one(reading: Reading) -> None:
    undated = [entry.number for entry in await every(reading, category="reading_room")]
    assert undated
    for bound in ({"due_from": date(2000, 1, 1)}, {"due_until": date(2099, 1, 1)}):
        assert await every(reading, category="reading_room", **bound) == []
        found = {entry.number for entry in await every(reading, **bound)}
        assert found
        assert not found & set(undated)


@pytest.mark.parametrize("filters", QUESTIONS, ids=str)
async def test_every_list_is_read_by_its_index_and_hardly_a_document_in_vain(
    reading: Reading, filters: dict[str, Any]
) -> None:
    first = await ask(reading, "list", ListEntries(**filters, limit=50))
    for after in (None, first.next):
        asked = ListEntries(**filters, limit=50, after=after)
        walk = await walking(reading, asked, restricted=False)
        told = await walk_explained(reading.database["ledger"], walk, 50)
        assert told.index_bound, told
        assert told.hardly_in_vain, told


async def test_the_other_reads_are_index_bound_too(reading: Reading) -> None:
    ledger = reading.database["ledger"]
    assert await MongoDocuments(reading.database, "ledger").due(NOW, 5)
    in_public = {"row.entry_kind": "application", "row.public_key": {"$gt": ""}}
    reads: list[tuple[dict[str, Any], tuple[str, int], Any]] = [
        (waiting(NOW), ("wake_at", 1), None),
        ({"row.submission": "hotline:2024-000007"}, ("row.submission", 1), None),
        (in_public, ("row.public_key", -1), IN_PUBLIC),
    ]
    for where, sort, index in reads:
        told = await explained(ledger, where, sort, 50, index)
        assert told.index_bound, told
        assert told.hardly_in_vain, told
        assert told.returned > 0


@pytest.mark.case("B4")
@pytest.mark.parametrize("role", [*Role, *Program])
async def test_conduct_matters_are_shown_to_office_and_commission_only(
    reading: Reading, role: ReaderRole
) -> None:
    reader, entitled = Reader("somebody", role), role in (Role.OFFICE, Role.DISCIPLINE)
    conduct = ListEntries(category="conduct")
    [found, *_] = (await ask(reading, "list", conduct, OFFICE)).entries
    assert bool((await ask(reading, "list", conduct, reader)).entries) is entitled
    assert bool((await ask(reading, "export", conduct, reader)).rows) is entitled
    shown = (await ask(reading, "show", ShowEntry(entry=found.number), reader)).entry
    assert shown == (found if entitled else None)
    submitted = FindEntry(submission=f"hotline:{found.number}")
    receipt = (await ask(reading, "find", submitted, reader)).entry
    # Stored without who brought it: there the gateway counts as who did.
    assert receipt == (found.number if entitled or role is Role.GATEWAY else None)
    why, history = WhyEntry(entry=found.number), HistoryOf(key=found.number)
    assert (await ask(reading, "why", why, reader) == Why()) is not entitled
    assert bool((await ask(reading, "history", history, reader)).answers) is entitled


async def test_the_station_that_has_a_conduct_matter_in_hand_sees_it(reading: Reading) -> None:
    [found, *_] = (await ask(reading, "list", ListEntries(category="conduct"), OFFICE)).entries
    window = Reader("window", Role.STATION, found.station)
    for handler in (Reader(found.station, Role.STATION), window):
        assert (await ask(reading, "show", ShowEntry(entry=found.number), handler)).entry == found
        own = ListEntries(category="conduct", station=found.station)
        assert found in (await ask(reading, "list", own, handler)).entries
        assert (await ask(reading, "list", ListEntries(category="conduct"), handler)).entries == ()


async def test_what_is_no_conduct_matter_is_explained_and_has_its_history(reading: Reading) -> None:
    [entry, *_] = (await ask(reading, "list", ListEntries(category="garbage"))).entries
    assert (await ask(reading, "why", WhyEntry(entry=entry.number))).dues
    told = (await ask(reading, "history", HistoryOf(key=entry.number))).answers
    assert "duban.ledger.entry_opened.v1" in {fact.type for given in told for fact in given.facts}
    assert (await ask(reading, "history", HistoryOf(key="2024-999999"))).answers == ()


async def test_a_page_ends_where_one_message_is_full_and_the_next_one_goes_on(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.queries.MOST_BYTES", 5_000)
    asked = ListEntries(category="garbage", limit=500)
    for name, pieces in (("list", "entries"), ("export", "rows")):
        page = await ask(reading, name, asked)
        assert 1 < len(getattr(page, pieces)) < 20
        assert page.next
        assert len(page.model_dump_json()) < 6_000
    one_by_one = await every(reading, category="garbage", limit=500)
    monkeypatch.undo()
    assert one_by_one == await every(reading, category="garbage")


async def test_an_entry_is_found_by_its_submission_and_shown_in_full(reading: Reading) -> None:
    [number] = {(await ask(reading, "find", FindEntry(submission="hotline:2024-000007"))).entry}
    shown = await ask(reading, "show", ShowEntry(entry=number))
    assert shown.entry.number == shown.card.entry == number
    assert (await ask(reading, "show", ShowEntry(entry="2024-999999"))).entry is None


async def test_what_was_never_a_bookmark_is_refused_in_a_sentence(reading: Reading) -> None:
    with pytest.raises(ValueError, match="of an earlier page"):
        await ask(reading, "list", ListEntries(after="nonsense"))
    with pytest.raises(ValueError, match="at least two"):
        await ask(reading, "list", ListEntries(text="。。"))


# The paper ledger


async def test_the_paper_ledger_has_the_names_of_the_charter_and_the_last_day_in_time(
    reading: Reading,
) -> None:
    asked = ListEntries(category="littering", statuses=(EntryStatus.STRUCK_OFF,), limit=3)
    lines, entries = await ask(reading, "export", asked), await ask(reading, "list", asked)
    assert lines.next == entries.next
    for line, entry in zip(lines.rows, entries.entries, strict=True):
        assert (line.number, line.problem) == (entry.number, entry.title)
        assert line.stations == ("镇清洁办", "镇新村办")
        assert line.last_day == (entry.due_at - timedelta(seconds=1)).astimezone(SHANGHAI).date()
        assert line.struck_off == entry.ended_at.astimezone(SHANGHAI).date()
        assert line.measure == "已办理完毕"


# Similar matters


async def test_the_hot_list_holds_clusters_of_one_category_and_village_in_the_window(
    reading: Reading, all_entries: list[Any]
) -> None:
    hot = await ask(reading, "hot_list", AskHotList(within_days=100))
    by_number = {entry.number: entry for entry in all_entries}
    assert hot.clusters
    for cluster in hot.clusters:
        members = [by_number[number] for number in cluster.entries]
        assert len(members) == cluster.size >= TOWN.hot_list.at_least  # type: ignore[union-attr]
        assert {(each.category, each.village) for each in members} == {(cluster.category, cluster.village)}
        assert all(each.opened_at >= hot.since for each in members)
    sizes = [cluster.size for cluster in hot.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert hot.all_of_them


async def test_others_are_answered_while_matters_are_compared(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = asyncio.create_task(ask(reading, "hot_list", AskHotList(within_days=300)))
    compared_in: list[int] = []

    def compared(*_: Any) -> list[Any]:
        compared_in.append(get_ident())
        return []

    monkeypatch.setattr("services.ledger.views.clusters.piled_up", compared)
    await asking
    assert compared_in
    assert get_ident() not in compared_in


async def test_the_hot_list_is_told_page_by_page_and_no_pile_is_left_out(reading: Reading) -> None:
    whole = await ask(reading, "hot_list", AskHotList(within_days=300, limit=500))
    pages = [await ask(reading, "hot_list", AskHotList(within_days=300, limit=3))]
    while mark := pages[-1].next:
        pages.append(await ask(reading, "hot_list", AskHotList(within_days=300, limit=3, after=mark)))
    assert len(pages) > 2
    assert [cluster for page in pages for cluster in page.clusters] == list(whole.clusters)
    assert whole.next is None
    with pytest.raises(ValueError, match="of an earlier page"):
        await ask(reading, "hot_list", AskHotList(after=bookmark("soon|2024-000001")))


def test_titles_are_alike_by_their_pairs_of_characters() -> None:
    assert grams("路灯不亮") == ("路灯", "灯不", "不亮")
    assert plain("Ａ4 纸，没了") == "a4纸没了"
    assert likeness(grams("路灯不亮"), grams("路灯又不亮")) == pytest.approx(2 / 5)
    assert likeness([], []) == 0


def test_a_matter_that_is_like_two_clusters_makes_them_one() -> None:
    rows = [{"number": n, "grams": pairs} for n, pairs in enumerate((["ab", "bc"], ["xy", "yz"], ["zz"]))]
    assert len(clusters(rows, 0.3)) == 3
    bridge = {"number": 9, "grams": ["ab", "bc", "xy", "yz"]}
    assert sorted(len(each) for each in clusters([*rows, bridge], 0.3)) == [1, 3]


# The public


async def test_the_public_sees_stage_and_outcome_and_nothing_that_leads_to_a_person(reading: Reading) -> None:
    seen: list[Any] = []
    after: str | None = None
    while True:
        shown = await ask(reading, "disclosure", AskDisclosure(limit=40, after=after))
        seen += shown.applications
        text = shown.model_dump_json()
        assert not re.search(r"2024-\d{6}|hotline|上村|shangcun", text), "no number, no village of few"
        after = shown.next
        if after is None:
            break
    in_all = await reading.database["ledger"].count_documents({"row.entry_kind": "application"})
    assert len(seen) == in_all > 40
    assert {each.stage for each in seen} == {"申请"}
    assert {each.name for each in seen} == {"最低生活保障", "临时救助"}
    assert None in {each.village for each in seen}
    assert [each.since for each in seen] == sorted((each.since for each in seen), reverse=True)


async def test_no_bookmark_of_the_public_list_leads_to_an_hour_or_to_a_number(
    reading: Reading, all_entries: list[Any]
) -> None:
    shown = await ask(reading, "disclosure", AskDisclosure(limit=20))
    days = {entry.updated_at.astimezone(SHANGHAI).date() for entry in all_entries}
    pages = 0
    while shown.next:
        day, _, key = place(shown.next).partition("|")
        assert date.fromisoformat(day) == shown.applications[-1].since
        assert date.fromisoformat(day) in days
        assert re.fullmatch(r"[0-9a-f]{24}", key)
        assert not re.search(r"\d{2}:\d{2}|T\d{2}", shown.model_dump_json(exclude={"next"}))
        pages += 1
        shown = await ask(reading, "disclosure", AskDisclosure(limit=20, after=shown.next))
    assert pages > 1


@pytest.mark.parametrize("at", [local("2024-04-16", "00:30"), local("2024-04-16", "23:59")])
def test_what_is_public_is_ordered_by_the_towns_days_and_within_a_day_by_nothing_that_means_anything(
    at: datetime,
) -> None:
    decider = register(TOWN)
    command = opening(at, NUMBER, replace(MATTER, category="minimum_living"), TOWN)
    _, state = decider.answer(command, at, decider.initial_state)
    row = rows(TOWN)(state)
    assert row
    assert public_day(row["public_key"]) == date(2024, 4, 16)
    assert row["public_key"] == public_key(date(2024, 4, 16), f"{NUMBER}|hotline:4711|p-1")


def test_a_village_is_named_from_the_charters_households_on() -> None:
    assert village_of_many("dongcun", TOWN) == "东村"
    assert village_of_many("shangcun", TOWN) is None
    assert village_of_many(None, TOWN) is None
    assert village_of_many("dongcun", TOWN.model_copy(update={"disclosure": None})) is None


def test_every_question_has_models_of_its_own() -> None:
    assert set(QUERIES) >= {"find", "show", "list", "export", "hot_list", "disclosure", "why"}
    assert ListEntries(kind=MatterKind.HELP, entry_kind=EntryKind.MATTER, limit=500)


def filters_of(questions: list[dict[str, Any]]) -> Iterator[str]:
    return (name for filters in questions for name in filters)


def test_every_filter_is_tried() -> None:
    assert set(filters_of(QUESTIONS)) == set(ListEntries.model_fields) - {"limit", "after"}
