"""A CSV file and a workbook with the same content give the same rows; a broken one says where."""

import resource
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.console.importing.cells import NumberText
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


def zipped(folder: Path, changed: dict[str, bytes]) -> Path:
    """A workbook of one page of which some parts are replaced, or added."""
    whole = workbook(folder, [HEADER, list(CELLS.values())])
    with zipfile.ZipFile(whole) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()} | changed
    path = folder / "changed.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in contents.items():
            parts.writestr(name, content)
    return path


PAGE, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


HEADING = b'<row r="1"><c r="A1" t="str"><v>No</v></c></row>'


def page(content: bytes) -> bytes:
    return b"<worksheet " + MAIN + b"><sheetData>" + content + b"</sheetData></worksheet>"


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {TEXTS: b"<sst " + MAIN + b">" + b"<si><t/></si>" * 1_350_000 + b"</sst>"},
            "more than 4000000 tags",
        ),
        ({"xl/styles.xml": b"<styleSheet " + MAIN + b">" + b"<x/>" * 500_000 + b"</styleSheet>"}, "tags"),
        ({"xl/workbook.xml": b"<workbook>" + b" " * 17_000_000 + b"</workbook>"}, "unpacks to 17 MB"),
        ({PAGE: page(b"<row>" + b"<c/>" * 550_000 + b"</row>")}, "a row unpacks to more than 2 MB"),
        ({PAGE: page(HEADING + b'<row r="99000000"><c/></row>')}, "more than 1048576 rows"),
        ({PAGE: page(HEADING + b'<row><c r="XFD1"/></row>' * 700)}, "more than 10000000 cells"),
        ({PAGE: b'<!DOCTYPE x [<!ENTITY a "b">]>' + page(b"")}, "declares a document type"),
        ({f"xl/x{n}.xml": b"" for n in range(2_001)}, "parts"),
    ],
    ids=["texts", "styles", "bytes", "one row", "rows", "cells", "entities", "parts"],
)
def test_a_workbook_that_unpacks_beyond_the_bounds_is_refused_in_words(
    tmp_path: Path, changed: dict[str, bytes], says: str
) -> None:
    path = zipped(tmp_path, changed)
    assert path.stat().st_size < 300_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadFile, match=says):
        count(path, a_map())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000  # kilobytes


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    "text",
    ["No,What\n1," + "x" * 200_000, "No,What\n1," + "x," * 600_000, 'No,What\n1,"' + '\n"",""' * 900_000],
    ids=["field", "line", "row"],
)
def test_a_csv_beyond_the_bounds_is_refused_in_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile, match="quote too many or few"):
        count(csv_file(tmp_path, text), a_map())


@pytest.mark.case("C13")
def test_the_headings_stand_in_the_row_that_the_map_names(tmp_path: Path) -> None:
    lines = [["Register", None], [], ["No", "What"], ["1", "Lamp"]]
    expected = [Row(4, {"No": "1", "What": "Lamp"})]
    assert rows(workbook(tmp_path, lines), header_row=3) == expected
    assert rows(csv_file(tmp_path, "Register\n\nNo,What\n1,Lamp\n"), header_row=3) == expected


@pytest.mark.case("C13")
def test_a_wrong_encoding_is_told_with_what_it_seems_to_be(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="seems to be gb18030"):
        count(csv_file(tmp_path, "No,What\n1,路灯\n", "gbk"), a_map())


@pytest.mark.case("C13")
@pytest.mark.parametrize(("begins", "kind"), [(b"PK\x03\x04", "xlsx"), (b"\xd0\xcf\x11\xe0", "xls")])
def test_a_workbook_under_another_name_is_told_as_what_it_is(
    tmp_path: Path, begins: bytes, kind: str
) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(begins + b"rest")
    with pytest.raises(BadFile, match=rf"a \.{kind} file"):
        count(path, a_map())


@pytest.mark.case("A8")
def test_numbers_of_a_workbook_are_known_as_numbers(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["No", "What"], [440106199001011234, "440106199001011234"], [1.5, "x"]])
    first, second = rows(path)
    assert isinstance(first["No"], NumberText)
    assert not isinstance(first["What"], NumberText)
    assert (second["No"], isinstance(second["No"], NumberText)) == ("1.5", True)


@pytest.mark.case("A8")
def test_a_text_that_is_marked_as_text_is_read_without_the_mark(tmp_path: Path) -> None:
    assert rows(csv_file(tmp_path, 'No,What\n"=""007""",Lamp\n')) == [Row(2, {"No": "007", "What": "Lamp"})]
