"""Whatever is delivered again, in whatever order, changes nothing of what an entry is and what was told."""

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.chassis.decider import Wake
from services.chassis.settle import Item, Settler
from services.ledger.applications import Dropped
from services.ledger.decider import RecordProgress, Withdraw, WithdrawnEarly
from services.ledger.measures import Retire, Retired, Underway, Want
from services.ledger.register_kinds import register
from services.ledger.views import row
from tests.chassis.world import World
from tests.ledger import test_applications as application
from tests.ledger import test_measure_properties as measure
from tests.ledger.register import NUMBER
from tests.ledger.test_properties import CHARTER, lives

WHOLE = register(CHARTER)


class Register(World):
    """One settler for all examples: the shapes of the states take long to build."""

    def __init__(self) -> None:
        super().__init__()
        decider: Any = WHOLE
        row_of: Any = row
        self._settler: Settler[Any, Any] = Settler(decider, self, self.tell, revision=7, row=row_of)

    def settler(self) -> Settler[Any, Any]:
        return self._settler

    def after(self, *batches: Any) -> Any:
        """What is stored and told when an empty register was sent these, one batch after the other."""
        for kept in (self.documents, self.answers, self.archive, self.rows, self.told):
            kept.clear()
        asyncio.run(self._all(batches))
        [document] = self.documents.values()
        return document.snapshot, dict(self.told), self.stored

    async def _all(self, batches: Any) -> None:
        for batch in batches:
            await self.deliver(batch)


REGISTER = Register()


@st.composite
def application_lives(draw: st.DrawFn) -> list[Any]:
    """An application in the hands of people who mostly do what comes next; now and then it is taken back."""
    now, steps, stages = application.OPENED, [application.APPLY], list(application.STAGES)
    for _ in range(draw(st.integers(1, 14))):
        now += timedelta(hours=draw(st.sampled_from([0, 1, 24, 24 * 9])))
        others = [
            RecordProgress(application.asked("minzheng", now, "record_progress"), "在办"),
            application.objects(now),
            application.decides(now, upheld=draw(st.booleans())),
            application.verify(now, passed=draw(st.booleans()), reason="没好"),
            Withdraw(now, application.NUMBER, "minzheng"),
        ]
        if stages and draw(st.integers(0, 2)):
            passed = draw(st.integers(0, 6)) > 0
            steps.append(application.complete(stages.pop(0), now, passed=passed, note="办了"))
        else:
            steps.append(draw(st.sampled_from(others)))
    return steps


def item(n: int, command: Any) -> Item[Any]:
    key = command.asked.key if hasattr(command, "asked") else getattr(command, "number", NUMBER)
    return Item(f"m{n}", key, command, measure.when(command))


@st.composite
def deliveries(draw: st.DrawFn, of: Any) -> tuple[list[Item[Any]], list[list[Item[Any]]]]:
    """Messages, and the same with copies of any of those before after each of them."""
    steps = [step for step in draw(of) if not isinstance(step, Wake)]
    items = [item(n, step) for n, step in enumerate(steps)]
    copies = [draw(st.lists(st.sampled_from(items[: n + 1]), max_size=3)) for n in range(len(items))]
    return items, copies


@settings(max_examples=300)
@for_all(deliveries(lives() | measure.lives() | application_lives()))
def test_shuffled_redelivery_changes_nothing(sent: tuple[Any, Any]) -> None:
    items, copies = sent
    once = REGISTER.after(*([each] for each in items))
    again = REGISTER.after(*([each, *more] for each, more in zip(items, copies, strict=True)))
    assert again == once
    snapshot, told, stored = again
    assert snapshot
    assert told == stored


@st.composite
def words(draw: st.DrawFn) -> list[Any]:
    """What the plan said of one measure, at different times, in the order in which it said it."""
    wanted = draw(st.lists(st.none() | measure.revisions, min_size=1, max_size=5))
    times = [measure.STARTED + timedelta(hours=30 * n) for n in range(len(wanted))]
    return [
        Want(now, measure.NUMBER, "2024", each) if each else Retire(now, measure.NUMBER, "2024", "it")
        for now, each in zip(times, wanted, strict=True)
    ]


@for_all(words().flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_of_what_the_plan_says_the_last_word_stands_whichever_is_heard_first(
    said: tuple[list[Any], list[Any]],
) -> None:
    in_order, as_heard = said
    state = WHOLE.initial_state
    for command in as_heard:
        _, state = WHOLE.answer(command, command.now, state)
    last = in_order[-1]
    if isinstance(last, Retire):
        assert isinstance(state, Retired)
        assert state.planned_at == last.now
    else:
        assert isinstance(state, Underway)
        assert (state.work.planned, state.work.planned_at) == (last.measure, last.now)


@for_all(application_lives().flatmap(st.permutations))
def test_an_application_that_was_taken_back_stays_so_whatever_is_heard_after_it(as_heard: list[Any]) -> None:
    state, taken_back = WHOLE.initial_state, False
    for command in as_heard:
        before = state
        _, state = WHOLE.answer(command, measure.when(command), state)
        if taken_back:
            assert isinstance(state, WithdrawnEarly | Dropped)
        if isinstance(command, Withdraw):
            taken_back = taken_back or isinstance(state, WithdrawnEarly | Dropped)
            assert taken_back or before == state
