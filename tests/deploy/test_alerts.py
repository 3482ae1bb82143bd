"""The alert rules name metrics that exist, with labels that they have, and say what to do."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from services.chassis import metrics

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yml"
README = Path(metrics.__file__).with_name("README.md")
RULES = [rule for group in YAML(typ="safe").load(ALERTS)["groups"] for rule in group["rules"]]


def exposed() -> dict[str, set[str]]:
    """Labels by name of each metric of ours, as Prometheus sees it."""
    ours = [each for each in vars(metrics).values() if hasattr(each, "_labelnames")]
    counters = {f"{each._name}_total" for each in ours if each._type == "counter"}
    return {
        f"{each._name}_total" if f"{each._name}_total" in counters else each._name: set(each._labelnames)
        for each in ours
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_and_labels_that_exist_and_what_to_do(rule):
    names = exposed()
    used = set(re.findall(r"\bduban_[a-z_]+", rule["expr"]))
    assert used
    assert used <= names.keys()
    labels = set.union(*(names[name] for name in used))
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= labels
    assert set(re.findall(r"\b(?:by|on) \((\w+)\)", rule["expr"])) <= labels
    assert len(rule["annotations"]["runbook"].split()) > 6
    assert rule["labels"]["severity"] in ("info", "warning", "critical")


def test_every_metric_is_described_in_the_readme_with_its_labels():
    described = dict(re.findall(r"^\| `(duban_\w+)` \| (.*?) \|", README.read_text("utf-8"), re.M))
    assert described.keys() == exposed().keys()
    for name, labels in exposed().items():
        assert set(re.findall(r"`(\w+)`", described[name])) == labels, name


def test_alert_names_are_unique():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_promtool_accepts_the_rules():
    subprocess.run(["promtool", "check", "rules", ALERTS], check=True, timeout=60)
