"""A row becomes the command that the record means, or is refused with a reason; nothing is raised."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban_contracts.intake import Channel, Outcome, PastOutcome
from services.console.importing.cells import Cell, NumberText
from services.console.importing.convert import (
    CLOSING_OF_AN_OPEN_CASE,
    IDS_ARE_NUMBERS,
    Case,
    Refused,
    convert,
)
from services.console.importing.dates import as_text, parsed
from services.console.importing.mapping import ImportMap
from services.console.importing.rows import Row
from tests.console.importing.cases import GIVEN, HEADER, a_map, a_row


def case(row: Row, import_map: ImportMap | None = None) -> Case:
    found = convert(row, import_map or a_map())
    assert isinstance(found, Case), found
    return found


def refused(row: Row, import_map: ImportMap | None = None) -> Refused:
    found = convert(row, import_map or a_map())
    assert isinstance(found, Refused), found
    return found


def test_a_closed_case_comes_in_whole() -> None:
    found = case(a_row())
    assert (found.key, found.id) == ("hotline:7", "import:hotline:7")
    assert found.at == datetime(2020, 1, 2, 17, 0, tzinfo=UTC)
    matter = found.command
    assert (matter.title, matter.category, matter.station) == ("Lamp", "lamp", "works")
    assert (matter.due_on, matter.channel, matter.urgent) == (date(2020, 1, 6), Channel.HOTLINE, False)
    closed = datetime(2020, 1, 3, 16, 30, tzinfo=UTC)
    assert matter.past == PastOutcome(outcome=Outcome.SOLVED, closed_at=closed)


@pytest.mark.case("C13")
def test_an_open_case_has_no_past_and_its_closing_time_is_noted() -> None:
    found = case(a_row(State="Open"))
    assert found.command.past is None
    assert found.notes == (CLOSING_OF_AN_OPEN_CASE,)
    assert case(a_row(State="Open", Out="")).notes == ()


def test_a_closed_case_without_a_closing_time_keeps_its_outcome() -> None:
    assert case(a_row(Out="")).command.past == PastOutcome(outcome=Outcome.SOLVED, closed_at=None)


def test_a_case_without_a_planned_day_gets_none() -> None:
    assert case(a_row(Planned="")).command.due_on is None


def test_a_planned_day_before_the_submission_is_taken_as_recorded() -> None:
    assert case(a_row(Planned="12/30/19 0:00")).command.due_on == date(2019, 12, 30)


def test_a_closing_at_the_very_moment_of_the_submission_is_taken() -> None:
    past = case(a_row(Out="1/2/20 9:00")).command.past
    assert past is not None
    assert past.closed_at == datetime(2020, 1, 2, 17, 0, tzinfo=UTC)


def test_a_closing_day_without_a_time_is_not_before_a_submission_on_that_day() -> None:
    past = case(a_row(Out="1/2/20")).command.past
    assert past is not None
    assert past.closed_at == datetime(2020, 1, 2, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "code", "hint"),
    [
        ({"No": ""}, "missing_id", "'No'"),
        ({"No": "x" * 200}, "bad_id", "at most"),
        ({"No": "7\x07"}, "bad_id", "printable"),
        ({"What": ""}, "missing_value", "title"),
        ({"What": "Lamb"}, "unknown_category", "did you mean 'Lamp'?"),
        ({"Who": "Xyz"}, "unknown_station", "known here: Works"),
        ({"State": "Xyz"}, "unknown_status", "known here: Done, Open"),
        ({"State": ""}, "missing_value", "status"),
        ({"In": ""}, "missing_value", "submitted_at"),
        ({"In": "2020-01-02"}, "bad_date", "%m/%d/%y"),
        ({"In": "2/30/20 9:00"}, "bad_date", "submitted_at"),
        ({"Planned": "soon"}, "bad_date", "due_on"),
        ({"Out": "13/1/20 9:00"}, "bad_date", "closed_at"),
        ({"Out": "1/2/20 8:59"}, "closed_before_submitted", "correct one of them"),
        ({"Out": "1/1/20"}, "closed_before_submitted", "correct one of them"),
        ({"How": "Pigeon"}, "unknown_channel", "'Pigeon'"),
        ({"Urgent": "perhaps"}, "unknown_urgent", "'perhaps'"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_with_a_code_and_what_to_do(
    changes: dict[str, str], code: str, hint: str
) -> None:
    found = refused(a_row(cells=changes))
    assert found.code == code
    assert hint in found.reason


def test_a_row_with_cells_beyond_the_last_column_is_refused() -> None:
    found = refused(a_row(surplus=1))
    assert (found.code, "delimiter" in found.reason) == ("bad_row", True)


def test_a_title_longer_than_the_contract_allows_is_refused() -> None:
    found = refused(
        a_row(What="x" * 201),
        a_map(
            categories=None,
            defaults={"category": "lamp"},
            columns={"id": "No", "title": "What", "submitted_at": "In"},
        ),
    )
    assert (found.code, "title" in found.reason) == ("bad_value", True)


def test_a_template_makes_a_title_that_leaves_the_names_out() -> None:
    columns = {
        "id": "No",
        "title": {"template": "{What}, by {How}"},
        "submitted_at": "In",
        "category": "What",
    }
    assert case(a_row(), a_map(columns=columns)).command.title == "Lamp, by Call"


def test_without_a_table_a_cell_must_be_our_own_token() -> None:
    ours = a_map(stations=None)
    assert case(a_row(Who="jiwei"), ours).command.station == "jiwei"
    assert refused(a_row(Who="镇纪委"), ours).code == "unknown_station"


def test_defaults_stand_in_for_empty_cells() -> None:
    found = case(a_row(Who="", How=""), a_map(defaults={"station": "works", "channel": "visit"})).command
    assert (found.station, found.channel) == ("works", Channel.VISIT)


def test_without_a_station_the_charter_chooses() -> None:
    assert case(a_row(Who="")).command.station is None


@pytest.mark.parametrize(("word", "urgent"), [("Y", True), ("是", True), ("N", False), ("", False)])
def test_yes_and_no_are_read_in_any_case_of_letters(word: str, urgent: bool) -> None:
    assert case(a_row(Urgent=word)).command.urgent is urgent


def test_of_two_equal_hours_the_first_is_meant() -> None:
    assert case(a_row(In="11/1/20 1:30", State="Open")).at == datetime(2020, 11, 1, 8, 30, tzinfo=UTC)


def test_of_two_equal_hours_the_second_is_meant_where_the_first_were_before_the_submission() -> None:
    past = case(a_row(In="11/1/20 1:50", Out="11/1/20 1:10")).command.past
    assert past is not None
    assert past.closed_at == datetime(2020, 11, 1, 9, 10, tzinfo=UTC)


def test_an_hour_that_the_clock_leaves_out_is_read_as_if_it_had_not_been_put_forward() -> None:
    assert case(a_row(In="3/8/20 2:30", State="Open")).at == datetime(2020, 3, 8, 10, 30, tzinfo=UTC)


def test_a_time_with_its_own_offset_is_believed() -> None:
    offset = a_map(date_formats=["%Y-%m-%dT%H:%M%z", "%m/%d/%y %H:%M", "%m/%d/%y"])
    assert case(a_row(In="2020-01-02T09:00+00:00"), offset).at == datetime(2020, 1, 2, 9, 0, tzinfo=UTC)


def test_dates_typed_in_a_workbook_are_taken_as_such() -> None:
    typed = a_row(In=datetime(2020, 1, 2, 9), Planned=datetime(2020, 1, 6), Out=datetime(2020, 1, 3, 8, 30))  # noqa: DTZ001
    assert case(typed).command == case(a_row()).command
    assert case(typed).at == case(a_row()).at


CELL = st.one_of(st.text(), st.datetimes(), st.dates(), st.sampled_from(["Lamp", "Done", "1/2/20 9:00", "Y"]))


@given(st.fixed_dictionaries(dict.fromkeys(HEADER, CELL)), st.booleans())
def test_whatever_the_cells_hold_a_row_is_a_case_or_a_refusal(cells: dict[str, str], tables: bool) -> None:
    import_map = a_map() if tables else a_map(categories=None, stations=None, channels=None)
    found = convert(Row(2, cells), import_map)
    assert isinstance(found, Case | Refused)
    if isinstance(found, Case):
        assert len(found.key) <= len(found.id) <= 200
        assert found.at.utcoffset() == UTC.utcoffset(None)
    else:
        assert found.code
        assert found.reason


@pytest.mark.case("A8")
@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (NumberText(10**15), "id_lost_digits"),
        (NumberText(440106199001011234), "id_lost_digits"),
        (NumberText("1.2e+16"), "id_lost_digits"),
        ("4.40106E+17", "id_lost_digits"),
        ("4,40106E+17", "id_lost_digits"),
        ("1e5", "id_lost_digits"),
        (NumberText("1.5"), "bad_id"),
        (datetime(2024, 3, 12), "id_is_a_date"),  # noqa: DTZ001
        (date(2024, 3, 12), "id_is_a_date"),
    ],
)
def test_an_id_that_a_spreadsheet_has_changed_is_refused(cell: Cell, code: str) -> None:
    found = refused(a_row(No=cell))
    assert found.code == code
    assert "format the column" in found.reason


@pytest.mark.case("A8")
@pytest.mark.parametrize("cell", ["440106199001011234", "E17", "1-2", NumberText(10**15 - 1), "007"])
def test_an_id_that_is_whole_is_taken_as_it_is(cell: str) -> None:
    assert case(a_row(No=cell)).key == f"hotline:{cell}"


@pytest.mark.case("A8")
def test_ids_that_are_numbers_of_a_workbook_are_noted_for_their_lost_zeros() -> None:
    assert case(a_row(No=NumberText(7))).notes == (IDS_ARE_NUMBERS,)
    assert case(a_row(No="7")).notes == ()


WITHOUT_STATUS = {
    "columns": {key: value for key, value in GIVEN["columns"].items() if key != "status"},
    "statuses": {},
}


@pytest.mark.case("A13")
@pytest.mark.parametrize(("out", "outcome"), [("1/3/20 8:30", Outcome.SOLVED), ("", None)])
def test_closed_where_filled_in_needs_no_status_column(out: str, outcome: Outcome | None) -> None:
    past = case(a_row(Out=out), a_map(**WITHOUT_STATUS, closed_when="filled")).command.past
    assert (past and past.outcome) == outcome


@pytest.mark.case("A13")
def test_the_map_says_what_a_filled_and_an_empty_cell_mean() -> None:
    turned = {
        "filled": {"closed": False},
        "empty": {"closed": True, "outcome": "explained"},
        "column": "Urgent",
    }
    told = a_map(**WITHOUT_STATUS, closed_when=turned)
    assert case(a_row(Urgent="Y"), told).command.past is None
    past = case(a_row(Urgent=""), told).command.past
    assert past is not None
    assert past.outcome is Outcome.EXPLAINED
    empty_word = a_map(statuses=GIVEN["statuses"] | {"": {"closed": False}})
    assert case(a_row(State="", Out=""), empty_word).command.past is None


@pytest.mark.case("A19")
def test_a_planned_instant_goes_before_a_planned_day() -> None:
    columns = GIVEN["columns"] | {"due_at": "Planned", "due_on": "Out"}
    both = a_map(columns=columns)
    matter = case(a_row(Planned="1/6/20 8:30"), both).command
    assert (matter.due_at, matter.due_on) == (datetime(2020, 1, 6, 16, 30, tzinfo=UTC), None)
    matter = case(a_row(Planned="1/6/20"), both).command
    assert (matter.due_at, matter.due_on) == (None, date(2020, 1, 6))
    matter = case(a_row(Planned=""), both).command
    assert (matter.due_at, matter.due_on) == (None, date(2020, 1, 3))


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    "text",
    [
        "2024年5月3日 9时30分",
        "2024年05月03日09时30分",
        "2024年5月3日 9:30",
        "2024年5月3号9点30分",
        "2024年5月3日 上午9时30分",
        "2024年5月3日 9点半",
        "2024年5月3日 9时30分0秒",
        "2024年5月3日星期五 9时30分",
        "2024年5月3日(周五) 09:30:00",
        "２０２４年５月３日　９时３０分",
        "2024/5/3 9:30",
        "2024-05-03 09:30:00",
        "2024.5.3 9：30",
    ],
)
def test_one_word_reads_the_chinese_ways_to_write_a_moment(text: str) -> None:
    chinese = a_map(timezone="Asia/Shanghai", date_formats=["chinese"])
    found = case(a_row(In=text, Planned="", Out="", State="Open"), chinese)
    assert found.at == datetime(2024, 5, 3, 1, 30, tzinfo=UTC)


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024年5月3日", date(2024, 5, 3)),
        ("2024年5月3日下午3时", datetime(2024, 5, 3, 15)),  # noqa: DTZ001
        ("2024年5月3日中午12点", datetime(2024, 5, 3, 12)),  # noqa: DTZ001
        ("2024年5月3日 24时", datetime(2024, 5, 4)),  # noqa: DTZ001
        ("2024年5月3日晚上12点", datetime(2024, 5, 4)),  # noqa: DTZ001
        ("2024年5月3日夜间12时", datetime(2024, 5, 4)),  # noqa: DTZ001
        ("2024年5月3日晚上12点半", datetime(2024, 5, 4, 0, 30)),  # noqa: DTZ001
        ("2024年5月3日凌晨12点30分", datetime(2024, 5, 3, 0, 30)),  # noqa: DTZ001
        ("2024年5月3日凌晨1点", datetime(2024, 5, 3, 1)),  # noqa: DTZ001
        ("2024年5月3日下午12点30分", datetime(2024, 5, 3, 12, 30)),  # noqa: DTZ001
        ("2024年5月3日上午12点", datetime(2024, 5, 3, 12)),  # noqa: DTZ001
        ("2024年5月3日晚上11点59分", datetime(2024, 5, 3, 23, 59)),  # noqa: DTZ001
        ("2024年2月30日", None),
        ("2024年5月3日 25时", None),
        ("2024年5月", None),
        ("5月3日", None),
    ],
)
def test_a_chinese_date_is_read_or_is_none(text: str, moment: date | None) -> None:
    assert parsed(text, ("chinese",)) == moment


def test_full_width_ids_and_dates_are_those_of_ascii() -> None:
    full = case(a_row(No="４７－１", In="１／２／２０　９：００"))
    assert (full.key, full.at) == ("hotline:47-1", case(a_row()).at)


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("45415.3958333333", "excel", datetime(2024, 5, 3, 9, 30)),  # noqa: DTZ001
        (NumberText(45415), "excel", date(2024, 5, 3)),
        ("43953", "excel1904", date(2024, 5, 3)),
        ("2024", "excel", None),
        ("20240503", "excel", None),
    ],
)
def test_days_counted_by_a_spreadsheet_are_read(text: str, form: str, moment: date | None) -> None:
    assert parsed(text, (form,)) == moment


@pytest.mark.case("C13")
def test_a_refused_date_says_which_word_would_read_it() -> None:
    assert "'chinese'" in refused(a_row(In="2024年5月3日 9时30分")).reason
    assert "'excel'" in refused(a_row(In="45415.39")).reason


@pytest.mark.case("C13")
def test_times_in_a_refusal_are_the_towns() -> None:
    assert (
        "closed at 2020-01-02 08:59, before it was submitted at 2020-01-02 09:00"
        in refused(a_row(Out="1/2/20 8:59")).reason
    )


@pytest.mark.case("C13")
@pytest.mark.parametrize("formats", [["excel"], ["chinese"], ["%Y-%m-%d %H:%M:%S"]])
def test_a_typed_date_in_a_refused_row_is_read_again_by_the_same_map(formats: list[str]) -> None:
    told, typed = a_map(date_formats=formats), datetime(2024, 5, 3, 9, 30)  # noqa: DTZ001
    assert parsed(as_text(typed, told), tuple(formats)) == typed
