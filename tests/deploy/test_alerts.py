"""The alert rules name metrics that exist, with labels that they have, and say what to do."""

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from duban_contracts.message import SERVICES
from services.chassis import metrics
from services.console.system import System
from tests.waiting import until

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yml"
README = Path(metrics.__file__).with_name("README.md")
RULES = [rule for group in YAML(typ="safe").load(ALERTS)["groups"] for rule in group["rules"]]

GUIDE = ALERTS.with_name("README.md").read_text("utf-8")
SCRAPED = YAML(typ="safe").load(re.search(r"```yaml\n(rule_files.*?)```", GUIDE, re.S)[1])["scrape_configs"][
    0
]


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
    names = exposed() | {"up": {"job", "instance"}}
    used = set(re.findall(r"\b(?:duban_[a-z_]+|up\b)", rule["expr"]))
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


def test_a_service_that_is_gone_is_told():
    """Nothing else fires then: what is not there is neither 0 nor 1."""
    gone = next(rule["expr"] for rule in RULES if rule["alert"] == "DubanGone")
    assert re.findall(r'absent\(duban_ready\{service="(\w+)"\}\)', gone) == list(SERVICES)
    down = next(rule["expr"] for rule in RULES if rule["alert"] == "DubanTargetDown")
    assert down == f'up{{job="{SCRAPED["job_name"]}"}} == 0'


def test_the_guide_scrapes_every_service():
    targets = [target for each in SCRAPED["static_configs"] for target in each["targets"]]
    assert targets == [f"{service}:8080" for service in SERVICES]


def test_the_first_event_of_a_counter_is_an_increase(system: System):
    """It is, where the counter was there before with nought."""
    grow = {name for rule in RULES for name in re.findall(r"increase\((\w+)\[", rule["expr"])}
    assert grow
    url = system["ledger"].http_url + "/metrics"
    actors = {"office", "qingjieban", "import", "unknown"}

    def begun() -> bool:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        there = set(re.findall(r"^(duban_\w+)\{.*\} \d", text, re.M))
        senders = re.findall(r'^duban_unreadable_commands_total\{actor="(\w+)"', text, re.M)
        return grow <= there and actors <= set(senders)

    until(begun, 30)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_promtool_accepts_the_rules():
    subprocess.run(["promtool", "check", "rules", ALERTS], check=True, timeout=60)
