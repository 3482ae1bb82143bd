"""What the ledger is asked about applications becomes commands for the number they name."""

from collections.abc import Iterable
from datetime import datetime

from duban_contracts import applications as requested
from duban_contracts.charter import Charter
from services.chassis.heard import Handlers, Heard
from services.ledger.applications import (
    ApplicationCommand,
    Apply,
    CompleteStage,
    DecideObjection,
    RaiseObjection,
)
from services.ledger.decider import NOTHING_ALIKE, Matter, Open, Resembling

Wanted = Iterable[tuple[str, ApplicationCommand]]


def opening(
    now: datetime, number: str, matter: Matter, charter: Charter, resembling: Resembling = NOTHING_ALIKE
) -> Open | Apply:
    """A category that names a procedure makes an application of the matter, if it is not past already.

    Also where it was solved on the spot: no stage is skipped.
    """
    category = charter.categories.get(matter.category)
    if category is None or category.procedure is None or matter.past is not None:
        return Open(now, number, matter, resembling)
    return Apply(now, number, matter, category.procedure)


def complete_stage(heard: Heard[requested.CompleteStage], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, CompleteStage(heard.asked, said.stage, said.passed, said.note)


def raise_objection(heard: Heard[requested.RaiseObjection], _: Charter) -> Wanted:
    yield heard.key, RaiseObjection(heard.asked, heard.data.text)


def decide_objection(heard: Heard[requested.DecideObjection], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, DecideObjection(heard.asked, said.objection, said.upheld, said.reason)


HEARS: Handlers = {
    requested.CompleteStage: complete_stage,
    requested.RaiseObjection: raise_objection,
    requested.DecideObjection: decide_objection,
}
