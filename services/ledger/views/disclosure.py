"""What anybody may see of applications (公开政策享受): stage and outcome; no name, number or hamlet."""

from typing import Any

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryKind
from duban_contracts.reading import AskDisclosure, Disclosed, PublicApplication
from services.chassis.queries import bookmark, place
from services.chassis.service import Reading
from services.ledger.views.indexes import IN_PUBLIC, hint
from services.ledger.views.listing import refuse_unknown
from services.ledger.views.row import Row, public_day

FIELDS = ("category", "about", "village", "status", "outcome", "public_key")
"""Nothing else leaves the database: no number, and no time finer than a day."""


async def disclosure(reading: Reading, asked: AskDisclosure) -> Disclosed:
    """The latest change first. A conduct matter has no key here, and so is never found."""
    bound = {"$lt": place(asked.after)} if asked.after else {"$gt": ""}
    where: dict[str, Any] = {"row.entry_kind": EntryKind.APPLICATION.value, "row.public_key": bound}
    if asked.category:
        where["row.category"] = asked.category
    shown = {"_id": False} | {f"row.{field}": True for field in FIELDS}
    cursor = reading.database["ledger"].find(where, shown, hint=hint(IN_PUBLIC))
    found = await cursor.sort("row.public_key", -1).limit(asked.limit + 1).to_list(None)
    if not found:
        await refuse_unknown(reading, asked)
    rows = [kept["row"] for kept in found[: asked.limit]]
    return Disclosed(
        applications=tuple(masked(row, reading.charter) for row in rows),
        next=bookmark(rows[-1]["public_key"]) if len(found) > asked.limit else None,
    )


def masked(row: Row, charter: Charter) -> PublicApplication:
    category = charter.categories.get(row["category"])
    return PublicApplication(
        category=row["category"],
        name=category.name if category else row["category"],
        stage=row["about"],
        village=village_of_many(row["village"], charter),
        status=row["status"],
        outcome=row["outcome"],
        since=public_day(row["public_key"]),
    )


def village_of_many(token: str | None, charter: Charter) -> str | None:
    """A village is named only if so many live there that nobody is recognised by it (plan 2(4))."""
    village, rule = charter.villages.get(token or ""), charter.disclosure
    if village is None or rule is None or (village.households or 0) < rule.minimum_households:
        return None
    return village.name
