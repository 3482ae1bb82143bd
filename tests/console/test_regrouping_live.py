"""A matter under the wrong category, and one that came twice, through the running system."""

from typing import Any
from uuid import uuid4

import pytest

from services.console.system import System
from tests.console.conftest import Run
from tests.waiting import until

pytestmark = pytest.mark.case("A9")


@pytest.fixture
def duban(run: Run, system: System, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DUBAN_NATS_URL", system.nats_url)
    return run


def submitted(duban: Run, title: str, category: str, submission: str) -> str:
    ran = duban(
        "submit", "--title", title, "--category", category, "--village", "xicun", "--id", submission,
        "--format", "json",
    )  # fmt: skip
    return str(ran.document["entry"]["entry"])


def shown(duban: Run, number: str) -> dict[str, Any]:
    return duban("ledger", "show", number, "--format", "json").document


def history(duban: Run, number: str) -> list[str]:
    facts = duban("ledger", "history", number, "--format", "json").document["facts"]
    return [fact["type"].split(".")[2] for fact in facts]


def test_a_matter_is_reclassified_suspected_merged_and_closed_with_the_earlier_one(duban: Run) -> None:
    def do(command: str, key: str, actor: str, *fields: str) -> Any:
        given = [word for field in fields for word in ("--field", field)]
        return duban("do", command, "--key", key, "--actor", actor, *given)

    place = uuid4().hex[:12]
    first = submitted(duban, f"路面塌陷积水 {place}", "garbage", f"test:{place}-1")

    # Garbage that turns out to be a road: the station may not say so, the office may.
    assert (
        do("reclassify_matter", first, "qingjieban", "category=rural_road", "reason=不是我们的").status == 1
    )
    ran = do("reclassify_matter", first, "office", "category=rural_road", "reason=是村道塌陷")
    assert ran.status == 0
    assert "is reclassified from garbage to rural_road by office" in ran.out
    assert shown(duban, first)["station"] == "xincunban"
    assert shown(duban, first)["reclassified_from"] == "garbage"
    why = duban("why", first).out
    assert "reclassified from garbage to rural_road" in why
    assert "the whole new limit from then on" in why

    # The same thing again: a hint, and nothing more.
    second = submitted(duban, f"路面塌陷积水 {place}", "rural_road", f"test:{place}-2")
    assert history(duban, second) == ["entry_opened", "duplicate_suspected"]
    assert first in shown(duban, second)["resembles"]

    # Merged into the earlier one, never the other way round.
    assert do("merge_matter", first, "office", f"into={second}", "reason=同一处").status == 1
    assert do("merge_matter", second, "office", f"into={first}", "reason=同一处").status == 0
    assert (shown(duban, second)["status"], shown(duban, second)["merged_into"]) == ("closed", first)
    until(lambda: shown(duban, first).get("merged") == [second])
    assert "no station is timed" in duban("why", second).out

    # Struck off together; both petitioners are asked to rate.
    assert do("resolve", first, "xincunban", "outcome=solved", "answer=已回填修复").status == 0
    assert do("verify", first, "office", "passed=true").status == 0
    until(lambda: shown(duban, second)["status"] == "struck_off")
    assert shown(duban, second)["note"] == "已回填修复"
    assert history(duban, second)[-2:] == ["matter_merged", "entry_struck_off"]
    rated = ("do", "rate", "--key", f"{second}/1", "--actor", "gateway", "--field", "level=5")
    until(lambda: duban(*rated).status == 0)
    assert duban(*rated).status == 1  # once
