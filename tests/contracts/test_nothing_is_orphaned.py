"""Beside every message: its schema, an example, a teller and its listeners. None stands alone."""

import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from typing import get_args

import pytest

from duban_contracts import applications, escalation, intake, ledger, measures, rating, supervision, topology
from duban_contracts.message import SERVICES, Command, CommandRefused, Fact
from duban_contracts.publish import as_text, meaning, schema_of, schemas_of_questions, table
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from duban_contracts.subjects import command_stream, fact_stream, filter_of
from duban_contracts.time import PassTime
from services.console import watching
from tests.contracts.catalogue import EXAMPLES, MESSAGES, QUERY_SCHEMAS, README, SCHEMAS

TOLD = {
    "intake": intake.IntakeEvent,
    "ledger": ledger.LedgerEvent | measures.MeasureEvent | applications.ApplicationEvent,
    "rating": rating.RatingEvent,
    "supervision": supervision.SupervisionEvent,
    "escalation": escalation.EscalationEvent,
}
COMMANDS = [message for message in MESSAGES.values() if issubclass(message, Command)]
FACTS = [message for message in MESSAGES.values() if issubclass(message, Fact)]
every_message = pytest.mark.parametrize("type_", MESSAGES)
every_service = pytest.mark.parametrize("service", SERVICES)


def test_there_is_something_to_look_at():
    assert (
        {message.service for message in COMMANDS} == {message.service for message in FACTS} == set(SERVICES)
    )


@every_message
def test_the_committed_schema_is_that_of_the_model(type_):
    file = SCHEMAS / f"{type_}.json"
    assert file.exists(), "run `make contracts` and commit the schema"
    assert file.read_text("utf-8") == as_text(schema_of(MESSAGES[type_])), "run `make contracts`"


def test_the_committed_schemas_of_questions_and_answers_are_those_of_the_models():
    models = {f"{name}.json": as_text(schema) for name, schema in schemas_of_questions(QUERIES).items()}
    written = {path.name: path.read_text("utf-8") for path in QUERY_SCHEMAS.iterdir()}
    assert written == models, "run `make contracts`, and remove the file of a model that is gone"


def test_questions_and_answers_have_names_of_their_own():
    models = {model for each in QUERIES.values() for model in (each.asks, each.gives)}
    assert len({model.__name__ for model in models}) == len(models)


@every_message
def test_there_is_an_example(type_):
    assert (EXAMPLES / f"{type_}.json").exists(), "write one by hand, with sensible values"


@pytest.mark.parametrize("folder", [SCHEMAS, EXAMPLES], ids=lambda folder: folder.name)
def test_no_file_is_about_a_message_that_does_not_exist(folder):
    assert {path.name for path in folder.iterdir()} <= {f"{type_}.json" for type_ in MESSAGES}


@every_service
def test_every_fact_is_told_by_the_service_it_belongs_to(service):
    facts = {fact for fact in topology.facts_of(service) if fact.type in MESSAGES}
    assert set(get_args(TOLD[service])) == facts


@every_service
def test_the_decider_of_that_service_tells_it(service, township):
    decider = import_module(f"services.{service}.app").SERVICE.decider(township)
    assert set(get_args(TOLD[service])) <= set(decider.events)


@every_service
def test_every_service_handles_exactly_what_it_hears(service):
    handlers = import_module(f"services.{service}.handlers").HEARS
    assert set(handlers) == {*topology.commands_of(service), *topology.HEARS[service]}


@every_service
def test_every_command_is_answered_by_handlers_or_lets_time_pass(service):
    commands = {command for command in COMMANDS if command.service == service}
    [passing] = commands - set(topology.commands_of(service))
    assert issubclass(passing, PassTime)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_every_command_says_who_may_ask(command):
    assert command.by


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_every_command_reaches_its_service(command):
    assert topology.listeners_of(command) == [command.service]
    assert topology.streams_heard(command.service)[command_stream(command.service)] == [
        f"cmd.{command.service}.>"
    ]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_every_listener_of_a_fact_has_a_consumer_that_hears_it(fact):
    for listener in topology.listeners_of(fact):
        if listener in topology.HEARS:
            assert filter_of(fact) in topology.streams_heard(listener)[fact_stream(fact.service)]


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.type)
def test_no_message_is_told_to_nobody_or_without_a_meaning(message):
    assert topology.listeners_of(message), "nobody hears it: say in topology.OUTSIDE whom it is told for"
    assert meaning(message), "its docstring says what it means"


def test_operators_are_shown_the_escalation_stream_and_are_told_every_refusal():
    shown = {fact for fact in FACTS if topology.OPERATORS in topology.listeners_of(fact)}
    refusals = {fact for fact in FACTS if issubclass(fact, CommandRefused)}
    assert fact_stream("escalation") == watching.FACTS
    assert shown == refusals | {fact for fact in FACTS if fact.service == "escalation"}


def test_only_what_nobody_here_hears_is_left_to_programs_elsewhere():
    heard = {fact for facts in topology.HEARS.values() for fact in facts}
    silent = {f for f in FACTS if f.service != "escalation" and not issubclass(f, CommandRefused)} - heard
    assert set(topology.OUTSIDE) == silent


@pytest.mark.parametrize("consumer", topology.HEARS)
def test_everything_that_a_consumer_hears_is_told_by_somebody(consumer):
    heard = topology.HEARS[consumer]
    assert len(set(heard)) == len(heard)
    assert all(fact in get_args(TOLD[fact.service]) for fact in heard)


def test_versions_count_1_2_3():
    versions = defaultdict(list)
    for message in MESSAGES.values():
        versions[message.service, message.message_name].append(message.version)
    for counted in versions.values():
        assert sorted(counted) == list(range(1, len(counted) + 1))


def test_importing_any_module_of_the_package_fills_the_whole_catalogue():
    code = "import duban_contracts.message as m; print(*m.CATALOGUE)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) == set(MESSAGES)


def test_the_readme_has_the_table_of_all_messages():
    assert table(MESSAGES) in README.read_text("utf-8"), "run `make contracts`"
