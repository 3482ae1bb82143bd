"""`duban import` against the running system: complete, repeatable, and mendable."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from duban_contracts.intake import IntakeCommandRefused, MatterAccepted, MatterIncomplete
from services.chassis.charter_bucket import published_charter
from services.console.client import duban
from services.console.importing.command import Job, Summary, imported, prepared, rehearsed
from services.console.system import System

COLUMNS = ("id", "what", "where", "state", "in", "planned", "out")
CASES = 600
PATIENCE = 60.0


def the_map(feed: str) -> dict[str, Any]:
    return {
        "feed": feed,
        "timezone": "Asia/Shanghai",
        "columns": {
            "id": "id",
            "title": "what",
            "category": "what",
            "village": "where",
            "status": "state",
            "submitted_at": "in",
            "due_on": "planned",
            "closed_at": "out",
        },
        "date_formats": ["%Y-%m-%d %H:%M", "%Y-%m-%d"],
        "statuses": {"done": {"closed": True, "outcome": "solved"}, "open": {"closed": False}},
    }


def a_case(number: int, **changes: str) -> dict[str, str]:
    state = {"state": "done", "out": "2024-03-05 10:00"} if number % 3 else {"state": "open", "out": ""}
    rest = {"in": "2024-03-01 09:00", "planned": "2024-03-04"}
    return {"id": f"A-{number}", "what": "garbage", "where": "dongcun"} | state | rest | changes


Write = Callable[..., Job]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the cases, of a feed that no other test uses, and makes them ready to be imported."""
    feed = f"feed-{uuid4().hex[:8]}"
    (tmp_path / "map.yaml").write_text(json.dumps(the_map(feed)), encoding="utf-8")

    def written(*cases: dict[str, str]) -> Job:
        path = tmp_path / "cases.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(cases)
        return prepared(path, tmp_path / "map.yaml", None)

    return written


async def run(system: System, job: Job) -> Summary:
    async with duban(system.nats_url) as connection:
        return await imported(connection, job, PATIENCE, lambda _done: None)


def counts(summary: Summary) -> tuple[int, int, int]:
    assert summary.stalled is None
    return summary.tally.imported, summary.tally.already_there, summary.tally.refused


def refused_rows(job: Job) -> list[dict[str, str]]:
    with job.refused.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def facts(system: System, job: Job, id_: str) -> list[str]:
    """The types of what intake told in answer to the row."""
    key = f"{job.map.feed}:{id_}"
    async with duban(system.nats_url) as connection:
        answers = await connection.answers("intake", [(key, f"import:{key}")], job.map.actor)
    return [fact.type for answer in answers.values() for fact in answer.facts]


async def test_every_case_comes_in_and_a_second_run_changes_nothing(system: System, write: Write) -> None:
    job = write(*(a_case(number) for number in range(CASES)))
    assert counts(await run(system, job)) == (CASES, 0, 0)
    assert counts(await run(system, job)) == (0, CASES, 0)
    assert MatterAccepted.type in await facts(system, job, f"A-{CASES - 1}")


async def test_a_run_that_broke_off_is_continued_by_the_next(system: System, write: Write) -> None:
    await run(system, write(*(a_case(number) for number in range(0, 40, 2))))
    job = write(*(a_case(number) for number in range(40)))
    assert counts(await run(system, job)) == (20, 20, 0)


async def test_what_intake_refuses_is_a_refused_row_until_it_is_mended(system: System, write: Write) -> None:
    job = write(a_case(1), a_case(2, where="atlantis"))
    first = await run(system, job)
    assert counts(first) == (1, 0, 1)
    assert first.refused_by_reason == {"unknown_village": 1}
    (row,) = refused_rows(job)
    assert (row["id"], row["reason_code"], "atlantis" in row["reason"]) == ("A-2", "unknown_village", True)
    assert IntakeCommandRefused.type in await facts(system, job, "A-2")

    assert counts(await run(system, job)) == (0, 1, 1)

    mended = write(a_case(1), a_case(2))
    assert counts(await run(system, mended)) == (1, 1, 0)
    assert not job.refused.exists()
    assert counts(await run(system, mended)) == (0, 2, 0)


async def test_an_open_case_that_lacks_material_is_a_refused_row_that_says_what(
    system: System, write: Write
) -> None:
    job = write(a_case(3, what="medical_reimbursement", state="open", out=""))
    assert (await run(system, job)).refused_by_reason == {"matter_incomplete": 1}
    assert (await run(system, job)).refused_by_reason == {"matter_incomplete": 1}
    assert MatterIncomplete.type in await facts(system, job, "A-3")


@pytest.mark.case("C13")
async def test_a_dry_run_promises_what_the_real_run_does(system: System, write: Write) -> None:
    job = write(
        a_case(1),
        a_case(2, where="atlantis"),
        a_case(3, what="medical_reimbursement", state="open", out=""),
        a_case(4, planned="9999-12-31"),
        a_case(5, out="2024-02-01 10:00"),
        a_case(6, what="atlantis"),
    )
    async with duban(system.nats_url) as connection:
        charter = await published_charter(connection.client)
        promised = await rehearsed(job, charter, connection, lambda _done: None)
        real = await run(system, job)
        again = await rehearsed(job, charter, connection, lambda _done: None)
    assert promised.refused_by_reason == real.refused_by_reason
    assert (promised.tally.would_be_sent, promised.tally.already_there) == (real.tally.imported, 0)
    assert (again.tally.would_be_sent, again.tally.already_there) == (0, real.tally.imported)
