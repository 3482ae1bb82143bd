"""What the chassis's README says is all there: the tests behind its promises, its settings, its metrics."""

import ast
import re
from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from services.chassis import metrics
from services.chassis.settings import Settings
from tests.docs.shown import ROOT

CHASSIS = ROOT / "services" / "chassis" / "README.md"
CONSOLE = ROOT / "services" / "console" / "README.md"
DEPLOY = ROOT / "deploy" / "README.md"


def section(document: Path, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", document.read_text("utf-8"), re.M | re.S)
    assert found, f"{document} has no section {title!r}"
    return found[1]


def rows(document: Path, title: str) -> list[list[str]]:
    """The cells of a section's table, without its heading."""
    lines = [line for line in section(document, title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


TEST = re.compile(r"`(test_\w+)`")
PROMISES = [(promise, TEST.findall(tests)) for promise, tests in rows(CHASSIS, "What it promises")]


def functions_of_all_tests() -> set[str]:
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.fixture(scope="module")
def functions():
    return functions_of_all_tests()


def test_the_chassis_makes_the_promises_of_the_design():
    assert len(PROMISES) > 25
    assert all(tests for _, tests in PROMISES), [promise for promise, tests in PROMISES if not tests]


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[promise[:60] for promise, _ in PROMISES])
def test_every_promise_has_a_test(promise, tests, functions):
    assert [name for name in tests if name not in functions] == []


def test_every_other_test_that_a_document_names_exists(functions):
    documents = [CHASSIS, *sorted((ROOT / "docs").rglob("*.md"))]
    named = {name for path in documents for name in TEST.findall(path.read_text("utf-8"))}
    assert named - functions == set()


def test_every_setting_is_listed_with_its_default():
    listed = {name.strip("`"): default.strip("`") for name, default, _ in rows(CHASSIS, "Settings")}
    fields = {
        f"DUBAN_{name.upper()}": "" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert listed == fields


def test_every_variable_that_the_code_reads_is_listed_somewhere():
    read = {
        name
        for path in (ROOT / "services").rglob("*.py")
        for name in re.findall(r"\bDUBAN_[A-Z_]+\b", path.read_text("utf-8"))
    }
    services = {name.strip("`") for name, *_ in rows(CHASSIS, "Settings")}
    console = {name.strip("`") for name, *_ in rows(CONSOLE, "Settings")}
    deployment = set(re.findall(r"`(DUBAN_[A-Z_]+)`", " ".join(row[0] for row in rows(DEPLOY, "Settings"))))
    assert read - services - console - deployment == set()
    assert console <= read


def test_every_metric_is_listed_with_its_labels():
    made = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric.describe()[0].name
            made[f"{name}_total" if isinstance(metric, Counter) else name] = ", ".join(metric._labelnames)
    assert {name.strip("`"): labels.replace("`", "") for name, labels, _ in rows(CHASSIS, "Metrics")} == made
