"""What a new charter would leave without anybody: asked of the running services before it is published."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from duban_contracts.charter import Charter
from duban_contracts.laggard_report import LaggardReport
from duban_contracts.ledger import EntryKind
from duban_contracts.queries import WhoLags
from duban_contracts.reading import EntryInFull, EntryPage, EntryStatus, ListEntries
from services.console.client import Duban, Misasked, NotPermitted, Unreachable
from services.console.i18n import N_, _

OPEN = (EntryStatus.OPEN, EntryStatus.ACCEPTED, EntryStatus.RESOLVED)
PAGE = 500
PATIENCE_SECONDS = 3.0

KINDS = {
    "station": N_("station {token!r} leaves the charter with {entries} open entries and {items} open items"),
    "category": N_("category {token!r} leaves the charter with {entries} open matters"),
    "village": N_("village {token!r} leaves the charter with {entries} open matters"),
    "measure": N_("measure {token!r} leaves the plan; its entry {first} is open"),
    "actor": N_("actor {token!r} leaves the charter: it can decide nothing any more; {items} open items"),
}
WHERE_TO = {
    "station": N_("transfer or adjudicate them first, or keep the station until they are struck off"),
    "category": N_("strike them off first, or keep the category: their limits stay as they are"),
    "village": N_("they keep the village's token as it stands"),
    "measure": N_("the ledger retires it when the plan is applied"),
    "actor": N_("name another actor with its role, and take its credential away"),
}


@dataclass(frozen=True)
class Orphan:
    """Something that the new charter does not know any more while it is still in use."""

    kind: str
    token: str
    entries: int = 0
    items: int = 0
    first: str = ""
    """The number of one of the entries."""

    def sentence(self) -> str:
        return f"{_(KINDS[self.kind]).format(**asdict(self))}; {_(WHERE_TO[self.kind])}"

    def document(self) -> dict[str, Any]:
        return asdict(self)


class NotAsked(Exception):
    """A service does not answer, so nobody can say what is left; the message says which and why."""


@dataclass(frozen=True)
class Left:
    """Tokens that the new charter leaves out."""

    stations: frozenset[str]
    categories: frozenset[str]
    villages: frozenset[str]
    measures: frozenset[str]
    actors: frozenset[str]

    def __bool__(self) -> bool:
        return any((self.stations, self.categories, self.villages, self.measures, self.actors))


def left_out(old: Charter, new: Charter) -> Left:
    return Left(
        frozenset(old.stations) - frozenset(new.stations),
        frozenset(old.categories) - frozenset(new.categories),
        frozenset(old.villages) - frozenset(new.villages),
        frozenset(old.plan.measures() if old.plan else ())
        - frozenset(new.plan.measures() if new.plan else ()),
        frozenset(old.actors) - frozenset(new.actors) - frozenset(new.stations),
    )


async def orphans(system: Duban, old: Charter | None, new: Charter) -> list[Orphan]:
    """Raises NotAsked. A charter that leaves nothing out asks nobody."""
    left = left_out(old, new) if old else None
    if not left:
        return []
    try:
        entries = [entry async for entry in _open_entries(system)]
        asked = await system.ask("escalation", "laggards", WhoLags(), LaggardReport, PATIENCE_SECONDS)
    except (Unreachable, NotPermitted, Misasked) as error:
        raise NotAsked(str(error)) from None
    items = {row.station: row.open_items for row in asked.rows}
    return list(found(left, entries, items))


async def _open_entries(system: Duban) -> Any:
    after = None
    while True:
        question = ListEntries(statuses=OPEN, limit=PAGE, after=after)
        page = await system.ask("ledger", "list", question, EntryPage, PATIENCE_SECONDS)
        for entry in page.entries:
            yield entry
        if (after := page.next) is None:
            return


def found(left: Left, entries: Iterable[EntryInFull], items: dict[str, int]) -> Iterator[Orphan]:
    """`items`: what escalation holds open against each."""
    still_open = list(entries)
    matters = [entry for entry in still_open if entry.entry_kind is not EntryKind.MEASURE]
    for token in sorted(left.stations):
        held = [entry for entry in still_open if token in (entry.station, *entry.co_handlers)]
        if held or items.get(token):
            yield _orphan("station", token, held, items.get(token, 0))
    for kind, tokens in (("category", left.categories), ("village", left.villages)):
        for token in sorted(tokens):
            if held := [entry for entry in matters if getattr(entry, kind) == token]:
                yield _orphan(kind, token, held)
    for token in sorted(left.measures):
        if held := [entry for entry in still_open if entry.measure == token]:
            yield _orphan("measure", token, held)
    for token in sorted(left.actors):
        yield _orphan("actor", token, [], items.get(token, 0))


def _orphan(kind: str, token: str, held: list[EntryInFull], items: int = 0) -> Orphan:
    return Orphan(kind, token, len(held), items, held[0].number if held else "")
