"""Who hears what: the one table from which consumers, permissions and documentation follow."""

from duban_contracts import applications, handling, intake, ledger, measures, rating, supervision
from duban_contracts.message import CATALOGUE, SERVICES, Command, Fact, Message
from duban_contracts.subjects import command_stream, fact_stream, filter_of

HEARS: dict[str, tuple[type[Fact], ...]] = {
    "intake": (),
    "ledger": (
        intake.MatterAccepted,
        intake.MatterWithdrawn,
        measures.PlanApplied,
        rating.NegativeRatingReceived,
        supervision.CampaignStarted,
    ),
    "rating": (ledger.EntryStruckOff,),
    "supervision": (),
    "escalation": (
        ledger.AcceptanceOverdue,
        ledger.EntryAccepted,
        ledger.EntryClosedUnsolved,
        ledger.EntryDueSoon,
        ledger.EntryOverdue,
        ledger.EntryResolved,
        ledger.EntryStruckOff,
        ledger.EntryReopened,
        applications.StageCompleted,
        applications.StageOverdue,
        measures.MeasureChanged,
        measures.MilestoneMet,
        measures.MilestoneMissed,
        measures.MeasureRetired,
        handling.Adjudicated,
        handling.DeadlineRecomputed,
        handling.EntryReturned,
        handling.ExtensionDecided,
        handling.TransferLapsed,
        rating.CallbackOverdue,
        rating.CallbackRecorded,
        rating.IntegrityFlagged,
        rating.RectificationOverdue,
        rating.Rectified,
        supervision.CampaignStarted,
        supervision.FindingRecorded,
        supervision.FindingVerified,
    ),
    "escalation-report": (
        ledger.EntryOpened,
        ledger.EntryAccepted,
        handling.EntryReturned,
        handling.Adjudicated,
        ledger.EntryOverdue,
        ledger.EntryStruckOff,
        ledger.EntryReopened,
        ledger.EntryClosedUnsolved,
        rating.RatingGiven,
    ),
}
"""Facts that each consumer hears. `<service>-<view>` is a read model of that service.

The ledger hears its own `plan_applied`: what was decided for the plan's key concerns the key of each measure.
"""

OPERATORS = "operators"
"""Hear everything on the escalation stream and every refusal, through the console."""


def commands_of(service: str) -> list[type[Command]]:
    return [m for m in CATALOGUE.values() if issubclass(m, Command) and m.service == service]


def facts_of(service: str) -> list[type[Fact]]:
    return [m for m in CATALOGUE.values() if issubclass(m, Fact) and m.service == service]


def listeners_of(message: type[Message]) -> list[str]:
    if issubclass(message, Command):
        return [message.service]
    return [who for who, facts in HEARS.items() if message in facts] + [OPERATORS]


def streams_heard(consumer: str) -> dict[str, list[str]]:
    """Stream name -> subject filters, for one consumer; a service also hears its own commands."""
    heard: dict[str, list[str]] = {}
    if consumer in SERVICES:
        heard[command_stream(consumer)] = [f"cmd.{consumer}.>"]
    for fact in HEARS[consumer]:
        heard.setdefault(fact_stream(fact.service), []).append(filter_of(fact))
    return heard
