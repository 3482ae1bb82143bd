"""What people write is masked as it is read: no decider sees it, and whoever wrote it is told."""

import json
import logging
from datetime import UTC, datetime

import pytest

from duban_contracts.charter import Actor, Charter
from duban_contracts.envelope import Attributes, encode
from duban_contracts.intake import IntakeCommandRefused as IntakeRefused
from duban_contracts.intake import IntakePersonalDataMasked, StoredMatter, SubmitMatter
from duban_contracts.ledger import LedgerPersonalDataMasked, RecordProgress
from duban_contracts.masking import PersonalData, mask
from duban_contracts.message import Command, MaskedField, Refusal
from duban_contracts.subjects import subject_of
from services.chassis.decider import Asked, Audience, WithMasking, refusal
from services.chassis.inbox import Delivery, Read, commands, read
from services.chassis.logs import _WithoutTexts
from services.chassis.settle import as_event
from services.chassis.wording import wording
from services.intake.app import SERVICE as INTAKE
from services.ledger.app import SERVICE as LEDGER
from tests.contracts.planting import COMMANDS, MOBILE, PLANTED, TEXT, in_identifiers, in_texts

pytestmark = pytest.mark.case("A10")
NOW = datetime(2024, 4, 15, 2, tzinfo=UTC)
EVERYONE = {"somebody": Actor(name="-", role="office"), "qingjieban": Actor(name="-", role="feed")}


def delivered(command: type[Command], body: object, actor: str = "somebody", *, keeps: bool = False) -> Read:
    attributes = Attributes("m", "s", command.type, None, key="2024-000123", correlation="m")
    delivery = Delivery(subject_of(command, actor), encode(attributes), json.dumps(body).encode(), NOW)
    return read(delivery, EVERYONE, keeps_personal_data=keeps)


def planted_in(text: str) -> list[str]:
    return [value for value in PLANTED if value in text]


def test_the_planted_text_fits_and_is_masked_whole() -> None:
    assert len(TEXT) <= 100
    assert planted_in(TEXT) == [each for each in PLANTED if each in TEXT] != []
    assert planted_in(mask(TEXT).text) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_no_text_of_any_command_reaches_a_decider(command: type[Command]) -> None:
    body = in_texts(command)
    heard = delivered(command, body).heard
    assert planted_in(heard.data.model_dump_json()) == []
    assert heard.whole is None
    if TEXT in json.dumps(body, ensure_ascii=False):
        assert heard.masked
        assert PersonalData.MOBILE_NUMBER in heard.masked[0].kinds


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_no_name_of_a_thing_is_a_persons_number(command: type[Command]) -> None:
    for body in in_identifiers(command):
        heard = delivered(command, body).heard
        assert planted_in(heard.data.model_dump_json()) == []
        command.model_validate(heard.data.model_dump())


def test_intake_alone_is_given_the_whole_command() -> None:
    assert INTAKE.keeps_personal_data
    assert not LEDGER.keeps_personal_data
    body = in_texts(SubmitMatter) | {"text": TEXT}
    heard = delivered(SubmitMatter, body, keeps=True).heard
    assert heard.whole == SubmitMatter.model_validate(body)
    assert heard.data.text == ""


def test_who_wrote_it_is_told_where_and_what_kind_but_not_the_value(township: Charter) -> None:
    message = delivered(RecordProgress, {"note": f"电话{MOBILE}"})
    [(key, command)] = commands(message._replace(refused=None), LEDGER.handlers, township)
    assert isinstance(command, WithMasking)
    decider = LEDGER.decider(township)
    facts, state = decider.answer(command, NOW, decider.initial_state)
    refused, masked = facts
    assert refused.reason is Refusal.NO_SUCH_ENTRY
    assert masked == LedgerPersonalDataMasked(
        at=NOW,
        station="somebody",
        key=key,
        command="record_progress",
        actor="somebody",
        fields=(MaskedField(field="note", kinds=(PersonalData.MOBILE_NUMBER,)),),
    )
    assert state == decider.initial_state
    assert not as_event(masked, Audience(restricted=True)).restricted


def test_what_intake_tells_is_masked_and_what_it_keeps_is_whole(township: Charter) -> None:
    person = {"name": "欧阳建国", "phone": MOBILE}
    body = {"title": f"欧阳建国{MOBILE}投诉", "category": "garbage", "text": TEXT, "petitioner": person}
    message = delivered(SubmitMatter, body, "qingjieban", keeps=True)
    [(_key, command)] = commands(message, INTAKE.handlers, township)
    decider = INTAKE.decider(township)
    (kept, accepted, masked), _state = decider.answer(command, NOW, decider.initial_state)
    assert kept.submitted == StoredMatter.model_validate(body)
    assert accepted.title == "某某[号码]投诉"
    assert isinstance(masked, IntakePersonalDataMasked)
    assert [place.field for place in masked.fields] == ["title"]


def test_a_refusal_repeats_no_number() -> None:
    asked = Asked(NOW, "somebody", "k", "accept")
    fact = refusal(IntakeRefused, asked, Refusal.NO_SUCH_ENTRY, wording("no {key}", key=MOBILE))
    assert (fact.detail, fact.params) == ("no [手机号]", {"key": "[手机号]"})


def test_a_log_line_repeats_no_number() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "failed with %s", (MOBILE,), None)
    assert _WithoutTexts().format(record) == "x: failed with [手机号]"
