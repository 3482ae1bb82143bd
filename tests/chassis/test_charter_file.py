"""A charter file is told every error at its line, in one run, with what to do about it."""

import json
import re
from pathlib import Path

import pytest

from duban_contracts.charter import Charter
from services.chassis.charter_file import CharterErrors, Finding, charter_gaps, finding, read_charter

SHIPPED = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"


class Draft:
    """A charter file under the pen: lines of the shipped one are replaced, then it is read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "charter.yaml"
        self.text = SHIPPED.read_text(encoding="utf-8")

    def replace(self, old: str, new: str) -> int:
        """Replace the first `old`; the line at which it begins, counted from 1."""
        place = self.text.index(old)
        self.text = self.text[:place] + new + self.text[place + len(old) :]
        return self.text[:place].count("\n") + 1

    def findings(self) -> list[Finding]:
        self.path.write_text(self.text, encoding="utf-8")
        with pytest.raises(CharterErrors) as caught:
            read_charter(self.path)
        return caught.value.findings

    def gaps(self) -> list[Finding]:
        self.path.write_text(self.text, encoding="utf-8")
        return charter_gaps(self.path)

    def only(self) -> Finding:
        (finding,) = self.findings()
        return finding


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft(tmp_path)


CASES = [
    ("lead: wenhuazhan", "lead: wenhuazan", "categories.fitness_equipment.lead", "mean 'wenhuazhan'?"),
    ("lead: wenhuazhan", "lead: 镇文化站", "categories.fitness_equipment.lead", "mean 'wenhuazhan'?"),
    ("co_handlers: [xincunban]", "co_handlers: [xincu]", "categories.littering.co_handlers[0]", "xincunban"),
    ("co_handlers: [xincunban]", "co_handlers: [qingjieban]", "categories.littering.co_handlers[0]", "leads"),
    ("superior: leader", "superior: mayor", "stations.jiwei.superior", "unknown superior 'mayor'"),
    ("superior: leader", "superior: jiwei", "stations.jiwei.superior", "its own superior"),
    ("superior: leader", "superior: discipline", "stations.jiwei.superior", "its own superior"),
    ("superior: leader", "leader: 某某", "stations.jiwei", "name the station's superior"),
    ("station: jiwei", "station: jiweo", "actors.discipline.station", "did you mean 'jiwei'?"),
    ("  gateway:\n", "  bianmin:\n", "actors.bianmin", "is a station already"),
    ("  gateway:\n", "  operator:\n", "actors.operator", "is the name of one of the system's programs"),
    ("\nstations:\n", "\nstations:\n  intake:\n    name: 站\n",
     "stations.intake", "is the name of one of the system's programs"),
    ("role: gateway", "role: station", "actors.gateway", "must name its station"),
    ("role: gateway", "role: gate", "actors.gateway.role", "'gateway'"),
    ("id: p1-1-2", "id: p1-1-1", "plan.problems[0].groups[0].measures[1].id", "stands twice"),
    ("id: p1-2\n", "id: p1-1\n", "plan.problems[0].groups[1].id", "stands twice"),
    ("id: p2\n", "id: p1\n", "plan.problems[1].id", "stands twice"),
    ("stations: [jiwei, bianmin]\n              source: Plan 1(3)",
     "stations: [jiwei, nongye]\n              source: Plan 1(3)",
     "plan.problems[0].groups[2].measures[0].stations[1]", "does not name station 'nongye'"),
    ("starts: 2024-04-15", "starts: 2024-04-15\n  ends: 2024-04-14", "campaign", "before it starts"),
    ("starts: 2024-04-15", "starts: 2024-04-31", "campaign.starts", "a day of the calendar"),
    ("starts: 2024-04-15", "starts: 2024-04-15\n  stations: [jewei]", "campaign.stations[0]", "'jiwei'"),
    ("id: \"2024\"", "id: 2024", "campaign.id", "put 2024 in quotes"),
    ("buck_passing]\n    decided_by: [office]", "buck_passing]\n    decided_by: []",
     "ladder.circular.decided_by", "at least 1 item"),
    ("verify_roles: [office]", "verify_roles: [leader]\n  reminder: 3", "matters.reminder", "_percent"),
    ("grounds: [misconduct, integrity]", "grounds: [lagging]", "ladder.discipline.grounds[0]", "one rung"),
    ("answer_within: {amount: 15", "answer_within: {amount: x", "ladder.order.answer_within.amount", "integ"),
    ("answer_within: {amount: 15", "answer_within: {amount: -1", "ladder.order.answer_within.amount", "-1"),
    ("unit: calendar_days", "unit: days", "matters.reopen_within.unit", "'calendar_days'"),
    ("timezone: Asia/Shanghai", "timezone: Asia/Peking", "timezone", "unknown time zone 'Asia/Peking'"),
    ("township: 某镇\n", "", "township", "is missing; add it"),
    ("start: \"08:30\"", "start: 830", "stations.bianmin.hours.shifts[0].start", "in quotes, like '08:30'"),
    ("end: \"12:00\"", "end: \"08:00\"", "stations.bianmin.hours.shifts[0]", "must end after it starts"),
    ("start: \"14:30\"", "start: \"11:30\"", "stations.bianmin.hours", "begins before"),
    ("country: CN", "country: CN\n  working: [2024-05-01]\n  off: [2024-05-01]", "calendar", "and off"),
    ("  dongcun:", "  东村:", "villages.东村", "is no token"),
    ("name: 东村", "name: ' '", "villages.dongcun.name", "at least one visible character"),
    ("name: 东村", 'name: "\\u200b"', "villages.dongcun.name", "at least one visible character"),
    ("name: 东村", 'name: "\\e[31m"', "villages.dongcun.name", "remove the character U+001B"),
    ("name: 东村", f"name: {'村' * 2_001}", "villages.dongcun.name", "at most 2000 characters"),
    ("stations: [bianmin]", "stations: all", "plan.problems[0].groups[0].measures[1].stations", "a list"),
    ("  help: {amount: 5}", "  help: 5", "matters.limits.help", "must be a mapping of fields"),
    ("    role: leader\n", "    role: leader\n    may_back_date: true\n", "actors.leader.may_back_date",
     "did you mean 'may_backdate'?"),
    ("procedure: benefit", "procedure: benifit", "categories.minimum_living.procedure", "'benefit'"),
    ("every: day", "every: day, villages: [dongcn]",
     "plan.problems[0].groups[1].measures[0].shape.villages[0]", "'dongcun'"),
    ("target: 4", "target: 0", "plan.problems[0].groups[0].measures[2].shape.target", "greater than"),
    ("kind: recurring", "kind: weekly", "plan.problems[0].groups[1].measures[0].shape", "recurring"),
    ("upheld_back_to: investigation", "upheld_back_to: start", "procedures.benefit", "names no stage"),
    ("name: 公厕, percent: 75", "name: 公厕, percent: 40", "plan.problems[0].groups[1].measures[1].shape",
     "worth more"),
    ("name: 公厕, percent: 75", "name: 公厕, percent: 0",
     "plan.problems[0].groups[1].measures[1].shape.milestones[2].percent", "greater than"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "path", "says"), CASES)
def test_one_error_is_told_once_with_its_path_and_what_to_do(
    draft: Draft, old: str, new: str, path: str, says: str
) -> None:
    draft.replace(old, new)
    found = draft.only()
    assert found.path == path
    assert says in found.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lead: nongye", "lead: nobody"),
        ("superior: leader", "superior: mayor"),
        ("starts: 2024-04-15", "starts: tomorrow"),
        ("amount: 13", "amount: many"),
        ("may_route: true", "may_rout: true"),
        ("circulars_in_quarter: 2", "circulars_in_quarter: 0"),
        ("co_handlers: [nongye, minzheng, nongyisuo]", "co_handlers: [nongye, minzheng, nongyi]"),
    ],
)
def test_an_error_is_told_at_the_line_that_holds_it(draft: Draft, old: str, new: str) -> None:
    line = draft.replace(old, new)
    assert draft.only().line == line


def test_a_missing_field_is_told_at_the_line_of_what_lacks_it(draft: Draft) -> None:
    draft.replace("    lead: qingjieban\n", "")
    line = draft.text[: draft.text.index("  garbage:")].count("\n") + 1
    assert draft.only() == finding(line, "categories.garbage.lead", "missing", field="lead")


def test_an_item_of_a_list_over_several_lines_is_told_at_its_own_line(draft: Draft) -> None:
    line = draft.replace("co_handlers: [xincunban]", "co_handlers:\n      - xincunban\n      - bianmi")
    assert draft.only().line == line + 2


def test_wrong_types_wrong_names_and_repeated_keys_are_told_in_one_run_in_order(draft: Draft) -> None:
    expected = [
        draft.replace("superior: leader", "superior: mayor"),
        draft.replace("lead: qingjieban", "lead: qingjie"),
        draft.replace("    kind: complaint\n", "    kind: complaint\n    kind: help\n") + 1,
        draft.replace("amount: 13", "amount: many"),
        draft.replace("id: p1-1-2", "id: p1-1-1"),
        draft.replace("starts: 2024-04-15", "start: 2024-04-15"),
    ]
    found = draft.findings()
    campaign = draft.text[: draft.text.index("\ncampaign:")].count("\n") + 2
    assert [finding.line for finding in found] == sorted([*expected, campaign])
    assert [finding.message for finding in found if finding.path == "campaign.start"] == [
        "unknown field 'start'; did you mean 'starts'?"
    ]


def test_every_repeated_key_is_told_with_both_its_lines(draft: Draft) -> None:
    first = draft.replace("    role: office\n", "    role: office\n    role: leader\n")
    second = draft.replace("township: 某镇\n", "township: 某镇\ntownship: 另一镇\n")
    assert [(each.line, each.path) for each in draft.findings()] == [
        (second + 1, "township"),
        (first + 2, "actors.office.role"),
    ]
    assert f"first at line {second}" in draft.findings()[0].message


@pytest.mark.parametrize("role", ["office", "leader"])
def test_a_step_that_nobody_may_decide_is_told(draft: Draft, role: str) -> None:
    draft.replace(f"    role: {role}\n", "    role: gateway\n")
    found = draft.findings()
    assert found
    assert all(f"nobody has the role '{role}'" in finding.message for finding in found)


def test_verification_by_office_is_checked_even_where_the_charter_leaves_it_to_the_default(
    draft: Draft,
) -> None:
    draft.replace("  verify_roles: [office]\n", "")
    draft.replace("    role: office\n", "    role: gateway\n")
    assert {finding.path for finding in draft.findings()} == {
        "ladder.circular.decided_by[0]",
        "matters.verify_roles[0]",
        "matters.handover.adjudicated_by[0]",
        "matters.extension.decided_by[0]",
        "procedures.benefit.stages[4].by[0]",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("actors:\n", "actors: [\n", "not readable as YAML"),
        ("  office:\n", "\toffice:\n", "not readable as YAML"),
        ("superior: leader", "superior: *boss", "undefined alias"),
        ("role: office", "role: !secret office", "not readable as YAML"),
        ("amount: 13", "amount: !!int thirteen", "'thirteen' is not what its tag says"),
        ("villages:\n", "villages: &all\n  again: *all\n", "inside its own anchor"),
        ("actors:\n", "---\nactors:\n", "not readable as YAML"),
    ],
)
def test_text_that_is_no_yaml_is_told_near_its_line(draft: Draft, old: str, new: str, says: str) -> None:
    line = draft.replace(old, new)
    finding = draft.only()
    assert says in finding.message
    assert abs(finding.line - line) <= 2


def test_a_file_nested_without_end_is_told(draft: Draft) -> None:
    draft.text = "- " * 5000
    assert draft.only().message == "nested too deeply to be a charter"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a list\n", "just words\n"])
def test_a_file_that_holds_no_fields_is_told(draft: Draft, text: str) -> None:
    draft.text = text
    assert draft.only().message == "a charter is a mapping of fields; this file holds none"


def test_a_file_in_another_encoding_is_told_at_the_first_foreign_byte(draft: Draft, tmp_path: Path) -> None:
    draft.path.write_bytes(b"name: plan\n" + "township: 某镇\n".encode("gb18030"))
    with pytest.raises(CharterErrors) as caught:
        read_charter(draft.path)
    assert caught.value.findings == [finding(2, "", "not_utf8")]


ODD = """
stations: {a: {name: [1], superior: [2], leader: {}}, 3: 4}
actors: {x: {role: [a], station: []}, y: {role: {}, station: {}}}
categories: {a: {lead: {}, co_handlers: [[], {}]}, b: []}
plan: {problems: [{id: [], stations: [[]], groups: [{id: {}, measures: [{id: 3, stations: [{}, 4]}]}]}]}
ladder: {order: {grounds: [[1], {}], decided_by: [{}, 1]}, circular: 1}
matters: {verify_roles: [{}, []]}
campaign: {stations: {a: b}}
"""


def test_odd_values_where_names_belong_are_errors_and_never_a_crash(draft: Draft) -> None:
    draft.text = ODD
    found = {finding.path: finding.line for finding in draft.findings()}
    assert found["categories.a.lead"] == 4
    assert found["plan.problems[0].groups[0].measures[0].stations[1]"] == 5


@pytest.mark.parametrize("shape", ["1", "text", "[1, [2]]", "{a: {b: [c]}}", "null", "{1: {2: 3}}"])
@pytest.mark.parametrize(
    "field", ["stations", "actors", "categories", "plan", "campaign", "ladder", "matters"]
)
def test_any_shape_at_any_field_is_an_error_and_never_a_crash(draft: Draft, field: str, shape: str) -> None:
    draft.text = re.sub(rf"(?ms)^{field}:\n.*?(?=^[a-z#])", f"{field}: {shape}\n", draft.text, count=1)
    if (field, shape) in {("plan", "null"), ("campaign", "null")}:
        assert draft.gaps()
    else:
        assert any(finding.path.startswith(field) for finding in draft.findings())


def test_the_exception_reads_as_a_list_for_a_terminal(draft: Draft) -> None:
    line = draft.replace("superior: leader", "superior: leder")
    draft.path.write_text(draft.text, encoding="utf-8")
    with pytest.raises(CharterErrors) as caught:
        read_charter(draft.path)
    place = f"{draft.path}: line {line}: stations.jiwei.superior"
    assert str(caught.value) == f"{place}: unknown superior 'leder'; did you mean 'leader'?"


def test_anchors_and_merge_keys_may_be_used(draft: Draft) -> None:
    draft.replace(
        "  dongcun: {name: 东村, households: 420}", "  dongcun: &village {name: 东村, households: 12}"
    )
    draft.replace("  xicun: {name: 西村, households: 380}", "  xicun: {<<: *village, name: 西村}")
    draft.path.write_text(draft.text, encoding="utf-8")
    xicun = read_charter(draft.path).villages["xicun"]
    assert (xicun.name, xicun.households) == ("西村", 12)


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("    suggestion: {amount: 13}\n", "", "matters.limits", "for 'suggestion' (2 categories)"),
        ("grounds: [misconduct, integrity]", "grounds: [misconduct]", "ladder", "'integrity' leads"),
        ("role: discipline", "role: leader", "ladder.discipline", "to receipt a transfer"),
        ("stations: [xincunban, qingjieban]", "stations: [qingjieban]", "plan.problems[0].stations[4]",
         "'xincunban' has no measure"),
    ],
)  # fmt: skip
def test_what_a_valid_charter_leaves_open_is_a_gap_at_its_line(
    draft: Draft, old: str, new: str, path: str, says: str
) -> None:
    before = len(charter_gaps(SHIPPED))
    draft.replace(old, new)
    found = [gap for gap in draft.gaps() if gap.path == path and says in gap.message]
    assert len(found) == 1
    assert len(draft.gaps()) == before + 1


def test_a_leader_and_a_due_date_close_their_gaps(draft: Draft) -> None:
    before = len(charter_gaps(SHIPPED))
    draft.replace("    - id: p1\n", "    - id: p1\n      leader: 某副镇长\n")
    draft.replace("            - id: p1-1-1\n", "            - id: p1-1-1\n              due: 2024-06-30\n")
    draft.replace("  bianmin:\n", "  bianmin:\n    leader: 某副镇长\n")
    assert len(draft.gaps()) == before - 3


def test_a_station_without_any_category_is_a_gap(draft: Draft) -> None:
    draft.text = draft.text.replace("lead: wenhuazhan", "lead: bianmin")
    assert "no category leads to station 'wenhuazhan'" in [gap.message for gap in draft.gaps()]


def test_a_charter_without_a_campaign_is_a_gap_of_the_ladder(draft: Draft) -> None:
    draft.text = re.sub(r"(?ms)^campaign:\n.*?(?=^ladder)", "", draft.text)
    assert [gap.message for gap in draft.gaps() if gap.path == "ladder"] == [
        "no campaign: nothing climbs this ladder"
    ]


ROLES_NOT_ADMITTED = [
    ("verify_roles: [office]", "verify_roles: [gateway]", "matters.verify_roles[0]", "verify"),
    ("adjudicated_by: [office]", "adjudicated_by: [office, discipline]", "matters.handover.adjudicated_by[1]",
     "adjudicate"),
    ("total: {amount: 30}\n    decided_by: [office]", "total: {amount: 30}\n    decided_by: [station]",
     "matters.extension.decided_by[0]", "decide_extension"),
    ("by: [station, office]", "by: [station, leader]", "matters.hold.by[1]", "hold"),
    ("by: [office, leader]", "by: [gateway, leader]", "procedures.benefit.stages[4].by[0]", "complete_stage"),
    ("buck_passing]\n    decided_by: [office]", "buck_passing]\n    decided_by: [discipline]",
     "ladder.circular.decided_by[0]", "approve_step"),
    ("circulars_in_quarter: 2\n    decided_by: [leader]", "circulars_in_quarter: 2\n    decided_by: [feed]",
     "ladder.leaders.decided_by[0]", "approve_step"),
    ("after_unmet: {amount: 5}\n    decided_by: [leader]",
     "after_unmet: {amount: 5}\n    decided_by: [station]",
     "ladder.discipline.decided_by[0]", "approve_step"),
]  # fmt: skip


@pytest.mark.case("A5")
@pytest.mark.parametrize(("old", "new", "path", "command"), ROLES_NOT_ADMITTED)
def test_a_role_whose_command_does_not_admit_it_is_an_error_at_its_line(
    draft: Draft, old: str, new: str, path: str, command: str
) -> None:
    line = draft.replace(old, new) + old.count("\n")
    found = draft.only()
    assert (found.code, found.path, found.line) == ("role_not_admitted", path, line)
    assert dict(found.params)["command"] == command


@pytest.mark.case("A5")
def test_a_superior_who_may_not_decide_is_a_gap(draft: Draft) -> None:
    line = draft.replace("superior: leader", "superior: gateway")
    assert [(each.line, each.path) for each in draft.gaps() if each.code == "superior_cannot_decide"] == [
        (line, "stations.jiwei.superior")
    ]


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
         + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)),
         "too_many_values"),
        ("base: &base {a: 1, b: 2}\n" + "".join(f"k{n}: {{<<: *base}}\n" for n in range(9_000)),
         "too_many_values"),
        ("a: [" + "x, " * 30_000 + "]", "too_many_values"),
        ("name: " + "x" * 600_000, "too_large"),
        ("[" * 400, "too_deep"),
        ("- " * 400, "too_deep"),
        ("a: " + "{a: " * 400, "too_deep"),
        ("a: &a [*a]", "alias_in_itself"),
    ],
    ids=["aliases", "merge keys", "values", "bytes", "lists", "nested lists", "mappings", "circle"],
)  # fmt: skip
def test_a_file_beyond_the_bounds_is_refused_in_words(draft: Draft, text: str, code: str) -> None:
    draft.text = text
    found = draft.only()
    assert found.code == code
    assert len(found.message) < 200


@pytest.mark.case("B17")
def test_an_error_about_a_long_value_stays_a_sentence(draft: Draft) -> None:
    draft.replace("timezone: Asia/Shanghai", f"timezone: [{'x' * 1000}, {{a: {'y' * 1000}}}]")
    assert len(draft.only().message) < 300


@pytest.mark.case("A14")
def test_a_default_that_does_not_fit_is_told_together_with_wrong_types(draft: Draft) -> None:
    draft.text = (
        MINIMAL + "actors: {boss: {name: x, role: leader}}\nrating: {minimum_sample: few, source: x}\n"
    )
    assert {(each.path, each.code) for each in draft.findings()} == {
        ("rating.minimum_sample", "no_integer"),
        ("matters.verify_roles[0]", "role_without_actor"),
        ("ladder.circular.decided_by[0]", "role_without_actor"),
    }


MINIMAL = """
name: 东镇督办
township: 东镇
stations:
  bianmin: {name: 便民服务中心}
  cunjian: {name: 村建站}
categories:
  road: {name: 道路, lead: cunjian, source: 三定方案}
  other: {name: 其他, lead: bianmin, source: 三定方案}
"""


@pytest.mark.case("A14")
def test_a_charter_of_ten_lines_is_valid_and_says_which_defaults_are_in_force(draft: Draft) -> None:
    draft.text = MINIMAL
    missing = [dict(gap.params)["section"] for gap in draft.gaps() if gap.code == "default_in_force"]
    assert missing == ["actors", "calendar", "hours", "ladder", "matters", "rating"]
    charter = read_charter(draft.path)
    assert (charter.document_mark, charter.timezone) == ("东镇督", "Asia/Shanghai")
    assert charter.stations["cunjian"].name_en == "村建站"


@pytest.mark.case("A14")
def test_a_missing_township_is_told_alone_whatever_defaults_follow_from_it(draft: Draft) -> None:
    draft.text = MINIMAL.replace("township: 东镇\n", "")
    assert [(each.path, each.code) for each in draft.findings()] == [("township", "missing")]


@pytest.mark.case("A14")
def test_a_published_charter_holds_every_default(draft: Draft) -> None:
    """A later release with other defaults must not change a charter that is in force."""
    draft.text = MINIMAL
    draft.gaps()
    charter = read_charter(draft.path)
    stored = json.loads(charter.model_dump_json(exclude_none=True))
    assert Charter.model_validate(stored) == charter
    assert {"actors", "matters", "rating", "ladder", "calendar", "hours"} < set(stored)
