"""What the ledger hears of the plan and its measures becomes commands for their keys."""

from collections.abc import Iterable

from duban_contracts import measures as requested
from duban_contracts.charter import Charter
from duban_contracts.measures import HOLDER, PlanApplied
from duban_contracts.supervision import CampaignStarted
from services.chassis.heard import Handlers, Heard
from services.ledger.measures import (
    IN_FORCE,
    ApplyPlan,
    BeginPlan,
    MeasureCommand,
    MeetMilestone,
    Note,
    PlanCommand,
    ReportCount,
    ReportOccurrence,
    Retire,
    Want,
    plan_key,
)

Wanted = Iterable[tuple[str, MeasureCommand | PlanCommand]]


def holder(campaign: str, measure: str) -> str:
    """Under which name a measure holds its number: the same one as long as the campaign lasts."""
    return f"{HOLDER}{campaign}:{measure}"


def holders(plan: PlanApplied) -> Iterable[str]:
    ids = (*(measure.id for measure in plan.measures), *plan.retired)
    return (holder(plan.campaign, measure) for measure in ids)


def campaign_started(heard: Heard[CampaignStarted], _: Charter) -> Wanted:
    campaign = heard.data.campaign.removeprefix("campaign/")
    yield plan_key(campaign), BeginPlan(heard.now, campaign)


def apply_plan(heard: Heard[requested.ApplyPlan], _: Charter) -> Wanted:
    yield heard.key, ApplyPlan(heard.asked, heard.data.revision)


def plan_applied(heard: Heard[PlanApplied], _: Charter) -> Wanted:
    """What was decided about the plan concerns every measure that it names, or names no longer.

    Also which plan is in force; one that is in force no longer knows it under its own key.
    """
    plan = heard.data
    whose = IN_FORCE if plan.superseded_by is None else plan_key(plan.campaign)
    yield whose, Note(heard.now, plan.campaign, plan.measures)
    for measure in plan.measures:
        number = heard.numbers[holder(plan.campaign, measure.id)]
        yield number, Want(heard.now, number, plan.campaign, measure)
    for retired in plan.retired:
        number = heard.numbers[holder(plan.campaign, retired)]
        yield number, Retire(heard.now, number, plan.campaign, retired)


def report_count(heard: Heard[requested.ReportCount], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, ReportCount(heard.asked, said.count, said.note, said.evidence)


def meet_milestone(heard: Heard[requested.MeetMilestone], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, MeetMilestone(heard.asked, said.milestone, said.note, said.evidence)


def report_occurrence(heard: Heard[requested.ReportOccurrence], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, ReportOccurrence(heard.asked, said.village, said.day, said.note, said.evidence)


HEARS: Handlers = {
    CampaignStarted: campaign_started,
    PlanApplied: plan_applied,
    requested.ApplyPlan: apply_plan,
    requested.ReportCount: report_count,
    requested.MeetMilestone: meet_milestone,
    requested.ReportOccurrence: report_occurrence,
}
