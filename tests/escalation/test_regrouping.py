"""What a reclassified or merged entry means for who is late with it, and for the report's denominators."""

from itertools import permutations
from typing import Any

import pytest

from duban_contracts import ledger, merging, reclassifying
from duban_contracts.escalation import ItemClosed
from duban_contracts.ledger import Due
from duban_contracts.topology import HEARS as TOPOLOGY
from services.chassis.documents import Document
from services.chassis.memory import MemoryDocuments
from services.chassis.settle import state_of
from services.chassis.snapshots import Snapshots
from services.escalation.handlers import HEARS
from services.escalation.report import REPORT_HEARS, Scorecard, scorecard
from services.escalation.views import laggard_report
from tests.escalation.test_custody import (
    AHEAD,
    FORMER,
    LADDER,
    LATE,
    NOW,
    OVERDUE_THERE,
    PRESENT,
    REPORT,
    UNSIGNED,
    dispatched,
    open_items,
    run,
)
from tests.escalation.town import ENTRY, TOWNSHIP, day

pytestmark = pytest.mark.case("A9")

OTHER = "2024-000009"


def fact(type_: Any, station: str | None = FORMER, /, **fields: Any) -> Any:
    return type_(at=NOW, station=station, entry=ENTRY, **fields)


def reclassified(was_late: bool = True, moved: bool = True, due: Due = AHEAD) -> Any:
    return fact(
        reclassifying.EntryReclassified,
        PRESENT if moved else FORMER,
        category="rural_road",
        was="garbage",
        kind="help",
        by="office",
        reason="r",
        rule="r",
        moved=moved,
        from_station=FORMER if moved else None,
        was_late=was_late,
        late_due=LATE if was_late else None,
        due=due,
    )


def merged(was_late: bool = True) -> Any:
    return fact(
        merging.MatterMerged,
        into=OTHER,
        by="office",
        reason="r",
        was_late=was_late,
        late_due=LATE if was_late else None,
    )


def unmerged(was_late: bool = True) -> Any:
    return fact(merging.MatterUnmerged, was_into=OTHER, was_late=was_late, due=LATE if was_late else AHEAD)


OPENED = fact(
    ledger.EntryOpened,
    submission="s",
    title="t",
    category="garbage",
    kind="help",
    channel="hotline",
    petitioner="p",
)
WITH_THE_OTHER = fact(
    ledger.EntryStruckOff, PRESENT, by="office", outcome="solved", merged_into=OTHER, round=2
)


def cards(*facts: Any) -> dict[str, Scorecard]:
    states, _ = run(REPORT, REPORT_HEARS, *facts)
    return states


# The ladder


def test_whoever_is_asked_is_in_the_topology() -> None:
    for kind in (reclassifying.EntryReclassified, merging.MatterMerged, merging.MatterUnmerged):
        assert kind in TOPOLOGY["escalation"]
        assert kind in TOPOLOGY["escalation-report"]


def test_nothing_of_an_entry_stays_open_against_the_station_that_lost_it() -> None:
    for lost in (reclassified(), merged()):
        assert open_items(OVERDUE_THERE, UNSIGNED, lost) == {}


def test_a_lateness_that_is_heard_after_the_entry_went_opens_nothing() -> None:
    for lost in (reclassified(), merged()):
        assert open_items(lost, OVERDUE_THERE) == {}


def test_the_new_station_is_late_only_with_its_own_date() -> None:
    assert open_items(OVERDUE_THERE, reclassified()) == {}
    assert open_items(reclassified(), fact(ledger.EntryOverdue, PRESENT, due=AHEAD)) == {
        PRESENT: {f"overdue/{ENTRY}"}
    }


def test_the_same_station_that_is_late_stays_late_after_a_reclassification() -> None:
    stays = reclassified(was_late=False, moved=False, due=LATE)
    assert open_items(OVERDUE_THERE, stays) == {FORMER: {f"overdue/{ENTRY}"}}


def test_what_was_late_when_it_was_merged_is_late_again_when_it_is_taken_out() -> None:
    assert open_items(OVERDUE_THERE, merged(), unmerged()) == {FORMER: {f"overdue/{ENTRY}"}}
    assert open_items(merged(was_late=False), unmerged(was_late=False)) == {}


def test_a_closing_with_another_entry_closes_nothing_a_second_time() -> None:
    _, told = run(LADDER, HEARS, OVERDUE_THERE, merged(), WITH_THE_OTHER)
    assert len([each for each in told if isinstance(each, ItemClosed)]) == 1
    assert run(LADDER, HEARS, WITH_THE_OTHER) == ({}, [])


# The report


def test_what_was_in_time_leaves_the_denominator_with_a_reason() -> None:
    moved = cards(OPENED, reclassified(was_late=False))
    assert dispatched(OPENED, reclassified(was_late=False)) == {FORMER: 0, PRESENT: 1}
    assert moved[FORMER].reclassified == 1
    together = cards(OPENED, merged(was_late=False))[FORMER]
    assert (together.dispatched, together.merged, together.open) == (1, 1, 0)
    report = laggard_report({FORMER: together}, {}, TOWNSHIP, day(5, 2, 10))
    shown = next(each for each in report.rows if each.station == FORMER)
    assert (shown.merged, shown.open, shown.close_rate) == (1, 0, None)


def test_what_was_late_stays_in_the_denominator_as_late_until_it_went() -> None:
    for lost in (reclassified(), merged()):
        card = cards(OPENED, OVERDUE_THERE, lost)[FORMER]
        assert (card.dispatched, card.closed_late, card.open) == (1, 1, 0)
        assert card.days_late == 2  # from the last day in time, 17 April, to 19 April
        assert card.merged == card.reclassified == 0


def test_taking_out_again_takes_back_how_the_merging_was_counted() -> None:
    for was_late in (True, False):
        card = cards(OPENED, merged(was_late), unmerged(was_late))[FORMER]
        assert (card.dispatched, card.open, card.closed, card.merged) == (1, 1, 0, 0)


def test_a_closing_with_another_entry_counts_for_nobody_until_it_is_reopened() -> None:
    counted = cards(OPENED, merged(was_late=False), WITH_THE_OTHER)
    assert counted.keys() == {FORMER}
    reopened = fact(
        ledger.EntryReopened, PRESENT, round=2, reason="negative_rating", merged_into=OTHER, due=AHEAD
    )
    again = cards(OPENED, merged(was_late=False), WITH_THE_OTHER, reopened)[PRESENT]
    assert (again.dispatched, again.reopened, again.open) == (1, 1, 1)


def test_the_counts_are_the_same_in_any_order() -> None:
    facts = (OPENED, OVERDUE_THERE, merged(), unmerged(), reclassified())
    assert len({repr(sorted(cards(*order).items())) for order in permutations(facts)}) == 1


async def test_counts_of_the_earlier_release_are_kept_when_a_count_is_added() -> None:
    """A read model has no history to fold anew, so its state has to open as it was stored."""
    decider = scorecard(TOWNSHIP)
    snapshots = Snapshots(decider)
    stored = snapshots.freeze(Scorecard(dispatched=7, closed_late=2))
    older = stored._replace(shape="of an earlier release", state='{"dispatched":7,"closed_late":2}')
    document = Document(FORMER, version=9, snapshot=older)
    kept = await state_of(document, decider, snapshots, MemoryDocuments())
    assert kept == Scorecard(dispatched=7, closed_late=2)
