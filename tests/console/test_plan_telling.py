"""Who tells the ledger of a new plan: only somebody whom the connection lets speak."""

import pytest

from duban_contracts.charter import Charter
from services.console.plan_telling import PlanOutcome, outcome_untold, plan_key, plan_sentence, speaker


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nats://127.0.0.1:4222", "office"),
        ("nats://office:secret@127.0.0.1:4222", "office"),
        ("nats://leader:secret@127.0.0.1:4222", "leader"),
        ("nats://admin:secret@127.0.0.1:4222", None),
        ("nats://bianmin:secret@127.0.0.1:4222", None),
    ],
)
def test_nobody_speaks_for_the_office_with_a_credential_of_their_own(
    url: str, expected: str | None, township: Charter
) -> None:
    assert speaker(url, township) == expected


def test_a_charter_without_a_campaign_has_no_measures_to_tell_of(township: Charter) -> None:
    without = township.model_copy(update={"campaign": None})
    assert plan_key(township) == "plan/2024"
    assert plan_key(without) is None
    assert plan_sentence(PlanOutcome.NOT_TOLD, without, 3) is None


def test_whoever_may_not_tell_it_is_told_what_the_office_sends(township: Charter) -> None:
    said = plan_sentence(PlanOutcome.NOT_TOLD, township, 3) or ""
    assert "`duban do ledger.apply_plan --key plan/2024 --actor office --field revision=3`" in said


def test_a_campaign_that_has_ended_is_no_trouble_and_asks_nobody_for_anything(
    township: Charter,
) -> None:
    said = plan_sentence(PlanOutcome.ENDED, township, 3) or ""
    assert "has ended" in said
    assert "duban do" not in said


@pytest.mark.case("B18")
def test_a_first_charter_asks_for_no_step_that_would_be_refused(township: Charter) -> None:
    said = plan_sentence(outcome_untold(None, township), township, 1) or ""
    assert "when the campaign is started" in said
    assert "duban do" not in said


@pytest.mark.case("B18")
def test_a_charter_with_the_same_plan_asks_for_nothing(township: Charter) -> None:
    renamed = township.model_copy(update={"name": "another", "revision": 7})
    assert plan_sentence(outcome_untold(renamed, township), township, 8) is None


@pytest.mark.case("B18")
@pytest.mark.parametrize("changed", ["plan", "campaign"])
def test_a_changed_plan_names_the_step_for_a_campaign_that_has_begun(changed: str, township: Charter) -> None:
    former = township.model_copy(update={changed: None})
    said = plan_sentence(outcome_untold(former, township), township, 8) or ""
    assert "if its campaign has been started already" in said
    assert "revision=8" in said
