"""`duban watch`: where every station stands, and then everything that escalation says, as it comes."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import typer

from duban_contracts.envelope import Envelope, Poison, decode, rfc3339
from duban_contracts.escalation import Standing
from duban_contracts.message import CommandRefused, Fact
from duban_contracts.queries import AskStandings, HeardFact, Standings
from duban_contracts.subjects import fact_stream
from services.console.client import Duban, Misasked, Unreachable
from services.console.following import follow, last_sequence
from services.console.i18n import N_, _
from services.console.sentences import ABSENT, Town, printable, sentence
from services.console.tables import table
from services.console.terminal import Format, FormatOption, complain, ending, on_system, say, say_json
from services.console.words import word

SERVICE = "escalation"
FACTS = fact_stream(SERVICE)


def watch(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help=N_("Show where the stations stand, and end"))] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output), suppress(KeyboardInterrupt):
        on_system(ctx, lambda system: _watch(system, once, output), spinner=False)


async def _watch(system: Duban, once: bool, output: Format) -> None:
    town = Town(await system.charter())
    after = await last_sequence(system, SERVICE)  # before the snapshot, so nothing falls between
    screen = Screen(town, output)
    screen.snapshot(await standings_of(system))
    if once:
        return
    async for fact in follow(system, SERVICE, after, screen.lost):
        if station := screen.heard(fact):
            await _changed(system, station, screen)


async def standings_of(system: Duban, station: str | None = None) -> tuple[Standing, ...]:
    """The highest rung first."""
    return (await system.ask(SERVICE, "standings", AskStandings(station=station), Standings)).standings


async def _changed(system: Duban, station: str, screen: "Screen") -> None:
    """The standing is stored before the fact is told, so what is asked now is not older than the fact."""
    try:
        [standing] = await standings_of(system, station)
    except (ValueError, Unreachable, Misasked) as error:
        return None if isinstance(error, ValueError) else screen.lost(error)
    return screen.now(standing)


@dataclass
class Screen:
    """Prints what is heard, for people line by line, for programs as JSON lines."""

    town: Town
    output: Format
    in_trouble: bool = False
    shown: dict[str, str] = field(default_factory=dict)
    """What was last shown of each station."""

    def snapshot(self, standings: Sequence[Standing]) -> None:
        self.shown = {each.station: _shown(each) for each in standings}
        if self.output is Format.JSON:
            for standing in standings:
                self._standing(standing)
        else:
            say(table_of(standings, self.town))

    def heard(self, told: HeardFact) -> str | None:
        """Returns the station that it concerns, if any."""
        if self.in_trouble:
            self.in_trouble = False
            complain(_("connected again"))
        try:
            envelope = decode(told.subject, told.headers, told.data.encode())
        except Poison as poison:
            complain(_("a message that cannot be read: {why}").format(why=printable(str(poison))))
            return None
        self._fact(envelope)
        fact = envelope.data
        return fact.station if isinstance(fact, Fact) and not isinstance(fact, CommandRefused) else None

    def now(self, standing: Standing) -> None:
        """Said where it differs from what was shown last."""
        if self.shown.get(standing.station) != _shown(standing):
            self.shown[standing.station] = _shown(standing)
            self._standing(standing)

    def lost(self, error: Exception) -> None:
        if not self.in_trouble:
            self.in_trouble = True
            complain(_("connection lost ({why}); trying again").format(why=str(error) or repr(error)))

    def _standing(self, standing: Standing) -> None:
        if self.output is Format.JSON:
            return say_json({"kind": "standing"} | standing.model_dump(mode="json"), one_line=True)
        text = _("{station} now stands at: {rung}; open items: {count}")
        name = printable(self.town.name(standing.station))
        line = text.format(station=name, rung=_rung(standing), count=len(standing.items))
        return say(f"{self.town.moment(standing.at)}  {line}")

    def _fact(self, envelope: Envelope) -> None:
        fact = envelope.data
        if not isinstance(fact, Fact):
            return None
        if self.output is Format.JSON:
            return say_json(fact_line(envelope, fact, self.town), one_line=True)
        mark = "✗" if isinstance(fact, CommandRefused) else "•"
        return say(f"{self.town.moment(fact.at)}  {mark} {sentence(fact, self.town)}")


def _shown(standing: Standing) -> str:
    return standing.model_dump_json(exclude={"version", "at"})


def fact_line(envelope: Envelope, fact: Fact, town: Town) -> dict[str, Any]:
    return {
        "kind": "fact",
        "type": fact.type,
        "id": envelope.attributes.id,
        "time": rfc3339(fact.at),
        "key": envelope.attributes.key,
        "data": fact.model_dump(mode="json"),
        "sentence": sentence(fact, town),
    }


def table_of(standings: Iterable[Standing], town: Town) -> str:
    headings = [
        _("Station"),
        _("Rung"),
        _("Lagging since"),
        _("Open items"),
        _("Order"),
        _("Proposed"),
        _("As of"),
    ]
    rows = [
        [
            printable(town.name(each.station)),
            _rung(each),
            _when(each.lagging_since, town),
            str(len(each.items)),
            printable(each.order or ABSENT),
            printable(each.proposed or ABSENT),
            _when(each.at, town),
        ]
        for each in standings
    ]
    return table(headings, rows) if rows else _("no station lags")


def _rung(standing: Standing) -> str:
    """A station that does not lag stands on no rung."""
    return word(standing.rung) if standing.lagging_since else _("in order")


def _when(moment: datetime | None, town: Town) -> str:
    return town.moment(moment) if moment else ABSENT
