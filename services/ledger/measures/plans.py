"""The plan in force: what it wants is told to the register, and again whenever a new revision changes it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from duban_contracts.charter import Charter, LeafMeasure, Problem
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.measures import PlanApplied, PlannedMeasure
from duban_contracts.message import Refusal
from duban_contracts.plan import Recurring
from services.chassis.decider import Wake, refusal
from services.ledger.decider import Unopened
from services.ledger.measures.commands import ApplyPlan, BeginPlan, PlanCommand

PlanTold = PlanApplied | LedgerCommandRefused


@dataclass(frozen=True)
class PlanInForce:
    campaign: str
    measures: tuple[PlannedMeasure, ...]


PlanState = Unopened | PlanInForce


def plan_key(campaign: str) -> str:
    """The key of the plan that a campaign is about, e.g. `plan/2024` for `campaign/2024`."""
    return f"plan/{campaign.removeprefix('campaign/')}"


@dataclass(frozen=True)
class Plans:
    charter: Charter

    def decide(self, command: PlanCommand | Wake, state: PlanState) -> Sequence[PlanTold]:
        match command, state:
            case BeginPlan(now, campaign), Unopened():
                return [self._applied(now, campaign, ())]
            case ApplyPlan(), _:
                return [self._apply(command, state)]
            case _:
                return []  # begun already

    def _apply(self, command: ApplyPlan, state: PlanState) -> PlanTold:
        asked = command.asked
        if isinstance(state, Unopened):
            detail = f"no campaign was started for {asked.key}; start it, and its measures are opened"
            return refusal(LedgerCommandRefused, asked, Refusal.NO_SUCH_CAMPAIGN, detail)
        if command.revision is not None and self.charter.revision < command.revision:
            detail = f"the charter here is revision {self.charter.revision} still; ask again in a moment"
            return refusal(LedgerCommandRefused, asked, Refusal.TOO_EARLY, detail)
        if state.measures == tuple(planned(self.charter)):
            detail = "the measures of the register are those of the plan already"
            return refusal(LedgerCommandRefused, asked, Refusal.ALREADY_DONE, detail)
        return self._applied(asked.now, state.campaign, state.measures)

    def _applied(self, now: datetime, campaign: str, before: Sequence[PlannedMeasure]) -> PlanApplied:
        wanted = tuple(planned(self.charter))
        ids = {measure.id for measure in wanted}
        return PlanApplied(
            at=now,
            campaign=campaign,
            revision=self.charter.revision or None,
            measures=wanted,
            retired=tuple(measure.id for measure in before if measure.id not in ids),
        )


def evolve(state: PlanState, event: PlanTold) -> PlanState:
    match event:
        case PlanApplied(campaign=campaign, measures=measures):
            return PlanInForce(campaign, measures)
        case LedgerCommandRefused():
            return state


def planned(charter: Charter) -> Iterator[PlannedMeasure]:
    for problem in charter.plan.problems if charter.plan else ():
        for group in problem.groups:
            yield from (_planned(problem, measure, charter) for measure in group.measures)


def _planned(problem: Problem, measure: LeafMeasure, charter: Charter) -> PlannedMeasure:
    """Where no leader is named for the problem, the leader in charge of the first station answers for it."""
    return PlannedMeasure(
        id=measure.id,
        problem=problem.id,
        about=problem.name,
        name=measure.name,
        stations=measure.stations,
        leader=problem.leader or charter.stations[measure.stations[0]].leader,
        shape=measure.shape,
        villages=_villages(measure, charter),
        last_day=measure.due,
        source=measure.source,
    )


def _villages(measure: LeafMeasure, charter: Charter) -> tuple[str, ...]:
    if not isinstance(measure.shape, Recurring):
        return ()
    return measure.shape.villages or tuple(charter.villages)
