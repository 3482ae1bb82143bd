"""Everything that operators read is there in Chinese too, and says the same."""

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from duban_contracts.charter_findings import GAPS, HINTS, PROBLEMS
from duban_contracts.faults import SENTENCES as FAULTS
from duban_contracts.time import PassTime
from services.chassis.charter_file import read_charter
from services.console import i18n
from services.console.bodies import commands
from services.console.i18n import Lang, _, catalogue, chosen, use

SERVICES = Path(i18n.__file__).parents[1]
FINDINGS = {*PROBLEMS.values(), *GAPS.values(), *HINTS.values()}
"""The contracts know no catalogue: what a charter's findings say stands there as data."""
COMMANDS = {
    text
    for command in commands().values()
    for text in (
        (command.__doc__ or PassTime.__doc__ or "").strip().partition("\n")[0],
        *(field.description for field in command.model_fields.values()),
    )
    if text
}
"""What the contracts say of commands and their fields."""
CHARTERS = Path(__file__).parents[2] / "deploy" / "charters"


def sources(value: object) -> Iterator[str]:
    """Of all rules in a charter: the towns that ship are read in both languages, any other in its own."""
    match value:
        case dict():
            for name, each in value.items():
                yield from [each] if name == "source" and each else sources(each)
        case list():
            for each in value:
                yield from sources(each)


SOURCES = {
    source
    for file in CHARTERS.glob("*.yaml")
    if not file.name.endswith(".map.yaml")
    for source in sources(read_charter(file).model_dump(mode="json"))
}


def texts() -> set[str]:
    method_map, keywords = [("**.py", "python")], {"_": None, "N_": None, "wording": None}
    found = extract_from_dir(SERVICES, method_map=method_map, keywords=keywords, strip_comment_tags=False)
    return (
        {str(message) for _file, _line, message, *_rest in found}
        | FINDINGS
        | COMMANDS
        | SOURCES
        | set(FAULTS.values())
    )


def places(text: str) -> list[str]:
    return sorted(
        f"{field}!{conversion}" for _t, field, _s, conversion in string.Formatter().parse(text) if field
    )


def test_every_text_of_the_console_has_a_chinese_one() -> None:
    assert texts() - set(catalogue(Lang.ZH)) == set()


def test_the_catalogue_holds_nothing_that_is_said_no_more() -> None:
    assert set(catalogue(Lang.ZH)) - texts() == set()


def test_no_chinese_text_is_a_guess_or_empty() -> None:
    for file in i18n.MESSAGES.glob("zh*.po"):
        with file.open("rb") as lines:
            messages = [each for each in read_po(lines, locale="zh", abort_invalid=True) if each.id]
        assert [each.id for each in messages if each.fuzzy or not each.string] == []


def test_a_chinese_text_fills_in_the_same_places() -> None:
    differing = {en for en, zh in catalogue(Lang.ZH).items() if places(en) != places(zh)}
    assert differing == set()


def test_a_text_without_translation_stays_as_it_is() -> None:
    use(Lang.ZH)
    try:
        assert _("never said") == "never said"
        assert _("yes") == "是"
    finally:
        use(Lang.EN)


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["--lang", "zh", "watch"], {"DUBAN_LANG": "en"}, Lang.ZH),
        (["watch", "--lang=en"], {"DUBAN_LANG": "zh"}, Lang.EN),
        (["watch"], {"DUBAN_LANG": "zh", "LANG": "en_US.UTF-8"}, Lang.ZH),
        (["watch"], {"LANG": "zh_CN.UTF-8"}, Lang.ZH),
        (["watch"], {"LANG": "de_DE.UTF-8"}, Lang.EN),
        (["watch"], {}, Lang.EN),
    ],
)
def test_the_language_is_the_options_then_the_environments_then_the_locales(
    arguments: list[str], environment: dict[str, str], expected: Lang, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DUBAN_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert chosen(arguments) is expected


@pytest.mark.case("C15")
def test_our_reader_of_catalogues_reads_what_babel_reads() -> None:
    expected: dict[str, str] = {}
    for file in i18n.MESSAGES.glob("zh*.po"):
        with file.open("rb") as lines:
            messages = read_po(lines, locale="zh", abort_invalid=True)
            expected |= {str(each.id): str(each.string) for each in messages if each.id and each.string}
    assert catalogue(Lang.ZH) == expected
