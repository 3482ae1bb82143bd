"""Every fact as one sentence, in the operator's language, with the town's own names and local time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from duban_contracts import (
    applications,
    charter_findings,
    escalation,
    handling,
    intake,
    ledger,
    measures,
    merging,
    rating,
    reclassifying,
    supervision,
)
from duban_contracts.charter import Charter, Limit, Role
from duban_contracts.due import Due, Pause
from duban_contracts.escalation import OpenItem
from duban_contracts.measures import PlannedMeasure
from duban_contracts.merging import SuspectedDuplicate
from duban_contracts.message import CATALOGUE, CommandRefused, Fact, MaskedField
from duban_contracts.plan import Stage
from duban_contracts.queries import ToldFact
from services.console.i18n import N_, Lang, _, catalogue, language
from services.console.said import said
from services.console.words import word

ABSENT = "–"
REFUSED = N_("{command} by {actor} for {key} is refused ({reason}; {code}): {detail}")

MASKED = N_(
    "in {command} by {actor} for {key} personal data was masked: {fields}; it belongs into the fields for it"
)

SENTENCES: Mapping[type[Fact], str] = {
    intake.MatterAccepted: N_("{submission} is accepted: {station} handles it, limit {limit} ({rule})"),
    intake.MatterIncomplete: N_(
        "{submission} is incomplete; missing: {missing}; bring it with supplement_matter --key {submission}"
    ),
    intake.MatterDeclined: N_("{submission} is declined ({reason}): {explanation}"),
    intake.MatterWithdrawn: N_("{submission} is withdrawn by the petitioner: {reason}"),
    intake.PetitionerShown: N_("{by} was shown the petitioner of entry {entry} ({duty}): {reason}"),
    intake.IntakePersonalDataMasked: MASKED,
    ledger.LedgerPersonalDataMasked: MASKED,
    rating.RatingPersonalDataMasked: MASKED,
    supervision.SupervisionPersonalDataMasked: MASKED,
    escalation.EscalationPersonalDataMasked: MASKED,
    ledger.EntryOpened: N_("entry {entry} is opened for {station}, due {due}: {title}"),
    ledger.EntryAccepted: N_("entry {entry} is accepted by {station}"),
    ledger.AcceptanceOverdue: N_("entry {entry} was not signed for in time by {station}"),
    ledger.ProgressRecorded: N_("entry {entry} of {station} progresses, {percent} percent: {note}"),
    ledger.EntryDueSoon: N_("entry {entry} of {station} is due soon: {due}"),
    ledger.EntryOverdue: N_("entry {entry} of {station} is overdue; it was due {due}"),
    ledger.EntryResolved: N_(
        "entry {entry} is resolved by {by} ({outcome}) and waits for verification: {answer}"
    ),
    ledger.VerificationRejected: N_(
        "entry {entry} did not pass verification by {by}; round {round} begins, due {due}: {reason}"
    ),
    ledger.EntryStruckOff: N_("entry {entry} of {station} is struck off by {by} ({outcome}); late: {late}"),
    ledger.EntryReopened: N_(
        "entry {entry} of {station} is reopened ({reason}); round {round}, due {due}: {detail}"
    ),
    ledger.EntryClosedUnsolved: N_("entry {entry} of {station} is closed unsolved ({outcome})"),
    handling.EntryReturned: N_("{station} returned entry {entry}, which is with {to} now: {legal_ground}"),
    handling.EntryTransferred: N_(
        "{by} asks {station} to take over entry {entry} from {from_station} until {acceptance}: {reason}"
    ),
    handling.TransferLapsed: N_("{station} need not take over entry {entry} any more"),
    handling.PingPongDetected: N_(
        "entry {entry} went round ({stations}) and waits for adjudication; {by} wanted hand-over "
        "number {handovers}: {reason}"
    ),
    handling.Adjudicated: N_(
        "entry {entry} is adjudicated to {station} by {by}; co-handlers: {co_handlers}: {reason}"
    ),
    handling.EntryReportedUp: N_(
        "{station} reported entry {entry} up to {to}; the interim answer is due {interim}: {reason}"
    ),
    handling.InterimAnswerOverdue: N_(
        "entry {entry} of {station}: the interim answer is overdue; it was due {due}"
    ),
    handling.CoHandlerAdded: N_("{co_handler} helps {station} with entry {entry}, by decision of {by}"),
    handling.ExtensionApplied: N_(
        "{station} asks for {length} more for entry {entry}, until {would_be}: {reason}"
    ),
    handling.ExtensionDecided: N_(
        "the extension of entry {entry} of {station} is decided by {by}; granted: {granted}; due "
        "{due}: {reason}"
    ),
    handling.EntryHeld: N_(
        "entry {entry} of {station} is on hold ({ground}), until {until} at most: {reason}"
    ),
    handling.EntryResumed: N_("entry {entry} of {station} goes on; it was on hold {paused}; due {due}"),
    handling.DeadlineRecomputed: N_("entry {entry} of {station}, {clock}: due {new} instead of {old}: {why}"),
    handling.CitizenOverdue: N_(
        "entry {entry} should have been struck off by {due}, for the citizen; {station} has to act"
    ),
    handling.EntryRecurred: N_("entry {entry} of {station} came back as entry {again}"),
    reclassifying.EntryReclassified: N_(
        "entry {entry} is reclassified from {was} to {category} by {by} and is with {station}, due {due} "
        "({rule}): {reason}"
    ),
    merging.DuplicateSuspected: N_(
        "entry {entry} of {station} looks like {of}; somebody has to judge ({why})"
    ),
    merging.MatterMerged: N_(
        "entry {entry} of {station} is merged into {into} by {by} and shares its outcome: {reason}"
    ),
    merging.MergeLinked: N_("entry {entry} of {station} is handled together with {merged}: {linked}"),
    merging.SurvivorEnded: N_(
        "entry {survivor} of {station} ended; struck off: {struck_off}; entry {entry} was merged into it"
    ),
    merging.MatterUnmerged: N_(
        "entry {entry} is no longer merged into {was_into} and is with {station} again, due {due}: {reason}"
    ),
    applications.ProcedureBegun: N_("entry {entry} of {station} goes through {stages}"),
    applications.StageBegun: N_(
        "entry {entry} of {station}: stage {number} of {of} ({name}) has begun, due {due}; not over "
        "before {not_before}"
    ),
    applications.StageCompleted: N_(
        "entry {entry} of {station}: stage {stage} is completed by {by}; passed: {passed}; late: "
        "{late}: {note}"
    ),
    applications.StageOverdue: N_("entry {entry} of {station}: stage {name} is overdue; it was due {due}"),
    applications.ObjectionRaised: N_(
        "entry {entry} of {station}: objection {objection} at stage {stage}, by {by}: {text}"
    ),
    applications.ObjectionOverdue: N_(
        "entry {entry}: objection {objection} should have been decided by {due}; {station} has to act"
    ),
    applications.ObjectionDecided: N_(
        "entry {entry} of {station}: objection {objection} is decided by {by}; upheld: {upheld}: {reason}"
    ),
    measures.PlanApplied: N_(
        "the plan of campaign {campaign} is applied, revision {revision}: {measures}; no longer in "
        "it: {retired}"
    ),
    measures.MeasureOpened: N_("entry {entry} is measure {measure} of the plan, with {station}, due {due}"),
    measures.MeasureChanged: N_(
        "entry {entry} of {station}: the plan now wants measure {measure} otherwise ({changed}); due {due}"
    ),
    measures.MeasureRetired: N_("entry {entry} of {station}: measure {measure} is in the plan no longer"),
    measures.MilestoneMet: N_(
        "entry {entry} of {station}: milestone {name} is met, {percent} percent; late: {late}: {note}"
    ),
    measures.MilestoneMissed: N_("entry {entry} of {station}: milestone {name} is missed; it was due {due}"),
    measures.OccurrenceReported: N_("entry {entry} of {station}: carried out on {day} ({village}): {note}"),
    measures.OccurrenceMissed: N_("entry {entry} of {station}: nobody reported it for {day} ({village})"),
    rating.RatingInvited: N_("entry {entry}, round {round}: a rating is invited until {until}"),
    rating.RatingGiven: N_("entry {entry}, round {round} of {station} is rated: {level}"),
    rating.NegativeRatingReceived: N_(
        "entry {entry}, round {round} of {station} is rated negatively ({level}); call back by {callback_by}"
    ),
    rating.CallbackRecorded: N_("entry {entry}, round {round}: called back, {result}: {note}"),
    rating.CallbackOverdue: N_("entry {entry}, round {round}: the callback is overdue"),
    rating.RectificationOrdered: N_("entry {entry}, round {round}: {station} must rectify by {rectify_by}"),
    rating.Rectified: N_("entry {entry}, round {round}: rectified by {station}; late: {late}: {note}"),
    rating.RectificationOverdue: N_("entry {entry}, round {round}: rectification by {station} is overdue"),
    rating.RatingLapsed: N_("entry {entry}, round {round}: nobody rated in time; it counts as nothing"),
    rating.IntegrityFlagged: N_(
        "entry {entry}, round {round}: integrity of {station} was rated negatively; discipline track"
    ),
    supervision.CampaignStarted: N_("the campaign {name} has started, until {until}: {stations}"),
    supervision.PlanGapDetected: N_("the plan leaves a gap at {path}: {gap}"),
    supervision.InspectionDrawn: N_(
        "{station} is drawn for an unannounced inspection on {day} (seed {seed})"
    ),
    supervision.InspectionConducted: N_("{station} was inspected; passed: {passed}: {note}"),
    supervision.CoverageReported: N_("inspected so far: {inspected}; not yet: {missing}"),
    supervision.FindingRecorded: N_("finding {finding} against {station} ({ground}): {text}"),
    supervision.FindingVerified: N_(
        "finding {finding} against {station} was inspected again; mended: {passed}: {note}"
    ),
    escalation.SupervisionBegan: N_("{station} is under supervision in campaign {campaign}"),
    escalation.ItemOpened: N_("counts against {station} from now on: {item}"),
    escalation.ItemClosed: N_("counts against {station} no longer: {item}"),
    escalation.ClosingNoted: N_("{item} of {station} was closed before it was heard of; it will not count"),
    escalation.RecoveryBegan: N_("nothing is open against {station}; recovered if it stays so until {until}"),
    escalation.ReminderSent: N_("{station} is reminded of entry {entry}"),
    escalation.StationBecameLagging: N_("{station} became lagging: {items}"),
    escalation.StationStillLagging: N_("{station} is still lagging, now at rung {rung}: {items}"),
    escalation.StationRecovered: N_(
        "{station} recovered; it had lagged since {lagging_since}, highest rung {highest_rung}"
    ),
    escalation.OrderIssued: N_(
        "order {number} [{order}] is issued to {station}: acknowledge by {acknowledge_by}, "
        "answer by {answer_by}: {items}"
    ),
    escalation.OrderAcknowledged: N_("{station} acknowledged order {order}"),
    escalation.AcknowledgementOverdue: N_("{station} did not acknowledge order {order} in time"),
    escalation.OrderAnswered: N_("{station} answered order {order}: {answer}"),
    escalation.OrderOverdue: N_("order {order} to {station} is overdue; answered: {answered}; open: {items}"),
    escalation.OrderLifted: N_("order {order} to {station} is lifted"),
    escalation.StepProposed: N_(
        "step {step} is proposed for {station}: {rung}, because {because}; to be decided by: {decided_by}"
    ),
    escalation.StepDecided: N_(
        "step {step} for {station} ({rung}) is decided by {decided_by}; approved: {approved}: {reason}"
    ),
    escalation.CircularPublished: N_("circular {number} [{circular}] names {station} town-wide: {items}"),
    escalation.CircularWithdrawn: N_("circular {circular} on {station} is withdrawn: {reason}"),
    escalation.LeadersReported: N_("{station} is reported to the principal leaders (step {step}): {items}"),
    escalation.InstructionRecorded: N_("the leaders instructed on {station} (step {step}): {instruction}"),
    escalation.TransferMade: N_("the case of {station} is transferred to {to} (step {step}): {grounds}"),
    escalation.TransferReceived: N_("the case of {station} was received (step {step}): {receipt}"),
}


@dataclass(frozen=True)
class Town:
    """How the charter calls stations and actors, and its time zone; without a charter tokens and UTC."""

    charter: Charter | None = None

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.charter.timezone) if self.charter else UTC

    def name(self, token: str) -> str:
        station = self.charter.stations.get(token) if self.charter else None
        if station:
            return station.name if language() is Lang.ZH else station.name_en
        if language() is not Lang.ZH or not self.charter:
            return token
        known = self.charter.actors.get(token) or self.charter.villages.get(token)
        return known.name if known else token

    def category(self, token: str) -> str:
        """A charter names its categories in the town's language only."""
        found = self.charter.categories.get(token) if self.charter else None
        return found.name if found and language() is Lang.ZH else token

    def said(self, text: str) -> str:
        """What a service says in English, in the language in use."""
        return printable(said(text, self.name, self.category))

    def moment(self, moment: datetime) -> str:
        return f"{local(moment, self.zone):%Y-%m-%d %H:%M}"


def local(moment: datetime, zone: tzinfo) -> datetime:
    """UTC where the zone has no such year: releases before 0017 took any year, and their facts are shown."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def read_fact(told: ToldFact) -> Fact | None:
    """None for a fact of a newer version than ours."""
    try:
        fact = CATALOGUE[told.type].model_validate_json(told.data)
    except (KeyError, ValidationError):
        return None
    return fact if isinstance(fact, Fact) else None


def sentence(fact: Fact, town: Town) -> str:
    template = REFUSED if isinstance(fact, CommandRefused) else SENTENCES.get(type(fact))
    if template is None:
        return fact.type
    values = {name: _shown(name, getattr(fact, name), town) for name in type(fact).model_fields}
    if isinstance(fact, CommandRefused):
        values |= {"code": fact.reason.value, "detail": why_refused(fact, town)}
    if isinstance(fact, supervision.PlanGapDetected) and fact.code:
        values["gap"] = printable(charter_findings.sentence(fact.code, fact.params, _))
    return _(template).format_map(values).rstrip(" :：")


def why_refused(fact: CommandRefused, town: Town) -> str:
    """In the language in use; in English where the catalogue does not know it, as of a newer service."""
    text = fact.sentence or fact.detail
    if text not in catalogue(language()):
        return printable(fact.detail)
    return printable(_filled(text, fact.params or {}, town, MOST_NESTED))


MOST_NESTED = 3
"""Sentences within sentences: what a service says has one in one in one at most."""


def _filled(text: str, params: Mapping[str, str], town: Town, nested: int) -> str:
    values = _Missing({name: _filling(value, params, town, nested) for name, value in params.items()})
    return _(text).format_map(values)


def _filling(value: str, params: Mapping[str, str], town: Town, nested: int) -> str:
    if value in catalogue(language()):
        return _filled(value, params, town, nested - 1) if nested else _(value)
    return _joined(_named(part, town) for part in value.split(", "))


class _Missing(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _named(token: str, town: Town) -> str:
    """What people call a station, an actor, a village, a category or a role."""
    if (name := town.name(token)) != token or (name := town.category(token)) != token:
        return name
    return word(Role(token)) if token in set(Role) else token


NAMED = frozenset(
    {
        "station",
        "stations",
        "from_station",
        "co_handler",
        "co_handlers",
        "by",
        "actor",
        "to",
        "village",
        "inspected",
        "missing",
    }
)
"""Fields that hold tokens of stations, actors or villages."""


CATEGORIES = frozenset({"category", "was"})
SAID = frozenset({"rule", "why", "detail"})
"""Fields in which a service says something in English."""
DEADLINES = frozenset({"acknowledge_by", "answer_by", "callback_by", "rectify_by", "until", "would_be"})
"""Fields that hold the first instant that is too late: people are told the last day."""


def _shown(name: str, value: Any, town: Town) -> str:
    match value:
        case None | ():
            return ABSENT
        case bool():
            return _("yes") if value else _("no")
        case Enum():
            return word(value)
        case datetime() if name in DEADLINES:
            return deadline(value, town)
        case datetime():
            return town.moment(value)
        case Due():
            return _due(value, town)
        case Limit(amount=amount, unit=unit):
            return f"{amount} {word(unit)}"
        case Pause(start=start, end=end):
            return f"{town.moment(start)} – {town.moment(end)}"
        case Stage():
            return printable(value.name)
        case PlannedMeasure():
            return value.id if name == "measures" else printable(f"{value.id} ({value.name})")
        case SuspectedDuplicate():
            return _suspected(value, town)
        case MaskedField(field=field, kinds=kinds):
            return f"{field} ({_joined(map(word, kinds))})"
        case OpenItem(kind=kind, id=id_):
            return f"{word(kind)} ({printable(id_)})"
        case tuple() | list():
            return _joined(_shown(name, each, town) for each in value)
        case str() if name in NAMED:
            return printable(town.name(value))
        case str() if name in CATEGORIES:
            return printable(town.category(value))
        case str() if name == "because":
            return _("; ").join(map(town.said, value.split("; ")))
        case str() if name in SAID:
            return town.said(value)
        case _:
            return printable(str(value))


def _suspected(value: SuspectedDuplicate, town: Town) -> str:
    text = _("{entry} “{title}” of {station}, opened {at}, alike by {percent} percent")
    return text.format(
        entry=value.entry,
        title=printable(value.title),
        station=printable(town.name(value.station)),
        at=town.moment(value.opened_at),
        percent=value.likeness_percent,
    )


def _due(value: Due, town: Town) -> str:
    shown = deadline(value.at, town)
    return _("{day} (provisional)").format(day=shown) if value.provisional else shown


def deadline(at: datetime, town: Town) -> str:
    """The last day that is in time, if `at` is the midnight after it; else the hour that is too late."""
    here = local(at, town.zone)
    if here.time() != time() or here.date() == date.min:
        return f"{here:%Y-%m-%d %H:%M}"
    return str((here - timedelta(microseconds=1)).date())


def _joined(parts: Iterable[str]) -> str:
    return (_(", ")).join(parts)


def printable(text: str) -> str:
    """What others wrote may not steer the operator's terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
