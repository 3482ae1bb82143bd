"""What is under way with an entry: facts of its history that wait for another one that has not come."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from duban_contracts import applications, handling, ledger, measures, merging, rating, reclassifying
from duban_contracts.message import Fact
from duban_contracts.queries import ToldFact
from services.console.sentences import read_fact


class Awaited(NamedTuple):
    """What ends the waiting, and which of several of the same kind a fact is about."""

    ended_by: tuple[type[Fact], ...]
    about: Callable[[Any], object] = lambda _fact: None
    where: Callable[[Any], bool] = lambda _fact: True
    """Whether a fact of these types ends it, where not all do."""


BEGINS: Mapping[type[Fact], Awaited] = {
    handling.EntryTransferred: Awaited(
        (
            ledger.EntryAccepted,
            handling.TransferLapsed,
            handling.EntryReturned,
            handling.Adjudicated,
            handling.EntryTransferred,
            reclassifying.EntryReclassified,
        )
    ),
    handling.ExtensionApplied: Awaited(
        (handling.ExtensionDecided, handling.ExtensionApplied, reclassifying.EntryReclassified),
        where=lambda fact: getattr(fact, "moved", True),
    ),
    handling.EntryHeld: Awaited((handling.EntryResumed,)),
    handling.PingPongDetected: Awaited((handling.Adjudicated, reclassifying.EntryReclassified)),
    handling.EntryReturned: Awaited(
        (
            handling.Adjudicated,
            handling.EntryTransferred,
            ledger.EntryAccepted,
            reclassifying.EntryReclassified,
        )
    ),
    handling.EntryReportedUp: Awaited(
        (handling.EntryReportedUp, ledger.EntryResolved, ledger.ProgressRecorded),
        where=lambda fact: getattr(fact, "interim_answer", True),
    ),
    merging.MatterMerged: Awaited((merging.MatterUnmerged,)),
    applications.StageBegun: Awaited((applications.StageCompleted, applications.StageBegun)),
    applications.ObjectionRaised: Awaited(
        (applications.ObjectionDecided,), lambda fact: getattr(fact, "objection", None)
    ),
    measures.MilestoneMet: Awaited(()),
    measures.MilestoneMissed: Awaited(
        (measures.MilestoneMet,), lambda fact: getattr(fact, "milestone", None)
    ),
    ledger.EntryResolved: Awaited((ledger.VerificationRejected,)),
    rating.RatingInvited: Awaited(
        (rating.RatingGiven, rating.NegativeRatingReceived, rating.RatingLapsed, rating.RatingInvited)
    ),
    rating.RatingGiven: Awaited((rating.RatingInvited,)),
    rating.NegativeRatingReceived: Awaited((rating.CallbackRecorded, rating.RatingInvited)),
    rating.CallbackRecorded: Awaited((rating.CallbackRecorded, rating.RatingInvited)),
    rating.RectificationOrdered: Awaited((rating.Rectified, rating.RatingInvited)),
    rating.Rectified: Awaited((rating.RatingInvited,)),
}
ENDS: tuple[type[Fact], ...] = (ledger.EntryStruckOff, ledger.EntryClosedUnsolved, ledger.EntryReopened)
"""Nothing of the entry waits after these; what a rating waits for is told afterwards."""


def pending(facts: Iterable[ToldFact]) -> list[ToldFact]:
    """Of a history, oldest first: those that still stand, oldest first."""
    waiting: list[tuple[ToldFact, Fact]] = []
    for told in facts:
        fact = read_fact(told)
        if fact is None:
            continue
        if isinstance(fact, ENDS):
            waiting = []
        waiting = [each for each in waiting if not _ended(each[1], fact)]
        if type(fact) in BEGINS:
            waiting.append((told, fact))
    return [told for told, _fact in waiting]


def _ended(begun: Fact, fact: Fact) -> bool:
    awaited = BEGINS[type(begun)]
    ends = isinstance(fact, awaited.ended_by) and awaited.where(fact)
    return ends and awaited.about(begun) == awaited.about(fact)
