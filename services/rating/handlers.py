"""What rating hears becomes commands for the rounds concerned; who rated stays behind here."""

from collections.abc import Iterable

from duban_contracts import ledger, rating
from duban_contracts.charter import Charter
from services.chassis.heard import Handlers, Heard
from services.rating.decider import (
    Command,
    EndRedo,
    InviteRating,
    Rate,
    RecordCallback,
    RecordRectification,
    Round,
)

Wanted = Iterable[tuple[str, Command]]


def entry_struck_off(heard: Heard[ledger.EntryStruckOff], _: Charter) -> Wanted:
    """One rating per round (domain.md §5.1), and none for what was closed before it came here.

    A redo round that was struck off also mends what the rating of the round before complained of.
    """
    closed = heard.data
    if closed.entry_kind is ledger.EntryKind.MEASURE:
        return  # nobody was served who could rate it
    if not closed.past:
        of = Round(closed.entry, closed.round, closed.station, closed.brought_by, closed.restricted)
        yield _key(closed.entry, closed.round), InviteRating(heard.now, of)
    if closed.round > 1:
        yield _key(closed.entry, closed.round - 1), EndRedo(heard.now)


def rate(heard: Heard[rating.Rate], _: Charter) -> Wanted:
    yield heard.key, Rate(heard.asked, heard.data.level, heard.data.dimensions, heard.told_by)


def record_callback(heard: Heard[rating.RecordCallback], _: Charter) -> Wanted:
    yield heard.key, RecordCallback(heard.asked, heard.data.result, heard.data.note)


def record_rectification(heard: Heard[rating.RecordRectification], _: Charter) -> Wanted:
    yield heard.key, RecordRectification(heard.asked, heard.data.note)


def _key(entry: str, number: int) -> str:
    return f"{entry}/{number}"


HEARS: Handlers = {
    ledger.EntryStruckOff: entry_struck_off,
    rating.Rate: rate,
    rating.RecordCallback: record_callback,
    rating.RecordRectification: record_rectification,
}
