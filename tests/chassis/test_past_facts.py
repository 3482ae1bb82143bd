"""The question `facts`: where it begins."""

from types import SimpleNamespace
from typing import Any

import pytest

from duban_contracts.charter import Role
from duban_contracts.queries import AskFacts
from duban_contracts.readers import Reader
from services.chassis import past_facts
from services.chassis.past_facts import page_of_facts
from services.chassis.queries import BadQuery


async def test_a_place_beyond_the_end_of_the_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends_at_seven(*_: Any) -> int:
        return 7

    monkeypatch.setattr(past_facts, "_end", ends_at_seven)
    client: Any = SimpleNamespace()
    with pytest.raises(BadQuery, match="the stream ends at 7"):
        await page_of_facts(client, "ledger", Reader("gateway", Role.GATEWAY), AskFacts(after=8))
