"""`duban list` and `duban charter show|diff|history`: what the charter holds, for people and programs."""

from pathlib import Path

import pytest

from duban_contracts.charter import Charter
from services.console.charter_view import differences, flat, overview, part, plain
from services.console.i18n import Lang, use
from services.console.listing import TABLES, documents, kind_of, listed
from services.console.names import LISTS, Named, tokens
from services.console.tables import table, text_width
from services.console.terminal import Stop
from tests.conftest import CHARTERS
from tests.console.conftest import Run

TOWNSHIP = CHARTERS / "township-2024.yaml"


@pytest.mark.case("C8")
@pytest.mark.parametrize("kind", list(Named))
def test_every_token_is_listed_with_its_name(kind: Named, township: Charter) -> None:
    _headings, rows = listed(township, kind)
    assert {row[0] for row in rows} == set(tokens(township, kind))
    names = {name for known in tokens(township, kind).values() for name in known[:1]}
    assert names <= {cell for row in rows for cell in row}
    assert [each["token"] for each in documents(township, kind)] == [row[0] for row in rows]


@pytest.mark.case("C4", "C8")
@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("kind", list(Named))
def test_a_list_fits_80_columns_and_cuts_no_token(kind: Named, lang: Lang, township: Charter) -> None:
    use(lang)
    try:
        drawn = table(*listed(township, kind), width=80)
    finally:
        use(Lang.EN)
    assert max(map(text_width, drawn.splitlines())) <= 80
    assert all(token in drawn for token in tokens(township, kind))
    assert "…" not in drawn


@pytest.mark.case("C8")
def test_lists_are_found_by_their_names_and_a_misspelt_one_is_told() -> None:
    for kind, plural in LISTS.items():
        assert kind_of(plural) is kind_of(kind.value) is kind
        assert kind in TABLES
    with pytest.raises(Stop, match="did you mean villages"):
        kind_of("vilages")


@pytest.mark.case("C8")
def test_what_differs_between_two_charters_is_told_with_its_place(township: Charter) -> None:
    station = township.stations["bianmin"].model_copy(update={"leader": "王"})
    changed = township.model_copy(
        update={"stations": {**township.stations, "bianmin": station}, "revision": 9, "villages": {}}
    )
    told = list(differences(township, changed))
    assert ("stations.bianmin.leader", None, "王") in told
    assert {place.split(".")[0] for place, _before, _after in told} == {"stations", "villages"}
    assert list(differences(township, township.model_copy(update={"revision": 9}))) == []


@pytest.mark.case("C8")
def test_a_part_of_the_charter_is_shown_by_its_place(township: Charter) -> None:
    assert part(township, "stations.bianmin")["name"] == township.stations["bianmin"].name
    assert dict(flat(plain(township)))["timezone"] == township.timezone
    with pytest.raises(Stop, match="did you mean stations"):
        part(township, "station")
    assert "stations" in overview(township)


@pytest.mark.case("C8")
def test_two_files_are_compared_without_a_system(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(TOWNSHIP.read_text("utf-8").replace("name: 东村", "name: 西村"), "utf-8")
    assert "nothing differs" in run("charter", "diff", str(TOWNSHIP), str(TOWNSHIP)).out
    told = run("charter", "diff", str(TOWNSHIP), str(other), "--format", "json").document["changes"]
    assert {"place": "villages.dongcun.name", "before": "东村", "after": "西村"} in told
