"""All questions, and who may ask them: subscriptions, permissions and the table of the README follow from it.

A role that is not named is refused by the broker and, where there is none that checks, by the service. What
the answer holds for a role that may ask is said at the models.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from duban_contracts import operations, queries, reading
from duban_contracts.charter import Role
from duban_contracts.laggard_report import LaggardReport
from duban_contracts.message import SERVICES, Question
from duban_contracts.readers import INSPECTORS, Program, ReaderRole
from duban_contracts.subjects import query_subject

EVERYBODY: frozenset[ReaderRole] = frozenset([*Role, *Program])
ACTORS: frozenset[ReaderRole] = frozenset(Role)
OFFICIALS: frozenset[ReaderRole] = INSPECTORS | {Role.LEADER, Program.OPERATOR}
REGISTER: frozenset[ReaderRole] = OFFICIALS | {Role.STATION}

UPKEEP: frozenset[ReaderRole] = frozenset(Program)
"""Who looks after the machines: not after the town's matters."""


@dataclass(frozen=True)
class QueryContract:
    service: str
    name: str
    asks: type[Question]
    gives: type[BaseModel]
    by: frozenset[ReaderRole]
    version: int = 1
    strangers: bool = False
    """Whether somebody whom the charter does not know may ask: the answer holds nothing but their own."""

    @property
    def id(self) -> str:
        return query_id(self.service, self.name, self.version)

    def subject(self, actor: str) -> str:
        return query_subject(self.service, self.name, actor, self.version)


def query_id(service: str, name: str, version: int = 1) -> str:
    """The subject without who asks, e.g. `query.ledger.list.v1`."""
    return f"query.{service}.{name}.v{version}"


def _of_every_service() -> Iterable[QueryContract]:
    for service in SERVICES:
        yield QueryContract(service, "charter", queries.AskCharter, queries.Following, EVERYBODY)
        yield QueryContract(service, "answers", queries.WhatBecameOf, queries.Answers, ACTORS, strangers=True)
        yield QueryContract(service, "history", queries.HistoryOf, queries.Answers, _HISTORY[service])
        yield QueryContract(service, "facts", queries.AskFacts, queries.FactsPage, _HEARERS)
        yield QueryContract(service, "backlog", queries.Nothing, queries.Backlog, EVERYBODY)
        yield QueryContract(service, "stuck", operations.AskStuck, operations.Stuck, UPKEEP)
        for name, asks, gives in (
            ("dead_letters", operations.ListDeadLetters, operations.DeadLetterPage),
            ("dead_letter", operations.ShowDeadLetter, operations.DeadLetterShown),
            ("decide_dead_letter", operations.DecideDeadLetter, operations.DeadLetterDecided),
        ):
            yield QueryContract(service, name, asks, gives, UPKEEP)


_HEARERS = EVERYBODY - {Program.ADMIN}
_HISTORY: dict[str, frozenset[ReaderRole]] = {
    "intake": INSPECTORS,
    "ledger": REGISTER,
    "rating": INSPECTORS | {Role.LEADER},
    "supervision": INSPECTORS | {Role.LEADER},
    "escalation": REGISTER,
}

_DUTIES: frozenset[ReaderRole] = INSPECTORS | {Role.STATION}
"""Who may have an open duty on a matter; the answer is for who has one."""
_ENTRY = REGISTER | {Role.GATEWAY}
CATALOGUE: dict[str, QueryContract] = {
    contract.id: contract
    for contract in (
        *_of_every_service(),
        QueryContract("ledger", "find", queries.FindEntry, queries.Found, EVERYBODY - {Program.ADMIN}),
        QueryContract("ledger", "show", queries.ShowEntry, queries.Shown, _ENTRY),
        QueryContract("ledger", "why", queries.WhyEntry, queries.Why, _ENTRY),
        QueryContract("ledger", "list", reading.ListEntries, reading.EntryPage, REGISTER),
        QueryContract("ledger", "export", reading.ListEntries, reading.PaperPage, REGISTER),
        QueryContract("ledger", "hot_list", reading.AskHotList, reading.HotListShown, OFFICIALS),
        QueryContract(
            "ledger", "disclosure", reading.AskDisclosure, reading.Disclosed, OFFICIALS | {Role.GATEWAY}
        ),
        QueryContract("intake", "petitioner", queries.AskPetitioner, queries.PetitionerFound, _DUTIES),
        QueryContract("escalation", "standings", queries.AskStandings, queries.Standings, REGISTER),
        QueryContract("escalation", "laggards", queries.WhoLags, LaggardReport, OFFICIALS),
    )
}
"""By id, e.g. `query.ledger.list.v1`."""


def queries_of(service: str) -> list[QueryContract]:
    return [contract for contract in CATALOGUE.values() if contract.service == service]


def may_ask(role: ReaderRole) -> list[QueryContract]:
    return [contract for contract in CATALOGUE.values() if role in contract.by]
