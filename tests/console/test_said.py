"""What services say in English is said in Chinese where people read it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryReopened, ReopenReason
from services.console.i18n import Lang, use
from services.console.sentences import Town, sentence
from tests.upgrade.archive import read_lines

KEPT = Path(__file__).parents[1] / "upgrade/data/0.1.0/databases.xz"
FIELDS = ("rule", "why")


@pytest.fixture
def town(township: Charter) -> Iterator[Town]:
    use(Lang.ZH)
    yield Town(township)
    use(Lang.EN)


def stored(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every field of every fact that a release stored, of each kind at least once."""
    match value:
        case {"type": str(), "data": str(data)}:
            yield from stored(json.loads(data))
        case dict():
            for field, each in value.items():
                yield from stored(each, field)
        case list():
            for each in value:
                yield from stored(each, name)
        case str():
            yield name, value


def test_every_rule_that_a_release_told_is_said_in_chinese(town: Town) -> None:
    told = {text for line in read_lines(KEPT) for name, text in stored(line) if name in FIELDS and text}
    assert len(told) > 20
    assert [text for text in told if town.said(text) == text] == []


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "station xincunban leads category public_toilet (Plan 1(2)二是; limit of the kind); "
            "5 working days for kind help (12345 rules: consult 3; help 5 (plnmw))",
            "“公厕”由镇新村办牵头（出处：方案一（二）二是；时限按诉求类型）；"
            "求助类 5 个工作日（出处：12345 rules: consult 3; help 5 (plnmw)）",
        ),
        (
            "station qingjieban named by import; due on 2026-10-12 as set elsewhere by import",
            "历史台账导入指定由镇清洁办承办；期限由历史台账导入定为 2026-10-12",
        ),
        (
            "station bianmin leads category window_hours (x (1); 5 working days as elsewhere); "
            "5 working days for category window_hours (x (1); 5 working days as elsewhere)",
            "“值班和错时延时服务”由镇便民服务中心牵头（出处：x (1); 5 working days as elsewhere）；"
            "“值班和错时延时服务”类 5 个工作日（出处：x (1); 5 working days as elsewhere）",
        ),
        (
            "10 working days for the stage 调查 (Plan “调查 (x)”; y (z), w)",
            "“调查”环节时限 10 个工作日（出处：Plan “调查 (x)”; y (z), w）",
        ),
        (
            "station bianmin leads category other (x); no time limit",
            "“other”由镇便民服务中心牵头（出处：x）；不设时限",
        ),
        (
            "revision 7 of the charter says: 1 working hour as it is urgent (x)",
            "章程第 7 版规定：紧急事项 1 个工作小时（出处：x）",
        ),
        ("a newer service says something else", "a newer service says something else"),
    ],
)
def test_a_rule_is_said_with_names_and_the_source_of_a_charter_that_ships(
    town: Town, text: str, chinese: str
) -> None:
    assert town.said(text) == chinese


def test_a_reopening_after_a_rating_says_so_in_chinese(town: Town) -> None:
    reopened = EntryReopened.model_validate(
        {
            "at": "2026-10-12T01:00:00Z",
            "station": "qingjieban",
            "entry": "2026-000001",
            "round": 3,
            "reason": ReopenReason.NEGATIVE_RATING,
            "detail": "round 2 was rated very dissatisfied",
        }
    )
    assert "第 2 轮评价为非常不满意" in sentence(reopened, town)


def test_in_english_it_stays_as_it_was_told(township: Charter) -> None:
    text = "5 working days for kind help (12345 rules)"
    assert Town(township).said(text) == text
