"""What anybody may see of applications (公开政策享受): stage and outcome; no name, number or hamlet."""

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryKind
from duban_contracts.reading import AskDisclosure, Disclosed, PublicApplication
from services.chassis.queries import bookmark, place
from services.chassis.service import Reading
from services.ledger.views.indexes import IN_PUBLIC
from services.ledger.views.listing import refuse_unknown
from services.ledger.views.row import Row, public_day
from services.ledger.views.walking import Walk, bounded, following, walked

FIELDS = ("category", "about", "village", "status", "outcome", "public_key")
"""Nothing else leaves the database: no number, and no time finer than a day."""


async def disclosure(reading: Reading, asked: AskDisclosure) -> Disclosed:
    """The latest change first. A conduct matter has no key here, and so is never found."""
    bound = {"$lt": place(asked.after)} if asked.after else {"$gt": ""}
    along = {"row.entry_kind": EntryKind.APPLICATION.value, "row.public_key": bound}
    skipping = {"row.category": asked.category} if asked.category else {}
    ledger = reading.database["ledger"]
    walk = await bounded(ledger, Walk(along, skipping, IN_PUBLIC, "row.public_key", direction=-1))
    shown = {"_id": False} | {f"row.{field}": True for field in FIELDS}
    rows = await walked(ledger, walk, shown, asked.limit)
    if not rows:
        await refuse_unknown(reading, asked)
    masked_rows = tuple(masked(row, reading.charter) for row in rows[: asked.limit])
    key = following(walk, rows, len(masked_rows))
    return Disclosed(applications=masked_rows, next=bookmark(key) if key else None)


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
