"""`duban import --dry-run`: everything is converted, nothing is sent, and refused rows can be mended."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.console.importing.command import import_file
from services.console.importing.convert import Case, Refused
from services.console.importing.mapping import ImportMap, read_map
from services.console.importing.refused import OURS, RefusedRows
from services.console.importing.rows import Row, opened
from services.console.importing.run import Conversion
from services.console.terminal import Session
from tests.conftest import SHARED_DATA
from tests.console.importing.cases import CELLS, DATA, GIVEN, HEADER, MAP_FILE, a_map, a_row

NOWHERE = "nats://127.0.0.1:9"
"""Nobody listens on the discard port: whoever sends something fails."""

app = typer.Typer()
app.command("import")(import_file)


@app.callback()
def before(ctx: typer.Context) -> None:
    ctx.obj = Session(NOWHERE)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Four rows: two good ones, one of an unknown category, one whose id is there already."""
    lines = [
        list(HEADER),
        list(CELLS.values()),
        list((CELLS | {"No": "8", "What": "Lamb"}).values()),
        list((CELLS | {"What": "Road"}).values()),
        list((CELLS | {"No": "9", "State": "Open"}).values()),
    ]
    path = tmp_path / "cases.csv"
    path.write_text("".join(",".join(cells) + "\n" for cells in lines), encoding="utf-8")
    (tmp_path / "map.yaml").write_text(json.dumps(GIVEN), encoding="utf-8")
    return path


def run(file: Path, *more: str, mapping: Path | None = None) -> tuple[int, dict[str, Any]]:
    """Exit status and what the JSON document says."""
    map_file = mapping or file.parent / "map.yaml"
    alone = ["--offline"] if "--dry-run" in more and "--charter" not in more else []
    result = CliRunner().invoke(
        app, ["import", str(file), "--mapping", str(map_file), "--format", "json", *more, *alone]
    )
    return result.exit_code, json.loads(result.stdout)


def refused_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_dry_run_counts_every_row_and_sends_none(cases: Path) -> None:
    status, said = run(cases, "--dry-run")
    assert status == 4
    assert (said["rows"], said["would_be_sent"], said["imported"], said["refused"]) == (4, 2, 0, 2)
    assert said["refused_by_reason"] == {"unknown_category": 1, "duplicate_id": 1}


def test_without_dry_run_an_unreachable_system_is_exit_3_and_leaves_no_file(cases: Path) -> None:
    status, said = run(cases)
    assert (status, said["error"]["code"]) == (3, "unreachable")
    assert sorted(path.name for path in cases.parent.iterdir()) == ["cases.csv", "map.yaml"]


def test_refused_rows_stand_beside_the_input_whole_and_with_their_reason(cases: Path) -> None:
    _status, said = run(cases, "--dry-run")
    place = cases.with_name("cases.refused.csv")
    assert said["refused_file"] == str(place)
    wrong, twice = refused_in(place)
    assert wrong == CELLS | {
        "No": "8",
        "What": "Lamb",
        "refused_row": "3",
        "reason_code": "unknown_category",
        "reason": wrong["reason"],
    }
    assert "did you mean 'Lamp'?" in wrong["reason"]
    assert (twice["refused_row"], twice["reason_code"]) == ("4", "duplicate_id")


def test_mended_refused_rows_go_in_with_the_same_map(cases: Path) -> None:
    run(cases, "--dry-run")
    mended = cases.with_name("cases.refused.csv")
    mended.write_text(mended.read_text(encoding="utf-8").replace("Lamb", "Lamp"), encoding="utf-8")
    _status, said = run(mended, "--dry-run")
    assert (said["would_be_sent"], said["refused"]) == (2, 0)


def test_refused_rows_go_where_it_is_wished(cases: Path) -> None:
    _status, said = run(cases, "--dry-run", "--refused", str(cases.with_name("elsewhere.csv")))
    assert Path(said["refused_file"]).name == "elsewhere.csv"
    assert len(refused_in(cases.with_name("elsewhere.csv"))) == 2


def test_a_file_that_somebody_else_wrote_is_never_replaced(cases: Path) -> None:
    theirs = cases.with_name("cases.refused.csv")
    theirs.write_text("my,notes\n", encoding="utf-8")
    status, said = run(cases, "--dry-run")
    assert status == 2
    assert "--refused" in said["error"]["message"]
    assert theirs.read_text(encoding="utf-8") == "my,notes\n"


def test_the_input_itself_is_never_replaced(cases: Path) -> None:
    run(cases, "--dry-run")
    refused = cases.with_name("cases.refused.csv")
    status, _said = run(refused, "--dry-run", "--refused", str(refused))
    assert status == 2


def test_a_map_that_does_not_fit_the_file_is_misuse_and_says_what_is_meant(cases: Path) -> None:
    wrong = cases.with_name("wrong.yaml")
    wrong.write_text(json.dumps(GIVEN).replace('"Planned"', '"Planed"'), encoding="utf-8")
    status, said = run(cases, mapping=wrong)
    assert (status, said["error"]["code"]) == (2, "misuse")
    assert "did you mean 'Planned'" in said["error"]["message"]


def test_a_file_that_is_not_there_is_misuse(cases: Path) -> None:
    status, said = run(cases.with_name("none.csv"), mapping=cases.with_name("map.yaml"))
    assert status == 2
    assert "none.csv" in said["error"]["message"]


@pytest.mark.case("C13")
def test_refused_rows_of_a_file_with_a_title_above_go_in_with_the_same_map(cases: Path) -> None:
    cases.write_text("Register of 2020\n\n" + cases.read_text(encoding="utf-8"), encoding="utf-8")
    (cases.parent / "map.yaml").write_text(json.dumps(GIVEN | {"header_row": 3}), encoding="utf-8")
    _status, said = run(cases, "--dry-run")
    assert (said["rows"], said["refused"]) == (4, 2)
    mended = cases.with_name("cases.refused.csv")
    mended.write_text(mended.read_text(encoding="utf-8").replace("Lamb", "Lamp"), encoding="utf-8")
    assert run(mended, "--dry-run")[1]["would_be_sent"] == 2
    assert run(cases, "--dry-run")[0] == 4  # ours, so it may be replaced


@pytest.mark.case("C12")
@pytest.mark.parametrize(("allowed", "status"), [("0", 4), ("1", 4), ("2", 0)])
def test_refused_rows_end_with_4_unless_so_many_are_allowed(cases: Path, allowed: str, status: int) -> None:
    assert run(cases, "--dry-run", "--allow-refused", allowed)[0] == status


@pytest.mark.case("C13")
def test_a_closing_time_of_an_open_case_is_told_with_its_row(cases: Path) -> None:
    said = run(cases, "--dry-run")[1]
    assert said["notes"] == {"closing_date_of_open_case": 1}
    assert said["noted_rows"] == {"closing_date_of_open_case": [5]}


CITY = """
name: City
township: City
timezone: America/Los_Angeles
stations: {works: {name: Works}, police: {name: Police}}
actors:
  office: {name: Office, role: office}
  leader: {name: Mayor, role: leader}
  import: {name: Import, role: feed, may_backdate: true, may_set_deadline: true, may_route: true}
categories:
  lamp: {name: Lamp, lead: works, source: x}
  permit: {name: Permit, lead: works, required: [form], source: x}
"""


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("lamp:", "lamps:", "unknown_category"),
        ("works: {name: Works}, ", "", "unknown_station"),
        ("may_backdate: true, ", "", "not_believed"),
        ("may_set_deadline: true, ", "", "not_believed"),
        ("may_route: true", "", "not_believed"),
        ("import:", "feed:", "unknown_actor"),
        ("role: feed", "role: leader", "not_allowed"),
    ],
)
def test_a_dry_run_refuses_what_the_charter_refuses(cases: Path, old: str, new: str, code: str) -> None:
    charter = cases.with_name("city.yaml")
    lines = cases.read_text(encoding="utf-8").splitlines()
    cases.write_text("\n".join(lines[:2]) + "\n", encoding="utf-8")
    charter.write_text(CITY, encoding="utf-8")
    status, said = run(cases, "--dry-run", "--charter", str(charter))
    assert (status, said["would_be_sent"], said["checked_against_charter"]) == (0, 1, True)
    charter.write_text(CITY.replace(old, new).replace("lead: works", "lead: police"), encoding="utf-8")
    status, said = run(cases, "--dry-run", "--charter", str(charter))
    assert (status, said["refused_by_reason"]) == (4, {code: 1})


@pytest.mark.case("C13")
def test_a_dry_run_refuses_an_open_case_that_lacks_material(cases: Path) -> None:
    charter = cases.with_name("city.yaml")
    charter.write_text(CITY, encoding="utf-8")
    lines = cases.read_text(encoding="utf-8").splitlines()
    cases.write_text("\n".join([lines[0], lines[4]]) + "\n", encoding="utf-8")
    mapping = cases.with_name("permits.yaml")
    mapping.write_text(json.dumps(GIVEN | {"categories": {"Lamp": "permit"}}), encoding="utf-8")
    status, said = run(cases, "--dry-run", "--charter", str(charter), mapping=mapping)
    assert (status, said["refused_by_reason"]) == (4, {"matter_incomplete": 1})


@pytest.mark.case("C13")
def test_a_dry_run_without_a_system_to_ask_is_exit_3(cases: Path) -> None:
    mapping = str(cases.with_name("map.yaml"))
    asked = ["import", str(cases), "--mapping", mapping, "--format", "json", "--dry-run"]
    assert CliRunner().invoke(app, asked).exit_code == 3


class TestRefusedRows:
    """The file of refused rows is written whole or not at all, and only our own is removed."""

    def rows(self, folder: Path, only_looking: bool = False, **changes: Any) -> RefusedRows:
        header = [*HEADER, *OURS]
        return RefusedRows(folder / "out.csv", folder / "in.csv", a_map(**changes), header, only_looking)

    def test_nothing_is_left_of_a_run_that_breaks_off(self, tmp_path: Path) -> None:
        def breaks_off() -> None:
            with self.rows(tmp_path) as refused:
                refused.add(Refused(a_row(), "bad_date", "why"))
                raise RuntimeError("broken off")

        with pytest.raises(RuntimeError, match="broken off"):
            breaks_off()
        assert list(tmp_path.iterdir()) == []

    def test_an_earlier_file_goes_when_nothing_is_refused_any_more(self, tmp_path: Path) -> None:
        with self.rows(tmp_path) as refused:
            refused.add(Refused(a_row(), "bad_date", "why"))
        with self.rows(tmp_path, only_looking=True):
            pass
        assert (tmp_path / "out.csv").exists()
        with self.rows(tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_our_own_columns_of_an_earlier_run_are_not_repeated(self, tmp_path: Path) -> None:
        with self.rows(tmp_path) as refused:
            refused.add(Refused(a_row(), "bad_date", "why"))
        with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.reader(file)) == [*HEADER, *OURS]

    def test_it_is_written_in_the_encoding_of_the_input(self, tmp_path: Path) -> None:
        with self.rows(tmp_path, encoding="gb18030") as refused:
            refused.add(Refused(a_row(What="路灯"), "unknown_category", "why"))
        assert "路灯" in (tmp_path / "out.csv").read_text(encoding="gb18030")


class Collected(list[Refused]):
    add = list.append


@pytest.fixture(scope="module")
def requests() -> Iterator[tuple[list[Case], list[Refused]]]:
    """The 10,000 published requests of Los Angeles, converted with the shipped map."""
    if not DATA.exists():
        pytest.skip(f"the sample data is not there: {DATA.name}")
    import_map, refused = read_map(MAP_FILE), Collected()
    with opened(DATA, import_map) as sheet:
        yield list(Conversion(import_map, refused).cases(sheet.rows)), refused


class TestLosAngeles:
    """Each figure stands in the README of the data, counted there independently of us."""

    def test_all_ten_thousand_requests_come_in(self, requests: tuple[list[Case], list[Refused]]) -> None:
        cases, refused = requests
        assert (len(cases), refused) == (10_000, [])

    def test_each_owner_has_the_published_number_of_requests(
        self, requests: tuple[list[Case], list[Refused]]
    ) -> None:
        found = Counter(case.command.station for case in requests[0])
        assert found == {
            "BOS": 7067, "OCB": 2628, "BSL": 135, "ITA": 105, "LASAN": 56, "LADWP": 6, "BSS": 3
        }  # fmt: skip

    def test_each_owner_was_late_as_often_as_published(
        self, requests: tuple[list[Case], list[Refused]]
    ) -> None:
        zone = read_map(MAP_FILE).zone
        planned, late = Counter[str | None](), Counter[str | None]()
        for matter in (case.command for case in requests[0]):
            if matter.due_on and matter.past and matter.past.closed_at:
                planned[matter.station] += 1
                late[matter.station] += matter.past.closed_at.astimezone(zone).date() > matter.due_on
        assert planned == {"BOS": 6648, "OCB": 2623, "BSL": 90, "LASAN": 52}
        assert +late == {"BOS": 419, "OCB": 2033, "LASAN": 52}

    def test_what_is_open_and_what_has_no_closing_time_stays_so(
        self, requests: tuple[list[Case], list[Refused]]
    ) -> None:
        pasts = [case.command.past for case in requests[0]]
        assert pasts.count(None) == 16 + 15
        assert sum(past is not None and past.closed_at is None for past in pasts) == 18
        outcomes = Counter(past.outcome for past in pasts if past)
        assert outcomes == {"solved": 9723, "withdrawn": 244, "not_ours": 2}


BOSTON = SHARED_DATA / "boston311-100.csv"
BOSTON_MAP = {
    "feed": "boston311",
    "timezone": "America/New_York",
    "columns": {
        "id": "case_enquiry_id",
        "title": "type",
        "station": "department",
        "status": "case_status",
        "submitted_at": "open_dt",
        "due_at": "target_dt",
        "closed_at": "closed_dt",
    },
    "statuses": {"Closed": {"closed": True, "outcome": "solved"}, "Open": {"closed": False}},
    "stations": {"GEN_": "GEN"}
    | {name: name for name in ("BTDT", "ISD", "PROP", "PWDx", "INFO", "PARK", "BWSC")},
    "defaults": {"category": "request"},
}
"""The planned end is an instant: 08:30 of a day, closed at 09:30 is late."""


@pytest.mark.case("A19")
@pytest.mark.skipif(not BOSTON.exists(), reason=f"the sample data is not there: {BOSTON.name}")
def test_boston_was_late_as_often_as_its_own_flag_says() -> None:
    import_map, refused = ImportMap.model_validate(BOSTON_MAP), Collected()
    late, still_open, past_target = Counter[str | None](), 0, 0
    end_of_file = datetime(2023, 1, 1, tzinfo=UTC)
    with opened(BOSTON, import_map) as sheet:
        cases = [(case.command, case.row) for case in Conversion(import_map, refused).cases(sheet.rows)]
    for matter, row in cases:
        closed = matter.past.closed_at if matter.past else end_of_file
        assert closed is not None
        overdue = matter.due_at is not None and closed >= matter.due_at
        late[matter.station] += overdue
        still_open += matter.due_at is not None and matter.past is None
        past_target += overdue and matter.past is None
        assert (row["ontime"] == "OVERDUE") == overdue, row
    assert (len(cases), refused) == (100, [])
    assert sum(matter.due_at is not None for matter, _row in cases) == 89
    assert (still_open, past_target, sum(late.values()) - past_target) == (12, 12, 5)
    assert +late == {"BTDT": 5, "ISD": 2, "PROP": 3, "PWDx": 7}


@pytest.mark.case("A10")
def test_a_refused_row_holds_no_more_of_a_person_than_mending_takes(tmp_path: Path) -> None:
    """What the map does not read stays out, texts are masked, ids and dates are as they were."""
    row = {**CELLS, "No": "13812345678", "What": "打13812345678", "Who": "张三", "Complainant": "王小明"}
    header = [*HEADER, "Complainant"]
    with RefusedRows(tmp_path / "out.csv", tmp_path / "in.csv", a_map(), header) as refused:
        refused.add(Refused(Row(2, row), "unknown_category", "not known: 打13812345678"))
    [written] = refused_in(tmp_path / "out.csv")
    assert written["No"] == "13812345678"
    assert written["What"] == "打[手机号]"
    assert written["reason"] == "not known: 打[手机号]"
    assert "Complainant" not in written
    assert "王小明" not in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
