"""The plan in force: what it wants is told to the register, and again whenever a new revision changes it.

Each campaign has the key of its own plan; under one key more stands which of them is in force.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from duban_contracts.charter import Campaign, Charter, LeafMeasure, Problem
from duban_contracts.ledger import LedgerCommandRefused, LedgerPersonalDataMasked
from duban_contracts.measures import PlanApplied, PlannedMeasure
from duban_contracts.message import Refusal
from duban_contracts.plan import Recurring
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Asked, Kept, Wake, refusal
from services.chassis.wording import Wording, wording
from services.ledger.decider import Unopened
from services.ledger.measures.commands import ApplyPlan, BeginPlan, Note, PlanCommand

IN_FORCE = "plans"
"""The key under which stands which campaign's plan is in force."""


class PlanNoted(Kept):
    """What a campaign's plan wants since `at`, as another key decided and told it."""

    campaign: str
    measures: tuple[PlannedMeasure, ...]


PlanTold = PlanApplied | LedgerCommandRefused | LedgerPersonalDataMasked | PlanNoted


@dataclass(frozen=True)
class PlanInForce:
    campaign: str
    measures: tuple[PlannedMeasure, ...]
    at: datetime
    """Since when it wants these."""


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
            case ApplyPlan(asked), PlanInForce(campaign, measures):
                return [self._refused(command, state) or self._applied(asked.now, campaign, measures)]
            case ApplyPlan(asked), _:
                return [_not_begun(asked)]
            case Note(now, campaign, measures), Unopened():
                return [PlanNoted(at=now, campaign=campaign, measures=measures)]
            case Note(now, campaign, measures), PlanInForce():
                return self._noted(PlanInForce(campaign, measures, now), state)
            case _:
                return []  # begun already

    def _refused(self, command: ApplyPlan, state: PlanInForce) -> LedgerCommandRefused | None:
        asked, campaign = command.asked, self.charter.campaign
        if asked.key != plan_key(state.campaign):
            return _not_begun(asked)
        if command.revision is not None and self.charter.revision < command.revision:
            detail = wording(
                "the charter here is revision {revision} still; ask again in a moment",
                revision=self.charter.revision,
            )
            return _no(asked, Refusal.TOO_EARLY, detail)
        if state.measures == self._wanted(state.campaign):
            detail = wording("the measures of the register are those of the plan already")
            return _no(asked, Refusal.ALREADY_DONE, detail)
        if campaign and self._other(state.campaign) is None and self._over(campaign, asked.now):
            detail = wording(
                "the campaign ended on {ends}; write a new one into the charter", ends=campaign.ends
            )
            return _no(asked, Refusal.TOO_LATE, detail)
        return None

    def _applied(self, now: datetime, campaign: str, before: Sequence[PlannedMeasure]) -> PlanApplied:
        wanted = self._wanted(campaign)
        ids = {measure.id for measure in wanted}
        return PlanApplied(
            at=now,
            campaign=campaign,
            revision=self.charter.revision or None,
            measures=wanted,
            retired=tuple(measure.id for measure in before if measure.id not in ids),
            superseded_by=self._other(campaign),
        )

    def _noted(self, said: PlanInForce, known: PlanInForce) -> list[PlanTold]:
        """One plan is in force, that of the campaign that began last; any other wants nothing any more."""
        if said.campaign == known.campaign:
            return [_note(said)] if said.at > known.at else []
        older, newer = sorted((said, known), key=lambda plan: plan.at)
        superseded = PlanApplied(
            at=newer.at,
            campaign=older.campaign,
            revision=self.charter.revision or None,
            measures=(),
            retired=tuple(measure.id for measure in older.measures),
            superseded_by=newer.campaign,
        )
        return [superseded, _note(newer)]

    def _wanted(self, campaign: str) -> tuple[PlannedMeasure, ...]:
        """The charter's plan is that of its own campaign, and wants nothing of any other."""
        return () if self._other(campaign) else tuple(planned(self.charter))

    def _other(self, campaign: str) -> str | None:
        """The campaign that the charter names, where that is another one."""
        named = self.charter.campaign
        return named.id if named and named.id != campaign else None

    def _over(self, campaign: Campaign, now: datetime) -> bool:
        return campaign.ends is not None and now >= WorkingCalendar(self.charter).ends(campaign.ends)


def evolve(state: PlanState, event: PlanTold) -> PlanState:
    match event:
        case PlanApplied(campaign=campaign, measures=measures, at=at):
            return PlanInForce(campaign, measures, at)
        case PlanNoted(campaign=campaign, measures=measures, at=at):
            return PlanInForce(campaign, measures, at)
        case LedgerCommandRefused() | LedgerPersonalDataMasked():
            return state


def _note(plan: PlanInForce) -> PlanNoted:
    return PlanNoted(at=plan.at, campaign=plan.campaign, measures=plan.measures)


def _no(asked: Asked, reason: Refusal, detail: Wording) -> LedgerCommandRefused:
    return refusal(LedgerCommandRefused, asked, reason, detail)


def _not_begun(asked: Asked) -> LedgerCommandRefused:
    detail = wording(
        "no campaign was started for {key}; start it, and its measures are opened", key=asked.key
    )
    return _no(asked, Refusal.NO_SUCH_CAMPAIGN, detail)


def planned(charter: Charter) -> Iterator[PlannedMeasure]:
    for problem in charter.plan.problems if charter.plan else ():
        for group in problem.groups:
            yield from (_planned(problem, measure, charter) for measure in group.measures)


def _planned(problem: Problem, measure: LeafMeasure, charter: Charter) -> PlannedMeasure:
    """Where no leader is named for the problem, the leader in charge of the first station answers for it.

    What recurs without a last day of its own ends with the campaign.
    """
    ends = charter.campaign.ends if charter.campaign and isinstance(measure.shape, Recurring) else None
    return PlannedMeasure(
        id=measure.id,
        problem=problem.id,
        about=problem.name,
        name=measure.name,
        stations=measure.stations,
        leader=problem.leader or charter.stations[measure.stations[0]].leader,
        shape=measure.shape,
        villages=_villages(measure, charter),
        last_day=measure.due or ends,
        source=measure.source,
    )


def _villages(measure: LeafMeasure, charter: Charter) -> tuple[str, ...]:
    if not isinstance(measure.shape, Recurring):
        return ()
    return tuple(dict.fromkeys(measure.shape.villages or charter.villages))
