"""The charters that ship are whole: the plan of 2024 with all its parts, and the Los Angeles sample."""

from pathlib import Path

import pytest

from duban_contracts.charter import Category, Charter, Role
from services.chassis.charter_file import charter_gaps, read_charter

CHARTERS = Path(__file__).parents[2] / "deploy" / "charters"
TOWNSHIP = CHARTERS / "township-2024.yaml"
MYLA311 = CHARTERS / "myla311.yaml"


@pytest.fixture(scope="module")
def township() -> Charter:
    return read_charter(TOWNSHIP)


@pytest.fixture(scope="module")
def los_angeles() -> Charter:
    return read_charter(MYLA311)


def handlers(categories: dict[str, Category]) -> set[str]:
    return {token for each in categories.values() for token in (each.lead, *each.co_handlers)}


def test_the_plan_has_3_problems_11_groups_16_measures_and_9_stations(township: Charter) -> None:
    assert township.plan is not None
    groups = [group for problem in township.plan.problems for group in problem.groups]
    leaves = [measure for group in groups for measure in group.measures]
    assert (len(township.plan.problems), len(groups), len(leaves)) == (3, 11, 16)
    assert len(township.plan.measures()) == 16
    assert [len(problem.groups) for problem in township.plan.problems] == [3, 4, 4]
    assert len(township.stations) == 9


def test_the_problems_name_the_stations_of_the_plan(township: Charter) -> None:
    assert township.plan is not None
    named = [[township.stations[token].name for token in each.stations] for each in township.plan.problems]
    assert named == [
        ["镇纪委", "镇清洁办", "镇宣传线", "镇文化站", "镇新村办", "镇便民服务中心"],
        ["镇农业服务站", "镇民政所", "镇农医所", "镇宣传线", "镇便民服务中心"],
        ["镇纪委", "镇便民服务中心"],
    ]


def test_every_station_of_a_problem_has_a_measure_of_it(township: Charter) -> None:
    assert township.plan is not None
    for problem in township.plan.problems:
        busy = {token for group in problem.groups for each in group.measures for token in each.stations}
        assert busy == set(problem.stations)


def test_every_station_of_the_township_leads_some_category(township: Charter) -> None:
    assert {each.lead for each in township.categories.values()} == set(township.stations)


def test_conduct_goes_restricted_to_the_commission_whose_own_case_goes_above(township: Charter) -> None:
    restricted = {each.lead for each in township.categories.values() if each.restricted}
    assert restricted == {"jiwei"}
    superior = township.actor(township.stations["jiwei"].superior or "")
    assert superior is not None
    assert superior.role is Role.LEADER


def test_the_three_missing_leaders_are_told_at_the_lines_of_their_problems() -> None:
    lines = TOWNSHIP.read_text(encoding="utf-8").splitlines()
    missing = [gap for gap in charter_gaps(TOWNSHIP) if "责任领导" in gap.message]
    assert [lines[gap.line - 1].strip() for gap in missing] == ["- id: p1", "- id: p2", "- id: p3"]
    assert [gap.path for gap in missing] == [f"plan.problems[{place}]" for place in range(3)]


def test_the_township_has_no_gap_but_leaders_and_dates_that_the_plan_leaves_out() -> None:
    gaps = [gap.message for gap in charter_gaps(TOWNSHIP)]
    assert sum("no leader in charge" in gap for gap in gaps) == 9
    assert sum("no due date" in gap for gap in gaps) == 16
    assert len(gaps) == 3 + 9 + 16


def test_los_angeles_sets_no_time_limit_and_has_no_plan(los_angeles: Charter) -> None:
    assert los_angeles.matters.limits == {}
    assert all(each.limit is None for each in los_angeles.categories.values())
    assert los_angeles.plan is None
    assert los_angeles.campaign is None


def test_every_station_of_los_angeles_is_reached_by_one_of_11_categories(los_angeles: Charter) -> None:
    assert len(los_angeles.categories) == 11
    assert handlers(los_angeles.categories) == set(los_angeles.stations)


@pytest.mark.parametrize("path", [TOWNSHIP, MYLA311])
def test_a_charter_survives_its_journey_as_json(path: Path) -> None:
    charter = read_charter(path)
    assert Charter.model_validate_json(charter.model_dump_json()) == charter
