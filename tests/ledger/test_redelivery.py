"""Whatever is delivered again, in whatever order, changes nothing of what an entry is and what was told."""

import asyncio
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.chassis.settle import Item, Settler
from services.ledger.decider import ledger
from services.ledger.views import row
from tests.chassis.world import World
from tests.ledger.register import NUMBER
from tests.ledger.test_properties import CHARTER, lives


class Register(World):
    """One settler for all examples: the shapes of the states take long to build."""

    def __init__(self) -> None:
        super().__init__()
        decider: Any = ledger(CHARTER)
        row_of: Any = row
        self._settler: Settler[Any, Any] = Settler(decider, self, self.tell, revision=7, row=row_of)

    def settler(self) -> Settler[Any, Any]:
        return self._settler

    def after(self, *batches: Any) -> Any:
        """What is stored and told when an empty register was sent these, one batch after the other."""
        for kept in (self.documents, self.answers, self.archive, self.rows, self.told):
            kept.clear()
        asyncio.run(self._all(batches))
        return self.documents[NUMBER].snapshot, dict(self.told), self.stored

    async def _all(self, batches: Any) -> None:
        for batch in batches:
            await self.deliver(batch)


REGISTER = Register()


def item(n: int, command: Any) -> Item[Any]:
    now = command.asked.now if hasattr(command, "asked") else command.now
    return Item(f"m{n}", NUMBER, command, now)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Item[Any]], list[list[Item[Any]]]]:
    """Messages, and the same with copies of any of those before after each of them."""
    steps = draw(lives())
    items = [item(n, command) for n, command in enumerate(steps) if hasattr(command, "asked") or n == 0]
    copies = [draw(st.lists(st.sampled_from(items[: n + 1]), max_size=3)) for n in range(len(items))]
    return items, copies


@for_all(deliveries())
def test_shuffled_redelivery_changes_nothing(sent: tuple[Any, Any]) -> None:
    items, copies = sent
    once = REGISTER.after(*([each] for each in items))
    again = REGISTER.after(*([each, *more] for each, more in zip(items, copies, strict=True)))
    assert again == once
    snapshot, told, stored = again
    assert snapshot
    assert told == stored
