"""Past cases come in whole, once, under every death there is."""

import json

import pytest

from services.chassis.charter_file import read_charter
from services.console.system import running_system
from tests.conftest import CHARTERS, SHARED_DATA
from tests.system.cases import counted, entries, importing, made_up_cases, report, reported, told
from tests.waiting import until

REAL = SHARED_DATA / "myla311-2020-01.csv"
MAP = CHARTERS / "myla311.map.yaml"
VICTIMS = ["intake", "ledger", "rating", "supervision", "escalation", "nats-server", "mongod"]
needs_data = pytest.mark.skipif(not REAL.exists(), reason="the sample data does not ship with the repository")


@pytest.fixture
def city(tmp_path):
    with running_system(read_charter(CHARTERS / "myla311.yaml"), logs=tmp_path) as system:
        yield system


def finish(process):
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    return json.loads(out)


def numbers(n):
    return [f"2020-{number:06d}" for number in range(1, n + 1)]


def kill(system, victim):
    """SIGKILL, and start again at once, as a supervisor would."""
    server = {"nats-server": system.nats, "mongod": system.mongo}.get(victim)
    if server:
        server.kill()
        server.start()
    else:
        child = system[victim].child
        child.kill()
        child.start()


@pytest.mark.faults
def test_a_death_of_anyone_in_the_middle_of_an_import_changes_no_count(city, tmp_path):
    cases = tmp_path / "cases.csv"
    made_up_cases(cases, 4_000)
    process = importing(city, cases, MAP, "--format", "json")
    for n, victim in enumerate(VICTIMS):
        until(lambda n=n: told(city) > n * 400 or process.poll() is not None)
        kill(city, victim)
    summary = finish(process)
    assert summary["imported"] + summary["already_there"] == 4_000
    assert reported(city) == counted(cases)
    assert entries(city) == numbers(4_000)


@needs_data
def test_the_real_cases_come_in_as_they_were_counted_and_two_ledgers_share_the_work(city):
    city.add("ledger")
    city.await_ready()
    summary = finish(importing(city, REAL, MAP, "--format", "json"))
    assert (summary["imported"], summary["refused"]) == (10_000, 0)
    assert summary["seconds"] < 180
    assert reported(city) == counted(REAL)
    assert entries(city) == numbers(10_000)

    ranked = sorted((row for row in report(city).rows if row.rank), key=lambda row: row.rank)
    assert [row.station for row in ranked] == ["BSL", "BOS", "OCB", "LASAN"]

    again = finish(importing(city, REAL, MAP, "--format", "json"))
    assert (again["imported"], again["already_there"]) == (0, 10_000)
    assert reported(city) == counted(REAL)
    assert entries(city) == numbers(10_000)


@needs_data
@pytest.mark.faults
@pytest.mark.long
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_death_in_the_middle_of_the_real_import_changes_no_count(city, victim):
    process = importing(city, REAL, MAP, "--format", "json")
    until(lambda: told(city) > 5_000)
    assert process.poll() is None, "the import was over before anything died"
    kill(city, victim)
    finish(process)
    assert reported(city) == counted(REAL)
    assert entries(city) == numbers(10_000)
