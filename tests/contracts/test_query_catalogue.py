"""Every question has a contract, and permissions, subscriptions and the documentation follow from it."""

from importlib import import_module

import pytest

from duban_contracts.charter import Role
from duban_contracts.message import SERVICES
from duban_contracts.publish import query_table
from duban_contracts.query_catalogue import CATALOGUE, may_ask, queries_of, query_id
from duban_contracts.readers import Program
from tests.contracts.catalogue import README

OF_EVERY_SERVICE = {
    *("charter", "answers", "history", "facts", "backlog", "stuck"),
    *("dead_letters", "dead_letter", "decide_dead_letter"),
}
every_service = pytest.mark.parametrize("service", SERVICES)


@every_service
def test_every_question_of_the_catalogue_is_answered_and_no_other(service: str) -> None:
    answered = import_module(f"services.{service}.app").SERVICE.queries
    contracts = {contract.name: contract for contract in queries_of(service)}
    assert set(contracts) == OF_EVERY_SERVICE | set(answered)
    for name, query in answered.items():
        assert query.asks is contracts[name].asks


def test_an_id_is_the_subject_without_who_asks() -> None:
    for id_, contract in CATALOGUE.items():
        assert id_ == query_id(contract.service, contract.name, contract.version)
        assert contract.subject("office") == f"{id_}.office"


@pytest.mark.case("B3")
@pytest.mark.parametrize("role", [*Role, *Program])
def test_everybody_may_ask_for_the_charter(role: Role | Program) -> None:
    assert {f"query.{service}.charter.v1" for service in SERVICES} <= {each.id for each in may_ask(role)}


def test_no_question_is_for_nobody() -> None:
    assert all(contract.by for contract in CATALOGUE.values())


def test_the_readme_has_the_table_of_all_questions() -> None:
    assert query_table(CATALOGUE) in README.read_text("utf-8"), "run `make contracts`"
