"""Which entries a list holds: names become tokens, days are the town's, and what is open comes first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from duban_contracts.charter import Charter, MatterKind
from duban_contracts.ledger import EntryKind
from duban_contracts.reading import EntryPage, EntryStatus, ListEntries
from duban_contracts.subjects import NOBODY
from services.console.asking_register import asking
from services.console.i18n import _
from services.console.names import Named, is_token, token_of
from services.console.numbers import half_width
from services.console.sentences import Town
from services.console.terminal import misuse
from services.console.words import code_of, words_of

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

OPEN = (EntryStatus.OPEN, EntryStatus.ACCEPTED, EntryStatus.RESOLVED)
ENDED = (EntryStatus.STRUCK_OFF, EntryStatus.CLOSED)
AFTER_OPEN = "ended:"
"""Begins the mark of a page of `--all` that comes after everything open."""
Code = TypeVar("Code", bound=Enum)


class DueWithin(StrEnum):
    TODAY = "today"
    TOMORROW = "tomorrow"
    WEEK = "week"


DAYS = {DueWithin.TODAY: (0, 0), DueWithin.TOMORROW: (1, 1), DueWithin.WEEK: (0, 6)}
"""First and last day, counted from today."""


def coded(codes: type[Code]) -> Callable[[str], Code]:
    """A parser of options: the code, or its word in either language."""

    def parsed(text: Any) -> Code:
        if isinstance(text, codes):
            return text
        code = code_of(codes, text)
        if code is None:
            raise typer.BadParameter(_none_of(text, [codes]))
        return code

    return parsed


def kinds_of(kind: str | None, of: EntryKind | None) -> dict[str, Any]:
    """`--kind` says what sort of matter, or which of the three registers. Raises Stop."""
    if kind is None:
        return {"kind": None, "entry_kind": of}
    if (register := code_of(EntryKind, kind)) is not None:
        return {"kind": None, "entry_kind": register}
    if (sort := code_of(MatterKind, kind)) is not None:
        return {"kind": sort, "entry_kind": of}
    raise misuse(_("{name}: {why}").format(name="--kind", why=_none_of(kind, [EntryKind, MatterKind])))


def _none_of(text: str, codes: Sequence[type[Enum]]) -> str:
    known = {word: str(code.value) for each in codes for code in each for word in words_of(code)}
    names = ", ".join(dict.fromkeys(known.values()))
    said = _("{name} is none of {names}").format(name=repr(text), names=names)
    near = list(dict.fromkeys(known[word] for word in get_close_matches(text, known)))
    return said + (_("; did you mean {names}?").format(names=_(", ").join(near)) if near else "")


@dataclass(frozen=True)
class Names:
    station: str | None = None
    category: str | None = None
    village: str | None = None

    def given(self) -> dict[str, str]:
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: half_width(text) for name, text in given.items() if text is not None}


@dataclass(frozen=True)
class Filter:
    """A question of which names and days are settled when the charter is at hand."""

    question: ListEntries
    names: Names
    due: DueWithin | None

    @classmethod
    def of(cls, names: Names, due: DueWithin | None, **fields: Any) -> "Filter":
        """Raises Stop where a field breaks the contract."""
        tokens = {name: text if is_token(text) else "name" for name, text in names.given().items()}
        return cls(asking(ListEntries, **fields, **tokens), names, due)

    def on(self, charter: Charter | None, today: datetime | None = None) -> ListEntries:
        """Raises Stop for a name that is none."""
        found: dict[str, Any] = {
            name: text if text == NOBODY else token_of(charter, Named(name), text)
            for name, text in self.names.given().items()
        }
        if self.due is not None:
            day = (today or datetime.now(UTC)).astimezone(Town(charter).zone).date()
            first, last = DAYS[self.due]
            found |= {"due_from": day + timedelta(days=first), "due_until": day + timedelta(days=last)}
        return self.question.model_copy(update=found)


def listing_order(
    statuses: Iterable[EntryStatus] | None, everything: bool, *, open_only: bool
) -> tuple[tuple[EntryStatus, ...], ...]:
    """The statuses of one list after the other."""
    if statuses:
        return (tuple(statuses),)
    if everything:
        return (OPEN, ENDED)
    return (OPEN,) if open_only else ((),)


async def listed(
    system: "Duban", wanted: Filter, order: Sequence[tuple[EntryStatus, ...]], after: str | None
) -> tuple[EntryPage, Town]:
    """As many as were asked for, one list after the other; the register may answer in shorter pages."""
    charter = await system.charter()
    question, found = wanted.on(charter), list[Any]()
    if after not in (None, AFTER_OPEN):
        asking(ListEntries, after=str(after).removeprefix(AFTER_OPEN))  # what was never a bookmark is refused
    place = 1 if after is not None and after.startswith(AFTER_OPEN) else 0
    mark = (after.removeprefix(AFTER_OPEN) or None) if after else None
    for number, statuses in list(enumerate(order))[place:]:
        part, more = question.model_copy(update={"statuses": statuses}), True
        while more and (missing := question.limit - len(found)) > 0:
            page = await system.ask(
                "ledger", "list", part.model_copy(update={"after": mark, "limit": missing}), EntryPage
            )
            found += page.entries
            mark, more = page.next, page.next is not None
        prefix = AFTER_OPEN if number else ""
        if mark is not None:
            return EntryPage(entries=tuple(found), next=prefix + mark), Town(charter)
        if len(found) >= question.limit and number + 1 < len(order):
            return EntryPage(entries=tuple(found), next=AFTER_OPEN), Town(charter)
    return EntryPage(entries=tuple(found)), Town(charter)
