"""Whatever a command or query holds: an answer, a refusal or a dead letter comes of it, and nothing else."""

import asyncio
import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from duban_contracts.envelope import PoisonReason
from duban_contracts.fields import MAX_PAYLOAD_BYTES
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import Due, EntryOpened, EntryOverdue
from duban_contracts.message import Command, CommandRefused, Refusal
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from duban_contracts.time import PassTime
from services.chassis.queries import faults
from services.console.i18n import Lang, use
from services.console.sentences import Town, sentence
from tests.contracts.catalogue import MESSAGES
from tests.contracts.largest import largest
from tests.fuzz.bodies import MOMENTS, bodies
from tests.fuzz.town import ACTORS, CHARTER, MONDAY, NOW, Checkpoint, FuzzTown, busy_town, keys, pass_days

COMMANDS = [m for m in MESSAGES.values() if issubclass(m, Command) and not issubclass(m, PassTime)]
QUESTIONS = sorted({contract.asks for contract in QUERIES.values()}, key=lambda asks: asks.__name__)
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))


class Scene:
    """A town on its first Monday, and one five weeks later in which much is late."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.town = self.runner.run(busy_town())
        first = self.town.checkpoint()
        self.runner.run(pass_days(self.town))
        self.keys = keys(self.town)
        self.moments: list[tuple[Checkpoint, datetime]] = [(first, MONDAY), (self.town.checkpoint(), NOW)]

    def send(
        self, command: type[Command], body: bytes, key: str, actor: str, late: bool, time: str | None
    ) -> FuzzTown:
        before, now = self.moments[late]
        self.town.restore(before)
        self.runner.run(self.town.send(command, key, actor, now, body, time))
        return self.town


@cache
def scene() -> Scene:
    return Scene()


TOWN = Town(CHARTER)


def is_told_in_words(town: FuzzTown) -> None:
    """Every fact has its sentence in both languages, and fits into a message."""
    assert town.largest <= MAX_PAYLOAD_BYTES
    for language in Lang:
        use(language)
        for fact in town.told:
            assert sentence(fact, TOWN).isprintable()
            if isinstance(fact, CommandRefused):
                assert fact.detail
    use(Lang.EN)


KEYS = st.deferred(lambda: st.sampled_from(scene().keys)) | st.text(min_size=1, max_size=20)
SENDERS = st.sampled_from(list(ACTORS)) | st.just("stranger")
TIMES = st.none() | MOMENTS


def check(command: type[Command], body: bytes, key: str, actor: str, late: bool, time: str | None) -> None:
    town = scene().send(command, body, key, actor, late, time)
    is_told_in_words(town)
    for poison in town.poisoned:
        assert poison.reason in PoisonReason
        assert len(poison.detail) < 4_000


every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)


@pytest.mark.case("A1", "A2", "A7", "B5")
@every_command
@QUICK
@given(st.data())
def test_a_command_is_answered_refused_or_a_dead_letter(command: type[Command], data: Any) -> None:
    allowed = [token for token, actor in ACTORS.items() if actor.role in command.by]
    sender = st.one_of(st.sampled_from(allowed), st.sampled_from(allowed), SENDERS)
    check(
        command,
        data.draw(bodies(command)),
        data.draw(KEYS),
        data.draw(sender),
        data.draw(st.booleans()),
        data.draw(TIMES),
    )


@pytest.mark.long
@every_command
@LONG
@given(st.data())
def test_a_command_is_answered_refused_or_a_dead_letter_long(command: type[Command], data: Any) -> None:
    test_a_command_is_answered_refused_or_a_dead_letter.hypothesis.inner_test(command, data)


@pytest.mark.case("B5")
@every_command
def test_the_facts_of_the_largest_command_fit_into_a_message(command: type[Command]) -> None:
    """At every key that it could be about, from every actor who may ask."""
    body = largest(command).model_dump_json().encode()
    allowed = [token for token, actor in ACTORS.items() if actor.role in command.by]
    for key in scene().keys[::8]:
        town = scene().send(command, body, key, allowed[0], False, None)
        assert town.largest <= MAX_PAYLOAD_BYTES


@pytest.mark.case("A1", "B17")
@pytest.mark.parametrize("asks", QUESTIONS, ids=lambda asks: asks.__name__)
@QUICK
@given(st.data())
def test_a_question_is_read_or_refused_in_words(asks: Any, data: Any) -> None:
    body = data.draw(bodies(asks))
    try:
        asks.model_validate_json(body)
    except ValidationError as error:
        refused = faults(error, asks)
    else:
        refused = None
    assert refused is None or refused


def submitted(**fields: Any) -> FuzzTown:
    """What follows from a submission by the import, in a town on its first Monday."""
    body = json.dumps({"title": "垃圾无人清运", "category": "garbage", **fields}).encode()
    return scene().send(SubmitMatter, body, "fuzz:new", "import", False, None)


@pytest.mark.case("A1")
@pytest.mark.parametrize("closed_at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_moment_without_a_year_in_utc_is_a_dead_letter_of_its_own(closed_at: str) -> None:
    town = submitted(past={"outcome": "solved", "closed_at": closed_at})
    assert [poison.reason for poison in town.poisoned] == [PoisonReason.BREAKS_CONTRACT]
    assert "past.closed_at: the year has to be" in town.poisoned[0].detail
    assert not town.told


@pytest.mark.case("A2")
@pytest.mark.parametrize("due_on", ["2099-12-31", "2199-12-31", "1900-01-01"])
def test_a_matter_due_in_any_year_of_the_contract_is_opened(due_on: str) -> None:
    town = submitted(due_on=due_on)
    [opened] = [fact for fact in town.told if isinstance(fact, EntryOpened)]
    assert opened.due
    assert str(opened.due.last_day) == due_on


@pytest.mark.case("A1")
def test_a_case_that_was_closed_in_the_future_is_refused() -> None:
    town = submitted(past={"outcome": "solved", "closed_at": "2199-01-01T00:00:00Z"})
    [refused] = [fact for fact in town.told if isinstance(fact, CommandRefused)]
    assert refused.reason is Refusal.TIME_IN_FUTURE


@pytest.mark.case("A1")
@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_fact_of_an_extreme_year_is_shown(year: str) -> None:
    """The release before took such moments; their facts are in the streams."""
    due = Due(at=year, last_day="9999-12-31", rule="as set elsewhere")
    fact = EntryOverdue(at=year, station="bianmin", entry="2024-000001", due=due)
    assert year[:4] in sentence(fact, TOWN)
