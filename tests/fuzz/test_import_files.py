"""Whatever lies in a file to import: rows come in, rows are refused, or the file is; never a traceback."""

import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from typer.testing import CliRunner

from services.console.importing.command import import_file
from services.console.terminal import Session
from tests.console.importing.cases import CELLS, GIVEN, HEADER

app = typer.Typer()
app.command("import")(import_file)
MISUSE, PARTLY = 2, 4
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

HEAD = ",".join(HEADER).encode() + b"\n"
CELL = (
    st.text(max_size=20)
    | st.sampled_from(
        [*CELLS.values(), "2/30/20", "0/0/0", "1/1/9999 23:59", "1/1/0001", "=1+1", "\x00", '"']
    )
    | st.sampled_from(["99999999999999", "1e308", "NaN", "-1", "٣/٤/٢٠", "1/2/20 25:00", "　", "x" * 3000])
)
TYPED = (
    CELL.filter(str.isprintable)
    | st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(datetime(1900, 3, 1), datetime(9999, 1, 1))  # noqa: DTZ001 (as a workbook has them)
    | st.dates(date(1900, 3, 1), date(9999, 1, 1))
)


@app.callback()
def before(ctx: typer.Context) -> None:
    ctx.obj = Session("nats://127.0.0.1:9")


def look_at(folder: Path, name: str, content: bytes) -> None:
    """A dry run says how many rows would be sent and refused; or, with its own status, what is wrong."""
    file, mapping = folder / name, folder / "map.yaml"
    file.write_bytes(content)
    mapping.write_text(json.dumps(GIVEN), encoding="utf-8")
    asked = ["import", str(file), "--mapping", str(mapping), "--format", "json", "--dry-run", "--offline"]
    result = CliRunner().invoke(app, asked)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    said = json.loads(result.stdout)
    if result.exit_code in (0, PARTLY):
        assert (result.exit_code == PARTLY) == (said["refused"] > 0)
        assert said["would_be_sent"] + said["refused"] == said["rows"]
        assert sum(said["refused_by_reason"].values()) == said["refused"]
    else:
        assert result.exit_code == MISUSE, said
        assert said


def quoted(cells: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


@few
@given(rows=st.lists(st.lists(CELL, max_size=len(HEADER) + 2), max_size=6))
def test_a_csv_of_any_cells_is_read_or_refused_row_by_row(tmp_path: Path, rows: list[list[str]]) -> None:
    look_at(tmp_path, "cases.csv", HEAD + "".join(map(quoted, rows)).encode(errors="replace"))


@few
@given(content=st.binary(max_size=400))
@example(content=b"\xff\xfe\x00")
@example(content=b"7,Lamp,Works,Done\x00,1/2/20 9:00\n")
@example(content=b'7,"Lamp\n')
@example(content=b"x" * 200_000 + b"\n")
def test_a_csv_of_any_bytes_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    look_at(tmp_path, "cases.csv", content)
    look_at(tmp_path, "cases.csv", HEAD + content)


@few
@given(rows=st.lists(st.lists(TYPED, max_size=len(HEADER) + 1), max_size=4))
def test_a_workbook_of_any_cells_is_read_or_refused_row_by_row(
    tmp_path: Path, rows: list[list[object]]
) -> None:
    look_at(tmp_path, "cases.xlsx", workbook(rows))


@few
@given(content=st.binary(max_size=200))
def test_bytes_that_are_no_workbook_are_told_so(tmp_path: Path, content: bytes) -> None:
    look_at(tmp_path, "cases.xlsx", content)


def parts(book: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(book)).namelist()


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for cells in (HEADER, *rows):
        page.append(list(cells))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


WHOLE = workbook([list(CELLS.values())])


@few
@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_workbook_with_one_wrong_byte_is_read_or_told_broken(tmp_path: Path, at: int, byte: int) -> None:
    look_at(tmp_path, "cases.xlsx", WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :])


@few
@given(
    part=st.sampled_from(parts(WHOLE)),
    at=st.floats(0, 1),
    put=st.sampled_from([b"", b"<", b"&x;", b"\x00", b"<row/>"]),
)
def test_a_workbook_with_a_broken_part_is_read_or_told_broken(
    tmp_path: Path, part: str, at: float, put: bytes
) -> None:
    look_at(tmp_path, "cases.xlsx", spoilt(part, at, put))


def spoilt(part: str, at: float, put: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as whole, zipfile.ZipFile(written, "w") as broken:
        for name in whole.namelist():
            content = whole.read(name)
            place = int(len(content) * at)
            broken.writestr(name, content[:place] + put + content[place + 5 :] if name == part else content)
    return written.getvalue()


@pytest.mark.parametrize("missing", parts(WHOLE))
def test_a_workbook_without_one_of_its_parts_is_read_or_told_broken(tmp_path: Path, missing: str) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as whole, zipfile.ZipFile(written, "w") as broken:
        for name in whole.namelist():
            if name != missing:
                broken.writestr(name, whole.read(name))
    look_at(tmp_path, "cases.xlsx", written.getvalue())
