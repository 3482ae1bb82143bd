"""`duban charter check`: every error at its line, every gap as a warning."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from duban_contracts.charter import Charter
from services.chassis.charter_file import read_charter
from tests.conftest import CHARTERS
from tests.console.conftest import Run

TOWNSHIP = CHARTERS / "township-2024.yaml"
LEAD = 1 + TOWNSHIP.read_text("utf-8").splitlines().index("    lead: qingjieban")
LIMIT = LEAD + 2


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Two errors: an unknown station at line LEAD, and a number that is none at line LIMIT."""
    lines = TOWNSHIP.read_text("utf-8").splitlines()
    lines[LEAD - 1], lines[LIMIT - 1] = "    lead: qingjiban", "    limit: {amount: soon}"
    file = tmp_path / "broken.yaml"
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_a_valid_charter_passes_with_every_gap_as_a_warning_at_its_line(run: Run) -> None:
    ran = run("charter", "check", str(TOWNSHIP))
    assert ran.status == 0
    place = 1 + TOWNSHIP.read_text("utf-8").splitlines().index("    - id: p1")
    assert f"{TOWNSHIP}:{place}: warning: plan.problems[0]: problem 'p1' has no responsible leader" in ran.out
    assert "is a valid charter; gaps: 28" in ran.out


def test_every_error_is_told_at_its_line_and_the_status_is_2(run: Run, broken: Path) -> None:
    ran = run("charter", "check", str(broken))
    assert ran.status == 2
    assert f"{broken}:{LEAD}: error: categories.garbage.lead: unknown station 'qingjiban'" in ran.out
    assert f"{broken}:{LIMIT}: error: categories.garbage.limit.amount" in ran.out
    assert ran.err == f"errors in {broken}: 2\n"


def test_programs_get_one_document_with_lines_and_paths(run: Run, broken: Path) -> None:
    ran = run("charter", "check", str(broken), "--format", "json")
    assert ran.status == 2
    assert ran.document["valid"] is False
    assert [each["line"] for each in ran.document["errors"]] == [LEAD, LIMIT]
    assert run("charter", "check", str(TOWNSHIP), "--format", "json").document["valid"] is True


def test_a_charter_with_errors_is_not_applied_even_when_nothing_runs(run: Run, broken: Path) -> None:
    assert run("charter", "apply", str(broken)).status == 2


def test_a_file_that_is_not_there_is_misuse(run: Run, tmp_path: Path) -> None:
    for command in ("check", "apply"):
        ran = run("charter", command, str(tmp_path / "none.yaml"), "--format", "json")
        assert ran.status == 2
        assert ran.document["error"]["code"] == "misuse"
    assert run("charter", "check", str(tmp_path)).status == 2


def test_the_options_of_every_command_may_stand_anywhere(run: Run) -> None:
    ran = run("charter", "check", str(TOWNSHIP), "--lang", "zh", "--nats=nats://127.0.0.1:1")
    assert "是有效的章程；未落实：28 处" in ran.out
    assert run("--lang", "zh", "charter", "check", str(TOWNSHIP)).out == ran.out


def test_help_is_in_the_operators_language_too(run: Run) -> None:
    assert "登记一件诉求" in run("--help", "--lang", "zh").out
    assert "困难群众" in run("submit", "--help", "--lang", "zh").out
    assert "Submit a matter" in run("--help").out


def test_a_language_that_we_do_not_speak_is_misuse(run: Run) -> None:
    assert run("watch", "--lang", "tlh").status == 2


@pytest.mark.case("C11")
def test_findings_are_in_chinese_too_with_the_same_code_for_programs(run: Run, broken: Path) -> None:
    out = run("charter", "check", str(broken), "--lang", "zh").out
    assert "没有站所 'qingjiban'；是否指 'qingjieban'？" in out
    assert "必须是整数，不能是 'soon'" in out
    first = run("charter", "check", str(broken), "--lang", "zh", "--format", "json").document["errors"][0]
    assert (first["code"], first["params"]) == (
        "unknown_station",
        {"token": "qingjiban", "near": "qingjieban"},
    )
    assert "没有责任领导" in run("charter", "check", str(TOWNSHIP), "--lang", "zh").out


@pytest.mark.case("A14")
def test_a_new_charter_is_valid_at_once_and_holds_the_towns_names(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "town.yaml"
    names = ("--station", "cunjian=村建站", "--station", 'odd=He said: "yes" #1')
    assert run("charter", "new", str(file), "--township", "东镇: 一", *names).status == 0
    charter = read_charter(file)
    assert (charter.township, charter.document_mark) == ("东镇: 一", "东镇: 一督")
    assert {token: each.name for token, each in charter.stations.items()} == {
        "cunjian": "村建站",
        "odd": 'He said: "yes" #1',
    }
    assert {each.lead for each in charter.categories.values()} == {"cunjian", "odd"}
    assert run("charter", "check", str(file)).status == 0


@pytest.mark.case("A14")
def test_a_new_charter_needs_a_town_and_replaces_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "town.yaml"
    assert run("charter", "new", str(file)).status == 2
    assert run("charter", "new", str(file), "--township", " ").status == 2
    assert run("charter", "new", str(file), "--township", "东镇", "--station", "村建站").status == 2
    assert not file.exists()
    assert run("charter", "new", str(file), "--township", "东镇").status == 0
    assert run("charter", "new", str(file), "--township", "西镇").status == 2
    assert read_charter(file).township == "东镇"
    assert run("charter", "new", str(file), "--township", "西镇", "--force").status == 0


@pytest.mark.case("A14")
def test_the_numbers_of_the_template_are_the_defaults(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "town.yaml"
    run("charter", "new", str(file), "--township", "东镇")
    told, silent = read_charter(file), Charter.model_validate(MINIMAL)

    def numbers(rules: BaseModel) -> object:
        return rules.model_copy(update={"source": "-"})

    for rung in ("reminder", "order", "circular", "leaders", "discipline", "recovered_after"):
        assert numbers(getattr(told.ladder, rung)) == numbers(getattr(silent.ladder, rung))
    assert numbers(told.rating) == numbers(silent.rating)
    assert numbers(told.hours) == numbers(silent.hours)
    assert told.actors == silent.actors
    without = {"source": "-", "handover": None, "extension": None, "hold": None}
    assert told.matters.model_copy(update=without) == numbers(silent.matters)


MINIMAL = {
    "name": "x",
    "township": "x",
    "stations": {"a": {"name": "x"}},
    "categories": {"b": {"name": "x", "lead": "a", "source": "x"}},
}
