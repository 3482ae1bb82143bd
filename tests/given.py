"""Given what happened, when this is asked, then: the whole language of decider tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis.decider import Decider


@dataclass(frozen=True)
class Given:
    """`Given(decider)(*history).when(command)` returns the events; pytest's own diff does the rest."""

    decider: Decider[Any, Any, Any]
    history: tuple[Any, ...] = ()

    def __call__(self, *history: Any) -> "Given":
        return Given(self.decider, (*self.history, *history))

    def when(self, command: Any) -> Sequence[Any]:
        """What follows, including what fell due before the command's own time."""
        now = command.asked.now if hasattr(command, "asked") else command.now
        events, _ = self.decider.answer(command, now, self.state)
        return events

    @property
    def state(self) -> Any:
        return self.decider.fold(self.decider.initial_state, self.history)
