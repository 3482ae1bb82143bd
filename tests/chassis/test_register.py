"""Numbers are unique and without gaps, whoever asks, however often, however many at once."""

import asyncio
from uuid import uuid4

import pytest

from services.chassis.mongo import connect
from services.chassis.register import Register


@pytest.fixture
async def register(mongo):
    client = connect(mongo.url)
    made = Register(client[f"test_{uuid4().hex}"])
    await made.prepare()
    yield made
    client.close()


def holders(*names, series="2024"):
    return dict.fromkeys(names, series)


async def test_numbers_follow_each_other_within_their_series(register):
    assert await register.allot(holders("a", "b")) == {"a": "2024-000001", "b": "2024-000002"}
    assert await register.allot(holders("c", series="2025")) == {"c": "2025-000001"}
    assert await register.allot(holders("d")) == {"d": "2024-000003"}


async def test_whoever_has_a_number_keeps_it(register):
    first = await register.allot(holders("a", "b"))
    assert await register.allot(holders("b", "a", series="2025")) == first


async def test_many_writers_at_once_leave_no_gap_and_no_double(register):
    crowds = [holders(*(f"{n % 40}-{m}" for m in range(25))) for n in range(60)]
    results = await asyncio.gather(*(register.allot(crowd) for crowd in crowds))
    numbers = {}
    for result in results:
        for holder, number in result.items():
            assert numbers.setdefault(holder, number) == number
    assert sorted(numbers.values()) == [f"2024-{n:06d}" for n in range(1, 1001)]
