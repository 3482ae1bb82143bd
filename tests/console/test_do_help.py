"""`duban do COMMAND --help`, and bodies that are typed without JSON."""

from typing import Any

import pytest

from duban_contracts.applications import CompleteStage
from duban_contracts.charter import Charter
from duban_contracts.handling import ApplyExtension
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import RecordProgress, Resolve, Verify
from duban_contracts.measures import MeetMilestone
from duban_contracts.message import Command
from duban_contracts.rating import Rate
from duban_contracts.time import PassTime
from services.console.bodies import body_of, build, commands, find_command, split_words
from services.console.command_help import COMES_OF_IT, key_form
from services.console.names import Named, near_tokens, token_of, tokens
from services.console.numbers import entry_number, round_key
from services.console.terminal import Stop
from tests.console.conftest import Run


def typed(model: type[Command], *words: str) -> Command:
    _bare, fields = split_words(words, model)
    return build(model, *body_of(None, fields))


@pytest.mark.case("C7")
@pytest.mark.parametrize("name", list(commands()))
def test_help_of_every_command_tells_fields_roles_key_and_outcome(name: str, run: Run) -> None:
    ran = run("do", name, "--help")
    model = find_command(name)
    assert ran.status == 0
    assert all(field in ran.out for field in model.model_fields)
    assert key_form(model).example in ran.out
    assert all(role.value.split("_")[0] in ran.out for role in model.by)
    assert all(fact.type in ran.out for fact in COMES_OF_IT.get(model, ()))


@pytest.mark.case("C7")
def test_what_comes_of_it_is_said_for_every_command() -> None:
    silent = {each for each in commands().values() if not issubclass(each, PassTime)} - set(COMES_OF_IT)
    assert silent == set()
    assert all(fact.service == each.service for each, facts in COMES_OF_IT.items() for fact in facts)


@pytest.mark.case("C7", "C11")
def test_help_of_a_command_is_chinese_where_that_is_spoken(run: Run) -> None:
    told = run("do", "resolve", "--help", "--lang", "zh").out
    assert "承办单位报办结" in told
    assert "solved (已解决)" in told
    assert "text, up to" not in told


@pytest.mark.case("C7")
@pytest.mark.parametrize("place", [("--help", "accept"), ("accept", "-h"), ("--actor", "a", "accept", "-h")])
def test_help_is_found_wherever_it_stands(place: tuple[str, ...], run: Run) -> None:
    assert "duban do ledger.accept" in run("do", *place).out


@pytest.mark.case("C7")
def test_help_of_a_misspelt_command_says_what_is_near(run: Run) -> None:
    ran = run("do", "acept", "--help")
    assert (ran.status, "did you mean ledger.accept" in ran.err) == (2, True)


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    ("model", "words", "body"),
    [
        (ApplyExtension, ["--length", "5", "--reason", "rain"], {"length": {"amount": 5}, "reason": "rain"}),
        (
            ApplyExtension,
            ["length=5 calendar_days", "reason=r"],
            {"length": {"amount": 5, "unit": "calendar_days"}, "reason": "r"},
        ),
        (
            MeetMilestone,
            ["milestone=m", "note=n", "evidence=a.jpg", "--evidence", "b.jpg"],
            {"milestone": "m", "note": "n", "evidence": ["a.jpg", "b.jpg"]},
        ),
        (RecordProgress, ["note=n", 'evidence=["a", "b"]'], {"note": "n", "evidence": ["a", "b"]}),
        (Verify, ["--passed"], {"passed": True}),
        (Verify, ["--no-passed", "--reason=too thin"], {"passed": False, "reason": "too thin"}),
        (Verify, ["passed=是"], {"passed": True}),
        (Resolve, ["outcome=已解决", "answer=a"], {"outcome": "solved", "answer": "a"}),
        (Resolve, ["outcome=not feasible", "answer=138"], {"outcome": "not_feasible", "answer": "138"}),
        (Rate, ["level=2", "dimensions.attitude=1"], {"level": 2, "dimensions": {"attitude": 1}}),
        (Rate, ["level=very satisfied"], {"level": 5}),
        (
            CompleteStage,
            ["--stage", "apply", "--passed", "no", "--note", "n"],
            {"stage": "apply", "passed": False, "note": "n"},
        ),
        (
            SubmitMatter,
            ["title=t", "category=garbage", "petitioner.name=x"],
            {"title": "t", "category": "garbage", "petitioner": {"name": "x"}},
        ),
    ],
)
def test_fields_are_typed_without_json(model: type[Command], words: list[str], body: dict[str, Any]) -> None:
    assert typed(model, *words) == model.model_validate(body)


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--percnt", "5", "--note", "n"], "did you mean 'percent'"),
        (["note=n", "note=m"], "more than once"),
        (["--note"], "--note needs a value"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_what_is_near(words: list[str], said: str) -> None:
    with pytest.raises(Stop, match=said):
        typed(RecordProgress, *words)


@pytest.mark.case("C7")
def test_a_missing_key_is_explained_with_its_form(run: Run) -> None:
    assert "finding/2026-7" in run("do", "record_finding", "--actor", "office").err


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("15", "2026-000015"),
        ("2024-15", "2024-000015"),
        ("2024-000015", "2024-000015"),
        ("hotline:4711", "hotline:4711"),
        ("2024-1234567", "2024-1234567"),
    ],
)
def test_a_short_number_is_that_of_this_year(said: str, meant: str) -> None:
    assert entry_number(said, 2026) == meant


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("15/1", "2026-000015/1"),
        ("2024-15/2", "2024-000015/2"),
        ("2024-000015/1", "2024-000015/1"),
        ("1", "1"),
    ],
)
def test_so_is_that_of_a_round(said: str, meant: str) -> None:
    assert round_key(said, 2026) == meant


@pytest.mark.case("C8")
@pytest.mark.parametrize(
    ("kind", "said", "token"),
    [
        (Named.STATION, "bianmin", "bianmin"),
        (Named.VILLAGE, "东村", "dongcun"),
        (Named.ACTOR, " cleaning OFFICE ", "qingjieban"),
        (Named.STATION, "never-heard-of", "never-heard-of"),
    ],
)
def test_tokens_and_names_are_understood(kind: Named, said: str, token: str, township: Charter) -> None:
    assert token_of(township, kind, said) == token


@pytest.mark.case("C8")
@pytest.mark.parametrize("kind", list(Named))
def test_every_name_of_the_charter_is_understood_or_ambiguous(kind: Named, township: Charter) -> None:
    known = tokens(township, kind)
    assert known
    for token, names in known.items():
        for name in names:
            same = [each for each, others in known.items() if name in others]
            if same == [token]:
                assert token_of(township, kind, name) == token


@pytest.mark.case("C8")
def test_a_name_that_is_none_is_refused_with_what_is_near(township: Charter) -> None:
    with pytest.raises(Stop, match=r"did you mean .*dongcun"):
        token_of(township, Named.VILLAGE, "东")
    with pytest.raises(Stop, match="duban list villages"):
        token_of(township, Named.VILLAGE, "上海浦东新区陆家嘴")
    assert near_tokens({"dongcun": ("东村",)}, "东村村") == ["dongcun (东村)"]
