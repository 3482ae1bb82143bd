"""A refusal in the language of who reads it; `test_i18n.py` sees that every sentence has its Chinese one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, refusal
from services.chassis.wording import Wording, nearest, wording
from services.console import i18n
from services.console.i18n import Lang
from services.console.sentences import Town, sentence, why_refused

pytestmark = pytest.mark.case("C11")
ASKED = Asked(datetime(2024, 4, 15, 1, tzinfo=UTC), "bianmin", "2024-000001", "verify")


@pytest.fixture(autouse=True)
def chinese():
    i18n.use(Lang.ZH)
    yield
    i18n.use(Lang.EN)


def refused(detail):
    return refusal(LedgerCommandRefused, ASKED, Refusal.WRONG_STATE, detail)


def test_a_wording_reads_in_english_and_goes_along_as_text_and_values():
    state = wording("merged into {into} and handled there; reopen it if it is not the same", into="2024-7")
    fact = refused(wording("{key} is {state}", key="2024-000001", state=state))
    assert fact.detail.startswith("2024-000001 is merged into 2024-7 and handled there")
    assert fact.sentence == "{key} is {state}"
    assert fact.params == {"key": "2024-000001", "state": state.text, "into": "2024-7"}
    assert why_refused(fact, Town()) == "2024-000001 已并入 2024-7 一并办理；如非同一事项，请重新打开"


def test_stations_and_roles_are_called_by_their_names(township):
    fact = refused(
        wording(
            "{key} is the work of {station}; somebody else has to verify it: {roles}",
            key="2024-000001",
            station="bianmin",
            roles="leader, office",
        )
    )
    assert township.stations["bianmin"].name in why_refused(fact, Town(township))
    assert "bianmin" not in why_refused(fact, Town(township))
    assert "leader" not in why_refused(fact, Town())
    assert "、" in why_refused(fact, Town())


def test_a_hint_is_translated_too():
    hint = nearest("cunb", ["cunbu", "zhongxin"])
    fact = refused(wording("the charter has no station '{station}'{hint}", station="cunb", hint=hint))
    assert fact.detail == "the charter has no station 'cunb'; did you mean 'cunbu'?"
    assert "did you mean" not in why_refused(fact, Town())
    assert "cunbu" in why_refused(fact, Town())


def test_a_refusal_of_an_earlier_release_or_a_newer_one_is_shown_as_it_is_written():
    earlier = LedgerCommandRefused(
        at=ASKED.now, key="2024-000001", command="verify", actor="bianmin", reason=Refusal.WRONG_STATE,
        detail="2024-000001 is open; it has to be resolved first",
    )  # fmt: skip
    assert why_refused(earlier, Town()) == earlier.detail
    newer = refused(Wording("{key} is in orbit", {"key": "2024-000001"}))
    assert "2024-000001 is in orbit" in sentence(newer, Town())


@given(st.text(max_size=30) | st.sampled_from(["{key} is {state}", "{key} {lack}", "{", "{0}", "{key!r:x}"]))
def test_whatever_a_value_is_it_is_only_shown(value):
    fact = refused(wording("{key} is {state}", key="2024-000001", state=value))
    i18n.use(Lang.ZH)
    assert "2024-000001" in why_refused(fact, Town())
