"""The plan's measures, an application and the paper ledger, through the whole running system."""

import asyncio
import csv
import json
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
from duban_contracts.queries import FindEntry, Found
from duban_contracts.reading import AskDisclosure, Disclosed, EntryPage, ListEntries
from duban_contracts.supervision import StartCampaign
from services.chassis.charter_bucket import publish_charter
from services.chassis.queries import AnswerGiven
from services.console.client import Duban, Order, duban
from services.console.ledger_commands import app
from services.console.system import System, running_system
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
