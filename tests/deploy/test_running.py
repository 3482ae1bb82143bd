"""The five services do their work under exactly the credentials that a deployment gives them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.console.system import System
from tests.conftest import CHARTERS
from tests.console.conftest import Ran, Run, run
from tests.deploy.conftest import GuardedNats, guarded_system
from tests.waiting import until

__all__ = ["guarded_system", "run"]  # fixtures


@pytest.fixture
def as_user(guarded_system: System, run: Run) -> Any:
    """Run `duban` with somebody's credential."""

    def duban(user: str, *arguments: str) -> Ran:
        return run("--nats", guarded_system.nats.url_for(user), *arguments)

    return duban


def test_a_matter_goes_from_the_gateway_through_station_and_office_until_the_operators_see_it(
    as_user: Any,
) -> None:
    submitted = as_user(
        *("gateway", "submit", "--title", "村口垃圾三天没有清运", "--category", "garbage"),
        *("--village", "dongcun", "--id", "hotline:1", "--format", "json"),
    )
    assert submitted.status == 0, submitted.err
    entry = submitted.document["entry"]["entry"]
    for user, *command in (
        ("qingjieban", "accept"),
        ("qingjieban", "resolve", "--field", "answer=已清运"),
        ("office", "verify", "--field", "passed=true"),
    ):
        done = as_user(user, "do", *command, "--key", entry, "--actor", user)
        assert done.status == 0, done.err
    until(lambda: _closed(as_user("operator", "report", "laggards", "--format", "json")) == 1)


def test_a_station_reads_the_register_and_only_office_and_commission_its_conduct_matters(
    as_user: Any,
) -> None:
    def submitted(category: str, name: str) -> str:
        matter = ("--title", "路灯不亮", "--category", category, "--id", name, "--format", "json")
        return str(as_user("gateway", "submit", *matter).document["entry"]["entry"])

    def read(user: str, entry: str) -> set[int]:
        asked = (("ledger", "show"), ("ledger", "history"), ("why",))
        return {as_user(user, *words, entry).status for words in asked}

    plain, conduct = submitted("rural_road", "hotline:3"), submitted("conduct", "hotline:4")
    until(lambda: "路灯不亮" in as_user("qingjieban", "ledger", "list", "--category", "rural_road").out)
    for user in ("qingjieban", "leader"):
        assert read(user, plain) == {0}, "of every station"
        assert read(user, conduct) == {1}
        assert as_user(user, "ledger", "list", "--category", "conduct", "--format", "json").document == {
            "entries": []
        }
    for user in ("office", "discipline"):
        assert read(user, conduct) == {0}


def _closed(report: Ran) -> int:
    rows = {row["station"]: row for row in report.document["rows"]}
    return int(rows["qingjieban"]["closed_on_time"])


@pytest.mark.parametrize("user", ["operator", "office", "leader", "discipline"])
def test_who_has_to_decide_watches_where_every_station_stands(as_user: Any, user: str) -> None:
    watched = as_user(user, "watch", "--once", "--format", "json")
    assert watched.status == 0, watched.err


def test_the_feed_of_past_cases_comes_in(as_user: Any, tmp_path: Path) -> None:
    answered = as_user("import", "do", "intake.submit_matter", *_past("hotline:2"), "--format", "json")
    assert answered.status == 0, answered.err


def _past(key: str) -> list[str]:
    body = {"title": "路灯不亮", "category": "garbage"}
    fields = [f"--field={name}={value}" for name, value in body.items()]
    return ["--key", key, "--actor", "import", *fields]


@pytest.mark.case("B16")
def test_provisioning_and_publishing_again_does_no_harm_and_each_has_its_credential(as_user: Any) -> None:
    assert as_user("provision", "provision").status == 0
    refused = as_user("admin", "provision")
    assert (refused.status, "may not publish to" in refused.err) == (1, True), refused.err
    applied = as_user("admin", "charter", "apply", str(CHARTERS / "township-2024.yaml"), "--format", "json")
    assert applied.status == 0, applied.err
    assert set(applied.document["services"].values()) == {1}
    assert applied.document["plan"] == "as_published", "no step for a plan that did not change"


def test_no_service_is_refused_anything(guarded_system: System, guarded: GuardedNats) -> None:
    """The server's log would tell, with the name that the process gives its connection."""
    for user in ("intake", "ledger", "rating", "supervision", "escalation"):
        assert urlsplit(guarded.url_for(user)).username == user
        assert guarded_system[user].ready, guarded_system[user].report()
    log = (guarded.home / "nats-server.log").read_text("utf-8")
    refused = [line for line in log.splitlines() if "Violation" in line and ":duban-" in line]
    assert not refused, refused
