"""Who may read a petitioner's data: open duties only, each reading on record, for a few minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from duban_contracts.charter import Charter, Role
from duban_contracts.handling import Adjudicated, CoHandlerAdded, EntryReturned
from duban_contracts.intake import (
    Channel,
    Duty,
    IntakeCommandRefused,
    Outcome,
    PetitionerShown,
    ShowPetitioner,
    SubmitMatter,
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
from duban_contracts.message import Fact, Message, Refusal
from duban_contracts.queries import AnswerGiven, Answers, AskPetitioner, HistoryOf, ToldFact
from duban_contracts.rating import CallbackRecorded, CallbackResult, Level, NegativeRatingReceived
from duban_contracts.readers import Reader
from services.chassis.decider import Refuse
from services.chassis.heard import Heard
from services.chassis.service import Reading
from services.intake.decider import Duties, DutiesNoted, SubmissionKept, intake
from services.intake.decider.situations import Accepted, State
from services.intake.handlers import HEARS
from services.intake.queries import petitioner
from tests.given import Given

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
            assert key == f"entry/{ENTRY}"
            given = given(*given.when(command))
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


def test_a_submission_cannot_take_the_key_of_an_entry(township: Charter) -> None:
    [(_key, refuse)] = commands(SubmitMatter(title="t", category="garbage"), township, "gateway")
    assert isinstance(refuse, Refuse)
    assert refuse.reason is Refusal.WRONG_STATE


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
