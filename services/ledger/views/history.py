"""`query.ledger.history`: what every service answers of a key, but for conduct matters."""

from services.chassis.queries import Answers, HistoryOf
from services.chassis.service import Query, Reading


async def history(reading: Reading, asked: HistoryOf) -> Answers:
    """Of a conduct matter there is none, as if it had no such number; see `history_restricted`."""
    told = await reading.history(asked)
    # Looked at afterwards: what is no conduct matter now was none when its history was read.
    kept = await reading.database["ledger"].find_one({"_id": asked.key}, {"row.restricted": True})
    restricted = kept and kept["row"] and kept["row"]["restricted"]
    return Answers(answers=()) if restricted else told


async def history_restricted(reading: Reading, asked: HistoryOf) -> Answers:
    return await reading.history(asked)


HISTORY = {
    "history": Query(HistoryOf, history),
    "history_restricted": Query(HistoryOf, history_restricted),
}
