"""A step of the scenario, and the little that everybody in it needs: working days and dice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter
from duban_contracts.message import Command
from services.chassis.calendar import WorkingCalendar
from services.console.client import Order

ACTOR = "timelapse"
"""Reports what all others did, and when."""

FORENOON = (time(9, 5), time(11, 55))
AFTERNOON = (time(14, 35), time(17, 25))
SPAN = tuple[time, time]


@dataclass(frozen=True)
class Step:
    """Somebody does something at a time of the scenario."""

    at: datetime
    actor: str
    key: str
    command: Command

    def order(self, seed: int) -> Order:
        """Its id follows from what it says, so numbers and ids are the same in every run of a seed."""
        said = f"duban:demo:{seed}:{self.at.isoformat()}:{self.actor}:{self.key}:{self.command.type}"
        content = self.command.model_dump_json()
        return Order(
            self.command,
            self.key,
            ACTOR,
            id=str(uuid5(NAMESPACE_URL, f"{said}:{content}")),
            at=self.at,
            acting_for=self.actor,
        )


@dataclass(frozen=True)
class World:
    """Where the scenario plays, and its seed."""

    seed: int
    charter: Charter

    def dice(self, *about: object) -> random.Random:
        """Chance that depends on what it is about, and never on what was drawn before."""
        return random.Random(":".join(map(str, (self.seed, *about))))  # noqa: S311  # a play, not a secret

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.charter.timezone)

    @cached_property
    def calendar(self) -> WorkingCalendar:
        return WorkingCalendar(self.charter)

    def on(self, day: date, dice: random.Random, span: SPAN = AFTERNOON) -> datetime:
        """Some minute of that day."""
        first, last = (datetime.combine(day, each, self.zone) for each in span)
        return first + timedelta(minutes=dice.randint(0, (last - first) // timedelta(minutes=1)))

    def later(self, moment: datetime, days: int, dice: random.Random, span: SPAN = AFTERNOON) -> datetime:
        """Some minute of the working day that comes so many (at least 1) after the day of `moment`."""
        return self.on(self.working_day(moment.astimezone(self.zone).date(), days), dice, span)

    def working_day(self, day: date, ahead: int) -> date:
        """`day` itself where `ahead` is 0 and it is a working day, else the first that comes."""
        while ahead > 0 or not self.calendar.is_working(day):
            day += timedelta(days=1)
            ahead -= self.calendar.is_working(day)
        return day

    def working_days(self, first: date, last: date) -> list[date]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in days if self.calendar.is_working(day)]

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def weighted(dice: random.Random, weights: Sequence[int]) -> int:
    """The place of one weight, drawn by weight."""
    return dice.choices(range(len(weights)), weights)[0]
