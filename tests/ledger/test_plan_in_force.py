"""The plan opens, changes and retires measures, under numbers that stay."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from duban_contracts import measures as requested
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.measures import PlanApplied
from duban_contracts.message import Refusal
from duban_contracts.supervision import CampaignStarted
from services.chassis.decider import Asked, Kept
from services.chassis.heard import Heard
from services.ledger.decider import Withdraw
from services.ledger.handlers import HEARS, numbered
from services.ledger.measures import (
    IN_FORCE,
    ApplyPlan,
    BeginPlan,
    MeasureCommand,
    Note,
    PlanCommand,
    Retire,
    Want,
    plan_key,
)
from services.ledger.register_kinds import register
from tests.given import Given
from tests.ledger.plan import NOON, STARTED, leaf, measure_of, town_with
from tests.ledger.register import TOWN, kinds, local

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
    assert len(fact.detail.split()) > 4, "a refusal says what to do"
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
        ("plans", Note(NOON, "2024", plan.measures)),
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


# One campaign after another

NEXT = local("2025-04-15", "10:00")


def in_campaign(charter: Any, name: str, ends: date | None = None) -> Any:
    campaign = charter.campaign.model_copy(
        update={"id": name, "starts": date(int(name), 4, 15), "ends": ends}
    )
    return charter.model_copy(update={"campaign": campaign})


class Town:
    """The plans' keys and the measures' numbers; what is told of a plan is heard, at once or later."""

    def __init__(self) -> None:
        self.facts: dict[str, list[Any]] = {}
        self.told: list[tuple[str, PlanApplied]] = []

    def ask(self, charter: Any, key: str, command: PlanCommand | MeasureCommand) -> None:
        history = self.facts.setdefault(key, [])
        events = applied(charter, command, *history)
        history += events
        self.told += [(key, event) for event in events if isinstance(event, PlanApplied)]

    def hear(self, charter: Any, nth: int = 0) -> None:
        key, plan = self.told.pop(nth)
        numbers = {holder: holder for holder in numbered(heard(plan, key=key))}
        told = replace(heard(plan, numbers, key), now=plan.at)
        for whose, command in HEARS[PlanApplied](told, charter):
            self.ask(charter, whose, command)

    def hear_all(self, charter: Any) -> None:
        while self.told:
            self.hear(charter)

    def standing(self) -> dict[str, str]:
        """The last fact that was told of each measure."""
        keys = [key for key in self.facts if key.startswith("measure:")]
        return {
            key: kinds(fact for fact in self.facts[key] if not isinstance(fact, Kept))[-1] for key in keys
        }


def begun(name: str, charter: Any, at: Any, town: Town) -> Town:
    town.ask(charter, plan_key(name), BeginPlan(at, name))
    return town


def test_a_new_campaign_retires_what_is_left_of_the_former_plan_and_opens_its_own() -> None:
    next_year = in_campaign(NEW, "2025")
    town = begun("2024", OLD, STARTED, Town())
    town.hear_all(OLD)
    begun("2025", next_year, NEXT, town).hear_all(next_year)
    assert town.standing() == {
        "measure:2024:notice": "MeasureRetired",
        "measure:2024:training": "MeasureRetired",
        "measure:2025:training": "MeasureOpened",
        "measure:2025:works": "MeasureOpened",
    }
    retired = town.facts["measure:2024:notice"][-1]
    assert retired.at == NEXT
    assert town.facts[IN_FORCE][-2].superseded_by == "2025"


def test_a_revision_of_the_former_plan_that_is_heard_late_is_retired_all_the_same() -> None:
    revised, next_year = town_with(leaf("works")), in_campaign(NEW, "2025")
    town = begun("2024", OLD, STARTED, Town())
    town.hear_all(OLD)
    town.ask(revised, "plan/2024", apply_plan())
    begun("2025", next_year, NEXT, town)
    town.hear(next_year, nth=1)
    town.hear_all(next_year)
    former = {key: last for key, last in town.standing().items() if ":2024:" in key}
    assert set(former.values()) == {"MeasureRetired"}
    assert town.standing()["measure:2025:works"] == "MeasureOpened"


def test_under_a_charter_of_another_campaign_a_plan_wants_nothing_any_more() -> None:
    next_year = in_campaign(NEW, "2025")
    history = applied(OLD, BEGIN)
    [fact] = applied(next_year, apply_plan(), *history)
    assert (fact.measures, fact.retired, fact.superseded_by) == ((), ("notice", "training"), "2025")
    assert refusal_of(applied(next_year, apply_plan(), *history, fact)) is Refusal.ALREADY_DONE


def test_a_plan_that_a_charter_names_again_is_in_force_again() -> None:
    next_year = in_campaign(NEW, "2025")
    town = begun("2024", OLD, STARTED, Town())
    town.hear_all(OLD)
    begun("2025", next_year, NEXT, town).hear_all(next_year)
    later = NEXT + timedelta(days=1)
    town.ask(OLD, "plan/2024", ApplyPlan(Asked(later, "office", "plan/2024", "apply_plan")))
    town.hear_all(OLD)
    assert town.standing() == {
        "measure:2024:notice": "MeasureOpened",
        "measure:2024:training": "MeasureOpened",
        "measure:2025:training": "MeasureRetired",
        "measure:2025:works": "MeasureRetired",
    }


def test_a_campaign_that_the_charter_here_does_not_name_opens_nothing_of_another_plan() -> None:
    [fact] = applied(in_campaign(OLD, "2025"), BEGIN)
    assert (fact.campaign, fact.measures, fact.superseded_by) == ("2024", (), "2025")


def test_what_recurs_without_a_last_day_ends_with_its_campaign() -> None:
    ends = date(2024, 12, 31)
    leaves = leaf("cleaning", due=None), leaf("roster"), leaf("notice", due=None)
    [fact] = applied(in_campaign(town_with(*leaves), "2024", ends), BEGIN)
    assert [measure.last_day for measure in fact.measures] == [ends, date(2024, 4, 30), None]


def test_after_the_campaigns_end_its_plan_changes_no_more() -> None:
    ended = in_campaign(NEW, "2024", date(2024, 4, 15))
    history = applied(OLD, BEGIN)
    assert refusal_of(applied(ended, apply_plan(), *history)) is Refusal.TOO_LATE
    extended = in_campaign(NEW, "2024", date(2024, 4, 16))
    assert isinstance(applied(extended, apply_plan(), *history)[-1], PlanApplied)


def test_a_plan_is_asked_for_under_its_own_key() -> None:
    town = begun("2024", OLD, STARTED, Town())
    town.hear_all(OLD)
    asked = ApplyPlan(Asked(NOON, "office", IN_FORCE, "apply_plan"))
    assert refusal_of(applied(NEW, asked, *town.facts[IN_FORCE])) is Refusal.NO_SUCH_CAMPAIGN


def test_a_number_that_was_withdrawn_early_is_no_plan() -> None:
    withdrawn = applied(OLD, Withdraw(STARTED, "2024-000001", "minzheng"))
    assert refusal_of(applied(OLD, apply_plan(), *withdrawn)) is Refusal.NO_SUCH_CAMPAIGN
