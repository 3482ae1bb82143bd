"""What follows from each command about a measure, in each of its situations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from duban_contracts.charter import Charter
from duban_contracts.ledger import LedgerCommandRefused, ProgressRecorded
from duban_contracts.measures import MilestoneMet, OccurrenceReported
from duban_contracts.message import Refusal
from duban_contracts.plan import Counted, Milestones, OneOff, Recurring
from services.chassis.decider import Asked, Wake
from services.chassis.wording import wording
from services.ledger.decider import (
    OF_THE_HANDLER,
    RecordProgress,
    Resolve,
    Unopened,
    Verify,
    blank,
    impartial,
)
from services.ledger.measures.clocks import Clocks
from services.ledger.measures.closings import how, no, not_now, rejected, resolved, struck_off, unfinished
from services.ledger.measures.commands import (
    Carry,
    MeasureCommand,
    MeetMilestone,
    ReportCount,
    ReportOccurrence,
    Request,
    Retire,
    Want,
)
from services.ledger.measures.situations import (
    MeasureKnown,
    MeasureState,
    MeasureTold,
    Retired,
    SaidDone,
    Underway,
    Work,
)
from services.ledger.measures.wants import Wants

Events = Sequence[MeasureTold]


@dataclass(frozen=True)
class Rules:
    charter: Charter
    clocks: Clocks
    wants: Wants

    def decide(self, command: MeasureCommand | Wake, state: MeasureState) -> Events:
        match command, state:
            case Wake(now), _:
                return self.clocks.fallen(state, now)
            case Want(), Unopened():
                return self.wants.opened(command)
            case Want(), Retired():
                return self.wants.opened(command, state)
            case Want(), Underway() | SaidDone():
                return self.wants.changed(command, state)
            case Retire(), Unopened() | Retired() | Underway() | SaidDone():
                return self.wants.retired(command, state)
            case Want() | Retire(), _:
                return []  # what was achieved stays achieved
            case _, Unopened() | Retired():
                detail = wording(
                    "the register has no open measure {key}; check the number", key=command.asked.key
                )
                return [no(command.asked, Refusal.NO_SUCH_ENTRY, detail)]
            case _, _:
                return self.answer(command, state)

    def answer(self, request: Request, state: MeasureKnown) -> Events:
        match request, state:
            case Verify(), _:
                return [self.verify(request, state)]
            case _, Underway(work):
                return [self.not_theirs(request, work) or unsaid(request) or self.carry(request, work)]
            case _:
                return [not_now(request.asked, state)]

    # What the responsible stations do

    def not_theirs(self, request: Carry | Resolve, work: Work) -> LedgerCommandRefused | None:
        """Every responsible station carries; only the lead says that it is done (主办, domain.md §1)."""
        may = work.planned.stations[:1] if isinstance(request, Resolve) else work.planned.stations
        if self.station_of(request.asked) in may:
            return None
        detail = wording(
            "{key} is the work of {may}; only they can do this", key=request.asked.key, may=", ".join(may)
        )
        return no(request.asked, Refusal.NOT_THE_HANDLER, detail)

    def carry(self, request: Carry | Resolve, work: Work) -> MeasureTold:
        match request:
            case RecordProgress():
                return self.progress(request, work)
            case ReportCount():
                return self.count(request, work)
            case MeetMilestone():
                return self.meet(request, work)
            case ReportOccurrence():
                return self.occur(request, work)
            case Resolve(outcome=outcome) if outcome not in OF_THE_HANDLER:
                detail = wording(
                    "a plan's measure is not taken back; resolve it as {of_the_handler}",
                    of_the_handler=", ".join(OF_THE_HANDLER),
                )
                return no(request.asked, Refusal.NOT_ALLOWED, detail)
            case Resolve():
                return unfinished(request, work, self.clocks.coming(work)) or resolved(request, work)

    def progress(self, request: RecordProgress, work: Work) -> MeasureTold:
        if request.percent is not None and not isinstance(work.planned.shape, OneOff):
            detail = wording("its progress follows from what is reported; leave the percentage out")
            return no(request.asked, Refusal.WRONG_STATE, detail)
        return ProgressRecorded(
            at=request.asked.now,
            station=work.station,
            entry=work.number,
            note=request.note,
            percent=request.percent,
            by=request.asked.actor,
            evidence=request.evidence,
        )

    def count(self, request: ReportCount, work: Work) -> MeasureTold:
        shape = work.planned.shape
        if not isinstance(shape, Counted):
            return no(
                request.asked,
                Refusal.WRONG_STATE,
                wording("this measure counts nothing; {advice}", advice=how(work)),
            )
        done = work.done + request.count
        return ProgressRecorded(
            at=request.asked.now,
            station=work.station,
            entry=work.number,
            note=request.note,
            percent=min(100, 100 * done // shape.target),
            by=request.asked.actor,
            evidence=request.evidence,
            done=done,
        )

    def meet(self, request: MeetMilestone, work: Work) -> MeasureTold:
        """One after the other, each once, with evidence (domain.md 1(2)b)."""
        asked, shape = request.asked, work.planned.shape
        if not isinstance(shape, Milestones):
            return no(
                asked,
                Refusal.WRONG_STATE,
                wording("this measure has no milestones; {advice}", advice=how(work)),
            )
        if request.milestone in work.met:
            return no(
                asked,
                Refusal.ALREADY_DONE,
                wording(
                    "milestone {milestone} is met already; {advice}",
                    milestone=request.milestone,
                    advice=how(work),
                ),
            )
        following = next((each for each in shape.milestones if each.id not in work.met), None)
        if following is None or following.id != request.milestone:
            return no(
                asked,
                Refusal.OUT_OF_ORDER,
                wording(
                    "{milestone} is not the next one; {advice}", milestone=request.milestone, advice=how(work)
                ),
            )
        if not request.evidence:
            return no(
                asked, Refusal.EVIDENCE_MISSING, wording("name the evidence, such as photos or an acceptance")
            )
        due = self.clocks.due_of_milestone(work, following.id, following.due) if following.due else None
        return MilestoneMet(
            at=asked.now,
            station=work.station,
            entry=work.number,
            milestone=following.id,
            name=following.name,
            percent=replace(work, met=(*work.met, following.id)).percent,
            note=request.note,
            evidence=request.evidence,
            late=None if due is None else asked.now >= due.late_from,
        )

    def occur(self, request: ReportOccurrence, work: Work) -> MeasureTold:
        """日产日清: for every place on every day, until that day's time is over (domain.md 1(2)a)."""
        asked, shape = request.asked, work.planned.shape
        if not isinstance(shape, Recurring):
            return no(
                asked, Refusal.WRONG_STATE, wording("this measure does not recur; {advice}", advice=how(work))
            )
        day = request.day or self.clocks.today(asked.now)
        if request.village not in work.places():
            places = ", ".join(str(place) for place in work.places())
            return no(
                asked,
                Refusal.UNKNOWN_VILLAGE,
                wording("it does not recur there; name one of: {places}", places=places),
            )
        if day > self.clocks.today(asked.now):
            return no(
                asked, Refusal.TOO_EARLY, wording("{day} has not come yet; report it on its day", day=day)
            )
        if request.village in work.reported_on(day):
            return no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{day} is reported for this place already; go on tomorrow", day=day),
            )
        last = work.planned.last_day
        if asked.now >= self.clocks.closes(shape, day) or (last is not None and day > last):
            return no(
                asked,
                Refusal.TOO_LATE,
                wording("the time to report {day} is over; only its own day counts", day=day),
            )
        if work.next_day is None or day < work.next_day:
            detail = wording(
                "{day} does not count; report it from {next_day} on, each day on its own",
                day=day,
                next_day=work.next_day,
            )
            return no(asked, Refusal.TOO_EARLY, detail)
        if not self.clocks.occurs_on(shape, day):
            return no(
                asked,
                Refusal.WRONG_STATE,
                wording("nothing is due on {day}; it recurs on working days only", day=day),
            )
        return OccurrenceReported(
            at=asked.now,
            station=work.station,
            entry=work.number,
            day=day,
            village=request.village,
            note=request.note,
            evidence=request.evidence,
            complete=self.clocks.missing(work, day) == [request.village],
        )

    # What an inspection says

    def verify(self, request: Verify, state: MeasureKnown) -> MeasureTold:
        """Accepted by inspection: by the office, and never by a station that is responsible for it."""
        asked, work = request.asked, state.work
        if self.station_of(asked) in work.planned.stations:
            detail = wording(
                "{key} is the work of {station}; somebody else has to inspect it",
                key=asked.key,
                station=self.station_of(asked),
            )
            return no(asked, Refusal.OWN_WORK, detail)
        actor = self.charter.actor(asked.actor)
        roles = impartial(self.charter, self.charter.matters.verify_roles, work.planned.stations)
        if actor is None or actor.role not in roles:
            return no(
                asked,
                Refusal.NOT_ALLOWED,
                wording("only {roles} inspect here; ask one of them", roles=", ".join(roles)),
            )
        if not isinstance(state, SaidDone):
            return not_now(asked, state)
        if request.passed:
            return struck_off(asked, state)
        if blank(request.reason):
            detail = wording("say what is missing: the station has to know what to do again")
            return no(asked, Refusal.REASON_MISSING, detail)
        return rejected(request, state)

    def station_of(self, asked: Asked) -> str | None:
        actor = self.charter.actor(asked.actor)
        return actor.station if actor else None


def unsaid(request: Carry | Resolve) -> LedgerCommandRefused | None:
    """Blank words say nothing, and a blank name is no evidence. A report of an occurrence needs no words."""
    words = request.answer if isinstance(request, Resolve) else request.note
    if blank(words) and not isinstance(request, ReportOccurrence):
        detail = wording("say in a few words what was done; blanks say nothing")
        return no(request.asked, Refusal.REASON_MISSING, detail)
    if not isinstance(request, Resolve) and any(map(blank, request.evidence)):
        detail = wording("name each piece of evidence, such as a photo number; a blank name proves nothing")
        return no(request.asked, Refusal.EVIDENCE_MISSING, detail)
    return None
