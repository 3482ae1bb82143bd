"""What a batch costs, and in which order batches are told."""

import asyncio
from datetime import timedelta

from services.chassis.decider import Wake
from services.chassis.memory import MemoryDocuments
from services.chassis.settle import Item, Settler, Turns, wake_id
from tests.chassis.world import START, add, total


class Counted(MemoryDocuments):
    """Notes every way to the store."""

    def __init__(self):
        super().__init__()
        self.ways = []
        self.second_save = asyncio.Event()

    async def load(self, keys):
        self.ways.append("load")
        return await super().load(keys)

    async def held(self, asked):
        self.ways.append("held")
        return await super().held(asked)

    async def older(self, asked):
        self.ways.append("older")
        return await super().older(asked)

    async def save(self, changes):
        conflicts = await super().save(changes)
        self.ways.append("save")
        if self.ways.count("save") == 2:
            self.second_save.set()
        return conflicts

    async def rest(self, wakes):
        self.ways.append("rest")
        await super().rest(wakes)


async def nobody_listens(_tellings):
    pass


BATCH = [add(f"m{n}", f"key-{n % 20}", 1) for n in range(200)]


async def test_a_batch_is_one_read_and_one_write_however_many_keys_it_has():
    documents = Counted()
    await Settler(total, documents, nobody_listens).settle(BATCH)
    assert documents.ways == ["load", "save"]
    assert len(documents.documents) == 20


async def test_a_batch_of_copies_is_one_read_more_and_no_write():
    documents = Counted()
    settler = Settler(total, documents, nobody_listens)
    await settler.settle(BATCH)
    documents.ways.clear()
    await settler.settle(BATCH)
    assert documents.ways == ["load", "held"]


async def test_many_keys_are_woken_with_one_read_and_are_at_rest_after_two_writes():
    documents = Counted()
    settler = Settler(total, documents, nobody_listens)
    await settler.settle(BATCH)
    documents.ways.clear()
    later = START + timedelta(hours=2)
    due = await documents.due(later, 100)
    await settler.settle([Item(wake_id(key, at), key, Wake(later), later) for key, at in due])
    assert (len(due), documents.ways) == (20, ["load", "save", "rest"])


async def test_a_batch_is_decided_while_the_one_before_is_told_and_is_told_after_it():
    documents, turns, told = Counted(), Turns(), []
    first_is_being_told, first_may_end = asyncio.Event(), asyncio.Event()

    async def slowly(tellings):
        if not first_is_being_told.is_set():
            first_is_being_told.set()
            await first_may_end.wait()
        told.extend(telling.answer.to for telling in tellings)

    settler = Settler(total, documents, slowly, turns=turns)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(settler.settle([add("m1", "a", 5), add("m2", "b", 1)]))
        await first_is_being_told.wait()
        loops.create_task(settler.settle([add("m3", "a", 2)]))
        async with asyncio.timeout(10):
            await documents.second_save.wait()
        assert told == []
        first_may_end.set()
    assert told == ["m1", "m2", "m3"]
