"""Tables at 80 columns: readable, and what must be copied is never cut."""

import pytest

from services.console.tables import pad, table, text_width, vertical, wrap

ROWS = [
    ["2026-000015", "村口垃圾三天没有清运，气味很大，老人小孩都受不了", "清洁和绿化管理办公室", "逾期"],
    ["2026-000016", "The lamp at the school's gate is broken again", "Office of Roads", ""],
]
HEADINGS = ["编号", "标题", "站所", "情况"]


@pytest.mark.case("C4")
@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    lines = table(HEADINGS, ROWS, width=width).splitlines()
    assert max(map(text_width, lines)) <= width


@pytest.mark.case("C4")
@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_a_number_stays_whole_however_narrow(width: int) -> None:
    drawn = table(HEADINGS, ROWS, width=width)
    assert "2026-000015" in drawn
    assert "2026-000016" in drawn
    assert "…" not in drawn


@pytest.mark.case("C4")
def test_columns_that_cannot_fit_become_lines() -> None:
    drawn = table(HEADINGS, ROWS, width=24)
    assert drawn.splitlines()[0] == "编号  2026-000015"
    assert drawn.count("\n\n") == 1


@pytest.mark.case("C4")
def test_wide_wraps_nothing() -> None:
    lines = table(HEADINGS, ROWS, width=20, wide=True).splitlines()
    assert len(lines) == 4


def test_a_cell_without_value_is_left_out_of_the_lines() -> None:
    assert "情况" not in vertical(HEADINGS, [ROWS[1]], width=40)


def test_a_chinese_character_takes_two_columns() -> None:
    assert text_width("站所 ab") == 7
    assert pad("站", 4) == "站  "


def test_chinese_text_is_wrapped_between_characters_and_before_no_comma() -> None:
    assert wrap("没有清运，请办理", 8) == ["没有清", "运，请", "办理"]


def test_a_word_longer_than_the_line_stays_whole() -> None:
    assert wrap("see nats://127.0.0.1:4222 now", 10) == ["see", "nats://127.0.0.1:4222", "now"]
