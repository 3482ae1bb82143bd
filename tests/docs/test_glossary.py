"""The glossary's names are those of the code."""

import re

import pytest

from tests.docs.shown import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.read_text("utf-8").splitlines()
    if line.startswith("|") and "`" in line.split("|")[3]
]
SOURCES = "\n".join(
    path.read_text("utf-8")
    for folder in (ROOT / "contracts" / "duban_contracts", ROOT / "services")
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.yaml")])
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_name_of_the_glossary_is_one_of_the_code(row: list[str]) -> None:
    for name in re.findall(r"`([^`]+)`", row[2]):
        if "/" in name:
            assert (ROOT / name).is_dir()
        elif "." in name:
            owner, member = name.split(".")
            assert re.search(rf"class {owner}\b.*?^    {member} =", SOURCES, re.DOTALL | re.MULTILINE), name
        else:
            assert re.search(rf"\b{name}\b", SOURCES), name


def test_every_term_stands_once() -> None:
    terms = [term for row in ROWS for term in row[0].split("、")]
    assert len(terms) == len(set(terms)) > 40


def test_every_reference_to_the_domain_has_its_section() -> None:
    sections = set(
        re.findall(r"^#+ ([\d.]+?)\.? ", (ROOT / "docs" / "domain.md").read_text("utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"domain\.md §([\d.]*\d)", SOURCES))
    assert named - sections == set()
    assert len(named) >= 8
