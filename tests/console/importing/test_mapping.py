"""A map is told every error at its line, with what to do, before anything is read or sent."""

from pathlib import Path

import pytest

from services.chassis.charter_file import read_charter
from services.console.importing.mapping import MapErrors, check_header, read_map
from tests.console.importing.cases import CHARTER_FILE, HEADER, MAP_FILE, a_map


def findings(folder: Path, old: str, new: str) -> tuple[list[str], int]:
    """What is said of the shipped map with one place changed, and the line of that place."""
    text = MAP_FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "map.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MapErrors) as caught:
        read_map(path)
    return caught.value.findings, text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        (
            "timezone: America/Los_Angeles",
            "timezone: America/Los_Angles",
            "did you mean 'America/Los_Angeles'?",
        ),
        ("  title: requesttype", "  titel: requesttype", "did you mean 'title'?"),
        ("feed: myla311", "feed: 洛杉矶", "is no token"),
        ('["%m/%d/%y %H:%M"]', '["%H:%M"]', "is no date format with year, month and day"),
        ('["%m/%d/%y %H:%M"]', "[]", "at least 1 item"),
        ("Open: {closed: false}", "Open: {closed: maybe}", "must be true or false"),
        ("{closed: true, outcome: solved}", "{closed: true}", "needs an outcome"),
        ("{closed: false}", "{closed: false, outcome: solved}", "has no outcome"),
        ("outcome: withdrawn", "outcome: withdrew", "unknown value 'withdrew'"),
        ("  Other: other", "  Other: all kinds", "is no token"),
        ("  Call: hotline", "  Call: telephone", "unknown value 'telephone'"),
        ("  status: status", "  status: [status]", "must be text"),
        ("  Bulky Items: bulky_items", "  Bulky Items: bulky_items\n  Bulky Items: x", "duplicate key"),
        ("stations:\n", "stations: [\n", "not readable as YAML"),
    ],
)
def test_an_error_in_the_map_is_told_with_what_to_do(tmp_path: Path, old: str, new: str, hint: str) -> None:
    found, _line = findings(tmp_path, old, new)
    assert any(hint in finding for finding in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timezone: America/Los_Angeles", "timezone: x"),
        ("  Other: other", "  Other: ''"),
        ("  Call: hotline", "  Call: x"),
    ],
)
def test_an_error_in_the_map_is_told_at_its_line(tmp_path: Path, old: str, new: str) -> None:
    (finding,), line = findings(tmp_path, old, new)
    assert finding.startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("  category: requesttype\n", "", "defaults.category"),
        ("  status: status\n", "", "columns.closed_at needs columns.status"),
        ("date_formats:", "closed_when: filled\ndate_formats:", "keep one"),
    ],
)
def test_fields_that_need_each_other_are_told(tmp_path: Path, old: str, new: str, hint: str) -> None:
    (finding,), _line = findings(tmp_path, old, new)
    assert hint in finding


@pytest.mark.parametrize("text", ["", "- a\n", "just words"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapErrors, match="mapping of fields"):
        read_map(path)


def test_a_map_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes("feed: 热线".encode("gb18030"))
    with pytest.raises(MapErrors, match="UTF-8"):
        read_map(path)


def test_words_may_be_written_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    text = MAP_FILE.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  Open: {", "  1: {").replace("feed: myla311", "feed: 2020"), encoding="utf-8"
    )
    found = read_map(path)
    assert "1" in found.statuses
    assert found.feed == "2020"


def test_a_mapped_column_that_the_file_lacks_is_told_with_the_nearest_name() -> None:
    with pytest.raises(MapErrors, match="no column 'Planned'; did you mean 'Planed'"):
        check_header(Path("map.yaml"), a_map(), [name.replace("nn", "n") for name in HEADER])


def test_a_mapped_column_that_stands_twice_is_told() -> None:
    with pytest.raises(MapErrors, match="more than one column 'Who'"):
        check_header(Path("map.yaml"), a_map(), [*HEADER, "Who"])


def test_every_mapped_column_present_is_fine() -> None:
    check_header(Path("map.yaml"), a_map(), [*HEADER, "More", "", ""])


def test_the_shipped_map_names_only_what_the_shipped_charter_knows() -> None:
    import_map, charter = read_map(MAP_FILE), read_charter(CHARTER_FILE)
    assert set((import_map.categories or {}).values()) == set(charter.categories)
    assert set((import_map.stations or {}).values()) == set(charter.stations)
    actor = charter.actors[import_map.actor]
    assert actor.may_backdate
    assert actor.may_route
    assert actor.may_set_deadline
    assert import_map.timezone == charter.timezone


@pytest.mark.case("A13")
def test_closed_when_filled_needs_a_column_that_may_be_filled() -> None:
    columns = {"id": "No", "title": "What", "submitted_at": "In", "category": "What"}
    with pytest.raises(ValueError, match=r"needs columns\.closed_at"):
        a_map(columns=columns, statuses={}, closed_when="filled")
    assert a_map(columns=columns, statuses={}, closed_when={"column": "Out"}).closing_column == "Out"


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [x, x, x]\n" + "".join(f"a{n}: &a{n} [*a, *a]\n" for n in range(9_000)), "fewer aliases"),
        ("feed: " + "x" * 600_000, "too_large"),
        ("[" * 300, "too_deep"),
    ],
    ids=["aliases", "bytes", "depth"],
)
def test_a_map_beyond_the_bounds_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MapErrors, match=says):
        read_map(path)
