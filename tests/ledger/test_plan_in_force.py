"""The plan opens, changes and retires measures, under numbers that stay."""

from datetime import timedelta
from typing import Any

from duban_contracts import measures as requested
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.measures import PlanApplied
from duban_contracts.message import Refusal
from duban_contracts.supervision import CampaignStarted
from services.chassis.decider import Asked
from services.chassis.heard import Heard
from services.ledger.handlers import HEARS, numbered
from services.ledger.measures import ApplyPlan, BeginPlan, Retire, Want
from services.ledger.register_kinds import register
from tests.given import Given
from tests.ledger.plan import NOON, STARTED, leaf, measure_of, town_with
from tests.ledger.register import TOWN

BEGIN = BeginPlan(STARTED, "2024")
OLD = town_with(leaf("notice"), leaf("training"))
NEW = town_with(leaf("training", due=None), leaf("works")).model_copy(update={"revision": 8})


def apply_plan(revision: int | None = None) -> ApplyPlan:
    return ApplyPlan(Asked(NOON, "office", "plan/2024", "apply_plan"), revision)


def applied(charter: Any, command: Any, *history: Any) -> Any:
    return Given(register(charter))(*history).when(command)


def heard(data: Any, numbers: dict[str, str] | None = None, key: str = "plan/2024") -> Heard[Any]:
    return Heard("m1", key, data, NOON, "office", "office", None, numbers or {})


def test_a_campaign_puts_the_whole_plan_in_force() -> None:
    [fact] = applied(OLD, BEGIN)
    assert isinstance(fact, PlanApplied)
    assert (fact.campaign, fact.revision, fact.retired) == ("2024", 7, ())
    assert fact.measures == (measure_of("notice"), measure_of("training"))


def test_the_shipped_plan_has_sixteen_measures_each_with_its_stations() -> None:
    [fact] = applied(TOWN, BEGIN)
    assert len(fact.measures) == 16
    cleaning = next(measure for measure in fact.measures if measure.id == "p1-2-1")
    assert (cleaning.shape.kind, cleaning.stations) == ("recurring", ("qingjieban",))
    assert cleaning.villages == tuple(TOWN.villages)
    assert {measure.shape.kind for measure in fact.measures} == {
        "one_off",
        "counted",
        "milestone",
        "recurring",
    }


def test_starting_twice_changes_nothing() -> None:
    assert applied(OLD, BEGIN, *applied(OLD, BEGIN)) == []


def test_a_new_revision_says_everything_that_it_wants_and_what_it_names_no_longer() -> None:
    [fact] = applied(NEW, apply_plan(8), *applied(OLD, BEGIN))
    assert isinstance(fact, PlanApplied)
    assert [measure.id for measure in fact.measures] == ["training", "works"]
    assert (fact.revision, fact.retired) == (8, ("notice",))


def refusal_of(events: Any) -> Refusal:
    [fact] = events
    assert isinstance(fact, LedgerCommandRefused)
    return fact.reason


def test_a_plan_is_applied_once_it_is_here_and_differs_and_its_campaign_has_begun() -> None:
    assert refusal_of(applied(NEW, apply_plan())) is Refusal.NO_SUCH_CAMPAIGN
    begun = applied(OLD, BEGIN)
    assert refusal_of(applied(OLD, apply_plan(8), *begun)) is Refusal.TOO_EARLY
    assert refusal_of(applied(OLD, apply_plan(7), *begun)) is Refusal.ALREADY_DONE


def test_a_campaign_is_heard_for_the_key_of_its_plan() -> None:
    said = CampaignStarted(at=STARTED, campaign="campaign/2024", name="督查", stations=("jiwei",))
    assert list(HEARS[CampaignStarted](heard(said), TOWN)) == [("plan/2024", BeginPlan(NOON, "2024"))]
    assert list(HEARS[requested.ApplyPlan](heard(requested.ApplyPlan(revision=8)), TOWN)) == [
        ("plan/2024", apply_plan(8))
    ]


def test_every_measure_of_a_plan_holds_a_number_of_its_own_also_the_retired_ones() -> None:
    [plan] = applied(NEW, apply_plan(), *applied(OLD, BEGIN))
    holders = list(numbered(heard(plan)))
    assert holders == ["measure:2024:training", "measure:2024:works", "measure:2024:notice"]
    numbers = {holder: f"2024-{n:06d}" for n, holder in enumerate(holders, 1)}
    assert list(HEARS[PlanApplied](heard(plan, numbers), NEW)) == [
        ("2024-000001", Want(NOON, "2024-000001", "2024", measure_of("training", due=None))),
        ("2024-000002", Want(NOON, "2024-000002", "2024", measure_of("works"))),
        ("2024-000003", Retire(NOON, "2024-000003", "2024", "notice")),
    ]


def test_a_measure_that_comes_back_in_a_later_revision_is_opened_again_under_its_number() -> None:
    begun = applied(OLD, BEGIN)
    without = applied(NEW, apply_plan(), *begun)
    later = ApplyPlan(Asked(NOON + timedelta(days=1), "office", "plan/2024", "apply_plan"))
    [again] = applied(OLD, later, *begun, *without)
    assert [measure.id for measure in again.measures] == ["notice", "training"]
    assert again.retired == ("works",)
