"""The plan's measures, an application and the paper ledger, through the whole running system."""

import asyncio
import csv
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from duban_contracts.applications import CompleteStage
from duban_contracts.charter import Charter
from duban_contracts.intake import Petitioner, SubmitMatter
from duban_contracts.measures import ApplyPlan, ReportOccurrence
from duban_contracts.message import Command
from duban_contracts.queries import AnswerGiven, FindEntry, Found
from duban_contracts.reading import AskDisclosure, Disclosed, EntryPage, ListEntries
from duban_contracts.supervision import StartCampaign
from services.chassis.charter_bucket import publish_charter
from services.console.client import Duban, Misasked, Order, duban
from services.console.ledger_commands import app
from services.console.system import System, running_system
from services.console.tables import text_width
from services.console.terminal import Session
from tests.conftest import CHARTERS
from tests.console.conftest import Run
from tests.waiting import until

APPLICANT = Petitioner(name="王小明", phone="13800000000")
MATERIALS = ("书面申请", "身份证", "家庭经济状况授权书")


@pytest.fixture(scope="module")
def town(township: Charter, tmp_path_factory: Any) -> Iterator[System]:
    """A system of its own, in which the campaign has begun and one application was submitted."""
    with running_system(township, logs=tmp_path_factory.mktemp("logs")) as system:
        asyncio.run(begin(system))
        yield system


async def begin(system: System) -> None:
    async with duban(system.nats_url, "duban/tests") as town:
        await done(town, StartCampaign(), "campaign/2024", "office")
        submitted = SubmitMatter(
            title="申请低保", category="minimum_living", petitioner=APPLICANT, materials=MATERIALS
        )
        await done(town, submitted.model_copy(update={"village": "shangcun"}), "test:1", "gateway")
        await town.caught_up()


async def done(town: Duban, command: Command, key: str, actor: str) -> list[str]:
    given: AnswerGiven = await town.outcome(Order(command, key, actor))
    return [fact.type.split(".")[2] for fact in given.facts]


def ledger(system: System, *words: str) -> str:
    """What `duban ledger ...` says."""
    result = CliRunner().invoke(app, words, obj=Session(system.nats_url))
    assert result.exit_code == 0, result.output
    return result.stdout


def listed(system: System, *words: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(ledger(system, "list", *words, "--format", "json"))["entries"]
    return entries


def test_the_campaign_opens_the_plans_measures_under_numbers_without_gaps(town: System) -> None:
    measures = listed(town, "--of", "measure", "--limit", "100")
    everything = listed(town, "--limit", "100")
    assert len(measures) == 16
    numbers = sorted(int(entry["number"].partition("-")[2]) for entry in everything)
    assert numbers == list(range(1, 18))
    assert {entry["station"] for entry in measures if entry["measure"] == "p1-2-1"} == {"qingjieban"}


def test_an_application_goes_through_its_stages_and_a_skipped_one_is_on_record(town: System) -> None:
    async def stages() -> tuple[str, list[list[str]]]:
        async with duban(town.nats_url, "duban/tests") as system:
            found = await system.ask("ledger", "find", FindEntry(submission="test:1"), Found)
            key = found.entry or ""
            answers = [
                await done(system, CompleteStage(stage=stage), key, "minzheng")
                for stage in ("notice", "application", "investigation")
            ]
            return key, answers

    number, answers = asyncio.run(stages())
    moved = ["stage_completed", "stage_begun"]
    assert answers == [["command_refused"], moved, moved]
    assert "out_of_order" in ledger(town, "history", number)
    assert "appraisal" in ledger(town, "show", number)


def test_the_public_sees_the_stage_and_nothing_else(town: System) -> None:
    async def shown() -> Disclosed:
        async with duban(town.nats_url, "duban/tests") as system:
            return await system.ask("ledger", "disclosure", AskDisclosure(), Disclosed)

    disclosed = asyncio.run(shown())
    [application] = disclosed.applications
    assert (application.name, application.village) == ("最低生活保障", None)
    assert not any(
        hidden in disclosed.model_dump_json() for hidden in ("王小明", "2024-", "2026-0", "test:1")
    )


def test_a_recurring_measure_is_reported_for_its_village_and_day(town: System) -> None:
    [cleaning] = listed(town, "--of", "measure", "--text", "日产日清")

    async def report() -> list[str]:
        async with duban(town.nats_url, "duban/tests") as system:
            return await done(system, ReportOccurrence(village="dongcun"), cleaning["number"], "qingjieban")

    assert asyncio.run(report()) == ["command_refused"], "the first day is not counted"


def test_a_new_revision_changes_and_retires_measures(town: System, township: Charter) -> None:
    assert township.plan
    first, *others = township.plan.problems
    plan = township.plan.model_copy(update={"problems": tuple(others)})

    async def revise() -> tuple[list[str], EntryPage]:
        async with duban(town.nats_url, "duban/tests") as system:
            revision = await publish_charter(system.client, township.model_copy(update={"plan": plan}))
            answer = ["command_refused"]
            while answer == ["command_refused"]:  # until the ledger follows the new revision
                answer = await done(system, ApplyPlan(revision=revision), "plan/2024", "office")
            await system.caught_up()
            question = ListEntries(entry_kind="measure", statuses=("closed",))
            return answer, await system.ask("ledger", "list", question, EntryPage)

    answer, closed = asyncio.run(revise())
    gone = {measure.id for group in first.groups for measure in group.measures}
    assert answer == ["plan_applied"]
    assert {entry.measure for entry in closed.entries} == gone


def test_a_charter_applied_on_the_command_line_brings_its_plan_into_the_register(
    town: System, run: Run, tmp_path: Path
) -> None:
    shipped = (CHARTERS / "township-2024.yaml").read_text("utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text(shipped.replace("做群众的知心人", "做群众的贴心人"), "utf-8")
    apply = ("--nats", town.nats_url, "charter", "apply", str(changed))
    assert run(*apply, "--format", "json").document["plan"] == "applied"
    assert "the measures of the plan are the same as before" in run(*apply).out
    until(lambda: listed(town, "--of", "measure", "--text", "做群众的贴心人"))


def test_why_a_measure_or_a_matter_is_due_is_told_on_the_command_line(town: System, run: Run) -> None:
    [application] = listed(town, "--of", "application")
    asked = run("--nats", town.nats_url, "why", application["number"])
    assert (asked.status, run("--nats", town.nats_url, "why", "2024-999999").status) == (0, 1)
    shown = run("--nats", town.nats_url, "ledger", "show", application["number"])
    assert "申请低保" in shown.out


def as_shown(cell: Any) -> str:
    match cell.value:
        case None:
            return ""
        case datetime():
            return str(cell.value.date())
        case str():
            return cell.value
        case share:
            return cell.number_format.split('"')[1] + f"{share:.0%}"


def test_the_paper_ledger_goes_to_a_spreadsheet_and_to_csv_with_every_entry(
    town: System, tmp_path: Path
) -> None:
    book, sheet = tmp_path / "ledger.xlsx", tmp_path / "ledger.csv"
    ledger(town, "export", "--format", "xlsx", "--out", str(book))
    ledger(town, "export", "--format", "csv", "--out", str(sheet))
    in_book = [[as_shown(cell) for cell in line] for line in load_workbook(book).active]
    with sheet.open(encoding="utf-8-sig", newline="") as lines:
        in_sheet = list(csv.reader(lines))
    assert in_book == in_sheet
    assert len(in_sheet) == 1 + 17
    cleaning = next(line for line in in_sheet if "日产日清" in line[4])
    assert cleaning[1:3] == ["为群众服务方面总体工作满意度低", "镇清洁办"]


def test_an_entry_that_is_not_there_and_a_filter_that_makes_no_sense_are_told(town: System) -> None:
    for words, status in (
        (("show", "2024-999999"), 1),
        (("history", "2024-999999"), 1),
        (("list", "--due-from", "soon"), 2),
        (("list", "--text", "x"), 2),
        (("export", "--format", "xlsx"), 2),
    ):
        assert CliRunner().invoke(app, words, obj=Session(town.nats_url)).exit_code == status


def test_a_filter_that_nobody_knows_is_refused_and_one_that_is_not_used_is_no_trouble(town: System) -> None:
    class Newer(ListEntries):
        colour: str | None = None

    async def asked(question: ListEntries) -> EntryPage:
        async with duban(town.nats_url, "duban/tests") as system:
            return await system.ask("ledger", "list", question, EntryPage)

    assert asyncio.run(asked(Newer())).entries
    with pytest.raises(Misasked, match=r"colour: there is no such field; this question knows station, "):
        asyncio.run(asked(Newer(colour="red")))


def test_a_station_that_the_charter_does_not_know_is_no_station_without_work(town: System) -> None:
    for name, option, value in (
        ("list", "--station", "qingjeban"),
        ("export", "--village", "dongcum"),
        ("hot", "--category", "roads"),
        ("disclosure", "--category", "living"),
    ):
        words = [name, option, value, "--format", "json"]
        refused = CliRunner().invoke(app, words, obj=Session(town.nats_url))
        assert refused.exit_code == 1
        said = json.loads(refused.stdout)["error"]["message"]
        assert f"{option[2:]}: the charter knows no {value!r}; use one of" in said


@pytest.fixture(scope="module")
def piled_up(town: System) -> System:
    """Three matters that are alike, and a conduct matter with the number of another."""

    async def submit() -> None:
        async with duban(town.nats_url, "duban/tests") as system:
            for n in "一二三":
                lamp = SubmitMatter(title=f"村口路灯不亮{n}天", category="rural_road", village="dongcun")
                await done(system, lamp, f"test:lamp-{n}", "gateway")
            await done(system, SubmitMatter(title="干部作风", category="conduct"), "test:conduct", "gateway")
            await system.caught_up()

    asyncio.run(submit())
    return town


def test_the_hot_list_shows_each_matter_of_a_pile_with_what_is_needed_to_judge(piled_up: System) -> None:
    shown = ledger(piled_up, "hot")
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines() if "路灯" in line]
    assert [row[-4] for row in rows] == ["村口路灯不亮一天", "村口路灯不亮二天", "村口路灯不亮三天"]
    assert [row[:-5] for row in rows] == [["rural_road", "dongcun", "3"], [], []]
    assert {(row[-3], row[-2]) for row in rows} == {("New village office", "open")}
    assert "3 matters since" in shown, "a conduct matter is not among them"
    assert "nowhere do similar matters pile up" in ledger(piled_up, "hot", "--at-least", "4")
    [pile] = json.loads(ledger(piled_up, "hot", "--category", "rural_road", "--format", "json"))["clusters"]
    assert (pile["size"], len(pile["members"])) == (3, 3)


def test_what_is_public_of_applications_is_told_on_the_command_line(piled_up: System, run: Run) -> None:
    shown = ledger(piled_up, "disclosure")
    assert "最低生活保障" in shown
    assert not any(hidden in shown for hidden in ("上村", "shangcun", "申请低保", "王小明", ":"))
    in_chinese = run("--nats", piled_up.nats_url, "--lang", "zh", "ledger", "disclosure")
    assert "环节" in in_chinese.out
    [application] = json.loads(ledger(piled_up, "disclosure", "--format", "json"))["applications"]
    assert set(application) == {"category", "name", "stage", "status", "since"}


def test_only_the_first_page_is_shown_and_says_how_to_go_on(piled_up: System) -> None:
    told = ledger(piled_up, "list", "--of", "matter", "--limit", "2")
    mark = told.rpartition("go on with --after ")[2].strip()
    rest = ledger(piled_up, "list", "--of", "matter", "--limit", "2", "--after", mark)
    assert len(re.findall(r"路灯不亮.天", told + rest)) == 3
    assert "--after" not in rest


def test_a_conduct_matter_is_shown_explained_and_remembered_for_the_office_only(
    piled_up: System, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_office() -> None:
        monkeypatch.setenv("DUBAN_ACTOR", "office")

    assert listed(piled_up, "--category", "conduct") == []
    as_office()
    [entry] = [each["number"] for each in listed(piled_up, "--category", "conduct")]
    for words in (("ledger", "show"), ("ledger", "history"), ("why",)):
        asked = ("--nats", piled_up.nats_url, *words, entry)
        as_office()
        assert run(*asked).status == 0
        monkeypatch.delenv("DUBAN_ACTOR")
        assert run(*asked).status == 1
    submitted = ("submit", "--title", "干部作风", "--category", "conduct", "--id", "test:another")
    told = run("--nats", piled_up.nats_url, *submitted)
    assert told.out.splitlines()[-1].endswith("more of it is shown to the office and the commission")


def test_an_entry_is_shown_in_the_operators_language(piled_up: System, run: Run) -> None:
    [lamp, *_] = listed(piled_up, "--text", "路灯不亮")
    shown = run("--nats", piled_up.nats_url, "--lang", "zh", "ledger", "show", lamp["number"]).out
    for words in ("具体情形", "尚未签收", "农村道路大中修", "东村", "求助", "普通"):
        assert words in shown
    assert not re.search(r"entry_kind|unsigned|dongcun", shown)


def test_what_is_overdue_can_be_asked_for(piled_up: System) -> None:
    assert listed(piled_up, "--overdue") == []
    words = ("list", "--overdue", "--status", "closed")
    refused = CliRunner().invoke(app, words, obj=Session(piled_up.nats_url))
    assert refused.exit_code == 1
    assert "only what is open or accepted can be overdue" in refused.output


@pytest.mark.case("C9")
def test_open_entries_are_listed_first_and_ended_ones_when_asked_for(piled_up: System) -> None:
    opened = {each["number"] for each in listed(piled_up, "--limit", "200")}
    everything = [each["number"] for each in listed(piled_up, "--all", "--limit", "200")]
    assert set(everything[: len(opened)]) == opened
    assert {each["status"] for each in listed(piled_up, "--all")} >= {"open"}
    one_by_one, mark = list[str](), list[str]()
    while True:
        page = json.loads(ledger(piled_up, "list", "--all", "--limit", "3", *mark, "--format", "json"))
        one_by_one += [each["number"] for each in page["entries"]]
        if "next" not in page:
            break
        mark = ["--after", page["next"]]
    assert one_by_one == everything


@pytest.mark.case("C9", "C8")
def test_lists_are_asked_for_by_name_kind_and_day(piled_up: System, township: Charter) -> None:
    lamp = listed(piled_up, "--text", "路灯不亮")[0]
    station = township.stations[lamp["station"]].name
    assert lamp in listed(piled_up, "--station", station, "--kind", "诉求")
    assert {each["entry_kind"] for each in listed(piled_up, "--kind", "matter")} == {"matter"}
    assert listed(piled_up, "--unassigned") == []
    assert listed(piled_up, "--due", "today", "--overdue") == []
    wrong = CliRunner().invoke(app, ["list", "--station", "路灯公司"], obj=Session(piled_up.nats_url))
    assert wrong.exit_code == 2


@pytest.mark.case("C4", "C5", "C10")
def test_a_list_and_an_entry_are_readable_on_80_columns(
    piled_up: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    number = listed(piled_up, "--text", "路灯不亮")[0]["number"]
    for words in (("list", "--of", "matter"), ("show", number)):
        told = ledger(piled_up, *words)
        assert "…" not in told
        assert number in told
        assert max(map(text_width, told.splitlines())) <= 80 or words[0] == "show"
