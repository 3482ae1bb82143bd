"""`query.ledger.why`: answered from the entry's own state, so never staler than what was decided."""

from duban_contracts.queries import Why, WhyEntry
from services.chassis.service import Query, Reading
from services.ledger.decider import Unopened, WithdrawnEarly
from services.ledger.measures import PlanInForce
from services.ledger.why import explain


async def why(reading: Reading, asked: WhyEntry) -> Why:
    found = await reading.states("ledger", [asked.entry])
    _, state = found.get(asked.entry, (0, Unopened()))
    if isinstance(state, Unopened | WithdrawnEarly | PlanInForce):
        return Why()
    return explain(asked.entry, state, reading.charter)


WHY = {"why": Query(WhyEntry, why)}
