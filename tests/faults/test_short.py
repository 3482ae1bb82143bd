"""The short form of `make faults`: a few faults, and every invariant."""

from pathlib import Path

import pytest

from tests.faults.run import NAMES, Run

SHORT = ["kill -9 in a backlog", "kill -9 mongod", "dropped, doubled, out of order"]
SEED = 20240415


@pytest.mark.faults
def test_deaths_copies_and_disorder_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    run = Run(SEED)
    rows = list(run.endure(tmp_path, SHORT))
    assert run.troubles == []
    assert [(row.fault, row.lost, row.doubled) for row in rows] == [(name, 0, 0) for name in SHORT]
    assert all(row.sent > 0 for row in rows)


def test_every_fault_of_the_vocabulary_has_its_turn_in_the_full_run() -> None:
    assert set(SHORT) < set(NAMES)
    assert len(NAMES) == len(set(NAMES)) == 27
