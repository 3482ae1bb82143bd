"""The vocabulary of faults: each is done to a town under load and undone again, and returns how often.

A fault that must be loud asserts so itself: what the service says on `/ready`, or that its process ends. One
that must not spin measures the processor. Whatever it leaves broken is the invariants' to find.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from services.console.system import Running
from tests.faults.load import Load
from tests.faults.town import Town, busy
from tests.waiting import until

CALM = 0.5
"""Share of a core below which a service that can do nothing counts as not spinning."""


@dataclass
class Site:
    """Where a fault happens: the town, the load that goes on meanwhile, and the run's dice."""

    town: Town
    load: Load
    random: Random
    seed: int

    def service(self, name: str) -> Running:
        return self.town.system[name]

    def more(self, commands: int = 40) -> None:
        """The load goes on for so many commands, or to its end."""
        goal = len(self.load.acknowledged) + commands
        until(lambda: len(self.load.acknowledged) >= goal or not self.load.going)


Strike = Callable[[Site], int]
FAULTS: dict[str, Strike] = {}


def fault(name: str) -> Callable[[Strike], Strike]:
    def entered(strike: Strike) -> Strike:
        FAULTS[name] = strike
        return strike

    return entered


def deaf_loud_and_calm(service: Running, streams: list[str]) -> None:
    until(lambda: all("provision" in service.report().get(stream, "") for stream in streams), 30)
    share = busy(service)
    assert share < CALM, f"{service.name} uses {share:.0%} of a core while it is deaf"
