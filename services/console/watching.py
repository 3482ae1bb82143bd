"""`duban watch`: where every station stands, and then everything that escalation says, as it comes."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from nats.aio.msg import Msg
from pydantic import ValidationError
from rich.table import Table

from duban_contracts.envelope import Envelope, Poison, decode, rfc3339
from duban_contracts.escalation import Standing
from duban_contracts.message import CommandRefused, Fact
from duban_contracts.subjects import STANDINGS_BUCKET, fact_stream
from services.console.client import Duban
from services.console.following import follow, last_sequence, latest
from services.console.i18n import N_, _
from services.console.sentences import ABSENT, Town, printable, sentence
from services.console.terminal import Format, FormatOption, complain, ending, on_system, say, say_json
from services.console.words import word

FACTS = fact_stream("escalation")
STANDINGS = f"KV_{STANDINGS_BUCKET}"


def watch(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help=N_("Show where the stations stand, and end"))] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output), suppress(KeyboardInterrupt):
        on_system(ctx, lambda system: _watch(system, once, output), spinner=False)


async def _watch(system: Duban, once: bool, output: Format) -> None:
    town = Town(await system.charter())
    facts_after = await last_sequence(system.client, FACTS)  # before the snapshot, so nothing falls between
    standings, standings_after = await snapshot(system)
    screen = Screen(town, output)
    screen.standings(standings)
    if once:
        return
    async with asyncio.TaskGroup() as side_by_side:
        side_by_side.create_task(_follow(system, FACTS, facts_after, screen))
        side_by_side.create_task(_follow(system, STANDINGS, standings_after, screen))


async def snapshot(system: Duban) -> tuple[list[Standing], int]:
    """Every standing, and the place in the bucket's stream up to which this is all."""
    msgs = await latest(system.client, STANDINGS)
    found = [standing for msg in msgs if (standing := read_standing(msg.data))]
    last = max((msg.metadata.sequence.stream for msg in msgs), default=0)
    return sorted(found, key=lambda each: (-each.rung, each.station)), last


def read_standing(value: bytes | None) -> Standing | None:
    try:
        return Standing.model_validate_json(value or b"")
    except ValidationError:
        return None


async def _follow(system: Duban, stream: str, after: int, screen: "Screen") -> None:
    async for msg in follow(system.client, stream, after, screen.lost):
        screen.heard(msg)


@dataclass
class Screen:
    """Prints what is heard, for people line by line, for programs as JSON lines."""

    town: Town
    output: Format
    in_trouble: bool = False

    def standings(self, standings: Iterable[Standing]) -> None:
        if self.output is Format.JSON:
            for standing in standings:
                self._standing(standing)
        else:
            say(table_of(standings, self.town))

    def heard(self, msg: Msg) -> None:
        if self.in_trouble:
            self.in_trouble = False
            complain(_("connected again"))
        if msg.subject.startswith("$KV."):
            standing = read_standing(msg.data)
            return self._standing(standing) if standing else None
        try:
            return self._fact(decode(msg.subject, msg.headers, msg.data))
        except Poison as poison:
            return complain(_("a message that cannot be read: {why}").format(why=printable(str(poison))))

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


def table_of(standings: Iterable[Standing], town: Town) -> Table:
    table = Table(
        _("Station"), _("Rung"), _("Lagging since"), _("Open items"), _("Order"), _("Proposed"), _("As of")
    )
    for each in standings:
        table.add_row(
            printable(town.name(each.station)),
            _rung(each),
            _when(each.lagging_since, town),
            str(len(each.items)),
            printable(each.order or ABSENT),
            printable(each.proposed or ABSENT),
            _when(each.at, town),
        )
    return table


def _rung(standing: Standing) -> str:
    """A station that does not lag stands on no rung."""
    return word(standing.rung) if standing.lagging_since else _("in order")


def _when(moment: datetime | None, town: Town) -> str:
    return town.moment(moment) if moment else ABSENT
