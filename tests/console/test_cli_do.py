"""`duban do`: commands by name, bodies by field or file, and what is wrong with them before they are sent."""

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from duban_contracts.handling import ApplyExtension
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import RecordProgress, Resolve, Verify
from duban_contracts.message import CATALOGUE, Command
from duban_contracts.rating import Rate
from duban_contracts.rules import Limit
from services.console.asking import day, moment
from services.console.bodies import body_of, build, find_command
from services.console.numbers import entry_number, round_key
from services.console.submitting import matter_of, order_of
from services.console.terminal import Exit, Stop
from tests.console.conftest import Run


def built(model: type[Command], *fields: str) -> Command:
    return build(model, *body_of(None, fields))


def test_a_command_is_found_by_its_name_and_by_its_full_name() -> None:
    assert find_command("resolve") is find_command("ledger.resolve") is Resolve
    assert find_command("record-progress") is RecordProgress


def test_every_command_is_found_by_its_full_name() -> None:
    for model in CATALOGUE.values():
        if issubclass(model, Command):
            assert find_command(f"{model.service}.{model.message_name}") is model


def test_a_name_that_several_services_have_must_say_which(run: Run) -> None:
    ran = run("do", "pass_time", "--key", "clock", "--actor", "import")
    assert ran.status == 2
    assert "intake.pass_time, ledger.pass_time" in ran.err


@pytest.mark.parametrize(
    ("name", "meant"),
    [("accpt", "ledger.accept"), ("ledger.resolv", "ledger.resolve"), ("verfy", "ledger.verify")],
)
def test_an_unknown_command_is_misuse_with_a_hint(name: str, meant: str, run: Run) -> None:
    ran = run("do", name, "--key", "2024-000001", "--actor", "bianmin")
    assert ran.status == 2
    assert f"did you mean {meant}" in ran.err


@pytest.mark.parametrize("missing", ["--key", "--actor", "COMMAND"])
def test_what_is_missing_is_named(missing: str, run: Run) -> None:
    given = {"COMMAND": ["accept"], "--key": ["--key", "1"], "--actor": ["--actor", "bianmin"]}
    ran = run("do", *(word for name, words in given.items() if name != missing for word in words))
    assert ran.status == 2
    assert f"{missing} is missing" in ran.err


def test_fields_are_json_where_they_can_be_and_text_otherwise() -> None:
    assert built(RecordProgress, "note=half done", "percent=50") == RecordProgress(
        note="half done", percent=50
    )
    assert built(Verify, "passed=true") == Verify(passed=True)
    assert built(Rate, "level=2", 'dimensions={"attitude": 1}') == Rate(level=2, dimensions={"attitude": 1})


def test_a_number_for_a_field_of_text_is_the_text_that_was_typed() -> None:
    assert built(RecordProgress, "note=007.50") == RecordProgress(note="007.50")
    assert built(RecordProgress, "note=true") == RecordProgress(note="true")


def test_a_field_goes_before_the_same_field_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"note": "from the file", "percent": 10}', "utf-8")
    body, texts = body_of(str(file), ["percent=20"])
    assert build(RecordProgress, body, texts) == RecordProgress(note="from the file", percent=20)


def test_the_body_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"note": "piped"}'))
    assert body_of("-", ())[0] == {"note": "piped"}


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_file_that_holds_no_json_object_is_misuse(content: bytes, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(content)
    ran = run("do", "resolve", "--key", "1", "--actor", "a", "--file", str(file))
    assert (ran.status, str(file) in ran.err) == (2, True)


def test_a_field_without_an_equals_sign_is_misuse(run: Run) -> None:
    assert run("do", "resolve", "--key", "1", "--actor", "a", "--field", "outcome").status == 2


def test_each_field_that_breaks_the_contract_is_told(run: Run) -> None:
    words = [
        "do",
        "resolve",
        "--key",
        "1",
        "--actor",
        "a",
        "--field",
        "outcom=solved",
        "--field",
        "outcome=perhaps",
        "--format",
        "json",
    ]
    ran = run(*words)
    told = {each["field"]: each["message"] for each in ran.document["error"]["fields"]}
    assert ran.status == 2
    assert told["answer"] == "this field is missing"
    assert told["outcom"] == "there is no such field; did you mean 'outcome'?"
    assert "solved | explained" in told["outcome"]


def test_a_misspelt_field_inside_another_is_told_too() -> None:
    with pytest.raises(Stop) as stopped:
        built(SubmitMatter, "title=t", "category=garbage", 'petitioner={"nam": "x"}')
    assert stopped.value.status is Exit.MISUSE
    assert "petitioner.nam: there is no such field" in str(stopped.value)


@pytest.mark.parametrize("time", ["2024-04-15T09:00:00", "yesterday", "9999-12-31T23:59:59-23:00"])
def test_a_time_without_a_zone_is_misuse(time: str, run: Run) -> None:
    assert run("do", "accept", "--key", "1", "--actor", "a", "--at", time).status == 2


def test_the_list_tells_who_may_send_each_command(run: Run) -> None:
    listed = run("do", "--list", "--format", "json").document
    assert set(listed) == {
        f"{each.service}.{each.message_name}" for each in CATALOGUE.values() if issubclass(each, Command)
    }
    assert listed["ledger.reopen"]["by"] == ["gateway", "office"]
    assert "ledger.reopen" in run("do", "--list").out


def test_the_fields_of_a_command_are_told_with_their_values(run: Run) -> None:
    shown = run("do", "resolve", "--help-fields")
    assert shown.status == 0
    assert "solved | explained | not_feasible | not_ours | withdrawn" in shown.out
    assert json.loads(run("do", "resolve", "--help-fields", "--format", "json").out)["required"] == ["answer"]


def order(**more: Any) -> str:
    matter = matter_of(title="t", category="garbage", **more)
    return order_of(matter, "gateway", "hotline:4711", None, None).id


def test_the_same_matter_under_its_own_name_is_the_same_message() -> None:
    assert order() == order()
    assert order() != order(urgent=True)


def test_personal_data_does_not_go_into_the_message_id() -> None:
    assert order() == order(text="my words", petitioner={"name": "Zhang San", "phone": "138"})


def test_a_matter_without_a_name_of_its_own_is_a_new_one_each_time() -> None:
    matter = matter_of(title="t", category="garbage")
    first, second = (order_of(matter, "gateway", None, None, None) for _ in range(2))
    assert first.key != second.key
    assert first.id != second.id


def test_a_submission_that_breaks_its_contract_is_misuse(run: Run) -> None:
    assert run("submit", "--title", "x" * 201, "--category", "garbage").status == 2
    assert run("submit", "--title", "t", "--category", " ").status == 2
    assert run("submit", "--title", "t", "--category", "c", "--due-on", "soon").status == 2
    assert run("submit", "--title", "t").status == 2


@pytest.mark.case("C7")
@pytest.mark.parametrize(("lang", "said"), [("en", "write true or false"), ("zh", "请填 true 或 false")])
def test_a_flag_that_is_none_is_told_in_the_operators_words(lang: str, said: str, run: Run) -> None:
    words = ("do", "intake.submit_matter", "--actor", "gateway", "--key", "k")
    ran = run(*words, "--field", "title=x", "--field", "urgent=maybe", "--lang", lang)
    assert ran.status == 2
    assert said in ran.err
    assert "Input should" not in ran.err


@pytest.mark.parametrize("typed", ["2026-15", "２０２６－１５", "２０２６－００００１５", " 2026/15 "])
def test_a_number_is_the_same_in_full_width_characters(typed: str) -> None:
    assert entry_number(typed) == "2026-000015"
    assert round_key(f"{typed}／１") == "2026-000015/1"


def test_full_width_days_numbers_and_words_are_understood() -> None:
    assert built(RecordProgress, "note=进展（一）", "percent=５０") == RecordProgress(
        note="进展（一）", percent=50
    )
    assert built(ApplyExtension, "length=５", "reason=r") == ApplyExtension(
        length=Limit(amount=5), reason="r"
    )
    assert day("２０２４－０４－１５") == date(2024, 4, 15)
    assert moment("２０２４－０４－１５Ｔ０９：００：００＋０８：００") == moment("2024-04-15T09:00:00+08:00")


@pytest.mark.parametrize(("word", "passed"), [("通过", True), ("不通过", False)])
def test_a_verification_passes_or_not_in_chinese(word: str, passed: bool) -> None:
    assert built(Verify, f"passed={word}", "reason=r") == Verify(passed=passed, reason="r")


def test_a_word_that_is_neither_yes_nor_no_is_told_what_is_taken() -> None:
    with pytest.raises(Stop, match=r"passed: write true or false; these are taken, too: yes .* 不通过"):
        built(Verify, "passed=也许")


def test_what_is_no_length_of_time_is_told_what_one_is() -> None:
    with pytest.raises(Stop, match="length '五天' is no length of time"):
        built(ApplyExtension, "length=五天", "reason=r")
