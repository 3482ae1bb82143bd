"""`query.ledger.history`: what happened to an entry, for everybody who may see the entry."""

from duban_contracts.queries import Answers, HistoryOf
from services.chassis.service import Query, Reading
from services.ledger.views.listing import visible


async def history(reading: Reading, asked: HistoryOf) -> Answers:
    """The register is open to every station, so its facts are, too.

    A conduct matter has no history for who may not see it, as if there were no such number.
    """
    told = await reading.history(None, asked)
    # Looked at afterwards: what is no conduct matter now was none when its history was read.
    kept = await reading.database["ledger"].find_one({"_id": asked.key}, {"row": True})
    if kept and kept["row"] and not visible(kept["row"], reading.reader):
        return Answers(answers=())
    return told


HISTORY = {"history": Query(HistoryOf, history)}
