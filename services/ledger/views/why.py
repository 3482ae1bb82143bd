"""`query.ledger.why`: answered from the entry's own state, so never staler than what was decided."""

from duban_contracts.queries import Why, WhyEntry
from services.chassis.service import Query, Reading
from services.ledger.decider import Unopened
from services.ledger.views.listing import visible
from services.ledger.views.row import row
from services.ledger.why import explain


async def why(reading: Reading, asked: WhyEntry) -> Why:
    """A conduct matter is as good as absent for who may not see it."""
    found = await reading.states("ledger", [asked.entry])
    _, state = found.get(asked.entry, (0, Unopened()))
    shown = row(state)
    if shown is None or not visible(shown, reading.reader):
        return Why()
    return explain(asked.entry, state, reading.charter)


WHY = {"why": Query(WhyEntry, why)}
