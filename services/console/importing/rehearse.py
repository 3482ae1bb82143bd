"""What intake would answer to a case under a charter: the service's own checks, without broker and database.

The command is written and read back as it travels, then checked, handled and decided by the code that the
running service uses. So a dry run refuses what the real run refuses, with the same code and sentence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from duban_contracts.charter import Actor, Charter
from duban_contracts.envelope import Poison
from duban_contracts.message import Fact
from services.chassis.inbox import Delivery, commands, read
from services.console.client import Order
from services.console.importing.convert import Case
from services.console.importing.run import No, order_of, refusal_of
from services.intake.decider import intake
from services.intake.handlers import HEARS

SOURCE = "duban/console"


@dataclass
class Rehearsal:
    """One charter, and who may do what under it."""

    charter: Charter
    actor: str
    _everyone: dict[str, Actor] = field(init=False)

    def __post_init__(self) -> None:
        self._everyone = self.charter.everyone()

    def refusal(self, case: Case) -> No | None:
        """None: it would be accepted."""
        try:
            return refusal_of(self._facts(order_of(case, self.actor)))
        except Poison as poison:
            return No(poison.reason.value, poison.detail)

    def _facts(self, order: Order) -> Iterable[Fact]:
        body = order.command.model_dump_json(exclude_none=True, exclude_defaults=True).encode()
        delivery = Delivery(order.subject, order.headers(SOURCE), body, datetime.now(UTC))
        message = read(delivery, self._everyone)
        decider = intake(self.charter)
        for _key, command in commands(message, HEARS, self.charter):
            events, _state = decider.answer(command, message.heard.now, decider.initial_state)
            yield from events
