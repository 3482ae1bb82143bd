from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given as for_all
from pydantic import TypeAdapter

from duban_contracts.message import Refusal
from duban_contracts.rating import (
    CallbackOverdue,
    CallbackRecorded,
    CallbackResult,
    Dimension,
    IntegrityFlagged,
    Level,
    NegativeRatingReceived,
    RatingCommandRefused,
    RatingEvent,
    RatingGiven,
    RatingInvited,
    RatingLapsed,
    RatingPersonalDataMasked,
    RectificationOrdered,
    RectificationOverdue,
    Rectified,
)
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked, Wake
from services.rating.decider import (
    Command,
    Duty,
    EndRedo,
    Invited,
    InviteRating,
    Lapsed,
    NotInvited,
    Rate,
    Rated,
    RecordCallback,
    RecordRectification,
    Round,
    State,
    rating,
)
from tests.given import Given

TOWNSHIP = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
DECIDER = rating(TOWNSHIP)
given = Given(DECIDER)

TICK = timedelta(microseconds=1)
KEY = "2024-000123/1"
OF = Round("2024-000123", 1, "bianmin")
ROUND: dict[str, Any] = {"station": "bianmin", "entry": "2024-000123", "round": 1}

MONDAY = datetime(2024, 4, 15, 2, tzinfo=UTC)  # 10:00 in the township
UNTIL = datetime(2024, 4, 30, 16, tzinfo=UTC)  # 15 days end with 30 April, local time
CALLBACK_BY = datetime(2024, 4, 17, 16, tzinfo=UTC)
RECTIFY_BY = datetime(2024, 4, 23, 16, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
"""When the rating is given in most tests: a callback is due within Wednesday, mending within 23 April."""

INVITED = RatingInvited(at=MONDAY, **ROUND, until=UNTIL)
BAD = (
    RatingGiven(at=TUESDAY, **ROUND, level=Level.DISSATISFIED),
    NegativeRatingReceived(at=TUESDAY, **ROUND, level=Level.DISSATISFIED, callback_by=CALLBACK_BY),
    RectificationOrdered(at=TUESDAY, **ROUND, rectify_by=RECTIFY_BY),
)
NEGATIVE = (INVITED, *BAD)
GOOD = (INVITED, RatingGiven(at=TUESDAY, **ROUND, level=Level.SATISFIED))
LAPSED = (INVITED, RatingLapsed(at=UNTIL, **ROUND))
CALLBACK_LATE = CallbackOverdue(at=CALLBACK_BY, **ROUND)
RECTIFICATION_LATE = RectificationOverdue(at=RECTIFY_BY, **ROUND)


def rate(level: Level, now: datetime = TUESDAY, **dimensions: Level) -> Rate:
    named = {Dimension(name): value for name, value in dimensions.items()}
    return Rate(Asked(now, "gateway", KEY, "rate"), level, named)


def call_back(result: CallbackResult, now: datetime = TUESDAY) -> RecordCallback:
    return RecordCallback(Asked(now, "office", KEY, "record_callback"), result, "called at noon")


def mend(now: datetime = TUESDAY, actor: str = "bianmin") -> RecordRectification:
    return RecordRectification(Asked(now, actor, KEY, "record_rectification"), "counter two opens earlier")


def called_back(result: CallbackResult, now: datetime = TUESDAY) -> CallbackRecorded:
    return CallbackRecorded(at=now, **ROUND, result=result, note="called at noon")


def mended(now: datetime = TUESDAY, late: bool = False) -> Rectified:
    return Rectified(at=now, **ROUND, late=late, note="counter two opens earlier")


def reasons(events: Sequence[Any]) -> list[Refusal]:
    return [event.reason for event in events if isinstance(event, RatingCommandRefused)]


def rated_by(actor: str, told_by: str | None = None) -> Rate:
    return Rate(Asked(TUESDAY, actor, KEY, "rate"), Level.SATISFIED, told_by=told_by)


class TestWhoRates:
    brought = INVITED.model_copy(update={"brought_by": "hotline"})

    @pytest.mark.parametrize("history", [[brought], [brought, *GOOD[1:]], [brought, *LAPSED[1:]]])
    def test_for_another_feed_there_is_no_such_round(self, history: Sequence[RatingEvent]) -> None:
        unknown = given().when(rated_by("import"))
        assert reasons(unknown) == [Refusal.NO_SUCH_ROUND]
        assert given(*history).when(rated_by("import")) == unknown

    @pytest.mark.parametrize(
        ("actor", "told_by"), [("hotline", None), ("gateway", None), ("gateway", "hotline")]
    )
    def test_its_channel_and_the_gateway_rate_a_round(self, actor: str, told_by: str | None) -> None:
        [rated] = given(self.brought).when(rated_by(actor, told_by))
        assert isinstance(rated, RatingGiven)

    def test_a_rating_from_before_its_round_counts_from_the_invitation(self) -> None:
        early = given(INVITED).when(rate(Level.DISSATISFIED, MONDAY - timedelta(days=20)))
        assert early == given(INVITED).when(rate(Level.DISSATISFIED, MONDAY))

    def test_a_round_without_channel_is_rated_by_any_feed(self) -> None:
        [rated] = given(INVITED).when(rated_by("import"))
        assert isinstance(rated, RatingGiven)

    def test_a_conduct_matter_has_no_round_for_others(self) -> None:
        conduct = given(self.brought.model_copy(update={"restricted": True}))
        assert conduct.when(mend(actor="qingjieban")) == given().when(mend(actor="qingjieban"))
        assert reasons(conduct.when(mend())) == [Refusal.WRONG_STATE]


class TestInvitation:
    def test_a_round_that_was_struck_off_is_invited_to_be_rated(self) -> None:
        assert given().when(InviteRating(MONDAY, OF)) == [INVITED]

    @pytest.mark.parametrize("history", [[INVITED], GOOD, NEGATIVE, LAPSED])
    def test_a_round_is_invited_once(self, history: Sequence[RatingEvent]) -> None:
        assert given(*history).when(InviteRating(TUESDAY, OF)) == []

    def test_nobody_rated_until_the_time_to_rate_ended_and_nothing_is_counted(self) -> None:
        assert given(INVITED).when(Wake(UNTIL)) == [RatingLapsed(at=UNTIL, **ROUND)]

    def test_the_time_to_rate_is_not_over_an_instant_before_its_end(self) -> None:
        assert given(INVITED).when(Wake(UNTIL - TICK)) == []

    def test_an_invitation_heard_after_its_time_lapses_at_its_own_end(self) -> None:
        late = DECIDER.fold(NotInvited(), DECIDER.decide(InviteRating(MONDAY, OF), NotInvited()))
        assert DECIDER.wake_at(late) == UNTIL


class TestRate:
    def test_a_positive_rating_owes_nothing(self) -> None:
        assert given(INVITED).when(rate(Level.SATISFIED)) == [GOOD[1]]
        assert DECIDER.wake_at(given(*GOOD).state) is None

    def test_the_third_of_five_levels_is_not_negative(self) -> None:
        events = given(INVITED).when(rate(Level.FAIRLY_SATISFIED))
        assert events == [RatingGiven(at=TUESDAY, **ROUND, level=Level.FAIRLY_SATISFIED)]

    def test_a_negative_rating_is_to_be_called_back_and_to_be_mended_in_working_days(self) -> None:
        assert given(INVITED).when(rate(Level.DISSATISFIED)) == list(BAD)

    def test_the_lowest_level_is_negative_too(self) -> None:
        events = given(INVITED).when(rate(Level.VERY_DISSATISFIED))
        assert [type(event) for event in events] == [type(event) for event in BAD]

    def test_a_time_limit_skips_the_days_on_which_the_town_does_not_work(self) -> None:
        friday = datetime(2024, 4, 26, 2, tzinfo=UTC)  # 28 April is a make-up working Sunday
        _, negative, ordered = given(INVITED).when(rate(Level.DISSATISFIED, friday))
        assert negative.callback_by == datetime(2024, 4, 28, 16, tzinfo=UTC)
        assert ordered.rectify_by == datetime(2024, 5, 7, 16, tzinfo=UTC)

    def test_a_negative_integrity_dimension_is_flagged_even_where_the_whole_was_good(self) -> None:
        events = given(INVITED).when(rate(Level.SATISFIED, integrity=Level.VERY_DISSATISFIED))
        flagged = {Dimension.INTEGRITY: Level.VERY_DISSATISFIED}
        assert events == [
            RatingGiven(at=TUESDAY, **ROUND, level=Level.SATISFIED, dimensions=flagged),
            IntegrityFlagged(at=TUESDAY, **ROUND),
        ]

    def test_another_negative_dimension_flags_nothing(self) -> None:
        events = given(INVITED).when(
            rate(Level.SATISFIED, attitude=Level.DISSATISFIED, integrity=Level.FAIRLY_SATISFIED)
        )
        assert [type(event) for event in events] == [RatingGiven]

    def test_the_last_instant_before_the_end_is_in_time(self) -> None:
        [event] = given(INVITED).when(rate(Level.SATISFIED, UNTIL - TICK))
        assert isinstance(event, RatingGiven)

    def test_the_end_itself_is_too_late(self) -> None:
        lapsed, refused = given(INVITED).when(rate(Level.SATISFIED, UNTIL))
        assert (lapsed, reasons([refused])) == (LAPSED[1], [Refusal.TOO_LATE])

    def test_a_rating_dated_back_does_not_undo_that_the_time_is_over(self) -> None:
        assert reasons(given(*LAPSED).when(rate(Level.SATISFIED))) == [Refusal.TOO_LATE]

    @pytest.mark.parametrize("history", [GOOD, NEGATIVE])
    def test_a_round_is_rated_once(self, history: Sequence[RatingEvent]) -> None:
        assert reasons(given(*history).when(rate(Level.VERY_SATISFIED))) == [Refusal.ALREADY_DONE]

    def test_a_round_that_was_never_struck_off_cannot_be_rated(self) -> None:
        assert reasons(given().when(rate(Level.SATISFIED))) == [Refusal.NO_SUCH_ROUND]

    def test_a_refusal_names_who_asked_for_what(self) -> None:
        [refused] = given(*GOOD).when(rate(Level.SATISFIED))
        assert (refused.key, refused.command, refused.actor) == (KEY, "rate", "gateway")


class TestCallback:
    def test_a_confirmed_complaint_was_called_back_and_is_still_to_be_mended(self) -> None:
        confirmed = called_back(CallbackResult.CONFIRMED)
        assert given(*NEGATIVE).when(call_back(CallbackResult.CONFIRMED)) == [confirmed]
        assert DECIDER.wake_at(given(*NEGATIVE, confirmed).state) == RECTIFY_BY

    def test_an_unfounded_complaint_is_explained_and_leaves_nothing_to_mend(self) -> None:
        events = given(*NEGATIVE).when(call_back(CallbackResult.UNFOUNDED))
        assert events == [called_back(CallbackResult.UNFOUNDED), Rectified(at=TUESDAY, **ROUND)]
        assert DECIDER.wake_at(given(*NEGATIVE, *events).state) is None

    def test_nobody_was_late_in_mending_what_was_unfounded(self) -> None:
        history = (*NEGATIVE, CALLBACK_LATE, RECTIFICATION_LATE)
        _, rectified = given(*history).when(call_back(CallbackResult.UNFOUNDED, RECTIFY_BY))
        assert rectified == Rectified(at=RECTIFY_BY, **ROUND, late=False)

    def test_what_was_mended_before_is_not_mended_again_by_an_unfounded_complaint(self) -> None:
        events = given(*NEGATIVE, mended()).when(call_back(CallbackResult.UNFOUNDED))
        assert events == [called_back(CallbackResult.UNFOUNDED)]

    def test_whoever_was_not_reached_is_still_to_be_called_back(self) -> None:
        missed = called_back(CallbackResult.NOT_REACHED)
        assert given(*NEGATIVE).when(call_back(CallbackResult.NOT_REACHED)) == [missed]
        assert given(*NEGATIVE, missed).when(Wake(CALLBACK_BY)) == [CALLBACK_LATE]
        assert given(*NEGATIVE, missed).when(call_back(CallbackResult.NOT_REACHED)) == [missed]

    def test_a_callback_at_the_deadline_is_late(self) -> None:
        events = given(*NEGATIVE).when(call_back(CallbackResult.CONFIRMED, CALLBACK_BY))
        assert events == [CALLBACK_LATE, called_back(CallbackResult.CONFIRMED, CALLBACK_BY)]

    def test_a_callback_an_instant_before_the_deadline_is_in_time(self) -> None:
        moment = CALLBACK_BY - TICK
        events = given(*NEGATIVE).when(call_back(CallbackResult.CONFIRMED, moment))
        assert events == [called_back(CallbackResult.CONFIRMED, moment)]

    def test_a_late_callback_is_told_late_once(self) -> None:
        assert given(*NEGATIVE, CALLBACK_LATE).when(Wake(RECTIFY_BY - TICK)) == []

    @pytest.mark.parametrize("result", [CallbackResult.CONFIRMED, CallbackResult.UNFOUNDED])
    def test_a_citizen_who_was_reached_is_not_called_again(self, result: CallbackResult) -> None:
        again = given(*NEGATIVE, called_back(result)).when(call_back(CallbackResult.CONFIRMED))
        assert reasons(again) == [Refusal.ALREADY_DONE]

    @pytest.mark.parametrize("history", [[INVITED], GOOD, LAPSED])
    def test_only_a_negative_rating_is_called_back(self, history: Sequence[RatingEvent]) -> None:
        assert reasons(given(*history).when(call_back(CallbackResult.CONFIRMED))) == [Refusal.WRONG_STATE]

    def test_there_is_nothing_to_call_back_about_an_unknown_round(self) -> None:
        assert reasons(given().when(call_back(CallbackResult.CONFIRMED))) == [Refusal.NO_SUCH_ROUND]


class TestRectification:
    @pytest.mark.parametrize("actor", ["bianmin", "office"])
    def test_the_handling_station_or_the_office_records_what_was_mended(self, actor: str) -> None:
        assert given(*NEGATIVE).when(mend(actor=actor)) == [mended()]

    @pytest.mark.parametrize("actor", ["qingjieban", "discipline", "nobody"])
    def test_nobody_else_records_it(self, actor: str) -> None:
        assert reasons(given(*NEGATIVE).when(mend(actor=actor))) == [Refusal.NOT_THE_HANDLER]

    def test_where_no_station_handled_it_only_the_office_records_it(self) -> None:
        history = [event.model_copy(update={"station": None}) for event in NEGATIVE]
        for other in ("bianmin", "gateway"):
            assert reasons(given(*history).when(mend(actor=other))) == [Refusal.NOT_THE_HANDLER]
        assert reasons(given(*history).when(mend(actor="office"))) == []

    def test_mending_an_instant_before_the_deadline_is_in_time(self) -> None:
        moment = RECTIFY_BY - TICK
        assert given(*NEGATIVE, CALLBACK_LATE).when(mend(moment)) == [mended(moment)]

    def test_mending_at_the_deadline_is_late(self) -> None:
        events = given(*NEGATIVE, CALLBACK_LATE).when(mend(RECTIFY_BY))
        assert events == [RECTIFICATION_LATE, mended(RECTIFY_BY, late=True)]

    def test_late_mending_is_told_late_once(self) -> None:
        history = (*NEGATIVE, CALLBACK_LATE, RECTIFICATION_LATE)
        assert given(*history).when(Wake(RECTIFY_BY + timedelta(days=300))) == []

    def test_what_fell_due_during_a_standstill_is_told_in_order_at_its_own_time(self) -> None:
        assert given(*NEGATIVE).when(Wake(UNTIL)) == [CALLBACK_LATE, RECTIFICATION_LATE]

    def test_two_duties_of_one_instant_are_told_together(self) -> None:
        together = BAD[2].model_copy(update={"rectify_by": CALLBACK_BY})
        events = given(*NEGATIVE[:3], together).when(Wake(CALLBACK_BY))
        assert events == [CALLBACK_LATE, RectificationOverdue(at=CALLBACK_BY, **ROUND)]

    def test_mending_does_not_replace_the_callback(self) -> None:
        assert given(*NEGATIVE, mended()).when(Wake(UNTIL)) == [CALLBACK_LATE]

    def test_what_was_mended_is_not_mended_again(self) -> None:
        assert reasons(given(*NEGATIVE, mended()).when(mend())) == [Refusal.ALREADY_DONE]

    @pytest.mark.parametrize("history", [[INVITED], GOOD, LAPSED])
    def test_only_a_negative_rating_is_mended(self, history: Sequence[RatingEvent]) -> None:
        assert reasons(given(*history).when(mend())) == [Refusal.WRONG_STATE]

    def test_there_is_nothing_to_mend_in_an_unknown_round(self) -> None:
        assert reasons(given().when(mend())) == [Refusal.NO_SUCH_ROUND]


class TestRedo:
    def test_a_redo_round_struck_off_mends_what_is_still_owed(self) -> None:
        assert given(*NEGATIVE).when(EndRedo(TUESDAY)) == [Rectified(at=TUESDAY, **ROUND)]

    def test_a_redo_round_struck_off_at_the_deadline_mends_late(self) -> None:
        events = given(*NEGATIVE, CALLBACK_LATE).when(EndRedo(RECTIFY_BY))
        assert events == [RECTIFICATION_LATE, Rectified(at=RECTIFY_BY, **ROUND, late=True)]

    @pytest.mark.parametrize("history", [[], [INVITED], GOOD, LAPSED, [*NEGATIVE, mended()]])
    def test_a_redo_round_struck_off_changes_nothing_where_nothing_is_owed(
        self, history: Sequence[RatingEvent]
    ) -> None:
        assert given(*history).when(EndRedo(TUESDAY)) == []


def test_no_fact_can_say_who_rated() -> None:
    to_the_sender = (RatingCommandRefused, RatingPersonalDataMasked)
    said = {name for fact in DECIDER.events if fact not in to_the_sender for name in fact.model_fields}
    assert said == {
        "at",
        "brought_by",  # the channel
        "callback_by",
        "dimensions",
        "entry",
        "late",
        "level",
        "note",
        "rectify_by",
        "restricted",
        "result",
        "round",
        "station",
        "until",
    }


moments = st.one_of(
    st.integers(-24 * 20, 24 * 60).map(lambda hours: MONDAY + timedelta(hours=hours)),
    st.sampled_from([MONDAY, TUESDAY, CALLBACK_BY, RECTIFY_BY, UNTIL]),
)
levels = st.sampled_from(Level)
commands: st.SearchStrategy[Command | Wake] = st.one_of(
    st.builds(InviteRating, moments, st.just(OF)),
    st.builds(EndRedo, moments),
    st.builds(rate, levels, moments, integrity=levels),
    st.builds(call_back, st.sampled_from(CallbackResult), moments),
    st.builds(mend, moments, st.sampled_from(["bianmin", "qingjieban", "office"])),
    st.builds(Wake, moments),
)


def moment_of(command: Any) -> datetime:
    moment: datetime = command.asked.now if hasattr(command, "asked") else command.now
    return moment


def story(steps: Sequence[Command | Wake]) -> tuple[list[RatingEvent], State]:
    state, history = DECIDER.initial_state, []
    for command in steps:
        events, state = DECIDER.answer(command, moment_of(command), state)
        assert events or not hasattr(command, "asked"), "every request is answered"
        history += events
    return history, state


@for_all(st.lists(commands))
def test_whatever_comes_in_whatever_order_the_history_alone_gives_the_state(
    steps: list[Command | Wake],
) -> None:
    history, state = story(steps)
    assert DECIDER.fold(DECIDER.initial_state, history) == state


@for_all(st.lists(commands))
def test_a_round_is_invited_rated_and_told_late_at_most_once(steps: list[Command | Wake]) -> None:
    told = [type(event) for event in story(steps)[0]]
    once = (RatingInvited, RatingGiven, RatingLapsed, CallbackOverdue, RectificationOverdue, Rectified)
    assert all(told.count(fact) <= 1 for fact in once)
    assert not (RatingGiven in told and RatingLapsed in told)


@for_all(st.lists(commands))
def test_facts_of_a_round_never_run_backwards(steps: list[Command | Wake]) -> None:
    """A feed that tells what it saw elsewhere, or whose clock is wrong, puts no duty into the past."""
    times = [event.at for event in story(steps)[0] if not isinstance(event, RatingCommandRefused)]
    assert times == sorted(times)


@for_all(st.lists(commands))
def test_any_state_comes_back_from_its_snapshot(steps: list[Command | Wake]) -> None:
    state = story(steps)[1]
    stored: TypeAdapter[State] = TypeAdapter(type(state))
    assert stored.validate_json(stored.dump_json(state)) == state


@pytest.mark.parametrize(
    "state",
    [
        NotInvited(),
        Invited(OF, UNTIL),
        Lapsed(OF),
        Rated(OF),
        Rated(OF, Duty(CALLBACK_BY, told_late=True), Duty(RECTIFY_BY, owed=False)),
    ],
)
def test_each_situation_comes_back_from_its_snapshot(state: State) -> None:
    assert type(state) in DECIDER.states
    stored: TypeAdapter[State] = TypeAdapter(type(state))
    assert stored.validate_json(stored.dump_json(state)) == state
