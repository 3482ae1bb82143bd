"""What a batch costs, and in which order batches are told."""

import asyncio
from datetime import timedelta

import pytest

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


class Slow(MemoryDocuments):
    """Saves the key `a` only when told to."""

    def __init__(self):
        super().__init__()
        self.saving, self.may_save, self.saved = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def save(self, changes):
        if any(change.key == "a" for change in changes):
            self.saving.set()
            await self.may_save.wait()
        conflicts = await super().save(changes)
        self.saved.set()
        return conflicts


async def test_who_shares_no_key_is_decided_meanwhile_and_all_are_told_in_order():
    documents, told = Slow(), []

    async def tell(tellings):
        told.extend(telling.answer.to for telling in tellings)

    settler = Settler(total, documents, tell, turns=Turns())
    async with asyncio.TaskGroup() as loops:
        loops.create_task(settler.settle([add("m1", "a", 5)]))
        await documents.saving.wait()
        loops.create_task(settler.settle([add("m2", "b", 1)]))
        loops.create_task(settler.settle([add("m3", "a", 2), add("m4", "c", 1)]))
        async with asyncio.timeout(10):
            await documents.saved.wait()
        assert told == []
        assert set(documents.documents) == {"b"}
        documents.may_save.set()
    assert told == ["m1", "m2", "m3", "m4"]
    assert documents.documents["a"].answered == ("m1", "m3")


async def test_a_batch_that_fails_holds_up_nobody():
    class Broken(Slow):
        async def save(self, changes):
            await super().save(changes)
            if any(change.key == "a" for change in changes):
                raise ConnectionError
            return set()

    documents, turns, told = Broken(), Turns(), []

    async def tell(tellings):
        told.extend(telling.answer.to for telling in tellings)

    settler = Settler(total, documents, tell, turns=turns)
    fails = asyncio.create_task(settler.settle([add("m1", "a", 5)]))
    await documents.saving.wait()
    goes_on = asyncio.create_task(settler.settle([add("m2", "b", 1)]))
    documents.may_save.set()
    with pytest.raises(ConnectionError):
        await fails
    async with asyncio.timeout(10):
        await goes_on
        await turns.nobody()
    assert told == ["m2"]


async def test_a_batch_that_fails_lets_nobody_pass_those_before_it():
    told, first_is_being_told, first_may_end = [], asyncio.Event(), asyncio.Event()

    class Broken(MemoryDocuments):
        async def save(self, changes):
            if any(change.key == "b" for change in changes):
                raise ConnectionError
            return await super().save(changes)

    async def slowly(tellings):
        if not first_is_being_told.is_set():
            first_is_being_told.set()
            await first_may_end.wait()
        told.extend(telling.answer.to for telling in tellings)

    settler = Settler(total, Broken(), slowly, turns=Turns())
    first = asyncio.create_task(settler.settle([add("m1", "a", 5)]))
    await first_is_being_told.wait()
    with pytest.raises(ConnectionError):
        await settler.settle([add("m2", "b", 1)])
    last = asyncio.create_task(settler.settle([add("m3", "c", 1)]))
    await settled_down()
    assert told == []
    first_may_end.set()
    await asyncio.gather(first, last)
    assert told == ["m1", "m3"]


async def test_a_batch_that_fails_at_a_shared_key_leaves_the_one_before_alone():
    told, first_is_being_told, first_may_end = [], asyncio.Event(), asyncio.Event()

    class Broken(MemoryDocuments):
        async def load(self, keys):
            if first_is_being_told.is_set():
                raise ConnectionError
            return await super().load(keys)

    async def slowly(tellings):
        first_is_being_told.set()
        await first_may_end.wait()
        told.extend(telling.answer.to for telling in tellings)

    settler = Settler(total, Broken(), slowly, turns=Turns())
    first = asyncio.create_task(settler.settle([add("m1", "a", 5)]))
    await first_is_being_told.wait()
    with pytest.raises(ConnectionError):
        await settler.settle([add("m2", "a", 1)])
    first_may_end.set()
    assert (await first).answered == 1
    assert told == ["m1"]


async def test_time_passes_when_everyone_who_came_before_has_stored():
    documents, turns = Slow(), Turns()
    settler = Settler(total, documents, nobody_listens, turns=turns)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(settler.settle([add("m1", "a", 5)]))
        await documents.saving.wait()
        nobody = loops.create_task(turns.nobody())
        await settled_down()
        assert not nobody.done()
        documents.may_save.set()
    assert documents.documents["a"].answered == ("m1",)


async def settled_down():
    """Whoever can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)
