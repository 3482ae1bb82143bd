"""Whatever stands in a charter file: it is a charter, or every error has a line; never anything else."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.chassis.charter_file import CharterErrors, Finding, charter_gaps, read_charter
from tests.conftest import CHARTERS

SHIPPED = (CHARTERS / "township-2024.yaml").read_text(encoding="utf-8")
LINES = SHIPPED.splitlines()
ODDITIES = (
    *("null", "~", "[]", "{}", "-1", "1e400", ".nan", "true", "2024-02-30", "25:61", "0x10", "1_000"),
    *("!!python/object:os", "!!int x", "&a [*a]", "*nowhere", "? [1]: 2", "<<: {name: x}", "'", '"', "\t"),
    *("\x00", "\ufeff", "|", ">-", "---", "...", "%YAML 9", "名" * 300, "a" * 300, "=", "@", "`", "{a: b"),
    *("[[[[", "Etc/GMT+99", "../../etc/passwd"),
)
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(folder: Path, content: bytes) -> None:
    """Raises whatever is not one of the two outcomes that are promised."""
    path = folder / "charter.yaml"
    path.write_bytes(content)
    lines = content.count(b"\n") + content.count(b"\r") + 1
    found = told(path)
    assert found is None or found
    assert all(1 <= finding.line <= lines and finding.message for finding in found or ())


def told(path: Path) -> list[Finding] | None:
    """The errors; None for a charter."""
    try:
        read_charter(path)
        charter_gaps(path)
    except CharterErrors as errors:
        return errors.findings
    return None


def replaced_value(lines: list[str], at: int, random: Random) -> None:
    before, colon, _ = lines[at].partition(":")
    lines[at] = f"{before}{colon} {random.choice(ODDITIES)}"


def repeated(lines: list[str], at: int, random: Random) -> None:
    lines.insert(random.randrange(len(lines)), lines[at])


def removed(lines: list[str], at: int, random: Random) -> None:
    del lines[at]


def shifted(lines: list[str], at: int, random: Random) -> None:
    lines[at] = " " * random.randrange(9) + lines[at].lstrip()


def garbled(lines: list[str], at: int, random: Random) -> None:
    place = random.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:place] + random.choice(ODDITIES) + lines[at][place:]


Edit = Callable[[list[str], int, Random], None]
EDITS: tuple[Edit, ...] = (replaced_value, repeated, removed, shifted, garbled)


@few
@given(edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=4), seed=st.integers(0, 1 << 32))
def test_a_charter_edited_without_thought_is_a_charter_or_has_its_errors_told(
    tmp_path: Path, edits: list[Edit], seed: int
) -> None:
    random, lines = Random(seed), list(LINES)
    for edit in edits:
        edit(lines, random.randrange(len(lines)), random)
    read(tmp_path, "\n".join(lines).encode(errors="surrogatepass"))


@few
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(content=b"[" * 5_000)
@example(content=b"a: &a {b: *a}")
@example(content=b"\xff\xfe")
@example(content=b"")
@example(content=b"!!binary x")
@example(content=b"? {a: 1}\n: 2")
@example(content=b"- !!set {1, 2}")
@example(content=b"!!timestamp x")
def test_a_file_that_is_no_charter_at_all_is_told_so(tmp_path: Path, content: bytes) -> None:
    read(tmp_path, content)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_breaks_off_is_told_so(tmp_path: Path, cut: float) -> None:
    whole = SHIPPED.encode()
    read(tmp_path, whole[: int(len(whole) * cut)])
