"""What the ledger hears becomes commands for numbers of the register."""

from collections.abc import Iterable

from duban_contracts import ledger as requested
from duban_contracts.charter import Charter
from duban_contracts.intake import MatterAccepted, MatterWithdrawn
from duban_contracts.measures import PlanApplied
from duban_contracts.message import Message
from duban_contracts.rating import NegativeRatingReceived
from duban_contracts.subjects import NOBODY
from services.chassis.heard import Handlers, Heard
from services.ledger import handling, regrouping
from services.ledger.applications import Apply
from services.ledger.applications import handlers as applications
from services.ledger.applications.handlers import opening
from services.ledger.decider import (
    NOTHING_ALIKE,
    Accept,
    Command,
    LinkRecurrence,
    Matter,
    RecordProgress,
    Reopen,
    ReopenForRating,
    Resembling,
    Resolve,
    Verify,
    Withdraw,
)
from services.ledger.measures import handlers as measures

Commands = Iterable[tuple[str, Command | Apply]]


def numbered(heard: Heard[Message]) -> Iterable[str]:
    """Who holds register numbers: a submission its own one, every measure of a plan one of its own."""
    match heard.data:
        case MatterAccepted(submission=submission) | MatterWithdrawn(submission=submission, accepted=True):
            return (submission,)
        case PlanApplied():
            return tuple(measures.holders(heard.data))
        case _:
            return ()


def number_of(heard: Heard[MatterAccepted | MatterWithdrawn]) -> str:
    if heard.number is None:
        raise ValueError(f"no register number was allotted to {heard.id}")
    return heard.number


def matter_accepted(heard: Heard[MatterAccepted], charter: Charter) -> Commands:
    number, said = number_of(heard), heard.data
    matter = Matter(
        submission=said.submission,
        title=said.title,
        category=said.category,
        kind=said.kind,
        station=said.station or NOBODY,
        petitioner=said.petitioner,
        channel=said.channel,
        co_handlers=said.co_handlers,
        village=said.village,
        priority=said.priority,
        restricted=said.restricted,
        limit=said.limit,
        due_on=said.due_on,
        due_at=said.due_at,
        rule=said.rule,
        source=said.source or "intake",
        solved_on_the_spot=said.solved_on_the_spot,
        past=said.past,
        recurs=said.recurs,
        submitted_at=said.submitted_at,
        revision=said.revision,
    )
    resembling = heard.found if isinstance(heard.found, Resembling) else NOTHING_ALIKE
    opened: Commands = [(number, opening(heard.now, number, matter, charter, resembling))]
    if said.recurs is None:
        return opened
    link = LinkRecurrence(heard.now, number, said.category, said.village)
    return [*opened, (said.recurs, link)]


def matter_withdrawn(heard: Heard[MatterWithdrawn], _: Charter) -> Commands:
    if not heard.data.accepted:
        return []  # it never came to the register
    number = number_of(heard)
    return [(number, Withdraw(heard.now, number, heard.data.station))]


def negative_rating(heard: Heard[NegativeRatingReceived], _: Charter) -> Commands:
    said = heard.data
    detail = f"round {said.round} was rated {said.level.name.lower().replace('_', ' ')}"
    return [(said.entry, ReopenForRating(heard.now, said.round, detail))]


def accept(heard: Heard[requested.Accept], _: Charter) -> Commands:
    return [(heard.key, Accept(heard.asked))]


def record_progress(heard: Heard[requested.RecordProgress], _: Charter) -> Commands:
    said = heard.data
    progress = RecordProgress(heard.asked, said.note, said.percent, said.evidence, said.interim_answer)
    return [(heard.key, progress)]


def resolve(heard: Heard[requested.Resolve], _: Charter) -> Commands:
    return [(heard.key, Resolve(heard.asked, heard.data.outcome, heard.data.answer))]


def verify(heard: Heard[requested.Verify], _: Charter) -> Commands:
    return [(heard.key, Verify(heard.asked, heard.data.passed, heard.data.reason))]


def reopen(heard: Heard[requested.Reopen], _: Charter) -> Commands:
    return [(heard.key, Reopen(heard.asked, heard.data.reason))]


HEARS: Handlers = {
    **measures.HEARS,
    **applications.HEARS,
    **handling.HEARS,
    **regrouping.HEARS,
    MatterAccepted: matter_accepted,
    MatterWithdrawn: matter_withdrawn,
    NegativeRatingReceived: negative_rating,
    requested.Accept: accept,
    requested.RecordProgress: record_progress,
    requested.Resolve: resolve,
    requested.Verify: verify,
    requested.Reopen: reopen,
}
