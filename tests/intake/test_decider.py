"""What intake decides, by the township's own charter."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter

from duban_contracts.charter import Charter, Limit, MatterKind
from duban_contracts.intake import (
    DeclineReason,
    IntakeCommandRefused,
    MatterAccepted,
    MatterDeclined,
    MatterIncomplete,
    MatterWithdrawn,
    Outcome,
    PastOutcome,
    Petitioner,
    Priority,
    StoredOutcome,
    SubmitMatter,
)
from duban_contracts.message import CATALOGUE, Refusal
from services.chassis.charter_file import read_charter
from services.chassis.decider import KEPT, Asked, Wake
from services.intake.decider import Decline, SubmissionKept, Submit, Supplement, Withdraw, intake
from tests.given import Given

TOWN = read_charter(Path(__file__).parents[2] / "deploy/charters/township-2024.yaml")
KEY = "hotline:4711"
NOW = datetime(2024, 4, 15, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
MARK = "张三-13800000000"

intake_of_town = intake(TOWN)
given = Given(intake_of_town)


def asked(now: datetime = NOW, actor: str = "gateway", command: str = "submit_matter") -> Asked:
    return Asked(now, actor, KEY, command)


def matter(category: str = "garbage", **fields: object) -> SubmitMatter:
    return SubmitMatter.model_validate({"title": "垃圾无人清运", "category": category, **fields})


def submit(submitted: SubmitMatter, source: str = "gateway", charter: Charter = TOWN) -> list[object]:
    """What is told; what is kept comes before it."""
    kept, *told = Given(intake(charter)).when(Submit(asked(), submitted, source))
    assert kept == SubmissionKept(at=NOW, submitted=submitted, source=source)
    return told


def accepted(submitted: SubmitMatter, source: str = "gateway", charter: Charter = TOWN) -> MatterAccepted:
    [fact] = submit(submitted, source, charter)
    assert isinstance(fact, MatterAccepted)
    return fact


def reason_of(events: Sequence[Any]) -> Refusal:
    [event] = events
    assert isinstance(event, IntakeCommandRefused)
    assert len(event.detail.split()) > 3, "a refusal says what to do"
    return event.reason


def history(submitted: SubmitMatter, *commands: object) -> list[object]:
    events = list(given.when(Submit(asked(), submitted, "gateway")))
    for command in commands:
        events += given(*events).when(command)
    return events


INCOMPLETE = matter("minimum_living", materials=["身份证"])
WITHDRAW = Withdraw(asked(LATER, command="withdraw_matter"), "已解决")
DECLINE = Decline(asked(LATER, "office", "decline_matter"), DeclineReason.COURT, "请向法院起诉")


def supplement(*materials: str) -> Supplement:
    return Supplement(asked(LATER, command="supplement_matter"), materials)


def test_a_complete_matter_goes_to_the_lead_of_its_category_within_its_limit() -> None:
    fact = accepted(matter(village="dongcun"))
    assert fact.station == "qingjieban"
    assert fact.limit == Limit(amount=1)
    assert fact.kind is MatterKind.HELP
    assert (fact.at, fact.submission, fact.village, fact.source) == (NOW, KEY, "dongcun", "gateway")
    assert "qingjieban leads category garbage" in fact.rule
    assert "1 working day for category garbage (Plan 1(2)" in fact.rule


def test_without_a_limit_of_its_own_a_category_takes_the_limit_of_the_kind() -> None:
    fact = accepted(matter("rural_road", kind="consult"))
    assert fact.limit == TOWN.matters.limits[MatterKind.CONSULT]
    assert "3 working days for kind consult" in fact.rule


def test_without_any_limit_there_is_none() -> None:
    rules = TOWN.matters.model_copy(update={"limits": {}})
    fact = accepted(matter("rural_road"), charter=TOWN.model_copy(update={"matters": rules}))
    assert fact.limit is None
    assert "no time limit" in fact.rule


@pytest.mark.parametrize("flag", ["urgent", "safety", "hardship"])
def test_urgent_safety_and_hardship_matters_come_first_and_by_the_urgent_limit(flag: str) -> None:
    fact = accepted(matter("rural_road", **{flag: True}))
    assert fact.priority is Priority.URGENT
    assert fact.limit == TOWN.matters.urgent


def test_any_other_matter_is_of_normal_priority() -> None:
    assert accepted(matter("rural_road")).priority is Priority.NORMAL


def test_what_was_solved_at_once_or_came_before_is_passed_on() -> None:
    fact = accepted(matter(solved_on_the_spot="已清运", recurs="2024-000123"))
    assert (fact.solved_on_the_spot, fact.recurs) == ("已清运", "2024-000123")


def test_where_the_charter_has_no_urgent_limit_an_urgent_matter_keeps_the_ordinary_one() -> None:
    rules = TOWN.matters.model_copy(update={"urgent": None})
    fact = accepted(matter(urgent=True), charter=TOWN.model_copy(update={"matters": rules}))
    assert (fact.priority, fact.limit) == (Priority.URGENT, TOWN.categories["garbage"].limit)


def test_urgency_shortens_no_limit_of_an_application_whose_stages_have_their_own() -> None:
    material = TOWN.categories["minimum_living"].required
    fact = accepted(matter("minimum_living", hardship=True, materials=material))
    assert (fact.priority, fact.limit) == (Priority.URGENT, TOWN.categories["minimum_living"].limit)


def test_a_named_station_leads_and_is_not_its_own_co_handler() -> None:
    assert accepted(matter("littering")).co_handlers == ("xincunban",)
    fact = accepted(matter("littering", station="xincunban"), source="import")
    assert (fact.station, fact.co_handlers) == ("xincunban", ())
    assert "named by import" in fact.rule


def test_a_day_set_elsewhere_is_passed_on_with_who_set_it() -> None:
    fact = accepted(matter(due_on="2024-05-01"), source="import")
    assert fact.due_on == date(2024, 5, 1)
    assert "due on 2024-05-01 as set elsewhere by import" in fact.rule


def test_conduct_matters_are_restricted() -> None:
    assert accepted(matter("conduct")).restricted
    assert not accepted(matter()).restricted


def test_everything_that_is_missing_is_told_at_once() -> None:
    assert submit(INCOMPLETE) == [
        MatterIncomplete(
            at=NOW, station="minzheng", submission=KEY, missing=("书面申请", "家庭经济状况授权书")
        )
    ]


def test_hardship_without_its_material_is_incomplete_and_not_declined() -> None:
    [fact] = submit(matter("minimum_living", hardship=True))
    assert isinstance(fact, MatterIncomplete)


def test_a_case_closed_elsewhere_needs_no_material() -> None:
    past = PastOutcome(outcome=Outcome.SOLVED, closed_at=LATER)
    kept = StoredOutcome.model_validate(past.model_dump())
    assert accepted(matter("minimum_living", past=past), source="import").past == kept


def test_the_missing_material_completes_a_submission() -> None:
    before = history(INCOMPLETE)
    [fact] = given(*before).when(supplement("书面申请", " 家庭经济状况授权书 "))
    assert isinstance(fact, MatterAccepted)
    assert (fact.at, fact.title, fact.station) == (LATER, INCOMPLETE.title, "minzheng")


@pytest.mark.parametrize(
    "line", ["书面申请、家庭经济状况授权书", "家庭经济状况授权书，书面申请", "书面申请;家庭经济状况授权书"]
)
def test_material_may_be_listed_in_one_line_as_it_was_told_to_be_missing(line: str) -> None:
    [fact] = given(*history(INCOMPLETE)).when(supplement(line))
    assert isinstance(fact, MatterAccepted)


def test_what_is_accepted_says_when_it_first_came_in_and_by_which_revision_it_was_decided() -> None:
    town = TOWN.model_copy(update={"revision": 7})
    at_once = accepted(matter(), charter=town)
    assert (at_once.submitted_at, at_once.revision) == (NOW, 7)
    under = Given(intake(town))(*history(INCOMPLETE))
    [fact] = under.when(supplement("书面申请", "家庭经济状况授权书"))
    assert (fact.at, fact.submitted_at, fact.revision) == (LATER, NOW, 7)


def test_what_is_still_missing_is_the_rest_of_what_was_told() -> None:
    before = history(INCOMPLETE, supplement("书面申请"))
    assert before[-1] == MatterIncomplete(
        at=LATER, station="minzheng", submission=KEY, missing=("家庭经济状况授权书",)
    )
    [fact] = given(*before).when(supplement("家庭经济状况授权书"))
    assert isinstance(fact, MatterAccepted)


def test_nothing_new_is_asked_for_after_the_charter_changed() -> None:
    stricter = TOWN.categories["minimum_living"].model_copy(update={"required": ("户口簿",)})
    town = TOWN.model_copy(update={"categories": {**TOWN.categories, "minimum_living": stricter}})
    [fact] = Given(intake(town))(*history(INCOMPLETE)).when(supplement("书面申请", "家庭经济状况授权书"))
    assert isinstance(fact, MatterAccepted)


def test_a_category_that_left_the_charter_meanwhile_is_refused() -> None:
    rest = {name: each for name, each in TOWN.categories.items() if name != "minimum_living"}
    town = TOWN.model_copy(update={"categories": rest})
    later = Given(intake(town))(*history(INCOMPLETE))
    assert reason_of(later.when(supplement("书面申请", "家庭经济状况授权书"))) is Refusal.UNKNOWN_CATEGORY


def test_a_matter_is_submitted_once() -> None:
    again = Submit(asked(LATER), matter(), "gateway")
    for before in (history(matter()), history(INCOMPLETE), history(INCOMPLETE, DECLINE)):
        assert reason_of(given(*before).when(again)) is Refusal.ALREADY_DONE


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (history(matter()), "in the register already, where its number is found by this key"),
        (history(INCOMPLETE), "lacks 书面申请, 家庭经济状况授权书; supplement it"),
        (history(INCOMPLETE, DECLINE), "is used already; submit another matter"),
    ],
)
def test_the_refusal_of_a_taken_key_advises_only_what_can_be_done(before: list[object], words: str) -> None:
    [event] = given(*before).when(Submit(asked(LATER), matter(), "gateway"))
    assert f"{KEY} is " in event.detail
    assert words in event.detail
    assert event.detail.endswith("another key")


def test_material_that_is_not_missing_is_told_and_not_swallowed() -> None:
    [event] = given(*history(INCOMPLETE)).when(supplement("身份证"))
    assert event.reason is Refusal.INCOMPLETE
    assert event.detail.endswith("as it is written here: 书面申请, 家庭经济状况授权书")


def test_more_than_is_missing_may_be_brought() -> None:
    [event] = given(*history(INCOMPLETE)).when(supplement("书面申请", "家庭经济状况授权书", "身份证"))
    assert isinstance(event, MatterAccepted)


def test_who_submits_under_a_taken_key_learns_nothing_of_it() -> None:
    again = Submit(asked(LATER, "qingjieban"), matter(), "qingjieban")
    for before in (history(matter()), history(INCOMPLETE), history(matter(), WITHDRAW)):
        [event] = given(*before).when(again)
        assert event.reason is Refusal.NOT_ALLOWED
        assert "supplement" not in event.detail


@pytest.mark.parametrize("before", [history(matter()), history(INCOMPLETE), history(matter(), WITHDRAW)])
@pytest.mark.parametrize(
    "command",
    [
        WITHDRAW,
        DECLINE,
        supplement("身份证"),
        supplement("书面申请", "家庭经济状况授权书"),
    ],
)
@pytest.mark.parametrize("actor", ["qingjieban", "import", "jiwei"])
def test_for_others_than_its_bringer_a_submission_is_unknown(
    before: list[object], command: Any, actor: str
) -> None:
    """Nor for who reports in the office's name, or in that of who brought it: the credential counts."""
    by_another = replace(command, asked=replace(command.asked, actor=actor))
    unknown = given().when(by_another)
    assert reason_of(unknown) is Refusal.NO_SUCH_SUBMISSION
    assert given(*before).when(by_another) == unknown
    for name in ("office", "gateway"):
        for_another = replace(command, asked=replace(command.asked, actor=name), told_by=actor)
        assert given(*before).when(for_another) == given().when(for_another)


@pytest.mark.parametrize("actor", ["gateway", "office"])
def test_bringer_and_office_withdraw_a_submission(actor: str) -> None:
    [fact] = given(*history(matter())).when(replace(WITHDRAW, asked=asked(LATER, actor, "withdraw_matter")))
    assert isinstance(fact, MatterWithdrawn)


def test_who_reported_for_others_supplements_in_their_name() -> None:
    kept = SubmissionKept(at=NOW, submitted=INCOMPLETE, source="import")
    lacks = MatterIncomplete(at=NOW, station="minzheng", submission=KEY, missing=("身份证",))
    [fact] = given(kept, lacks).when(replace(supplement("身份证"), told_by="import"))
    assert isinstance(fact, MatterAccepted)


@pytest.mark.parametrize(("submitted", "was_accepted"), [(matter(), True), (INCOMPLETE, False)])
def test_a_withdrawal_says_whether_there_is_an_entry_to_close(
    submitted: SubmitMatter, was_accepted: bool
) -> None:
    [fact] = given(*history(submitted)).when(WITHDRAW)
    assert isinstance(fact, MatterWithdrawn)
    assert (fact.accepted, fact.reason, fact.submission) == (was_accepted, "已解决", KEY)
    assert fact.station == ("qingjieban" if was_accepted else "minzheng"), "whose it was"


def test_an_incomplete_matter_can_be_declined_with_its_reason() -> None:
    assert given(*history(INCOMPLETE)).when(DECLINE) == [
        MatterDeclined(
            at=LATER,
            station="minzheng",
            submission=KEY,
            reason=DeclineReason.COURT,
            explanation="请向法院起诉",
        )
    ]


@pytest.mark.parametrize(
    ("before", "command", "reason"),
    [
        ([], supplement("身份证"), Refusal.NO_SUCH_SUBMISSION),
        ([], WITHDRAW, Refusal.NO_SUCH_SUBMISSION),
        ([], DECLINE, Refusal.NO_SUCH_SUBMISSION),
        (history(matter()), supplement("身份证"), Refusal.ALREADY_DONE),
        (history(matter()), DECLINE, Refusal.WRONG_STATE),
        (history(matter(), WITHDRAW), WITHDRAW, Refusal.ALREADY_DONE),
        (history(matter(), WITHDRAW), DECLINE, Refusal.WRONG_STATE),
        (history(matter(), WITHDRAW), supplement("身份证"), Refusal.WRONG_STATE),
        (history(INCOMPLETE, DECLINE), DECLINE, Refusal.ALREADY_DONE),
        (history(INCOMPLETE, DECLINE), WITHDRAW, Refusal.WRONG_STATE),
        (history(INCOMPLETE, DECLINE), supplement("身份证"), Refusal.WRONG_STATE),
    ],
)
def test_what_comes_out_of_turn_is_refused(before: list[object], command: object, reason: Refusal) -> None:
    assert reason_of(given(*before).when(command)) is reason


@pytest.mark.parametrize(
    ("before", "command", "words"),
    [
        (history(matter()), DECLINE, "answer it there"),
        (history(matter()), supplement("身份证"), f"{KEY} is accepted already"),
        (history(INCOMPLETE, DECLINE), WITHDRAW, f"{KEY} is declined; submit it anew"),
    ],
)
def test_a_refusal_says_where_the_submission_stands(
    before: list[object], command: object, words: str
) -> None:
    assert words in given(*before).when(command)[-1].detail


def test_what_was_kept_stays_whatever_becomes_of_it() -> None:
    for before in (history(matter()), history(INCOMPLETE), history(INCOMPLETE, DECLINE)):
        assert given(*before).state.kept == before[0]


def test_the_petitioner_is_known_by_the_submission_and_never_by_name() -> None:
    someone = accepted(matter(petitioner={"name": "张三", "phone": "138"})).petitioner
    somebody_else = accepted(matter(petitioner={"name": "李四"})).petitioner
    assert someone == somebody_else, "one submission has one pseudonym, whoever asked"
    other = Submit(replace(asked(), key="hotline:4712"), matter(), "gateway")
    assert given.when(other)[-1].petitioner != someone


def test_what_was_kept_has_no_name_under_which_it_could_be_told() -> None:
    assert SubmissionKept not in CATALOGUE.values()
    assert SubmissionKept.type not in CATALOGUE
    assert SubmissionKept.type.startswith(KEPT)


# Any list of commands, in any order.

texts = st.sampled_from(["", MARK])
names = st.none() | st.just(MARK)
petitioners = st.none() | st.builds(Petitioner, name=names, phone=names, on_behalf_of=names)
materials = st.lists(
    st.sampled_from(["书面申请", "身份证", "家庭经济状况授权书", MARK]), min_size=1, max_size=4
).map(tuple)
moments = st.integers(-5, 500).map(lambda hours: NOW + timedelta(hours=hours))
submissions = st.builds(
    SubmitMatter,
    title=st.just("一件事"),
    category=st.sampled_from(["garbage", "minimum_living", "conduct", "littering", "no_such"]),
    village=st.none() | st.just("dongcun"),
    text=texts,
    petitioner=petitioners,
    materials=materials,
    hardship=st.booleans(),
    station=st.none() | st.just("bianmin"),
    due_on=st.none() | st.dates(date(2023, 1, 1), date(2027, 12, 31)),
    solved_on_the_spot=st.none() | st.just("已清运"),
    past=st.none() | st.builds(PastOutcome, outcome=st.sampled_from(Outcome), closed_at=st.none() | moments),
)
requests = moments.map(lambda now: asked(now))
commands = st.one_of(
    st.builds(Submit, requests, submissions, st.sampled_from(["gateway", "import"])),
    st.builds(Supplement, requests, materials),
    st.builds(Withdraw, requests, st.just("不要了")),
    st.builds(Decline, requests, st.sampled_from(DeclineReason), st.just("不属于")),
    st.builds(Wake, moments),
)


@for_all(st.lists(commands, max_size=8))
def test_whatever_is_asked_gets_an_answer_that_replays_and_names_nobody(steps: list[object]) -> None:
    story: list[object] = []
    state = intake_of_town.initial_state
    for command in steps:
        now = command.now if isinstance(command, Wake) else command.asked.now  # type: ignore[attr-defined]
        events, state = intake_of_town.answer(command, now, state)  # type: ignore[arg-type]
        assert bool(events) != isinstance(command, Wake)
        story += events
        assert intake_of_town.fold(intake_of_town.initial_state, story) == state  # type: ignore[arg-type]
        adapter = TypeAdapter(type(state))
        assert adapter.validate_json(adapter.dump_json(state)) == state
    told = [event for event in story if not isinstance(event, SubmissionKept)]
    assert all(type(event) in CATALOGUE.values() for event in told)
    assert MARK not in "".join(event.model_dump_json() for event in told)  # type: ignore[attr-defined]


def test_personal_data_reaches_the_state_of_intake() -> None:
    """Or the search for it among what is told would prove nothing."""
    person = Petitioner(name=MARK, phone=MARK, on_behalf_of=MARK)
    state = given(*history(matter(text=MARK, petitioner=person))).state
    assert state.kept.submitted.petitioner.model_dump() == person.model_dump()
    assert state.kept.submitted.text == MARK
