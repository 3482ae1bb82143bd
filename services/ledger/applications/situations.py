"""What can be asked about an application, the situations it can be in, and how each fact changes them."""

from dataclasses import dataclass, replace
from datetime import datetime

from duban_contracts.applications import (
    ObjectionDecided,
    ObjectionOverdue,
    ObjectionRaised,
    ProcedureBegun,
    StageBegun,
    StageCompleted,
    StageOverdue,
)
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    Due,
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryOpened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerPersonalDataMasked,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.plan import Stage
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Asked
from services.ledger.decider import (
    Matter,
    RecordProgress,
    RevisionSeen,
    Unopened,
    Verify,
    Withdraw,
    WithdrawnEarly,
)

ApplicationTold = (
    EntryOpened
    | ProcedureBegun
    | StageBegun
    | StageCompleted
    | EntryDueSoon
    | StageOverdue
    | ObjectionRaised
    | ObjectionOverdue
    | ObjectionDecided
    | ProgressRecorded
    | EntryResolved
    | VerificationRejected
    | EntryStruckOff
    | EntryClosedUnsolved
    | DeadlineRecomputed
    | LedgerCommandRefused
    | LedgerPersonalDataMasked
    | RevisionSeen
)
"""Every fact that an application can bring about."""


@dataclass(frozen=True)
class Apply:
    """A matter was accepted whose category names a procedure."""

    now: datetime
    number: str
    matter: Matter
    procedure: str


@dataclass(frozen=True)
class CompleteStage:
    asked: Asked
    stage: str
    passed: bool = True
    note: str = ""


@dataclass(frozen=True)
class RaiseObjection:
    asked: Asked
    text: str


@dataclass(frozen=True)
class DecideObjection:
    asked: Asked
    objection: int
    upheld: bool
    reason: str


Request = CompleteStage | RaiseObjection | DecideObjection | RecordProgress | Verify
ApplicationCommand = Apply | Withdraw | Request


@dataclass(frozen=True)
class Objection:
    number: int
    by: str
    due: Due | None = None
    """By when it has to be decided."""
    overdue: bool = False


@dataclass(frozen=True)
class Application:
    """One application, in its present stage."""

    opened: EntryOpened
    updated_at: datetime
    told_at: datetime
    """When anything was last told of it, by time alone too."""
    procedure: str = ""
    stages: tuple[Stage, ...] = ()
    upheld_back_to: str = ""
    at_stage: int = 0
    visits: int = 0
    """How many stages began so far."""
    due: Due | None = None
    """Of the present stage."""
    not_before: datetime | None = None
    reminded: bool = False
    """Whether whoever has to act was told that much of the present stage's time is used."""
    reminded_on_due_day: bool = False
    overdue: str | None = None
    """Who was told to be late with the present stage."""
    late: bool = False
    """Whether its station was late with any stage before it."""
    approved_by: str = ""
    revision: int | None = None
    """Under which revision of the charter its due date was last counted or looked at."""
    objections: tuple[Objection, ...] = ()
    """Those not decided yet."""
    raised: int = 0
    objectors: tuple[str, ...] = ()
    """Who objected since it was last sent back."""
    paused_at: datetime | None = None
    """Since when an objection keeps the approval waiting."""
    round: int = 1
    note: str = ""

    @property
    def number(self) -> str:
        return self.opened.entry

    @property
    def station(self) -> str:
        return self.opened.station or NOBODY

    @property
    def stage(self) -> Stage:
        return self.stages[self.at_stage]

    def told_as_of(self, at: datetime) -> datetime:
        """What fell due at `at`, or happened elsewhere then, is never told as of before what was told."""
        return max(at, self.told_at)

    def place(self, stage: str) -> int | None:
        """Where a stage stands in the procedure; None where it has no such stage."""
        return next((n for n, each in enumerate(self.stages) if each.id == stage), None)


@dataclass(frozen=True)
class Staged:
    """On its way through the procedure."""

    application: Application


@dataclass(frozen=True)
class Completed:
    """Filed, or failed at a stage; somebody else has to look before it leaves the register."""

    application: Application
    at: datetime
    by: str
    outcome: Outcome


@dataclass(frozen=True)
class Concluded:
    """Verified, and off the register."""

    application: Application
    at: datetime
    outcome: Outcome
    late: bool | None


@dataclass(frozen=True)
class Dropped:
    """Taken back by the applicant."""

    application: Application
    at: datetime
    outcome: Outcome


ApplicationKnown = Staged | Completed | Concluded | Dropped
ApplicationState = Unopened | WithdrawnEarly | ApplicationKnown


def evolve(state: ApplicationState, event: ApplicationTold) -> ApplicationState:
    return told(happened(state, event), event)


def told(state: ApplicationState, event: ApplicationTold) -> ApplicationState:
    """A refusal is told of a request, not of the application."""
    if isinstance(event, LedgerCommandRefused | LedgerPersonalDataMasked) or isinstance(
        state, Unopened | WithdrawnEarly
    ):
        return state
    of = state.application
    return with_application(state, replace(of, told_at=of.told_as_of(event.at)))


def happened(state: ApplicationState, event: ApplicationTold) -> ApplicationState:
    match event:
        case LedgerCommandRefused() | LedgerPersonalDataMasked():
            return state
        case EntryOpened():
            return opened(state, event)
        case RevisionSeen():
            return with_application(state, replace(known(state), revision=event.revision))
        case EntryResolved():
            return Completed(touched(known(state), event.at), event.at, event.by, event.outcome)
        case EntryStruckOff():
            return Concluded(touched(known(state), event.at), event.at, event.outcome, event.late)
        case EntryClosedUnsolved():
            return Dropped(touched(known(state), event.at), event.at, event.outcome)
        case VerificationRejected():
            return Staged(begun_again(known(state), event))
        case _:
            return with_application(state, moved(known(state), event))


def opened(state: ApplicationState, event: EntryOpened) -> ApplicationState:
    application = Application(event, event.at, event.at)
    if isinstance(state, WithdrawnEarly):
        return Dropped(application, state.at, state.outcome)
    return Staged(application)


Moving = (
    ProcedureBegun
    | StageBegun
    | StageCompleted
    | EntryDueSoon
    | StageOverdue
    | ObjectionRaised
    | ObjectionOverdue
    | ObjectionDecided
    | DeadlineRecomputed
    | ProgressRecorded
)


def moved(application: Application, event: Moving) -> Application:
    match event:
        case ProcedureBegun(procedure=procedure, stages=stages, upheld_back_to=back):
            return replace(application, procedure=procedure, stages=stages, upheld_back_to=back)
        case StageBegun():
            return begun(application, event)
        case StageCompleted():
            return completed(application, event)
        case ProgressRecorded(note=note):
            return touched(replace(application, note=note), event.at)
        case EntryDueSoon(on_due_day=True):
            return replace(application, reminded_on_due_day=True)
        case EntryDueSoon():
            return replace(application, reminded=True)
        case StageOverdue():
            return replace(application, overdue=event.station or NOBODY)
        case DeadlineRecomputed():
            return recomputed(application, event)
        case ObjectionRaised():
            return objected(application, event)
        case ObjectionOverdue():
            return waited_for(application, event)
        case ObjectionDecided():
            return decided(application, event)


def completed(application: Application, event: StageCompleted) -> Application:
    """Its station was late only where nobody else was told to be."""
    own = event.late and event.late_with in (None, application.station)
    by = event.by if application.stage.approval else application.approved_by
    changed = replace(application, note=event.note, late=application.late or own, approved_by=by)
    return touched(changed, event.at)


def begun(application: Application, event: StageBegun) -> Application:
    place = application.place(event.stage)
    at_stage = application.at_stage if place is None else place
    approval = application.stages[at_stage].approval
    return replace(
        application,
        at_stage=at_stage,
        visits=event.visit,
        due=event.due,
        not_before=event.not_before,
        reminded=False,
        reminded_on_due_day=False,
        overdue=None,
        late=application.late or application.overdue == application.station,
        revision=event.due.revision,
        paused_at=event.at if approval and application.objections else None,
        updated_at=event.at,
    )


def begun_again(application: Application, event: VerificationRejected) -> Application:
    """The stage at which it ended is under way once more: another visit, under the due date it had."""
    return replace(
        application,
        round=event.round,
        visits=application.visits + 1,
        overdue=None,
        updated_at=event.at,
    )


def objected(application: Application, event: ObjectionRaised) -> Application:
    since = application.paused_at or (event.at if application.stage.approval else None)
    open_ones = (*application.objections, Objection(event.objection, event.by, event.due))
    changed = replace(
        application,
        objections=open_ones,
        raised=event.objection,
        objectors=tuple(dict.fromkeys((*application.objectors, event.by))),
        paused_at=since,
    )
    return touched(changed, event.at)


def waited_for(application: Application, event: ObjectionOverdue) -> Application:
    known = application.objections
    told = (replace(each, overdue=True) if each.number == event.objection else each for each in known)
    return replace(application, objections=tuple(told))


def decided(application: Application, event: ObjectionDecided) -> Application:
    left = tuple(each for each in application.objections if each.number != event.objection)
    since = application.paused_at if left else None
    due = event.due or application.due
    objectors = tuple(each.by for each in left) if event.upheld else application.objectors
    changed = replace(due_again(application, due), objections=left, objectors=objectors, paused_at=since)
    return touched(changed, event.at)


def recomputed(application: Application, event: DeadlineRecomputed) -> Application:
    """What lies ahead again is not overdue; it may become so again."""
    overdue = application.overdue if event.new is not None and event.new.at <= event.at else None
    return touched(replace(due_again(application, event.new), overdue=overdue), event.at)


def due_again(application: Application, due: Due | None) -> Application:
    """The same stage under this due date; one that moved is reminded of again."""
    if (due and due.at) == (application.due and application.due.at):
        return replace(application, due=due)
    return replace(application, due=due, reminded=False, reminded_on_due_day=False)


def touched(application: Application, at: datetime) -> Application:
    return replace(application, updated_at=at)


def known(state: ApplicationState) -> Application:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an application is opened before anything else is told of it")
    return state.application


def with_application(state: ApplicationState, application: Application) -> ApplicationState:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an application is opened before anything else is told of it")
    return replace(state, application=application)
