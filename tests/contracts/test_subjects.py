"""The grammar of subjects: what is built is read back, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban_contracts import intake, ledger
from duban_contracts.message import SERVICES, Command
from duban_contracts.subjects import (
    NOBODY,
    Subject,
    asker_of,
    command_stream,
    dead_subject,
    fact_stream,
    filter_of,
    parse_subject,
    query_subject,
    subject_of,
)
from tests.contracts.catalogue import MESSAGES

TOKENS = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


def test_a_command_travels_under_its_actor():
    assert subject_of(ledger.Accept(), "qingjieban") == "cmd.ledger.accept.v1.qingjieban"


def test_a_fact_travels_under_its_station():
    assert subject_of(ledger.EntryOverdue, "bianmin") == "evt.ledger.entry_overdue.v1.bianmin"


@pytest.mark.parametrize("nobody", [None, ""])
def test_a_fact_that_concerns_no_station_says_so(nobody):
    assert subject_of(intake.MatterDeclined, nobody) == f"evt.intake.matter_declined.v1.{NOBODY}"


def test_a_filter_lets_every_actor_through():
    assert filter_of(intake.SubmitMatter) == "cmd.intake.submit_matter.v1.*"


@given(st.sampled_from(sorted(MESSAGES)), TOKENS)
def test_every_subject_that_we_build_is_read_back(type_, last):
    message = MESSAGES[type_]
    parsed = parse_subject(subject_of(message, last))
    kind = "cmd" if issubclass(message, Command) else "evt"
    assert parsed == Subject(kind, message.service, message.message_name, message.version, last)
    assert parsed.type == type_


@given(
    st.text()
    | st.from_regex(r"(cmd|evt)\.[a-z]{0,9}\.[a-z_]{0,9}\.v?[0-9]{0,9}\.?[a-z*>]{0,9}", fullmatch=True)
)
def test_whatever_is_read_can_be_written_again_or_is_refused(text):
    try:
        parsed = parse_subject(text)
    except ValueError:
        return
    assert parsed.service in SERVICES
    assert [parsed.kind, parsed.service, parsed.name, parsed.last] == [
        *text.split(".")[:3],
        text.split(".")[4],
    ]
    assert parse_subject(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cmd",
        "cmd.ledger.accept.v1",
        "cmd.ledger.accept.v1.qingjieban.more",
        "query.ledger.find.v1.office",
        "cmd.treasury.accept.v1.qingjieban",
        "cmd.ledger.accept.1.qingjieban",
        "cmd.ledger.accept.v.qingjieban",
        "cmd.ledger.accept.v1a.qingjieban",
        "cmd.ledger.accept.v-1.qingjieban",
        "CMD.ledger.accept.v1.qingjieban",
    ],
)
def test_this_is_no_subject_of_ours(text):
    with pytest.raises(ValueError, match="not a subject of ours"):
        parse_subject(text)


def test_streams_dead_letters_and_queries_are_named_after_the_service():
    assert command_stream("ledger") == "LEDGER_CMD"
    assert fact_stream("ledger") == "LEDGER_EVT"
    assert dead_subject("ledger", "breaks_contract") == "dead.ledger.breaks_contract"
    assert query_subject("ledger", "find", "office") == "query.ledger.find.v1.office"
    assert query_subject("ledger", "find", "*", 2) == "query.ledger.find.v2.*"
    assert asker_of("query.ledger.find.v1.office") == "office"
