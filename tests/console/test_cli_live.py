"""The command line against the running system: what operators do in a day."""

from pathlib import Path
from uuid import uuid4

import pytest

from duban_contracts.charter import Charter
from duban_contracts.message import SERVICES
from services.console import history
from services.console.system import System
from tests.conftest import CHARTERS
from tests.console.conftest import Ran, Run
from tests.waiting import until

TOWNSHIP = str(CHARTERS / "township-2024.yaml")


@pytest.fixture
def duban(run: Run, system: System, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DUBAN_NATS_URL", system.nats_url)
    return run


def submitted(duban: Run, *more: str) -> Ran:
    return duban("submit", "--title", "rubbish not collected", "--category", "garbage", *more)


def entry_of(ran: Ran) -> str:
    return str(ran.document["entry"]["entry"])


def test_a_charter_is_applied_and_followed_and_the_same_one_is_no_new_revision(duban: Run) -> None:
    first = duban("charter", "apply", TOWNSHIP, "--format", "json")
    assert first.status == 0
    assert first.document["services"] == dict.fromkeys(SERVICES, first.document["revision"])
    again = duban("charter", "apply", TOWNSHIP)
    assert f"published as revision {first.document['revision']}" in again.out
    assert "escalation: follows it" in again.out
    assert "ledger: the measures of the plan are" in again.out


def test_provisioning_again_changes_nothing(duban: Run) -> None:
    assert duban("provision").status == 0
    assert duban("provision", "--format", "json").document == {"provisioned": True, "kept": []}


@pytest.mark.case("C13")
def test_a_proposed_map_has_the_names_of_the_charter_in_force(duban: Run, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("编号,受理日期,问题,类别\n1,2024/3/5,堵塞,公厕\n", encoding="utf-8")
    assert '"公厕": public_toilet' in duban("import", str(file), "--init").out
    assert '"公厕": ' in (left := duban("import", str(file), "--init", "--offline").out)
    assert "public_toilet" not in left


@pytest.mark.case("C16")
def test_doctor_finds_a_running_system_well(duban: Run, township: Charter) -> None:
    ran = duban("doctor", "--format", "json")
    checks = {check["name"]: check for check in ran.document["checks"]}
    assert {"server", "charter", "actor", *SERVICES, "clock"} == set(checks)
    assert [check for check in checks.values() if not check["ok"]] == []
    assert ran.status == 0
    assert township.name in checks["charter"]["said"]


@pytest.mark.case("C16")
def test_doctor_says_what_to_do_about_an_actor_that_nobody_knows(
    duban: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_ACTOR", "nobody")
    ran = duban("doctor")
    assert ran.status == 4
    assert "WRONG  actor" in ran.out
    assert "DUBAN_ACTOR" in ran.out


def test_a_submission_is_accepted_with_its_limit_and_numbered_with_its_due_date(duban: Run) -> None:
    ran = submitted(duban, "--village", "dongcun", "--name", "Zhang San", "--phone", "13800000000")
    assert ran.status == 0
    assert "Cleaning office handles it, limit 1 working day(s)" in ran.out
    assert "due " in ran.out.splitlines()[-1]
    assert ran.out.splitlines()[-1].startswith("entry 20")
    assert "Zhang San" not in ran.out


def test_the_same_submission_sent_twice_is_one_entry(duban: Run) -> None:
    words = ("--id", f"hotline:{uuid4()}", "--format", "json")
    assert entry_of(submitted(duban, *words)) == entry_of(submitted(duban, *words))


@pytest.mark.case("C12")
def test_everything_missing_is_told_at_once(duban: Run, township: Charter) -> None:
    category, required = next(
        (token, each.required) for token, each in township.categories.items() if each.required
    )
    ran = duban("submit", "--title", "t", "--category", category)
    assert ran.status == 1
    assert all(material in ran.out for material in required)


def test_a_refusal_is_told_with_its_code_and_sentence_and_status_1(duban: Run) -> None:
    ran = duban("submit", "--title", "t", "--category", "nonsense")
    assert ran.status == 1
    assert "unknown_category" in ran.out
    assert "nonsense" in ran.out


def test_a_station_accepts_and_another_is_refused(duban: Run) -> None:
    entry = entry_of(submitted(duban, "--format", "json"))
    refused = duban("do", "accept", "--key", entry, "--actor", "bianmin", "--format", "json")
    assert (refused.status, refused.document["refused"]) == (1, True)
    assert refused.document["facts"][-1]["data"]["reason"] == "not_the_handler"
    accepted = duban("do", "accept", "--key", entry, "--actor", "qingjieban")
    assert accepted.status == 0
    assert f"entry {entry} is accepted by Cleaning office" in accepted.out


@pytest.mark.case("C2")
def test_a_command_about_an_order_is_answered_without_waiting_in_vain(duban: Run) -> None:
    words = ("--field", "order=bianmin-1999-1", "--field", "answer=done", "--wait", "20")
    ran = duban("do", "answer_order", "--key", "bianmin-1999-1", "--actor", "bianmin", *words)
    assert (ran.status, ran.err) == (1, "")
    assert "no_such_order" in ran.out


@pytest.mark.case("C2")
def test_passing_time_is_done_when_the_service_has_taken_it(duban: Run) -> None:
    ran = duban("do", "ledger.pass_time", "--key", "clock", "--actor", "import", "--wait", "20")
    assert (ran.status, ran.err) == (0, "")


def test_a_command_under_the_same_id_is_answered_the_same(duban: Run) -> None:
    entry = entry_of(submitted(duban, "--format", "json"))
    words = (
        "do",
        "accept",
        "--key",
        entry,
        "--actor",
        "qingjieban",
        "--id",
        str(uuid4()),
        "--format",
        "json",
    )
    assert duban(*words).document == duban(*words).document


def test_a_command_that_is_not_answered_in_time_is_told_to_be_stored(duban: Run) -> None:
    words = ("do", "accept", "--key", "2024-999999", "--actor", "qingjieban", "--id", f"late-{uuid4()}")
    ran = duban(*words, "--wait", "0")
    assert ran.status == 3
    assert f"ledger.accept is stored as {words[-1]}" in ran.err


def test_the_laggard_report_has_a_row_for_each_station_in_every_form(duban: Run, township: Charter) -> None:
    stations = township.stations
    report = duban("report", "laggards", "--format", "json").document
    assert {row["station"] for row in report["rows"]} == set(stations)
    lines = duban("report", "laggards", "--format", "csv", "--lang", "zh").out.splitlines()
    assert lines[0].startswith("单位,交办,按时办结,超期办结,未办结,办结率,按时办结率,不满意,不满意率")
    assert len(lines) == 1 + len(stations)
    assert any(line.startswith("镇农医所,0,0,0,0,–,–,0,–") for line in lines)
    assert "Rural medical" in duban("report", "laggards").out


def test_the_report_is_written_to_a_file_that_spreadsheets_read(duban: Run, tmp_path: Path) -> None:
    file = tmp_path / "circular.csv"
    ran = duban("report", "laggards", "--format", "csv", "--out", str(file))
    assert (ran.status, ran.out) == (0, "")
    assert file.read_bytes().startswith(b"\xef\xbb\xbfStation,Dispatched")
    assert duban("report", "laggards", "--out", str(tmp_path)).status == 2


@pytest.mark.case("C8")
def test_names_on_screen_are_understood_and_listed(duban: Run, township: Charter) -> None:
    listed = duban("list", "stations", "--format", "json").document["stations"]
    assert {each["token"] for each in listed} == set(township.stations)
    entry = entry_of(submitted(duban, "--format", "json"))
    name = township.stations["qingjieban"].name
    assert duban("do", "accept", entry, "--actor", name).status == 0
    unknown = duban("do", "add_co_handler", entry, "--actor", "office", "station=便民")
    assert unknown.status == 2
    assert "did you mean bianmin" in unknown.err


@pytest.mark.case("C8")
def test_the_charter_in_force_is_shown_compared_and_its_revisions_are_told(duban: Run) -> None:
    assert duban("charter", "show").status == 0
    assert duban("charter", "show", "stations.bianmin", "--format", "json").document["name"]
    assert "nothing differs" in duban("charter", "diff", TOWNSHIP).out
    told = duban("charter", "history", "--format", "json").document
    assert told["complete"] is True
    assert int(told["revisions"][0]["revision"]) >= 1


@pytest.mark.case("C10")
def test_the_history_of_a_key_comes_from_every_service_that_knows_it(duban: Run) -> None:
    entry = entry_of(submitted(duban, "--format", "json"))
    told = duban("history", entry.partition("-")[2].lstrip("0"), "--format", "json").document
    assert told["key"] == entry
    assert told["facts"][0]["type"] == "duban.ledger.entry_opened.v1"
    assert duban("history", "nothing:like-it").status == 1


@pytest.mark.case("C8")
def test_names_are_understood_wherever_a_token_is(duban: Run) -> None:
    brought = ("submit", "--title", "东村路口垃圾", "--id", f"names:{uuid4().hex}")
    called = ("--category", "生活垃圾收集转运", "--village", "东村")
    told = duban(*brought, *called, "--actor", "便民服务中心窗口和热线")
    assert told.status == 0, told.err
    assert "matter_accepted" in told.out
    assert duban("ledger", "hot", *called).status == 0
    assert duban("ledger", "disclosure", "--category", "最低生活保障").status == 0
    wrong = duban(*brought, "--category", "garbage", "--village", "东村委")
    assert wrong.status == 2
    assert "dongcun" in wrong.err


@pytest.mark.case("C8")
def test_who_asks_is_understood_by_name(duban: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(submitted(duban, "--name", "王小明", "--format", "json"))
    short = entry.partition("-")[2].lstrip("0")
    asked = ("petitioner", short, "--actor", "镇清洁办", "--reason", "回访")
    told = until(lambda: (ran := duban(*asked)).status == 0 and ran)  # intake hears of it later
    assert "王小明" in told.out
    monkeypatch.setenv("DUBAN_ACTOR", "镇清洁办")
    assert duban("ledger", "list").status == 0
    monkeypatch.setenv("DUBAN_ACTOR", "镇清洁")
    unknown = duban("ledger", "list")
    assert (unknown.status, "qingjieban" in unknown.err) == (2, True)


@pytest.mark.case("C8")
@pytest.mark.parametrize(
    ("typed", "key"), [("镇清洁办", "qingjieban"), ("bianmin", "bianmin"), ("热线:4711", "热线:4711")]
)
def test_a_history_is_asked_for_by_name_too(township: Charter, typed: str, key: str) -> None:
    assert history.key_of(township, typed) == key


def test_a_matter_is_the_same_in_full_width_characters(duban: Run) -> None:
    name = f"hotline:{uuid4().int % 10**6}"
    full = name.replace(":", "：").translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    entry = entry_of(submitted(duban, "--id", name, "--format", "json"))
    assert entry_of(submitted(duban, "--id", full, "--format", "json")) == entry
    number = "".join(chr(ord(each) + 0xFEE0) for each in entry)
    assert duban("ledger", "show", number).status == 0
    assert duban("history", full).out == duban("history", name).out


@pytest.mark.parametrize("day", ["2024-05-01", "2190-05-01"])
def test_the_laggard_report_of_another_day_is_refused(duban: Run, day: str) -> None:
    ran = duban("report", "laggards", "--at", f"{day}T09:00:00+08:00")
    assert (ran.status, ran.out) == (2, "")
    assert f"{day} 09:00 is not today" in ran.err


def test_a_time_that_would_not_be_believed_is_refused_before_it_is_sent(duban: Run) -> None:
    at = ("--at", "2024-05-01T09:00:00+08:00")
    ran = submitted(duban, "--actor", "gateway", *at)
    assert ran.status == 1
    assert "--at is not believed of gateway" in ran.err
    assert submitted(duban, "--actor", "import", *at).status == 0
