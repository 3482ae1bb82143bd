"""A CSV file and a workbook with the same content give the same rows; a broken one says where."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.console.importing.convert import Case, convert
from services.console.importing.rows import BadFile, Row, count, opened
from tests.console.importing.cases import CELLS, HEADER, a_map


def rows(path: Path, **changes: object) -> list[Row]:
    with opened(path, a_map(**changes)) as sheet:
        return list(sheet.rows)


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "cases.csv"
    path.write_bytes(text.encode(encoding))
    return path


def workbook(folder: Path, lines: Sequence[Sequence[object]], sheet: str = "Cases") -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for line in lines:
        page.append(list(line))
    path = folder / "cases.xlsx"
    book.save(path)
    return path


def line(cells: Sequence[str]) -> str:
    return ",".join(cells) + "\n"


def test_rows_are_numbered_as_a_spreadsheet_does_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    found = rows(csv_file(tmp_path, "No,What\n1, Lamp \n\n , \n2,Road\n"))
    assert found == [Row(2, {"No": "1", "What": "Lamp"}), Row(5, {"No": "2", "What": "Road"})]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert rows(csv_file(tmp_path, "\ufeffNo,What\n1,Lamp\n")) == [Row(2, {"No": "1", "What": "Lamp"})]


def test_encoding_and_delimiter_are_the_maps(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "No;What\n1;路灯\n", "gb18030")
    assert rows(path, encoding="gb18030", delimiter=";") == [Row(2, {"No": "1", "What": "路灯"})]


def test_a_short_row_ends_in_empty_cells_and_a_long_one_says_so(tmp_path: Path) -> None:
    found = rows(csv_file(tmp_path, "No,What\n1\n2,Lamp,,oops\n"))
    assert found == [Row(2, {"No": "1", "What": ""}), Row(3, {"No": "2", "What": "Lamp"}, surplus=1)]


def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="line 3: not readable as CSV"):
        count(csv_file(tmp_path, 'No,What\n1,Lamp\n2,"Road\n'), a_map())


def test_a_wrong_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="encoding in the map"):
        count(csv_file(tmp_path, "No,What\n1,路灯\n", "gb18030"), a_map())


def test_a_file_without_a_header_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="names no columns"):
        count(csv_file(tmp_path, ""), a_map())


def test_a_file_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    path.write_bytes(b"not a zip")
    with pytest.raises(BadFile, match="not readable as a workbook"):
        count(path, a_map())


def test_a_sheet_that_is_not_there_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no sheet 'Case'; did you mean 'Cases'"):
        count(workbook(tmp_path, [HEADER]), a_map(sheet="Case"))


def test_the_sheet_is_the_one_that_the_map_names(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["No"], ["1"]])
    assert rows(path, sheet="Cases") == rows(path) == [Row(2, {"No": "1"})]


def test_whole_numbers_and_empty_cells_of_a_workbook_read_as_they_look(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["No", "What", "Urgent"], [12.0, None, True]])
    assert rows(path) == [Row(2, {"No": "12", "What": "", "Urgent": "true"})]


def test_a_workbook_gives_the_same_cases_as_a_csv_file(tmp_path: Path) -> None:
    typed = CELLS | {
        "No": 7,
        "In": datetime(2020, 1, 2, 9),  # noqa: DTZ001
        "Planned": datetime(2020, 1, 6),  # noqa: DTZ001
        "Out": datetime(2020, 1, 3, 8, 30),  # noqa: DTZ001
        "Urgent": None,
    }
    from_csv = rows(csv_file(tmp_path, line(HEADER) + line(list(CELLS.values()))))
    from_book = rows(workbook(tmp_path, [HEADER, list(typed.values())]))
    (one,), (other,) = ([convert(row, a_map()) for row in found] for found in (from_csv, from_book))
    assert isinstance(one, Case)
    assert isinstance(other, Case)
    assert (one.key, one.id, one.command, one.at) == (other.key, other.id, other.command, other.at)
