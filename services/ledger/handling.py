"""What stations and office ask about a matter in hand becomes commands for its number."""

from collections.abc import Iterable
from typing import Any

from duban_contracts import handling as requested
from duban_contracts.charter import Charter
from duban_contracts.message import Refusal
from services.chassis.decider import Refuse
from services.chassis.heard import Handlers, Heard
from services.chassis.wording import nearest, wording
from services.ledger.decider import (
    AddCoHandler,
    Adjudicate,
    ApplyExtension,
    Command,
    DecideExtension,
    Hold,
    ReportUp,
    Resume,
    Return,
    Transfer,
)

Wanted = Iterable[tuple[str, Command | Refuse]]


def give_back(heard: Heard[requested.ReturnEntry], _: Charter) -> Wanted:
    yield heard.key, Return(heard.asked, heard.data.legal_ground)


def transfer(heard: Heard[requested.Transfer], charter: Charter) -> Wanted:
    said = heard.data
    yield heard.key, _known(heard, charter, said.to) or Transfer(heard.asked, said.to, said.reason)


def adjudicate(heard: Heard[requested.Adjudicate], charter: Charter) -> Wanted:
    said = heard.data
    unknown = _known(heard, charter, said.to, *said.co_handlers)
    yield heard.key, unknown or Adjudicate(heard.asked, said.to, said.co_handlers, said.reason)


def add_co_handler(heard: Heard[requested.AddCoHandler], charter: Charter) -> Wanted:
    station = heard.data.station
    yield heard.key, _known(heard, charter, station) or AddCoHandler(heard.asked, station)


def report_up(heard: Heard[requested.ReportUp], _: Charter) -> Wanted:
    yield heard.key, ReportUp(heard.asked, heard.data.to, heard.data.reason)


def apply_extension(heard: Heard[requested.ApplyExtension], _: Charter) -> Wanted:
    yield heard.key, ApplyExtension(heard.asked, heard.data.length, heard.data.reason)


def decide_extension(heard: Heard[requested.DecideExtension], _: Charter) -> Wanted:
    yield heard.key, DecideExtension(heard.asked, heard.data.granted, heard.data.reason)


def hold(heard: Heard[requested.Hold], _: Charter) -> Wanted:
    yield heard.key, Hold(heard.asked, heard.data.ground, heard.data.reason)


def resume(heard: Heard[requested.Resume], _: Charter) -> Wanted:
    yield heard.key, Resume(heard.asked)


def _known(heard: Heard[Any], charter: Charter, *stations: str) -> Refuse | None:
    """The refusal, if the charter does not know one of these stations."""
    unknown = next((each for each in stations if each not in charter.stations), None)
    if unknown is None:
        return None
    detail = wording(
        "the charter has no station '{station}'{hint}",
        station=unknown,
        hint=nearest(unknown, charter.stations),
    )
    return heard.asked.refuse(Refusal.UNKNOWN_STATION, detail)


HEARS: Handlers = {
    requested.ReturnEntry: give_back,
    requested.Transfer: transfer,
    requested.Adjudicate: adjudicate,
    requested.AddCoHandler: add_co_handler,
    requested.ReportUp: report_up,
    requested.ApplyExtension: apply_extension,
    requested.DecideExtension: decide_extension,
    requested.Hold: hold,
    requested.Resume: resume,
}
