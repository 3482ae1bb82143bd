"""`query.ledger.why`: answered from the entry's own state, so never staler than what was decided."""

from duban_contracts.queries import Why, WhyEntry
from services.chassis.service import Query, Reading
from services.ledger.decider import Unopened
from services.ledger.views.row import row
from services.ledger.why import explain


async def why(reading: Reading, asked: WhyEntry) -> Why:
    """A conduct matter is not explained, as if there were none; see `why_restricted`."""
    return await _why(reading, asked, restricted=False)


async def why_restricted(reading: Reading, asked: WhyEntry) -> Why:
    return await _why(reading, asked, restricted=True)


async def _why(reading: Reading, asked: WhyEntry, *, restricted: bool) -> Why:
    found = await reading.states("ledger", [asked.entry])
    _, state = found.get(asked.entry, (0, Unopened()))
    shown = row(state)
    if shown is None or (shown["restricted"] and not restricted):
        return Why()
    return explain(asked.entry, state, reading.charter)


WHY = {"why": Query(WhyEntry, why), "why_restricted": Query(WhyEntry, why_restricted)}
