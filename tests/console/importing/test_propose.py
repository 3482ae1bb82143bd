"""A map proposed from a file's headings reads that file, or says at its line what is left to be filled in."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from openpyxl import Workbook
from typer.testing import CliRunner

from duban_contracts.intake import Outcome, Petitioner
from services.chassis.charter_file import read_charter
from services.console.importing.cells import BadFile
from services.console.importing.command import import_file
from services.console.importing.convert import ANSWER_OF_AN_OPEN_CASE, Case, convert
from services.console.importing.explain import COLUMNS, EXAMPLE, MAP
from services.console.importing.mapping import Columns, ImportMap, MapErrors, check_header, read_map
from services.console.importing.propose import feed_of, propose, written
from services.console.importing.rows import opened
from services.console.terminal import Session
from tests.conftest import CHARTERS, SHARED_DATA

HEADINGS = "编号,受理时间,诉求标题,诉求类别,承办单位,状态,截止日期,办结时间,来源"
REGISTER = (
    f"{HEADINGS}\n"
    "T-001,2024年5月3日 9时30分,路灯不亮,公厕,镇新村办,已办结,2024年5月8日,2024年5月6日 10时,热线\n"
    "T-002,2024年5月4日 9时30分,垃圾未清,生活垃圾收集转运,镇清洁办,办理中,2024年5月9日,,窗口\n"
)
CHARTER = CHARTERS / "township-2024.yaml"


def saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def cases(file: Path, import_map: ImportMap) -> list[Case]:
    with opened(file, import_map) as sheet:
        check_header(Path("map.yaml"), import_map, sheet.header)
        found = [convert(row, import_map) for row in sheet.rows]
    assert all(isinstance(each, Case) for each in found), found
    return [each for each in found if isinstance(each, Case)]


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ","), ("gb18030", ","), ("gbk", ";"), ("utf-8", "\t"), ("utf-16", ",")],
)
def test_a_register_with_chinese_headings_comes_in_by_the_proposed_map(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    file = tmp_path / "register.csv"
    file.write_bytes(REGISTER.replace(",", delimiter).encode(encoding))
    text = written(propose(file), feed_of(file), read_charter(CHARTER))
    first, second = cases(file, read_map(saved(tmp_path / "map.yaml", text)))
    assert (first.key, first.at) == ("register:T-001", datetime(2024, 5, 3, 1, 30, tzinfo=UTC))
    assert (first.command.category, first.command.station) == ("public_toilet", "xincunban")
    assert first.command.past is not None
    assert first.command.past.outcome is Outcome.SOLVED
    assert (first.command.channel.value, second.command.channel.value) == ("hotline", "window")
    assert (second.command.past, str(second.command.due_on)) == (None, "2024-05-09")


@pytest.mark.case("C13")
def test_headings_below_a_title_and_typed_dates_of_a_workbook_are_found(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for line in (
        ["2024年诉求台账"],
        [],
        ["编号", "受理时间", "诉求内容", "办结时间"],
        ["7", datetime(2024, 5, 3, 9, 30), "路灯", None],  # noqa: DTZ001
        ["8", datetime(2024, 5, 3, 9, 30), "路灯", datetime(2024, 5, 4, 9, 30)],  # noqa: DTZ001
    ):
        page.append(line)
    file = tmp_path / "台账.xlsx"
    book.save(file)
    text = written(propose(file), feed_of(file)).replace("  category:", "  category: other")
    import_map = read_map(saved(tmp_path / "map.yaml", text))
    assert (import_map.header_row, import_map.feed) == (3, "past")
    still_open, closed = cases(file, import_map)
    assert (still_open.command.past is None, closed.command.past is None) == (True, False)


@pytest.mark.case("C13")
def test_what_cannot_be_known_is_left_empty_and_refused_at_its_line(tmp_path: Path) -> None:
    file = saved(tmp_path / "register.csv", REGISTER.replace("办理中", "挂起"))
    text = written(propose(file), "hotline")
    with pytest.raises(MapErrors) as caught:
        read_map(saved(tmp_path / "map.yaml", text))
    unknown = [1 + text.splitlines().index(line) for line in text.splitlines() if ":  #" in line]
    assert len(unknown) == 1 + 2 + 2
    assert all(
        any(finding.startswith(f"line {line}: ") for finding in caught.value.findings) for line in unknown
    )


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    ("dates", "formats"),
    [
        (("03/04/2024", "05/06/2024"), None),
        (("13/04/2024", "04/13/2024"), None),
        (("03/04/2024", "04/13/2024"), ("%m/%d/%Y",)),
        (("03/04/2024", "13/04/2024"), ("%d/%m/%Y",)),
        (("03/04/2024 09:00", "13/04/2024"), ("%d/%m/%Y %H:%M", "%d/%m/%Y")),
    ],
)
def test_the_order_of_day_and_month_is_never_guessed(
    tmp_path: Path, dates: tuple[str, str], formats: tuple[str, ...] | None
) -> None:
    lines = [f"{place},{day},路灯,lamp" for place, day in enumerate(dates)]
    file = saved(tmp_path / "x.csv", "\n".join(["编号,受理时间,标题,类别", *lines]) + "\n")
    text = written(propose(file), "x").replace('"lamp":', '"lamp": lamp')
    place = saved(tmp_path / "map.yaml", text)
    if formats:
        assert read_map(place).date_formats == formats
        return
    line = 1 + text.splitlines().index("date_formats:")
    assert "ambiguous" in text
    with pytest.raises(MapErrors, match=f"line {line}: date_formats: nothing stands here"):
        read_map(place)


@pytest.mark.case("C13")
def test_short_and_full_names_of_stations_are_known(tmp_path: Path) -> None:
    register = REGISTER.replace("镇新村办", "新村办公室").replace("镇清洁办", "清洁办")
    register = register.replace("镇清洁办", "清洁办").replace("生活垃圾收集转运", "别的")
    text = written(propose(saved(tmp_path / "r.csv", register)), "r", read_charter(CHARTER))
    assert '"新村办公室": xincunban' in text
    assert '"清洁办": qingjieban' in text
    [tokens] = [line for line in text.splitlines() if line.startswith("  # one of: ")]
    assert "garbage" in tokens


PAPER = (
    "序号,受理日期,来源,村（居）,反映人,联系电话,问题事项,类别,责任站所,办理期限,办结日期,办理结果,办理状态,备注\n"
    "1,2024年5月3日,来访,东村,王小明,13812345678,路灯不亮,公厕,镇新村办,2024年5月8日,2024年5月6日,已更换灯泡,已办结,急\n"
    "2,2024年5月4日,窗口,东村,李四,63200001,垃圾未清,公厕,镇新村办,2024年5月9日,,催办,办理中,\n"
)


@pytest.mark.case("C13")
def test_the_ledger_that_an_office_keeps_comes_in_with_who_brought_it_and_what_he_was_told(
    tmp_path: Path,
) -> None:
    file = saved(tmp_path / "台账2024.csv", PAPER)
    text = written(propose(file), feed_of(file), read_charter(CHARTER))
    assert "  # not read: 备注" in text.splitlines()
    closed, still_open = cases(file, read_map(saved(tmp_path / "map.yaml", text)))
    assert (closed.key, closed.command.title) == ("past-2024:1", "路灯不亮")
    assert closed.command.petitioner == Petitioner(name="王小明", phone="13812345678")
    assert closed.command.solved_on_the_spot == "已更换灯泡"
    assert still_open.command.petitioner == Petitioner(name="李四", phone="63200001")
    assert (still_open.command.solved_on_the_spot, still_open.notes) == (None, (ANSWER_OF_AN_OPEN_CASE,))


@pytest.mark.case("C13")
def test_a_category_is_no_title_for_it_is_the_same_for_many(tmp_path: Path) -> None:
    file = saved(tmp_path / "r.csv", "编号,受理时间,类别\n1,2024-05-03,公厕\n")
    lines = written(propose(file), "r", read_charter(CHARTER)).splitlines()
    assert "  title:" in lines
    assert '  category: "类别"' in lines


@pytest.mark.case("C13")
def test_a_file_without_a_known_heading_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no heading is known"):
        propose(saved(tmp_path / "x.csv", "foo,bar\n1,2\n"))


@pytest.mark.case("C13")
@pytest.mark.parametrize("name", ["boston311-100.csv", "myla311-2020-01.csv"])
def test_the_headings_of_published_registers_are_known(name: str) -> None:
    if not (SHARED_DATA / name).exists():
        pytest.skip(f"the sample data is not there: {name}")
    found = propose(SHARED_DATA / name)
    assert {"id", "submitted_at", "status", "category", "station", "closed_at"} < set(found.columns)
    assert ("due_at" in found.columns) == name.startswith("boston")


@pytest.mark.case("C13")
def test_every_field_of_a_map_is_explained_and_the_example_is_one(tmp_path: Path) -> None:
    assert set(MAP) == set(ImportMap.model_fields)
    assert set(COLUMNS) == set(Columns.model_fields)
    read_map(saved(tmp_path / "map.yaml", EXAMPLE))


app = typer.Typer()
app.command("import")(import_file)


@app.callback()
def before(ctx: typer.Context) -> None:
    ctx.obj = Session("nats://127.0.0.1:9")


@pytest.mark.case("C13")
def test_the_command_proposes_and_explains_and_overwrites_nothing(tmp_path: Path) -> None:
    file, out = saved(tmp_path / "register.csv", REGISTER), tmp_path / "map.yaml"

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["import", *arguments])
        return result.exit_code, result.stdout

    asked = (str(file), "--init", "--charter", str(CHARTER))
    assert run(*asked, "--out", str(out))[0] == 0
    assert run(*asked, "--out", str(out))[0] == 2
    assert run(*asked) == (0, out.read_text(encoding="utf-8"))
    assert "closed_when:" in run("--explain-map")[1]
    assert run(str(file), "--init")[0] == 0  # no system answers there: names are left open
    assert run()[0] == run(str(file))[0] == 2
    status, told = run(str(file), "--mapping", str(out), "--dry-run", "--offline", "--format", "json")
    assert (status, json.loads(told)["would_be_sent"]) == (0, 2)
