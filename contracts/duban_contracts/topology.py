"""Who hears what: the one table from which consumers, permissions and documentation follow."""

from duban_contracts import (
    applications,
    handling,
    intake,
    ledger,
    measures,
    merging,
    rating,
    reclassifying,
    supervision,
)
from duban_contracts.message import CATALOGUE, SERVICES, Command, CommandRefused, Fact, Message
from duban_contracts.subjects import command_stream, fact_filters, fact_stream
from duban_contracts.time import PassTime

HEARS: dict[str, tuple[type[Fact], ...]] = {
    "intake": (
        ledger.EntryOpened,
        ledger.EntryAccepted,
        ledger.EntryClosedUnsolved,
        ledger.EntryReopened,
        ledger.EntryStruckOff,
        handling.Adjudicated,
        handling.CoHandlerAdded,
        handling.EntryReturned,
        merging.MatterMerged,
        merging.MatterUnmerged,
        reclassifying.EntryReclassified,
        rating.CallbackRecorded,
        rating.NegativeRatingReceived,
    ),
    "ledger": (
        intake.MatterAccepted,
        intake.MatterWithdrawn,
        measures.PlanApplied,
        merging.MatterMerged,
        merging.MatterUnmerged,
        merging.SurvivorEnded,
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
        applications.ObjectionDecided,
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
        merging.MatterMerged,
        merging.MatterUnmerged,
        reclassifying.EntryReclassified,
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
        merging.MatterMerged,
        merging.MatterUnmerged,
        reclassifying.EntryReclassified,
        rating.RatingGiven,
    ),
}
"""Facts that each consumer hears. `<service>-<view>` is a read model of that service.

The ledger hears facts of its own: what was decided for the plan's key concerns the key of each measure, and
what was decided for a merged matter concerns the matter that it was merged into, and the other way round.
"""

OPERATORS = "operators"
"""Follow the escalation stream in `duban watch`; a refusal reaches who asked by `duban do` or `submit`."""

OUTSIDE: dict[type[Message], str] = {
    intake.MatterIncomplete: "channels: which material to ask the petitioner for",
    intake.MatterDeclined: "channels: what to answer the petitioner",
    ledger.ProgressRecorded: "channels: how far the matter has come",
    ledger.VerificationRejected: "stations: what is to be done again, until when",
    intake.PetitionerShown: "the office: who read a petitioner's data, when and what for",
    intake.IntakePersonalDataMasked: "channels: what does not belong where they wrote it",
    ledger.LedgerPersonalDataMasked: "officials: what does not belong where they wrote it",
    rating.RatingPersonalDataMasked: "officials: what does not belong where they wrote it",
    supervision.SupervisionPersonalDataMasked: "officials: what does not belong where they wrote it",
    handling.EntryTransferred: "stations: what they are asked to take over, until when",
    handling.PingPongDetected: "the office: what waits for its adjudication",
    handling.EntryReportedUp: "channels: what to tell the petitioner meanwhile",
    handling.InterimAnswerOverdue: "the office: who still owes the petitioner an interim answer",
    handling.ExtensionApplied: "the office: which application for more time to decide",
    handling.EntryHeld: "channels: why nothing moves at present, and until when at most",
    handling.EntryResumed: "channels: that it goes on, and until when",
    handling.CitizenOverdue: "the office: which petitioner has waited too long",
    handling.EntryRecurred: "the office: what was struck off and came back",
    merging.DuplicateSuspected: "the office: which open entries a new one may be the same as",
    merging.MergeLinked: "stations: which other matter their answer settles too",
    applications.ProcedureBegun: "channels: which stages the application goes through",
    applications.StageBegun: "channels: which stage it is in, until when",
    applications.ObjectionRaised: "the office: which objection to decide",
    applications.ObjectionOverdue: "the office: which objection waits too long for its decision",
    measures.MeasureOpened: "stations: which measure of the plan is theirs",
    measures.OccurrenceReported: "the office: what was done today, and where",
    measures.OccurrenceMissed: "the office: what was not done, on which day and where",
    rating.RatingInvited: "channels: whom to ask for a rating, until when",
    rating.RectificationOrdered: "stations: what is to be put right, until when",
    rating.RatingLapsed: "channels: no longer to ask",
    supervision.PlanGapDetected: "the office: what the plan has to settle yet",
    supervision.InspectionDrawn: "inspectors: where to go, on which day",
    supervision.InspectionConducted: "the office: what the inspection said",
    supervision.CoverageReported: "the office: which stations nobody has inspected",
}
"""Facts that no consumer of ours hears: which programs elsewhere they are told for, and for what.

Such a program hears it by a plain subscription, and asks for what it missed (`contracts/README.md`).
"""

TOLD_TO_CHANNEL: tuple[type[Fact], ...] = (
    intake.MatterAccepted,
    intake.MatterIncomplete,
    intake.MatterDeclined,
    intake.MatterWithdrawn,
    ledger.EntryOpened,
    ledger.ProgressRecorded,
    ledger.EntryResolved,
    ledger.VerificationRejected,
    ledger.EntryStruckOff,
    ledger.EntryReopened,
    ledger.EntryClosedUnsolved,
    handling.EntryTransferred,
    handling.EntryReportedUp,
    handling.ExtensionDecided,
    handling.EntryHeld,
    handling.EntryResumed,
    handling.DeadlineRecomputed,
    applications.ProcedureBegun,
    applications.StageBegun,
    applications.StageCompleted,
    rating.RatingInvited,
    rating.RatingLapsed,
)
"""What the channel that brought a matter is told of it, for its petitioner: as a notice
(`notice.<service>.<fact>.v1.<channel>`) when it happens, and by the question `facts` afterwards."""


def commands_of(service: str) -> list[type[Command]]:
    """What a service's handlers answer; the passing of time is answered by the chassis."""
    asked = (m for m in CATALOGUE.values() if issubclass(m, Command) and m.service == service)
    return [command for command in asked if not issubclass(command, PassTime)]


def facts_of(service: str) -> list[type[Fact]]:
    return [m for m in CATALOGUE.values() if issubclass(m, Fact) and m.service == service]


def listeners_of(message: type[Message]) -> list[str]:
    """Consumers of ours, OPERATORS where the console shows it, and who elsewhere it is told for."""
    if issubclass(message, Command):
        return [message.service]
    ours = [who for who, facts in HEARS.items() if message in facts]
    shown = [OPERATORS] if message.service == "escalation" or issubclass(message, CommandRefused) else []
    elsewhere = [OUTSIDE[message].partition(":")[0]] if message in OUTSIDE else []
    return ours + shown + elsewhere


def streams_heard(consumer: str) -> dict[str, list[str]]:
    """Stream name -> subject filters, for one consumer; a service also hears its own commands."""
    heard: dict[str, list[str]] = {}
    if consumer in SERVICES:
        heard[command_stream(consumer)] = [f"cmd.{consumer}.>"]
    for fact in HEARS[consumer]:
        heard.setdefault(fact_stream(fact.service), []).extend(fact_filters(fact))
    return heard
