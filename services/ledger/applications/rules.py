"""What follows from each command about an application: its stages in their order, each in its time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from duban_contracts.applications import (
    ObjectionDecided,
    ObjectionRaised,
    ProcedureBegun,
    StageCompleted,
)
from duban_contracts.charter import Charter, Role
from duban_contracts.intake import Outcome
from duban_contracts.ledger import EntryOpened, LedgerCommandRefused
from duban_contracts.ledger import ProgressRecorded as Progressed
from duban_contracts.message import Refusal
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Asked, Wake, refusal
from services.chassis.wording import wording
from services.ledger.applications.closings import not_now, rejected, resolved, struck_off, withdrawn
from services.ledger.applications.situations import (
    Application,
    ApplicationCommand,
    ApplicationKnown,
    ApplicationState,
    ApplicationTold,
    Apply,
    Completed,
    CompleteStage,
    DecideObjection,
    RaiseObjection,
    Request,
    Staged,
)
from services.ledger.applications.stages import Stages
from services.ledger.decider import (
    Matter,
    RecordProgress,
    Unopened,
    Verify,
    Withdraw,
    WithdrawnEarly,
    blank,
)

Events = Sequence[ApplicationTold]
ONE_DAY = timedelta(days=1)
MOST_UNDECIDED = 20
"""Objections of one channel to one application. Each costs whoever decides some days, and every decision on
the application some time."""
no: Callable[[Asked, Refusal, str], LedgerCommandRefused] = partial(refusal, LedgerCommandRefused)


@dataclass(frozen=True)
class Rules:
    charter: Charter
    stages: Stages
    opened: Callable[[datetime, str, Matter], EntryOpened]
    """How a matter is opened: an application is opened like one, and then goes its own way."""

    def decide(self, command: ApplicationCommand | Wake, state: ApplicationState) -> Events:
        match command, state:
            case Wake(now), _:
                return self.stages.fallen(state, now)
            case Apply(), Unopened():
                return list(self._begin(command))
            case Apply(), WithdrawnEarly():
                return [self._opened(command)]  # in the register, and closed already
            case Withdraw(now), Staged(to) | Completed(to):
                return [withdrawn(to, to.told_as_of(now))]
            case Apply() | Withdraw(), _:
                return []  # already so, or overtaken by what happened since
            case _, Unopened() | WithdrawnEarly():
                detail = wording(
                    "the register has no application {key}; check the number", key=command.asked.key
                )
                return [no(command.asked, Refusal.NO_SUCH_ENTRY, detail)]
            case _, _:
                return list(self._answer(command, state))

    def _begin(self, command: Apply) -> Iterator[ApplicationTold]:
        procedure = self.charter.procedures[command.procedure]
        opened = self._opened(command)
        yield opened
        begun = ProcedureBegun(
            at=command.now,
            station=opened.station,
            entry=command.number,
            procedure=command.procedure,
            stages=procedure.stages,
            upheld_back_to=procedure.upheld_back_to,
        )
        yield begun
        yield self.stages.begin(
            command.now, opened.entry, opened.station or NOBODY, command.procedure, procedure.stages
        )

    def _opened(self, command: Apply) -> EntryOpened:
        """Every stage has its own time; the entry as a whole has none, nor a signature of its own."""
        none = {"due": None, "accept_by": None, "acceptance": None, "citizen": None}
        opened = self.opened(command.now, command.number, command.matter)
        return opened.model_copy(update={**none, "procedure": command.procedure})

    def _answer(self, request: Request, state: ApplicationKnown) -> Iterator[ApplicationTold]:
        if isinstance(request, Verify):
            yield self._verify(request, state)
        elif not isinstance(state, Staged):
            yield not_now(request.asked, state)
        else:
            yield from self._on_the_way(request, state.application)

    def _on_the_way(
        self, request: CompleteStage | RaiseObjection | DecideObjection | RecordProgress, to: Application
    ) -> Iterator[ApplicationTold]:
        match request:
            case CompleteStage():
                objection = self._out_of_place(request, to) or self._not_theirs(request.asked, to)
                objection = objection or self._not_yet(request, to)
                yield from [objection] if objection else self._complete(request, to)
            case RaiseObjection():
                objection = self._too_soon(request, to) or self._heard_already(request.asked, to)
                yield objection or self._raise(request, to)
            case DecideObjection():
                refused = self._undecidable(request, to)
                yield from [refused] if refused else self._decide(request, to)
            case RecordProgress():
                yield self._progress(request, to)

    # Stages

    def _out_of_place(self, request: CompleteStage, to: Application) -> LedgerCommandRefused | None:
        """Plan 2(3): a stage is neither skipped nor done twice, and who tries is recorded."""
        place = to.place(request.stage)
        now = wording("it is in {stage} ({name})", stage=to.stage.id, name=to.stage.name)
        if place is None:
            known = ", ".join(stage.id for stage in to.stages)
            return no(
                request.asked,
                Refusal.OUT_OF_ORDER,
                wording("there is no such stage; there are {known}", known=known),
            )
        if place > to.at_stage:
            return no(request.asked, Refusal.OUT_OF_ORDER, wording("no stage is skipped; {now}", now=now))
        if place < to.at_stage:
            return no(
                request.asked,
                Refusal.ALREADY_DONE,
                wording("this stage is completed already; {now}", now=now),
            )
        return None

    def _not_theirs(self, asked: Asked, to: Application) -> LedgerCommandRefused | None:
        """A station completes its own stages; whoever approves must not be the one who handled it."""
        actor = self.charter.actor(asked.actor)
        role, station = (actor.role, actor.station) if actor else (None, None)
        if role not in to.stage.by:
            detail = wording(
                "{name} is completed by: {by}; ask one of them", name=to.stage.name, by=", ".join(to.stage.by)
            )
            return no(asked, Refusal.NOT_ALLOWED, detail)
        if role is Role.STATION and station != to.station:
            detail = wording(
                "{key} is with {station}; only that station can do this", key=asked.key, station=to.station
            )
            return no(asked, Refusal.NOT_THE_HANDLER, detail)
        if role is not Role.STATION and station == to.station:
            return no(
                asked,
                Refusal.OWN_WORK,
                wording(
                    "{key} is the work of {station}; somebody else decides", key=asked.key, station=station
                ),
            )
        return None

    def _not_yet(self, request: CompleteStage, to: Application) -> LedgerCommandRefused | None:
        asked = request.asked
        if not request.passed and blank(request.note):
            return no(
                asked, Refusal.REASON_MISSING, wording("say why it fails here: the applicant has to be told")
            )
        if to.not_before is not None and request.passed and asked.now < to.not_before:
            until = self.stages.dues.calendar.local_time(to.not_before)
            return no(
                asked, Refusal.TOO_EARLY, wording("the public notice has to stand until {until}", until=until)
            )
        if to.stage.approval and to.objections:
            which = ", ".join(str(each.number) for each in to.objections)
            detail = wording("objection {which} is not decided; decide it first, approval waits", which=which)
            return no(asked, Refusal.OBJECTION_OPEN, detail)
        return None

    def _complete(self, request: CompleteStage, to: Application) -> Iterator[ApplicationTold]:
        yield StageCompleted(
            at=request.asked.now,
            station=to.station,
            entry=to.number,
            stage=to.stage.id,
            by=request.asked.actor,
            passed=request.passed,
            late=to.overdue is not None,
            late_with=to.overdue,
            note=request.note,
            visit=to.visits,
        )
        if not request.passed:
            yield resolved(request, to, Outcome.NOT_FEASIBLE)
        elif to.at_stage + 1 == len(to.stages):
            yield resolved(request, to, Outcome.SOLVED)
        else:
            yield self.stages.next(to, request.asked.now, to.at_stage + 1)

    def _progress(self, request: RecordProgress, to: Application) -> ApplicationTold:
        """As of a matter, by its station and by those that help; how far it is, its stages say."""
        asked = request.asked
        if not self._is_of(asked, to):
            detail = wording(
                "{key} is with {station}; only that station and its co-handlers can do this",
                key=asked.key,
                station=to.station,
            )
            return no(asked, Refusal.NOT_THE_HANDLER, detail)
        if request.interim_answer:
            detail = wording("{key} waits for no interim answer; record it as progress", key=asked.key)
            return no(asked, Refusal.WRONG_STATE, detail)
        if request.percent is not None:
            detail = wording("its progress follows from its stages; leave the percentage out")
            return no(asked, Refusal.WRONG_STATE, detail)
        if blank(request.note):
            return no(asked, Refusal.REASON_MISSING, wording("say how far it has come: others read it"))
        return Progressed(
            at=request.asked.now,
            station=to.station,
            entry=to.number,
            note=request.note,
            by=request.asked.actor,
            evidence=request.evidence,
        )

    # Objections

    def _too_soon(self, request: RaiseObjection, to: Application) -> LedgerCommandRefused | None:
        """From the public notice until the approval."""
        if blank(request.text):
            return no(
                request.asked,
                Refusal.REASON_MISSING,
                wording("say what is wrong: somebody has to decide on it"),
            )
        notice = next((n for n, stage in enumerate(to.stages) if stage.notice_days is not None), 0)
        approvals = [n for n, stage in enumerate(to.stages) if stage.approval]
        approval = max(approvals, default=len(to.stages))
        if to.at_stage < notice:
            detail = wording("{name} has not begun; object once it has", name=to.stages[notice].name)
            return no(request.asked, Refusal.TOO_EARLY, detail)
        if to.at_stage > approval:
            return no(
                request.asked, Refusal.TOO_LATE, wording("it is approved already; submit a complaint instead")
            )
        return None

    def _heard_already(self, asked: Asked, to: Application) -> LedgerCommandRefused | None:
        """An objection stops the approval, so nobody may stop it for ever (a choice of ours; no source rules
        it). Nobody objects to his own work. An official objects once to each way through the stages; a
        channel speaks for many people, and has so many undecided objections at a time."""
        if self._is_of(asked, to):
            detail = wording("{key} is your own work; nobody objects to his own", key=asked.key)
            return no(asked, Refusal.OWN_WORK, detail)
        actor = self.charter.actor(asked.actor)
        speaks_for_many = actor is not None and actor.role in (Role.GATEWAY, Role.FEED)
        if not speaks_for_many and asked.actor in to.objectors:
            detail = wording("you objected already; what is new, tell whoever decides on it")
            return no(asked, Refusal.ALREADY_DONE, detail)
        if sum(each.by == asked.actor for each in to.objections) >= MOST_UNDECIDED:
            detail = wording(
                "{most} objections that you brought are not decided yet; bring the next when one is",
                most=str(MOST_UNDECIDED),
            )
            return no(asked, Refusal.OBJECTION_OPEN, detail)
        return None

    def _raise(self, request: RaiseObjection, to: Application) -> ObjectionRaised:
        return ObjectionRaised(
            at=request.asked.now,
            station=to.station,
            entry=to.number,
            objection=to.raised + 1,
            stage=to.stage.id,
            by=request.asked.actor,
            text=request.text,
            due=self.stages.to_decide(to, request.asked.now, request.asked.actor),
        )

    def _undecidable(self, request: DecideObjection, to: Application) -> LedgerCommandRefused | None:
        asked = request.asked
        if self._is_of(asked, to):
            return no(
                asked,
                Refusal.OWN_WORK,
                wording("{key} is your own work; somebody else has to decide", key=asked.key),
            )
        if blank(request.reason):
            return no(asked, Refusal.REASON_MISSING, wording("say why: whoever objected has to be told"))
        raised = next((each for each in to.objections if each.number == request.objection), None)
        if raised is not None and raised.by == asked.actor:
            return no(
                asked, Refusal.OWN_WORK, wording("you raised this objection; somebody else has to decide it")
            )
        if raised is not None:
            return None
        if request.objection <= to.raised:
            return no(
                asked,
                Refusal.ALREADY_DONE,
                wording("objection {objection} is decided already; it stands", objection=request.objection),
            )
        return no(
            asked,
            Refusal.WRONG_STATE,
            wording("there is no objection {objection}; check its number", objection=request.objection),
        )

    def _decide(self, request: DecideObjection, to: Application) -> Iterator[ApplicationTold]:
        """Upheld while it is there already, or on its way there, it gives that stage no new time."""
        now, back = request.asked.now, to.place(to.upheld_back_to)
        sent_back = back if request.upheld and back is not None and back < to.at_stage else None
        resumes = sent_back is None and len(to.objections) == 1
        yield ObjectionDecided(
            at=now,
            station=to.station,
            entry=to.number,
            objection=request.objection,
            upheld=request.upheld,
            by=request.asked.actor,
            reason=request.reason,
            due=self.stages.resumed(to, now) if resumes else None,
            visit=to.visits,
            late_with=None if sent_back is None else to.overdue,
        )
        if sent_back is not None:
            yield self.stages.next(to, now, sent_back)

    # Verification

    def _verify(self, request: Verify, state: ApplicationKnown) -> ApplicationTold:
        """办结 is not 销号: somebody other than who completed it looks first (domain.md §1).

        Nor who approved it: there another one who may decide verifies.
        """
        asked, actor, to = request.asked, self.charter.actor(request.asked.actor), state.application
        parties = {to.approved_by, state.by if isinstance(state, Completed) else ""}
        roles = self._verifiers(to, parties)
        if asked.actor in parties or self._is_of(asked, to):
            detail = wording(
                "{key} is your own work; somebody else has to verify: {roles}",
                key=asked.key,
                roles=", ".join(sorted(roles)),
            )
            return no(asked, Refusal.OWN_WORK, detail)
        if actor is None or actor.role not in roles:
            detail = wording("only {roles} verify here; ask one of them", roles=", ".join(sorted(roles)))
            return no(asked, Refusal.NOT_ALLOWED, detail)
        if not isinstance(state, Completed):
            return not_now(asked, state)
        if request.passed:
            return struck_off(asked, state)
        if blank(request.reason):
            return no(
                asked, Refusal.REASON_MISSING, wording("say what is missing: the station has to do it again")
            )
        return rejected(request, state)

    def _verifiers(self, to: Application, parties: set[str]) -> set[Role]:
        """Whom the charter names, and those who decide; where all of them are parties to it, who is left."""
        present = (to.stage,) if to.stages else ()  # taken back before it came, it never had a stage
        decided = (role for stage in to.stages if stage.approval or stage in present for role in stage.by)
        named = {*self.charter.matters.verify_roles, *decided} - {Role.STATION}
        free = {
            actor.role
            for token, actor in self.charter.actors.items()
            if token not in parties and actor.station not in (to.station, *to.opened.co_handlers)
        }
        return next((roles for roles in (named, {Role.LEADER}, {Role.OFFICE}) if roles & free), named)

    def _is_of(self, asked: Asked, to: Application) -> bool:
        """Whether it is this actor's own work, as the station's that has it or as one that helps."""
        return self._station_of(asked) in {to.station, *to.opened.co_handlers}

    def _station_of(self, asked: Asked) -> str | None:
        actor = self.charter.actor(asked.actor)
        return actor.station if actor else None
