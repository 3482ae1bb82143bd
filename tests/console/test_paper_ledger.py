"""The paper ledger as files: the form that stations know, nothing in it that a spreadsheet would run."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from duban_contracts.reading import EntryStatus, PaperRow
from services.console.files import Layout
from services.console.i18n import Lang, use
from services.console.paper_ledger import as_csv, as_workbook, headings, inert, texts, write
from services.console.reporting import as_csv as laggards_as_csv
from services.console.sentences import Town, printable
from services.escalation.views import LaggardReport, LaggardRow

FORM = ["编号", "问题", "责任站所", "责任领导", "整改措施", "完成时限", "进展", "销号"]
SIGNS = "=+-@＝＋－＠"
written = st.text(max_size=60) | st.builds(
    "".join,
    st.tuples(
        st.text("\r\n\t \u3000\x00\x07\ufeff", max_size=4), st.sampled_from(SIGNS), st.text(max_size=9)
    ),
)
paper_rows = st.builds(
    PaperRow,
    number=st.just("2024-000123"),
    problem=written,
    stations=st.lists(written, min_size=1, max_size=3).map(tuple),
    leader=st.none() | written,
    measure=written,
    last_day=st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    status=st.sampled_from(EntryStatus),
    percent=st.none() | st.integers(0, 100),
    note=written,
    struck_off=st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)


def paper(**fields: Any) -> PaperRow:
    row = {"number": "2024-000123", "problem": "路灯不亮", "stations": ("镇新村办",), "status": "accepted"}
    return PaperRow.model_validate(row | fields)


@contextmanager
def in_chinese() -> Iterator[None]:
    use(Lang.ZH)
    try:
        yield
    finally:
        use(Lang.EN)


def read_back(book: Workbook) -> Any:
    saved = io.BytesIO()
    book.save(saved)
    return load_workbook(saved).active


def test_the_columns_are_those_of_the_paper_form() -> None:
    with in_chinese():
        assert headings() == FORM
        assert next(csv.reader(io.StringIO(as_csv([])))) == FORM
        assert [cell.value for cell in read_back(as_workbook([]))[1]] == FORM


@given(paper_rows)
@example(paper(problem="\r=1+1"))
@example(paper(problem="路灯\r\n＝1+1", measure="\t\x00@SUM(A1)", note='"=1,"\n-2'))
def test_whatever_is_written_a_csv_row_stays_one_row_and_no_cell_of_it_is_a_formula(row: PaperRow) -> None:
    text = as_csv([row])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    heading, cells = csv.reader(io.StringIO(text, newline=""))
    assert len(cells) == len(heading)
    assert not [cell for cell in cells if cell.strip().startswith(tuple(SIGNS))]
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts(row)]


@given(paper_rows)
@example(paper(problem="\r=1+1"))
@example(paper(problem="_=1+1", percent=100))
def test_whatever_is_written_a_spreadsheet_holds_it_as_text_and_the_same_text(row: PaperRow) -> None:
    heading, cells = read_back(as_workbook([row])).iter_rows()
    assert len(cells) == len(heading)
    number, problem, stations, *_ = cells
    assert (number.value, number.data_type, number.number_format) == (row.number, "s", "@")
    assert (problem.value or "") == printable(row.problem)
    assert (stations.value or "") == printable("、".join(row.stations))
    assert "f" not in {cell.data_type for cell in cells}


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1", "-1", "@A1", " =1", "＝1", "＋1", "－1", "＠A1", "﹢1"]
)
def test_a_cell_that_would_be_run_as_a_formula_is_marked_as_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "路灯", "1+1", "2024-04-22", "'=1"])
def test_a_cell_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_days_are_days_and_a_percent_is_a_number_to_a_spreadsheet() -> None:
    row = paper(percent=50, last_day=date(2024, 4, 22), struck_off=date(2024, 4, 20))
    with in_chinese():
        [*_, last_day, done, struck_off] = read_back(as_workbook([row]))[2]
    assert (last_day.value, struck_off.value) == (datetime(2024, 4, 22), datetime(2024, 4, 20))  # noqa: DTZ001
    assert last_day.is_date
    assert struck_off.number_format == "yyyy-mm-dd"
    assert (done.value, done.data_type, done.is_date) == (0.5, "n", False)
    assert done.number_format == '"已签收 "0%'


def test_what_was_said_of_a_measure_is_not_lost_beside_its_percent() -> None:
    row = paper(percent=50, measure="加强培训", note="已开展两场")
    assert texts(row)[4:7] == ["加强培训 — 已开展两场", "", "accepted 50%"]
    assert texts(paper(measure="已派人", note="公示"))[4:7] == ["已派人", "", "accepted 公示"]


def test_a_sheet_can_be_filtered_and_its_heading_stays_in_sight() -> None:
    sheet = read_back(as_workbook([paper(), paper()]))
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:H3")
    assert [sheet.column_dimensions[column].width for column in "ABH"] == [14, 48, 12]


def test_a_csv_file_begins_with_the_mark_by_which_spreadsheets_know_its_letters(tmp_path: Path) -> None:
    write([paper()], Layout.CSV, tmp_path / "ledger.csv")
    assert (tmp_path / "ledger.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_laggard_report_runs_nothing_in_a_spreadsheet_either() -> None:
    row = LaggardRow(station="bianmin", name="=1+1", name_en="=1+1")
    report = LaggardReport(
        charter="方案", at=datetime(2024, 7, 15, tzinfo=UTC), minimum_sample=5, rows=(row,)
    )
    assert "\n'=1+1," in laggards_as_csv(report, Town())
