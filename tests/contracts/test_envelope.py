"""The envelope brings every message through unharmed, and reading never fails but with Poison."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example as for_example
from hypothesis import given
from hypothesis import strategies as st

from duban_contracts.envelope import Attributes, Poison, PoisonReason, decode, encode, rfc3339
from duban_contracts.rules import WORD
from duban_contracts.subjects import subject_of
from tests.contracts.catalogue import MESSAGES, example

TYPE = "duban.ledger.entry_accepted.v1"
SUBJECT = "evt.ledger.entry_accepted.v1.qingjieban"
BODY = json.dumps(example(TYPE)).encode()
AWKWARD = (
    "诉求：2024 第1号",
    'a "quoted" id',
    "100 %",
    "%25 is not %",
    "é/ü?&=#",
    "🧹",
)

REFUSED = ("tab\there", "ends with\n", "nul\0", "replaced \ufffd", "line\u2028", "next\x85line", "del\x7f")
characters = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="\ufffd")
texts = st.sampled_from(AWKWARD) | st.text(characters, min_size=1, max_size=200)
tokens = st.from_regex(WORD.replace("$", r"\Z"))
moments = st.builds(datetime.fromtimestamp, st.floats(0, 4e9), st.timezones())
envelopes = st.builds(
    Attributes,
    id=texts,
    source=texts,
    type=st.sampled_from(sorted(MESSAGES)),
    time=st.none() | moments,
    key=texts,
    correlation=texts,
    causation=st.none() | texts,
    acting_for=st.none() | tokens,
    revision=st.none() | st.integers(0, 10**17),
    traceparent=st.none() | texts,
    causation_source=st.none() | texts,
    causation_actor=st.none() | tokens,
)


def headers(**changes: str | None) -> dict[str, str]:
    """Those of a good message, with `ce_id` and so on changed; None takes one away."""
    good = encode(Attributes("f-1", "/ledger", TYPE, None, key="2024-000118", correlation="c-1"))
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**good, **named}.items() if value is not None}


def why_poison(subject: str, given_headers: dict[str, str] | None, body: bytes) -> PoisonReason:
    with pytest.raises(Poison) as caught:
        decode(subject, given_headers, body)
    assert caught.value.detail, "a poison message says what is wrong with it"
    return caught.value.reason


@given(envelopes)
def test_everything_comes_through_whatever_signs_the_ids_contain(attributes):
    message = MESSAGES[attributes.type].model_validate(example(attributes.type))
    received = decode(subject_of(message, "bianmin"), encode(attributes), message.model_dump_json().encode())
    assert received.data == message
    assert received.attributes == attributes


def test_of_many_faults_the_first_are_told_and_how_many_more_there_are():
    type_ = "duban.ledger.adjudicate.v1"
    body = {"to": "jiwei", "reason": "已办结", "co_handlers": ["x" * 41] * 30}
    headers = encode(Attributes("1", "test", type_, None, key="2024-000001", correlation="1"))
    with pytest.raises(Poison) as caught:
        decode("cmd.ledger.adjudicate.v1.office", headers, json.dumps(body).encode())
    assert caught.value.detail.count("write a token") == 10
    assert caught.value.detail.endswith("; and 20 more faults")


@given(envelopes)
def test_headers_are_plain_printable_signs(attributes):
    for name, value in encode(attributes).items():
        assert all(0x21 <= ord(sign) < 0x7F for sign in name + value), (name, value)


@pytest.mark.parametrize("type_", MESSAGES)
@pytest.mark.parametrize("awkward", AWKWARD)
def test_every_message_comes_through_under_an_awkward_id(type_, awkward):
    attributes = Attributes(awkward, awkward, type_, None, key=awkward, correlation=awkward)
    message = MESSAGES[type_].model_validate(example(type_))
    received = decode(subject_of(message, None), encode(attributes), message.model_dump_json().encode())
    assert (received.attributes, received.data) == (attributes, message)


COMMAND = "duban.ledger.accept.v1"
COMMAND_SUBJECT = "cmd.ledger.accept.v1.bianmin"


def command_headers(**changes: str | None) -> dict[str, str]:
    return headers(ce_type=COMMAND, **changes)


@pytest.mark.case("A4")
@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("attribute", ["ce-id", "ce-source", "ce-subject", "ce-correlationid"])
def test_an_id_or_key_that_holds_no_readable_text_is_bad_attribute(attribute, text):
    for written in (quote(text), text):  # escaped, and as a client hands on what it could not decode
        sent = {**command_headers(), attribute: written}
        assert why_poison(COMMAND_SUBJECT, sent, b"{}") is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.case("A4")
@pytest.mark.parametrize("id_", [quote("中文".encode("gbk")), "%FF%FE", "%ED%A0%80", "100%", "%zz"])
def test_an_id_that_is_not_utf8_when_decoded_is_bad_attribute(id_):
    assert why_poison(COMMAND_SUBJECT, command_headers(ce_id=id_), b"{}") is PoisonReason.BAD_ATTRIBUTE
    assert why_poison(SUBJECT, headers(ce_id=id_), BODY) is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.case("A4")
@pytest.mark.parametrize("text", REFUSED)
def test_a_key_in_a_command_that_holds_no_readable_text_breaks_its_contract(text):
    body = json.dumps({**example("duban.escalation.answer_order.v1"), "order": text}).encode()
    sent = headers(ce_type="duban.escalation.answer_order.v1")
    subject = "cmd.escalation.answer_order.v1.bianmin"
    assert why_poison(subject, sent, body) is PoisonReason.BREAKS_CONTRACT


@pytest.mark.case("A4")
def test_facts_about_keys_of_earlier_releases_are_still_heard():
    sent = headers(ce_subject=quote("replaced \ufffd"))
    assert decode(SUBJECT, sent, BODY).attributes.key == "replaced \ufffd"


@pytest.mark.case("A4")
def test_an_attribute_that_is_there_twice_in_different_cases_is_bad_attribute():
    sent = {**command_headers(), "Ce-Id": "another"}
    assert why_poison(COMMAND_SUBJECT, sent, b"{}") is PoisonReason.BAD_ATTRIBUTE


def test_a_trace_that_cannot_be_read_is_left_out():
    assert decode(SUBJECT, headers(traceparent="%FF"), BODY).attributes.traceparent is None


@pytest.mark.case("A11")
@pytest.mark.parametrize(
    "content", ["Application/JSON", "APPLICATION/json; charset=UTF-8", "application/json ;v=1"]
)
def test_a_media_type_may_be_in_any_case_and_have_parameters(content):
    assert decode(SUBJECT, {**headers(), "content-type": content}, BODY).attributes.type == TYPE


@pytest.mark.case("A11")
@pytest.mark.parametrize("content", ["application/jsonl", "application/json-seq", "text/json", ""])
def test_a_media_type_that_only_begins_like_ours_is_unsupported_content(content):
    sent = {**headers(), "content-type": content}
    assert why_poison(SUBJECT, sent, BODY) is PoisonReason.UNSUPPORTED_CONTENT


@pytest.mark.case("A15")
@pytest.mark.parametrize("actor", ["新村办", "a b", "x" * 41, "a%20b", "\\xff"])
def test_an_actor_that_is_no_token_is_bad_attribute(actor):
    subject = f"cmd.ledger.accept.v1.{actor}"
    assert why_poison(subject, command_headers(), b"{}") is PoisonReason.BAD_ATTRIBUTE
    sent = command_headers(ce_actingfor=quote(actor))
    assert why_poison(COMMAND_SUBJECT, sent, b"{}") is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.case("A1")
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_in_a_body_that_does_not_exist_in_utc_breaks_its_contract(moment):
    body = json.dumps({**example(TYPE), "at": moment}).encode()
    assert why_poison(SUBJECT, headers(), body) is PoisonReason.BREAKS_CONTRACT


@pytest.mark.case("A1")
@pytest.mark.parametrize("raised", [OverflowError, RecursionError, ZeroDivisionError, UnicodeDecodeError])
def test_whatever_a_reader_raises_is_poison(monkeypatch, raised):
    def broken(*_args, **_kwargs):
        raise raised("utf-8", b"", 0, 1, "") if raised is UnicodeDecodeError else raised

    monkeypatch.setattr(MESSAGES[TYPE], "model_validate_json", broken)
    assert why_poison(SUBJECT, headers(), BODY) is PoisonReason.BREAKS_CONTRACT


@pytest.mark.case("B7")
def test_a_command_has_no_id_by_which_the_broker_would_suppress_another():
    assert "Nats-Msg-Id" not in encode(Attributes("1", "/station", COMMAND, None, key="k", correlation="c"))


def test_the_broker_can_drop_a_copy_because_its_id_is_that_of_the_event():
    sent = headers(ce_id="第1号")
    written = encode(Attributes("第1号", "/ledger", TYPE, None, key="k", correlation="c"))
    assert written["Nats-Msg-Id"] == written["ce-id"] == "%E7%AC%AC1%E5%8F%B7"
    assert decode(SUBJECT, sent, BODY).attributes.id == "第1号"


@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title])
def test_header_names_may_be_written_in_any_case(spelt):
    sent = {spelt(name): value for name, value in headers().items()}
    assert decode(SUBJECT, sent, BODY) == decode(SUBJECT, headers(), BODY)


def test_a_message_that_starts_a_chain_is_its_own_correlation():
    assert decode(SUBJECT, headers(ce_correlationid=None), BODY).attributes.correlation == "f-1"


def test_spec_version_and_content_type_may_be_left_out():
    sent = {n: v for n, v in headers().items() if n not in ("ce-specversion", "content-type")}
    assert decode(SUBJECT, sent, BODY).attributes.type == TYPE


def test_a_charset_beside_the_content_type_does_no_harm():
    sent = {**headers(), "content-type": "application/json; charset=utf-8"}
    assert decode(SUBJECT, sent, BODY).attributes.type == TYPE


def test_headers_that_we_do_not_know_are_ignored():
    sent = {**headers(), "ce-somethingnew": "1", "Nats-Expected-Stream": "LEDGER_EVT"}
    assert decode(SUBJECT, sent, BODY) == decode(SUBJECT, headers(), BODY)


def test_a_time_is_utc_inside_whatever_zone_it_came_in():
    received = decode(SUBJECT, headers(ce_time="2024-04-15T14:31:00+08:00"), BODY)
    assert received.attributes.time == datetime(2024, 4, 15, 6, 31, tzinfo=UTC)
    assert received.attributes.time.tzinfo is UTC
    assert rfc3339(received.attributes.time) == "2024-04-15T06:31:00Z"


@pytest.mark.parametrize("attribute", ["ce_id", "ce_source", "ce_type", "ce_subject"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_required_attribute_it_is_missing_attribute(attribute, nothing):
    assert why_poison(SUBJECT, headers(**{attribute: nothing}), BODY) is PoisonReason.MISSING_ATTRIBUTE


def test_without_any_headers_it_is_missing_attribute():
    assert why_poison(SUBJECT, None, BODY) is PoisonReason.MISSING_ATTRIBUTE


@pytest.mark.parametrize(
    "time",
    [
        "2024-04-15T14:31:00",
        "2024-04-15",
        "yesterday",
        "",
        "1713162660x",
        "1713146400",
        "1713146400.5",
        "2024-04-31T00:00:00Z",
        "2024-04-15 14:31:00Z",
        "2024-04-15T14:31Z",
        "20240415T143100Z",
        "2024-04-15T14:31:00+0800",
        "٢024-04-15T14:31:00Z",
        "0001-01-01T00:00:00Z",
    ],
)
@pytest.mark.case("A11")
def test_a_time_without_zone_or_sense_is_bad_attribute(time):
    assert why_poison(SUBJECT, headers(ce_time=time), BODY) is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_does_not_exist_in_utc_is_bad_attribute(time):
    assert why_poison(SUBJECT, headers(ce_time=time), BODY) is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.parametrize("revision", ["three", "-1", "1.5", "٣", "9" * 19, ""])
def test_a_revision_that_is_no_number_is_bad_attribute(revision):
    sent = {**headers(), "ce-charterrevision": revision}
    assert why_poison(SUBJECT, sent, BODY) is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.parametrize("attribute", ["ce_id", "ce_source", "ce_subject"])
def test_an_id_longer_than_200_signs_is_bad_attribute(attribute):
    assert decode(SUBJECT, headers(**{attribute: "x" * 200}), BODY)
    assert why_poison(SUBJECT, headers(**{attribute: "x" * 201}), BODY) is PoisonReason.BAD_ATTRIBUTE


def test_another_version_of_cloudevents_is_bad_attribute():
    assert why_poison(SUBJECT, headers(ce_specversion="0.3"), BODY) is PoisonReason.BAD_ATTRIBUTE


@pytest.mark.parametrize("content", ["text/plain", "application/cloudevents+json", "application/avro"])
def test_anything_but_json_is_unsupported_content(content):
    sent = {**headers(), "content-type": content}
    assert why_poison(SUBJECT, sent, BODY) is PoisonReason.UNSUPPORTED_CONTENT


def test_a_version_of_the_future_is_unknown_type():
    subject, type_ = SUBJECT.replace(".v1.", ".v2."), TYPE.replace(".v1", ".v2")
    assert why_poison(subject, headers(ce_type=type_), BODY) is PoisonReason.UNKNOWN_TYPE


def test_a_message_of_somebody_else_is_unknown_type():
    assert why_poison(SUBJECT, headers(ce_type="com.example.paid"), BODY) is PoisonReason.UNKNOWN_TYPE


@pytest.mark.parametrize(
    "subject",
    [
        "evt.ledger.entry_resolved.v1.qingjieban",
        "evt.intake.entry_accepted.v1.qingjieban",
        "evt.ledger.entry_accepted.v2.qingjieban",
        "evt.ledger.entry_accepted.v1",
        "somewhere.else",
        "",
    ],
)
def test_a_message_on_the_subject_of_another_is_wrong_subject(subject):
    assert why_poison(subject, headers(), BODY) is PoisonReason.WRONG_SUBJECT


@pytest.mark.parametrize(
    "kind",
    [
        ("cmd.ledger.entry_accepted.v1.qingjieban", TYPE, BODY),
        ("evt.ledger.accept.v1.qingjieban", "duban.ledger.accept.v1", b"{}"),
    ],
)
def test_a_fact_does_not_travel_as_a_command_nor_a_command_as_a_fact(kind):
    subject, type_, body = kind
    assert why_poison(subject, headers(ce_type=type_), body) is PoisonReason.WRONG_SUBJECT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"at": "2024-04-15", "entry": "2024-000118"}',
        b'{"at": "2024-04-15T06:31:00Z", "entry": ""}',
        b'{"at": "2024-04-15T06:31:00Z", "entry": 118}',
        b"[" * 5_000,
    ],
)
def test_a_body_that_is_not_what_was_agreed_breaks_its_contract(body):
    assert why_poison(SUBJECT, headers(), body) is PoisonReason.BREAKS_CONTRACT


def test_a_broken_contract_names_the_fields_but_does_not_repeat_what_was_in_them():
    """The detail goes to logs and dead-letter headers, and a body may hold personal data."""
    submit = "duban.intake.submit_matter.v1"
    body = json.dumps({**example(submit), "petitioner": {"name": "王小明", "phone": 13800000000}})
    with pytest.raises(Poison) as caught:
        decode("cmd.intake.submit_matter.v1.gateway", headers(ce_type=submit), body.encode())
    assert "petitioner.phone" in caught.value.detail
    assert "13800000000" not in caught.value.detail
    assert "王小明" not in caught.value.detail


NAMES = [*headers(), "ce-time", "ce-causationid", "ce-actingfor", "ce-charterrevision", "traceparent"]
VALUES = st.text() | st.sampled_from(
    [*headers().values(), *MESSAGES, "%", "%FF", "1.0", "2024-04-15T06:31:00Z"]
)
HEADERS = st.none() | st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES)
SUBJECTS = st.text() | st.sampled_from(
    [SUBJECT, *(subject_of(message, "office") for message in MESSAGES.values())]
)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = sorted({name for message in MESSAGES.values() for name in message.model_fields})
BODIES = st.binary() | st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES).map(
    lambda body: json.dumps(body).encode()
)


def reading(subject: str, given_headers: dict[str, str] | None, body: bytes) -> PoisonReason | None:
    """Why it is poison; None: it could be read. Whatever else is raised fails the test."""
    try:
        decode(subject, given_headers, body)
    except Poison as poison:
        return poison.reason
    return None


@given(SUBJECTS, HEADERS, BODIES)
@for_example(SUBJECT, headers(), BODY)
def test_whatever_arrives_is_read_or_is_poison(subject, given_headers, body):
    assert reading(subject, given_headers, body) in (None, *PoisonReason)


@given(st.sampled_from(sorted(MESSAGES)), BODIES)
def test_whatever_body_a_good_envelope_holds_it_is_read_or_breaks_its_contract(type_, body):
    reason = reading(subject_of(MESSAGES[type_], "office"), headers(ce_type=type_), body)
    assert reason in (None, PoisonReason.BREAKS_CONTRACT)


def test_structured_mode_and_a_byte_order_mark_are_refused_in_words() -> None:
    with pytest.raises(Poison, match="send binary mode"):
        decode("cmd.intake.submit_matter.v1.gateway", {"content-type": "application/cloudevents+json"}, b"{}")
    about = {"ce-id": "1", "ce-source": "/s", "ce-subject": "k", "ce-type": "duban.intake.submit_matter.v1"}
    with pytest.raises(Poison, match="byte order mark"):
        decode("cmd.intake.submit_matter.v1.gateway", about, b"\xef\xbb\xbf{}")


SUBMIT = {"ce-id": "1", "ce-source": "/s", "ce-subject": "k", "ce-type": "duban.intake.submit_matter.v1"}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ('"title": "another"', "send each field once"),
        ('"petitioner": {"name": "a", "name": "b"}', "send each field once"),
        ('"nobody_reads_this": {"a": 1, "a": 1}', "send each field once"),
        ('"nobody_reads_this": [NaN]', "are no JSON"),
        ('"nobody_reads_this": -Infinity', "are no JSON"),
    ],
)
def test_a_command_that_readers_of_json_understand_differently_breaks_its_contract(more, wrong) -> None:
    body = f'{{"title": "one", "category": "garbage", {more}}}'.encode()
    with pytest.raises(Poison, match=wrong) as caught:
        decode("cmd.intake.submit_matter.v1.gateway", SUBMIT, body)
    assert caught.value.reason is PoisonReason.BREAKS_CONTRACT


def test_the_same_name_in_two_objects_is_no_field_twice() -> None:
    body = b'{"title": "one", "category": "garbage", "a": {"title": 1}, "b": [{"title": 1}, {"title": 1}]}'
    assert decode("cmd.intake.submit_matter.v1.gateway", SUBMIT, body).data


def test_facts_are_ours_and_heard_however_an_earlier_release_wrote_them() -> None:
    assert decode(SUBJECT, headers(), BODY[:-1] + b', "later": 1, "later": NaN}').data
