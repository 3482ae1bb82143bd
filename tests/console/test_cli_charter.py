"""`duban charter check`: every error at its line, every gap as a warning."""

from pathlib import Path

import pytest

from tests.conftest import CHARTERS
from tests.console.conftest import Run

TOWNSHIP = CHARTERS / "township-2024.yaml"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Two errors: an unknown station at line 94, and a number that is none at line 96."""
    lines = TOWNSHIP.read_text("utf-8").splitlines()
    assert lines[93].strip() == "lead: qingjieban"
    assert lines[95].strip() == "limit: {amount: 1}"
    lines[93], lines[95] = "    lead: qingjiban", "    limit: {amount: soon}"
    file = tmp_path / "broken.yaml"
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_a_valid_charter_passes_with_every_gap_as_a_warning_at_its_line(run: Run) -> None:
    ran = run("charter", "check", str(TOWNSHIP))
    assert ran.status == 0
    place = 1 + TOWNSHIP.read_text("utf-8").splitlines().index("    - id: p1")
    assert f"{TOWNSHIP}:{place}: warning: plan.problems[0]: problem 'p1' has no responsible leader" in ran.out
    assert "is a valid charter with 28 gaps" in ran.out


def test_every_error_is_told_at_its_line_and_the_status_is_1(run: Run, broken: Path) -> None:
    ran = run("charter", "check", str(broken))
    assert ran.status == 1
    assert f"{broken}:94: error: categories.garbage.lead: unknown station 'qingjiban'" in ran.out
    assert f"{broken}:96: error: categories.garbage.limit.amount" in ran.out
    assert "2 errors" in ran.err


def test_programs_get_one_document_with_lines_and_paths(run: Run, broken: Path) -> None:
    ran = run("charter", "check", str(broken), "--format", "json")
    assert ran.status == 1
    assert ran.document["valid"] is False
    assert [each["line"] for each in ran.document["errors"]] == [94, 96]
    assert run("charter", "check", str(TOWNSHIP), "--format", "json").document["valid"] is True


def test_a_charter_with_errors_is_not_applied_even_when_nothing_runs(run: Run, broken: Path) -> None:
    assert run("charter", "apply", str(broken)).status == 1


def test_a_file_that_is_not_there_is_misuse(run: Run, tmp_path: Path) -> None:
    for command in ("check", "apply"):
        ran = run("charter", command, str(tmp_path / "none.yaml"), "--format", "json")
        assert ran.status == 2
        assert ran.document["error"]["code"] == "misuse"
    assert run("charter", "check", str(tmp_path)).status == 2


def test_the_options_of_every_command_may_stand_anywhere(run: Run) -> None:
    ran = run("charter", "check", str(TOWNSHIP), "--lang", "zh", "--nats=nats://127.0.0.1:1")
    assert "是有效的章程，有 28 处未落实" in ran.out
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
