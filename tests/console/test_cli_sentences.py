"""Every fact has a sentence that says what happened, in both languages, in the town's words."""

import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum

import pytest

from duban_contracts.charter import Charter, Ground, Limit, MatterKind, Role
from duban_contracts.escalation import ItemKind, OpenItem, Rung, StationStillLagging, StepProposed
from duban_contracts.intake import Channel, MatterAccepted
from duban_contracts.ledger import Due, EntryOverdue, LedgerCommandRefused, ProgressRecorded
from duban_contracts.message import CATALOGUE, CommandRefused, Fact, Refusal
from duban_contracts.supervision import PlanGapDetected
from services.console.i18n import Lang, use
from services.console.sentences import SENTENCES, Town, sentence
from services.console.words import WORDS, word

AT = datetime(2024, 4, 15, 1, 30, tzinfo=UTC)
FACTS = [each for each in CATALOGUE.values() if issubclass(each, Fact)]
REFUSALS = [each for each in FACTS if issubclass(each, CommandRefused)]


@pytest.fixture
def chinese() -> Iterator[None]:
    use(Lang.ZH)
    yield
    use(Lang.EN)


@pytest.mark.parametrize("fact", [each for each in FACTS if each not in REFUSALS], ids=lambda fact: fact.type)
def test_every_fact_has_a_sentence_made_of_its_own_fields(fact: type[Fact]) -> None:
    named = {field for _text, field, *_rest in string.Formatter().parse(SENTENCES[fact]) if field}
    assert named - set(fact.model_fields) == set()


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_every_code_that_people_read_has_a_word(kind: type[Enum]) -> None:
    assert set(WORDS[kind]) == set(kind)


def test_moments_are_told_in_the_towns_time_and_stations_by_name(township: Charter) -> None:
    due = Due(at=datetime(2024, 4, 14, 16, tzinfo=UTC), last_day=date(2024, 4, 14), rule="5 days")
    overdue = EntryOverdue(at=AT, station="bianmin", entry="2024-000001", due=due)
    assert (
        sentence(overdue, Town(township))
        == "entry 2024-000001 of Public service centre is overdue; it was due 2024-04-14"
    )


def test_a_deadline_within_the_day_is_told_with_its_hour(township: Charter) -> None:
    due = Due(
        at=datetime(2024, 4, 15, 3, tzinfo=UTC), last_day=date(2024, 4, 15), rule="2 h", provisional=True
    )
    overdue = EntryOverdue(at=AT, station="bianmin", entry="2024-000001", due=due)
    assert sentence(overdue, Town(township)).endswith("it was due 2024-04-15 11:00 (provisional)")


def test_without_a_charter_tokens_and_utc_are_told() -> None:
    accepted = MatterAccepted(
        at=AT,
        station="bianmin",
        submission="hotline:1",
        title="t",
        category="garbage",
        kind=MatterKind.HELP,
        channel=Channel.HOTLINE,
        petitioner="p-1",
        limit=Limit(amount=3),
        rule="garbage",
    )
    assert sentence(accepted, Town()) == (
        "hotline:1 is accepted: bianmin handles it, limit 3 working day(s) (garbage)"
    )


def test_chinese_sentences_use_chinese_names_and_words(township: Charter, chinese: None) -> None:
    item = OpenItem(id="finding/1", kind=ItemKind.FINDING, ground=Ground.PERFUNCTORY, since=AT)
    lagging = StationStillLagging(at=AT, station="bianmin", rung=Rung.CIRCULAR, items=(item, item))
    assert sentence(lagging, Town(township)) == (
        "镇便民服务中心仍滞后，现处层级“全镇通报”：督查发现 (finding/1)、督查发现 (finding/1)"
    )


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda refused: refused.type)
def test_the_refusals_of_every_service_are_told(refused: type[CommandRefused]) -> None:
    fact = refused(at=AT, key="k", command="accept", actor="a", reason=Refusal.TOO_LATE)
    assert sentence(fact, Town()) == "accept by a for k is refused (it is too late for that; too_late)"


def test_a_refusal_tells_its_word_its_code_and_what_to_do(chinese: None) -> None:
    refused = LedgerCommandRefused(
        at=AT,
        key="2024-000001",
        command="accept",
        actor="bianmin",
        reason=Refusal.NOT_THE_HANDLER,
        detail="it is with qingjieban",
    )
    assert sentence(refused, Town()) == (
        "bianmin 对 2024-000001 的 accept 被拒绝（只有承办站所可以操作；not_the_handler）："
        "it is with qingjieban"
    )


def test_what_is_absent_is_a_dash_and_an_empty_end_is_left_out() -> None:
    progress = ProgressRecorded(at=AT, station="bianmin", entry="2024-000001", note="calm")
    assert sentence(progress, Town()) == "entry 2024-000001 of bianmin progresses, – percent: calm"
    step = StepProposed(
        at=AT, step="s1", rung=Rung.CIRCULAR, because="x", items=(), decided_by=(Role.OFFICE, Role.LEADER)
    )
    assert sentence(step, Town()).endswith("to be decided by: office, leader")


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    evil = ProgressRecorded(at=AT, entry="1", note="\x1b[2Jgone\nnext", percent=1)
    assert sentence(evil, Town()).endswith(":  [2Jgone next")


def test_a_code_without_a_word_is_told_as_it_is() -> None:
    assert word(Channel.HOTLINE) == "hotline"


@pytest.mark.case("C11")
def test_a_gap_of_the_plan_is_told_in_chinese_by_its_code(chinese: None) -> None:
    gap = {"at": NOON, "campaign": "campaign/2024", "path": "plan", "gap": "problem 'p1' has no leader"}
    by_code = PlanGapDetected.model_validate(
        gap | {"code": "problem_without_leader", "params": {"problem": "p1"}}
    )
    assert "没有责任领导" in sentence(by_code, Town())
    assert "has no leader" in sentence(PlanGapDetected.model_validate(gap), Town())  # of an earlier release


NOON = datetime(2024, 4, 15, 4, tzinfo=UTC)
