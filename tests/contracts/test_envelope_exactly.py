"""The envelope on the wire, header by header; and what a subject's last token may be."""

import time
from datetime import datetime, timedelta, timezone

import pytest

from duban_contracts.envelope import Attributes, Poison, PoisonReason, decode, encode, rfc3339
from duban_contracts.intake import SubmitMatter

BODY = b'{"title": "t", "category": "garbage"}'
SUBJECT = "cmd.intake.submit_matter.v1.gateway"
EAST = timezone(timedelta(hours=8))


def whole() -> dict[str, str]:
    return encode(
        Attributes(
            id="m 1",
            source="duban/tests",
            type=SubmitMatter.type,
            time=datetime(2024, 4, 15, 9, tzinfo=EAST),
            key="test:1",
            correlation="c1",
            causation="m0",
            acting_for="bianmin",
            revision=7,
            traceparent="00-aa-bb-01",
        )
    )


def test_every_header_has_the_name_that_cloudevents_gives_it() -> None:
    assert whole() == {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "m%201",
        "ce-source": "duban/tests",
        "ce-type": "duban.intake.submit_matter.v1",
        "ce-time": "2024-04-15T01:00:00Z",
        "ce-subject": "test:1",
        "ce-correlationid": "c1",
        "ce-causationid": "m0",
        "ce-actingfor": "bianmin",
        "ce-charterrevision": "7",
        "traceparent": "00-aa-bb-01",
    }


@pytest.mark.parametrize("last", ["", ".", "gate.way", "gateway."])
def test_who_acts_is_one_token(last: str) -> None:
    with pytest.raises(Poison) as caught:
        decode(f"cmd.intake.submit_matter.v1.{last}", whole(), BODY)
    assert caught.value.reason is PoisonReason.WRONG_SUBJECT


def test_poison_says_its_reason_and_every_fault_in_words_that_repeat_no_body() -> None:
    with pytest.raises(Poison) as caught:
        decode(SUBJECT, whole(), b'{"title": 7, "channel": "secret-words"}')
    assert str(caught.value).startswith("breaks_contract: title: write it as text, in quotes; ")
    assert "; category: is missing, add it" in str(caught.value)
    assert "secret-words" not in str(caught.value)
    assert "http" not in str(caught.value)
    with pytest.raises(Poison) as broken:
        decode(SUBJECT, whole(), b"no json")
    assert broken.value.detail.startswith("Invalid JSON")


def test_times_are_written_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert rfc3339(datetime(2024, 4, 15, 9, tzinfo=EAST)) == "2024-04-15T01:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_of_a_value_only_what_must_be_is_escaped() -> None:
    assert encode(Attributes("m", "s", "t", None, "a:b/c d%", "c"))["ce-subject"] == "a:b/c%20d%25"


def test_the_last_token_of_the_subject_is_handed_on() -> None:
    assert decode(SUBJECT, whole(), BODY).last == "gateway"
