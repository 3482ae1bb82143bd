"""After a charter was published: the ledger is asked to bring the measures of the plan in line with it."""

import asyncio
from enum import StrEnum
from urllib.parse import urlsplit

from duban_contracts.charter import Charter, Role
from duban_contracts.measures import ApplyPlan
from duban_contracts.message import CommandRefused, Refusal
from duban_contracts.queries import AnswerGiven
from services.console.client import Duban, NotAnswered, Order, Unreachable
from services.console.i18n import _
from services.console.sentences import read_fact

ASK_AGAIN_SECONDS = 0.2
"""While a replica of the ledger does not follow the new revision yet."""


class PlanOutcome(StrEnum):
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    NOT_BEGUN = "not_begun"
    ENDED = "ended"
    """The campaign is over: what its plan opened stands as it is."""
    AS_PUBLISHED = "as_published"
    """Plan and campaign are those of the revision before: there is nothing to ask for."""
    NOT_TOLD = "not_told"
    """This connection may not ask for it, or the ledger has not answered."""


REFUSED = {
    Refusal.ALREADY_DONE: PlanOutcome.UNCHANGED,
    Refusal.NO_SUCH_CAMPAIGN: PlanOutcome.NOT_BEGUN,
    Refusal.TOO_LATE: PlanOutcome.ENDED,
}


def plan_key(charter: Charter) -> str | None:
    """None where the charter has no campaign: then it opens no measures."""
    return f"plan/{charter.campaign.id}" if charter.campaign else None


def speaker(url: str, charter: Charter) -> str | None:
    """Who may ask on this connection: its user, and on one without users the charter's office."""
    may = [token for token, actor in charter.actors.items() if actor.role in ApplyPlan.by]
    user = urlsplit(url).username
    if user is not None:
        return user if user in may else None
    return next((token for token in may if charter.actors[token].role is Role.OFFICE), None)


def outcome_untold(former: Charter | None, charter: Charter) -> PlanOutcome:
    """What is known where nobody asked the ledger. `former` is what was in force before; None: nothing."""
    if former is None:
        return PlanOutcome.NOT_BEGUN
    if (former.plan, former.campaign) == (charter.plan, charter.campaign):
        return PlanOutcome.AS_PUBLISHED
    return PlanOutcome.NOT_TOLD


async def plan_told(
    system: Duban, charter: Charter, revision: int, actor: str | None, patience: float
) -> PlanOutcome:
    """Asked again until the ledger follows `revision`, for `patience` seconds."""
    key = plan_key(charter)
    if key is None or actor is None:
        return PlanOutcome.NOT_TOLD
    try:
        async with asyncio.timeout(patience):
            return await _told_at_last(system, key, actor, revision)
    except (TimeoutError, NotAnswered, Unreachable):
        return PlanOutcome.NOT_TOLD


async def _told_at_last(system: Duban, key: str, actor: str, revision: int) -> PlanOutcome:
    while True:
        given = await system.outcome(Order(ApplyPlan(revision=revision), key, actor))
        reason = _refusal(given)
        if reason is not Refusal.TOO_EARLY:
            return PlanOutcome.APPLIED if reason is None else REFUSED.get(reason, PlanOutcome.NOT_TOLD)
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def _refusal(given: AnswerGiven) -> Refusal | None:
    facts = (read_fact(told) for told in given.facts)
    return next((fact.reason for fact in facts if isinstance(fact, CommandRefused)), None)


def plan_sentence(outcome: PlanOutcome, charter: Charter, revision: int) -> str | None:
    """What the operator is told, with what to do; nothing where the charter has no campaign."""
    match outcome, plan_key(charter):
        case (_, None) | (PlanOutcome.AS_PUBLISHED, _):
            return None
        case PlanOutcome.APPLIED, _:
            return _("ledger: the measures of the plan are in line with it")
        case PlanOutcome.UNCHANGED, _:
            return _("ledger: the measures of the plan are the same as before")
        case PlanOutcome.NOT_BEGUN, _:
            return _("ledger: the measures of the plan are opened when the campaign is started")
        case PlanOutcome.ENDED, _:
            return _("ledger: the campaign has ended; its measures stand as they are")
        case _, key:
            text = _(
                "ledger: the plan has changed; if its campaign has been started already, let the office send "
                "`duban do ledger.apply_plan --key {key} --actor office --field revision={revision}`"
            )
            return text.format(key=key, revision=revision)
