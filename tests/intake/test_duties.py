"""Who may read a petitioner's data: open duties only, each reading on record, for a few minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from pydantic import TypeAdapter

from duban_contracts import applications, handling, ledger, measures, merging
from duban_contracts.charter import Charter, MatterKind, Role
from duban_contracts.handling import Adjudicated, CoHandlerAdded, EntryReturned
from duban_contracts.intake import (
    Channel,
    Duty,
    IntakeCommandRefused,
    MatterWithdrawn,
    Outcome,
    PetitionerShown,
    ShowPetitioner,
    SubmitMatter,
    WithdrawMatter,
)
from duban_contracts.ledger import (
    EntryAccepted,
    EntryClosedUnsolved,
    EntryKind,
    EntryOpened,
    EntryReopened,
    EntryStruckOff,
    ReopenReason,
)
from duban_contracts.merging import MatterMerged, MatterUnmerged
from duban_contracts.message import Fact, Message, Refusal
from duban_contracts.queries import AnswerGiven, Answers, AskPetitioner, HistoryOf, ToldFact
from duban_contracts.rating import CallbackRecorded, CallbackResult, Level, NegativeRatingReceived
from duban_contracts.readers import Reader
from duban_contracts.reclassifying import EntryReclassified
from duban_contracts.topology import HEARS as LISTENS
from duban_contracts.topology import facts_of
from services.chassis.heard import Heard
from services.chassis.service import Reading
from services.intake.audience import audience
from services.intake.decider import (
    Duties,
    DutiesNoted,
    NoteDuties,
    ReclassificationNoted,
    SubmissionKept,
    intake,
)
from services.intake.decider.duties import changed
from services.intake.decider.situations import Accepted, State, Withdrawn
from services.intake.handlers import HEARS
from services.intake.queries import petitioner
from services.ledger.decider.situations import Handling, Known, Resolved, Returned
from tests.given import Given
from tests.ledger.test_properties import REGISTER, lives

pytestmark = pytest.mark.case("A18")
NOW = datetime(2024, 4, 15, 2, tzinfo=UTC)
ENTRY = "2024-000123"
COMMON: dict[str, Any] = {"at": NOW, "entry": ENTRY}
ROUND: dict[str, Any] = {**COMMON, "round": 1, "station": "qingjieban"}


def opened(**more: Any) -> EntryOpened:
    about = {"title": "t", "category": "garbage", "kind": "help", "channel": "web", "petitioner": "p-1"}
    return EntryOpened(
        **{
            **COMMON,
            **about,
            "submission": "web:1",
            "station": "qingjieban",
            "co_handlers": ("dongcun",),
            **more,
        }
    )


STRUCK_OFF = EntryStruckOff(**COMMON, station="qingjieban", by="office", outcome=Outcome.SOLVED)
NEGATIVE = NegativeRatingReceived(**ROUND, level=Level.DISSATISFIED, callback_by=NOW)
RETURNED = EntryReturned(**COMMON, station="qingjieban", legal_ground="g", was_responsible=True, handovers=1)

ADJUDICATED = Adjudicated(**COMMON, station="bianmin", by="office", reason="r", moved=True)


MERGED = MatterMerged(**COMMON, station="qingjieban", into="2024-000001", by="office", reason="r")
UNMERGED = MatterUnmerged(**COMMON, station="qingjieban", was_into="2024-000001")


def reclassified(**more: Any) -> EntryReclassified:
    about = {"category": "village_accounts", "was": "garbage", "kind": MatterKind.COMPLAINT, "by": "office"}
    of = {"station": "bianmin", "submission": "web:1", "reason": "r", "rule": "r", "moved": True}
    return EntryReclassified(**{**COMMON, **about, **of, **more})


def called(result: CallbackResult) -> CallbackRecorded:
    return CallbackRecorded(**ROUND, result=result)


def commands(message: Message, charter: Charter, actor: str = "-") -> list[tuple[str, Any]]:
    heard = Heard("m1", f"entry/{ENTRY}", message, NOW, actor, actor)
    return list(HEARS[type(message)](heard, charter))


def answer(charter: Charter, facts: list[Fact], actor: str) -> Fact:
    """What comes of `show_petitioner` after these facts were heard."""
    given = Given(intake(charter))
    for fact in facts:
        for key, command in commands(fact, charter):
            if key == f"entry/{ENTRY}":
                given = given(*given.when(command))
            else:
                assert (key, isinstance(fact, EntryReclassified)) == ("web:1", True)
    [(_key, asks)] = commands(ShowPetitioner(reason="联系"), charter, actor)
    [came] = given.when(asks)
    return came


@pytest.mark.parametrize(
    ("facts", "actor", "duty"),
    [
        ([opened()], "qingjieban", Duty.HANDLER),
        ([opened()], "dongcun", Duty.CO_HANDLER),
        ([opened()], "office", None),
        ([opened()], "bianmin", None),
        ([], "qingjieban", Refusal.NO_SUCH_ENTRY),
        ([opened(), STRUCK_OFF], "qingjieban", None),
        ([opened(), STRUCK_OFF], "office", None),
        ([opened(), STRUCK_OFF, NEGATIVE], "office", Duty.CALLBACK),
        ([NEGATIVE, opened(), STRUCK_OFF], "office", Duty.CALLBACK),
        ([opened(), STRUCK_OFF, NEGATIVE, called(CallbackResult.NOT_REACHED)], "office", Duty.CALLBACK),
        ([opened(), STRUCK_OFF, NEGATIVE, called(CallbackResult.UNFOUNDED)], "office", None),
        ([opened(), STRUCK_OFF, NEGATIVE], "bianmin", None),
        (
            [opened(), STRUCK_OFF, EntryReopened(**ROUND, reason=ReopenReason.OFFICE)],
            "qingjieban",
            Duty.HANDLER,
        ),
        ([opened(), EntryAccepted(**COMMON, station="bianmin", taken_over=True)], "bianmin", Duty.HANDLER),
        ([opened(), EntryAccepted(**COMMON, station="bianmin", taken_over=True)], "qingjieban", None),
        ([opened(), RETURNED], "office", Duty.ASSIGNMENT),
        ([opened(), RETURNED], "qingjieban", None),
        (
            [
                opened(),
                RETURNED,
                Adjudicated(**COMMON, station="bianmin", by="office", reason="r", moved=True),
            ],
            "bianmin",
            Duty.HANDLER,
        ),
        ([opened(), RETURNED.model_copy(update={"was_responsible": False})], "qingjieban", Duty.HANDLER),
        (
            [opened(), CoHandlerAdded(**COMMON, station="qingjieban", co_handler="bianmin", by="office")],
            "bianmin",
            Duty.CO_HANDLER,
        ),
        ([opened(), reclassified()], "bianmin", Duty.HANDLER),
        ([opened(), reclassified()], "qingjieban", None),
        ([opened(), reclassified()], "dongcun", None),
        ([opened(), reclassified(co_handlers=("dongcun",))], "dongcun", Duty.CO_HANDLER),
        ([opened(), reclassified(submission=None)], "qingjieban", None),
        ([opened(), RETURNED, reclassified()], "office", None),
        ([opened(), MERGED], "qingjieban", None),
        ([opened(), MERGED], "dongcun", None),
        ([opened(), MERGED, UNMERGED], "qingjieban", Duty.HANDLER),
        ([opened(), MERGED, UNMERGED], "dongcun", Duty.CO_HANDLER),
        (
            [opened(), RETURNED, MERGED, UNMERGED.model_copy(update={"station": None})],
            "office",
            Duty.ASSIGNMENT,
        ),
        (
            [opened(), EntryClosedUnsolved(**COMMON, station="qingjieban", outcome=Outcome.WITHDRAWN)],
            "qingjieban",
            None,
        ),
    ],
)
def test_only_an_open_duty_is_shown_who_asks(
    township: Charter, facts: list[Fact], actor: str, duty: Duty | Refusal | None
) -> None:
    came = answer(township, facts, actor)
    if isinstance(duty, Duty):
        assert came == PetitionerShown(
            at=NOW,
            station=actor,
            entry=ENTRY,
            submission="web:1",
            by=actor,
            duty=duty,
            reason="联系",
            until=NOW + timedelta(minutes=15),
        )
    else:
        assert isinstance(came, IntakeCommandRefused)
        assert came.reason is (duty or Refusal.NO_OPEN_DUTY)


@pytest.mark.parametrize(
    "fact",
    [
        EntryAccepted(**COMMON, station="qingjieban"),
        STRUCK_OFF.model_copy(update={"entry_kind": EntryKind.MEASURE}),
    ],
)
def test_what_changes_no_duty_is_not_even_stored(township: Charter, fact: Fact) -> None:
    assert commands(fact, township) == []


def test_duties_are_kept_and_never_told(township: Charter) -> None:
    [(_key, command)] = commands(opened(), township)
    [noted] = Given(intake(township)).when(command)
    assert isinstance(noted, DutiesNoted)
    assert noted.type.startswith("kept:")


SHOWN = PetitionerShown(
    at=NOW, station="a", entry=ENTRY, submission="web:1", by="a", duty=Duty.HANDLER, reason="r",
    until=NOW + timedelta(minutes=15),
)  # fmt: skip


def reading(shown: PetitionerShown, now: datetime, actor: str = "a", **petitioner: Any) -> Reading:
    async def history(_reader: object, question: HistoryOf) -> Answers:
        """Two pages, the reading on the second."""
        if question.after is None:
            return Answers(answers=(), next="2")
        told = ToldFact(type=shown.type, time="", data=shown.model_dump_json())
        return Answers(answers=(AnswerGiven(key=question.key, message="m1", facts=(told,)),))

    async def states(_name: str, keys: Any) -> dict[str, tuple[int, State]]:
        person = {"name": "王小明", "phone": "13957146280", **petitioner}
        matter = SubmitMatter.model_validate(
            {
                "title": "王小明投诉",
                "category": "garbage",
                "text": "我是王小明",
                "petitioner": person,
                "channel": "web",
            }
        )
        kept = SubmissionKept(at=NOW, submitted=matter, source="gateway")
        return {"web:1": (1, Accepted(kept, "qingjieban"))} if list(keys) == ["web:1"] else {}

    return Reading(None, states, Charter.model_construct(), lambda: now, history, Reader(actor, Role.STATION))


QUESTION = AskPetitioner(entry=ENTRY)


async def test_after_a_reading_is_on_record_the_whole_is_answered() -> None:
    read = (await petitioner(reading(SHOWN, NOW), QUESTION)).read
    assert read is not None
    assert read.petitioner is not None
    assert (read.petitioner.name, read.petitioner.phone) == ("王小明", "13957146280")
    assert (read.title, read.text, read.channel) == ("王小明投诉", "我是王小明", Channel.WEB)


async def test_nothing_is_answered_later_or_to_anybody_else() -> None:
    assert (await petitioner(reading(SHOWN, SHOWN.until), QUESTION)).read is None
    assert (await petitioner(reading(SHOWN, NOW, actor="b"), QUESTION)).read is None


@pytest.mark.parametrize("duty", Duty)
async def test_who_wants_to_stay_unnamed_is_shown_to_the_office_alone(duty: Duty) -> None:
    shown = SHOWN.model_copy(update={"duty": duty})
    read = (await petitioner(reading(shown, NOW, confidential=True), QUESTION)).read
    assert read is not None
    if duty in (Duty.CALLBACK, Duty.ASSIGNMENT):
        assert read.petitioner is not None
    else:
        assert (read.petitioner, read.withheld) == (None, True)
        assert (read.title, read.text) == ("某某投诉", "我是某某")


def test_an_entry_that_is_noted_is_no_submission(township: Charter) -> None:
    state = Duties(DutiesNoted(at=NOW, submission="web:1"))
    assert Given(intake(township), (state.noted,)).state == state


MOVE_THE_DUTY: dict[type[Fact], str] = {
    EntryOpened: "it begins with the station and the co-handlers",
    EntryAccepted: "whoever takes over a transferred entry has it",
    EntryReturned: "the station before has it again, or nobody has",
    Adjudicated: "it was decided whose it is",
    CoHandlerAdded: "one more helps",
    EntryReclassified: "the lead of the new category has it",
    MatterMerged: "nobody has it by itself any more",
    MatterUnmerged: "its station has it again",
    EntryStruckOff: "it ended",
    EntryClosedUnsolved: "it ended",
    EntryReopened: "it goes on",
}
"""Facts of the ledger that change who handles an entry, and how."""
KEEP_THE_DUTY: frozenset[type[Fact]] = frozenset(
    {
        # Asked to take over: whoever has it keeps it until the other accepts.
        handling.EntryTransferred,
        handling.TransferLapsed,
        handling.PingPongDetected,
        # Done and looked at, with the same station.
        ledger.ProgressRecorded,
        ledger.EntryResolved,
        ledger.VerificationRejected,
        handling.EntryReportedUp,
        handling.EntryRecurred,
        # Clocks.
        ledger.AcceptanceOverdue,
        ledger.EntryDueSoon,
        ledger.EntryOverdue,
        handling.InterimAnswerOverdue,
        handling.CitizenOverdue,
        handling.ExtensionApplied,
        handling.ExtensionDecided,
        handling.EntryHeld,
        handling.EntryResumed,
        handling.DeadlineRecomputed,
        # Of other entries that are linked with it; what that means for this one is told by a fact above.
        merging.DuplicateSuspected,
        merging.MergeLinked,
        merging.SurvivorEnded,
        # An application stays with its station through all stages.
        applications.ProcedureBegun,
        applications.StageBegun,
        applications.StageCompleted,
        applications.StageOverdue,
        applications.ObjectionRaised,
        applications.ObjectionOverdue,
        applications.ObjectionDecided,
        # Measures of the plan have no petitioner.
        measures.PlanApplied,
        measures.MeasureOpened,
        measures.MeasureChanged,
        measures.MeasureRetired,
        measures.MilestoneMet,
        measures.MilestoneMissed,
        measures.OccurrenceReported,
        measures.OccurrenceMissed,
        # Told to the sender of a command.
        ledger.LedgerCommandRefused,
        ledger.LedgerPersonalDataMasked,
    }
)


def test_each_fact_of_the_ledger_moves_the_duty_or_keeps_it() -> None:
    assert set(facts_of("ledger")) == MOVE_THE_DUTY.keys() | KEEP_THE_DUTY
    assert not MOVE_THE_DUTY.keys() & KEEP_THE_DUTY


def test_intake_hears_each_fact_that_moves_a_duty() -> None:
    heard = {fact for fact in LISTENS["intake"] if fact.service == "ledger"}
    assert heard == MOVE_THE_DUTY.keys()
    assert heard <= HEARS.keys()


@for_all(lives())
def test_intake_and_ledger_agree_about_who_handles_an_entry(township: Charter, steps: list[Any]) -> None:
    register, state, duties = REGISTER, REGISTER.initial_state, Given(intake(township))
    for command in steps:
        now = command.asked.now if hasattr(command, "asked") else command.now
        events, state = register.answer(command, now, state)
        for fact in events:
            for _key, noted in commands(fact, township) if type(fact) in HEARS else ():
                duties = duties(*(duties.when(noted) if isinstance(noted, NoteDuties) else ()))
        if isinstance(state, Known):
            noted = duties.state.noted
            assert noted.open is isinstance(state, Handling | Returned | Resolved)
            assert (noted.handler, noted.co_handlers) == (state.entry.holder, state.entry.co_handlers)
            assert noted.restricted is state.entry.opened.restricted


MATTER = SubmissionKept(at=NOW, submitted=SubmitMatter(title="t", category="garbage"), source="gateway")


def withdrawn_after(charter: Charter, *facts: EntryReclassified) -> tuple[Given, MatterWithdrawn]:
    given = Given(intake(charter), (MATTER, *Given(intake(charter)).when(submitting(charter))[1:]))
    for fact in facts:
        for key, command in commands(fact, charter):
            given = given(*given.when(command)) if key == "web:1" else given
    heard = Heard("m2", "web:1", WithdrawMatter(reason="r"), NOW, "gateway", "gateway")
    [(_key, withdraw)] = list(HEARS[WithdrawMatter](heard, charter))
    [withdrawn] = given.when(withdraw)
    assert isinstance(withdrawn, MatterWithdrawn)
    return given(withdrawn), withdrawn


def submitting(charter: Charter) -> Any:
    heard = Heard("m0", "web:1", SubmitMatter(title="t", category="garbage"), NOW, "gateway", "gateway")
    [(_key, command)] = list(HEARS[SubmitMatter](heard, charter))
    return command


def test_what_became_a_conduct_matter_is_withdrawn_restricted(township: Charter) -> None:
    given, withdrawn = withdrawn_after(township, reclassified(restricted=True))
    assert withdrawn.station == "bianmin"
    assert isinstance(given.state, Withdrawn)
    told_to = audience(township)(given.state)
    assert told_to is not None
    assert (told_to.restricted, told_to.channel) == (True, "gateway")


def test_what_was_reclassified_otherwise_is_withdrawn_openly(township: Charter) -> None:
    given, withdrawn = withdrawn_after(township, reclassified())
    told_to = audience(township)(given.state)
    assert told_to is not None
    assert (withdrawn.station, told_to.restricted) == ("bianmin", False)


def test_a_conduct_matter_stays_one(township: Charter) -> None:
    given, _ = withdrawn_after(township, reclassified(restricted=True), reclassified(station="qingjieban"))
    told_to = audience(township)(given.state)
    assert told_to is not None
    assert told_to.restricted


def test_a_reading_of_what_became_a_conduct_matter_is_told_restricted(township: Charter) -> None:
    given = Given(intake(township))
    for fact in (opened(), reclassified(restricted=True)):
        given = given(*given.when(commands(fact, township)[0][1]))
    told_to = audience(township)(given.state)
    assert told_to is not None
    assert told_to.restricted


def test_a_reclassification_heard_twice_is_stored_once(township: Charter) -> None:
    fact = reclassified(restricted=True)
    once, _ = withdrawn_after(township, fact)
    twice, _ = withdrawn_after(township, fact, fact)
    kept = [each for each in twice.history if isinstance(each, ReclassificationNoted)]
    assert (len(kept), twice.state) == (1, once.state)
    assert kept[0].type.startswith("kept:")


def test_what_an_earlier_release_stored_of_a_reclassified_matter_opens() -> None:
    told = reclassified(submission=None).model_dump(exclude_none=True)
    assert EntryReclassified.model_validate(told).submission is None
    old = {"kept": MATTER.model_dump(exclude_none=True), "station": "qingjieban"}
    assert TypeAdapter(Accepted).validate_python(old) == Accepted(MATTER, "qingjieban", restricted=False)
    assert TypeAdapter(Withdrawn).validate_python({"kept": old["kept"]}) == Withdrawn(MATTER)


def test_a_first_opening_that_comes_after_the_closing_leaves_no_duty_open() -> None:
    opened = EntryOpened.model_construct(
        submission="s", station="qingjieban", co_handlers=(), restricted=False
    )
    before = DutiesNoted(at=NOW)
    closed = before.model_copy(update=changed(EntryClosedUnsolved.model_construct(), before))
    late = closed.model_copy(update=changed(opened, closed))
    assert (late.submission, late.open) == ("s", False)
    again = late.model_copy(update=changed(EntryReopened.model_construct(station="jiwei"), late))
    assert (again.handler, again.open) == ("jiwei", True)
