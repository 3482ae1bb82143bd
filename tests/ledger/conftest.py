from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from services.chassis.mongo import MongoDocuments, connect
from services.chassis.queries import history_of
from services.chassis.service import Reading
from services.ledger.views import INDEXES, PARTIAL_INDEXES
from tests.benchmarks.fill_ledger import fill
from tests.ledger.filled import COUNT, NOW, WITHOUT_LIMIT, every, states_of
from tests.ledger.register import TOWN


@pytest.fixture(scope="module")
async def reading(mongo: Any) -> AsyncIterator[Reading]:
    fill(mongo.url, "test_reading", COUNT, days=8, charter=WITHOUT_LIMIT)
    client = connect(mongo.url)
    database = client["test_reading"]
    documents = MongoDocuments(database, "ledger", INDEXES, PARTIAL_INDEXES)
    await documents.prepare()
    states = states_of(documents, WITHOUT_LIMIT)
    yield Reading(database, states, TOWN, lambda: NOW, partial(history_of, documents))
    await client.drop_database("test_reading")
    client.close()


@pytest.fixture(scope="module")
async def all_entries(reading: Reading) -> list[Any]:
    return await every(reading)
