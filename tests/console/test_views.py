"""Lists, files and what is under way with an entry: as people and spreadsheets get them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from duban_contracts.charter import Charter
from duban_contracts.handling import EntryReportedUp, EntryTransferred, ExtensionApplied, ExtensionDecided
from duban_contracts.laggard_report import LaggardReport, LaggardRow
from duban_contracts.ledger import ProgressRecorded
from duban_contracts.message import CATALOGUE, Fact
from duban_contracts.queries import ToldFact
from duban_contracts.reading import EntryStatus, PaperRow
from services.console.command_help import _read_example
from services.console.files import ENDINGS, Layout, layout_of
from services.console.filtering import DueWithin, Filter, Names, coded, kinds_of, listing_order
from services.console.i18n import Lang, use
from services.console.paper_ledger import write
from services.console.pending import BEGINS, pending
from services.console.reporting import as_markdown, as_table, as_workbook
from services.console.sentences import Town, deadline
from services.console.tables import text_width
from services.console.terminal import Stop
from tests.console.conftest import Run

EVENING = datetime(2024, 4, 15, 17, tzinfo=UTC)
"""The 16th already in the town."""


@pytest.mark.case("C3")
@pytest.mark.parametrize(("ending", "layout"), ENDINGS.items())
def test_the_form_follows_the_ending(ending: str, layout: Layout, tmp_path: Path) -> None:
    out = tmp_path / f"led{ending.upper()}"
    assert layout_of(None, out) is layout_of(layout, out) is layout
    row = PaperRow(number="2024-000001", problem="路灯|不亮", stations=("镇新村办",), status=EntryStatus.OPEN)
    write([row], layout, out)
    held = out.read_bytes()
    match layout:
        case Layout.XLSX:
            assert load_workbook(out).active["A2"].value == "2024-000001"
        case Layout.CSV:
            assert held.startswith(b"\xef\xbb\xbf")
        case Layout.JSON:
            assert held.startswith(b"{")
        case Layout.MARKDOWN:
            assert "路灯\\|不亮" in held.decode()
        case Layout.TABLE:
            assert "2024-000001" in held.decode()


@pytest.mark.case("C3")
@pytest.mark.parametrize(
    ("told", "file", "said"),
    [
        (None, "led.pdf", "PDF"),
        (None, "led.doc", ".xlsx"),
        (None, "led", ".xlsx"),
        (Layout.CSV, "led.xlsx", "leave one of them out"),
        (Layout.JSON, "led.pdf", "PDF"),
    ],
)
def test_what_cannot_be_written_is_refused(told: Layout | None, file: str, said: str) -> None:
    with pytest.raises(Stop, match=said):
        layout_of(told, Path(file))


@pytest.mark.case("C3")
def test_a_format_that_contradicts_the_ending_is_refused_before_anything_is_asked(run: Run) -> None:
    for command in (("ledger", "export"), ("report", "laggards")):
        assert run(*command, "--out", "x.pdf").status == 2


def report(charter: Charter) -> LaggardReport:
    rows = tuple(
        LaggardRow(station=token, name=each.name, name_en=each.name_en, dispatched=12, open=3)
        for token, each in charter.stations.items()
    )
    return LaggardReport(charter=charter.name, at=EVENING, minimum_sample=5, rows=rows)


@pytest.mark.case("C4")
@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("width", [80, 120])
def test_the_laggard_report_is_readable_on_a_narrow_screen(lang: Lang, width: int, township: Charter) -> None:
    use(lang)
    try:
        drawn = as_table(report(township), Town(township), width=width)
    finally:
        use(Lang.EN)
    assert max(map(text_width, drawn.splitlines()[1:-2])) <= width
    assert "…" not in drawn
    names = [each.name if lang is Lang.ZH else each.name_en for each in township.stations.values()]
    assert all(name in drawn for name in names)


@pytest.mark.case("C3")
def test_the_laggard_report_goes_into_a_workbook_and_markdown(township: Charter, tmp_path: Path) -> None:
    file = tmp_path / "lag.xlsx"
    as_workbook(report(township), Town(township)).save(file)
    sheet: Any = load_workbook(file).active
    assert sheet["B2"].value == 12
    assert as_markdown(report(township), Town(township)).count("\n| ") == len(township.stations) + 2


@pytest.mark.case("C5")
def test_a_day_that_ends_at_midnight_is_told_by_the_day_itself(township: Charter) -> None:
    midnight = datetime(2024, 4, 15, 16, tzinfo=UTC)
    assert deadline(midnight, Town(township)) == "2024-04-15"
    assert deadline(EVENING, Town(township)) == "2024-04-16 01:00"


@pytest.mark.case("C9")
@pytest.mark.parametrize(
    ("due", "first", "last"),
    [
        (DueWithin.TODAY, date(2024, 4, 16), date(2024, 4, 16)),
        (DueWithin.TOMORROW, date(2024, 4, 17), date(2024, 4, 17)),
        (DueWithin.WEEK, date(2024, 4, 16), date(2024, 4, 22)),
    ],
)
def test_days_are_those_of_the_town(due: DueWithin, first: date, last: date, township: Charter) -> None:
    question = Filter.of(Names(village="东村"), due).on(township, EVENING)
    assert (question.due_from, question.due_until, question.village) == (first, last, "dongcun")


@pytest.mark.case("C9")
def test_what_is_open_comes_first() -> None:
    open_, ended = listing_order(None, True, open_only=True)
    assert {*open_, *ended} == set(EntryStatus)
    assert listing_order(None, False, open_only=True) == (open_,)
    assert listing_order([EntryStatus.CLOSED], False, open_only=True) == ((EntryStatus.CLOSED,),)
    assert listing_order(None, False, open_only=False) == ((),)


@pytest.mark.case("C8", "C9")
def test_kinds_and_states_are_understood_in_words() -> None:
    assert coded(EntryStatus)("struck off") is coded(EntryStatus)("已销号") is EntryStatus.STRUCK_OFF
    assert kinds_of("申请", None)["entry_kind"] == "application"
    assert kinds_of("complaint", None)["kind"] == "complaint"
    with pytest.raises(Stop, match="did you mean measure"):
        kinds_of("mesure", None)


def told(model: type[Fact], **more: Any) -> ToldFact:
    fact = model.model_validate({**_read_example(model), **more})  # type: ignore[arg-type]
    return ToldFact(type=fact.type, time="2024-04-15T01:00:00Z", data=fact.model_dump_json())


@pytest.mark.case("C10")
def test_what_waits_for_somebody_is_under_way_until_it_is_answered() -> None:
    transfer, extension = told(EntryTransferred), told(ExtensionApplied)
    assert pending([transfer, extension]) == [transfer, extension]
    assert pending([transfer, extension, told(ExtensionDecided)]) == [transfer]
    assert pending([ToldFact(type="duban.ledger.of_tomorrow.v1", time="t", data="{}")]) == []


@pytest.mark.case("C10")
def test_the_interim_answer_ends_reporting_up_and_progress_does_not() -> None:
    reported = told(EntryReportedUp)
    answer, other = (told(ProgressRecorded, interim_answer=given) for given in (True, False))
    assert pending([reported, other]) == [reported]
    assert pending([reported, other, answer]) == []


@pytest.mark.case("C10")
@pytest.mark.parametrize("begun", list(BEGINS), ids=lambda each: each.__name__)
def test_everything_under_way_ends_with_what_it_waits_for(begun: type[Fact]) -> None:
    assert begun in CATALOGUE.values()
    first = told(begun)
    assert pending([first]) == [first]
    for end in BEGINS[begun].ended_by:
        fact = end.model_validate(_read_example(end))  # type: ignore[arg-type]
        awaited = BEGINS[begun]
        begin = begun.model_validate_json(first.data)
        if awaited.about(begin) == awaited.about(fact) and awaited.where(fact):
            assert first not in pending([first, told(end)]) or end is begun
