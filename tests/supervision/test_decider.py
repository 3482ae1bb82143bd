from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given as for_all
from pydantic import TypeAdapter

from duban_contracts.charter import Charter, Ground
from duban_contracts.charter_check import gaps
from duban_contracts.message import Refusal
from duban_contracts.supervision import (
    CampaignStarted,
    CoverageReported,
    FindingRecorded,
    FindingVerified,
    InspectionConducted,
    InspectionDrawn,
    PlanGapDetected,
    SupervisionCommandRefused,
    SupervisionEvent,
)
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked, Wake
from services.supervision.decider import (
    ClosedFinding,
    Command,
    DrawInspections,
    OpenFinding,
    RecordFinding,
    RecordInspection,
    Running,
    StartCampaign,
    State,
    Unknown,
    VerifyRectification,
    supervision,
)
from tests.given import Given

TOWNSHIP = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
CAMPAIGN, FINDING = "campaign/2024", "finding/7"
TICK = timedelta(microseconds=1)
STARTS = datetime(2024, 4, 14, 16, tzinfo=UTC)  # midnight of 15 April in the township
MONDAY = datetime(2024, 4, 15, 2, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
ENDS = datetime(2024, 4, 30, 16, tzinfo=UTC)  # midnight after 30 April
STATIONS = tuple(TOWNSHIP.stations)
TRIO = ("bianmin", "qingjieban", "jiwei")
DAY = date(2024, 4, 18)


def campaign_of(**changes: Any) -> Charter:
    assert TOWNSHIP.campaign is not None
    return TOWNSHIP.model_copy(update={"campaign": TOWNSHIP.campaign.model_copy(update=changes)})


DECIDER = supervision(TOWNSHIP)
given = Given(DECIDER)
SHORT = supervision(campaign_of(stations=TRIO, ends=date(2024, 4, 30)))
short = Given(SHORT)
NAME = "2024年问题整改落实情况督查"
STARTED = CampaignStarted(at=MONDAY, campaign=CAMPAIGN, name=NAME, stations=STATIONS)
SHORT_STARTED = CampaignStarted(at=MONDAY, campaign=CAMPAIGN, name=NAME, stations=TRIO, until=ENDS)
RECORDED = FindingRecorded(
    at=MONDAY, station="bianmin", finding=FINDING, ground=Ground.PERFUNCTORY, text="nobody at counter two"
)
AT_JIWEI = RECORDED.model_copy(update={"station": "jiwei"})


def verified(passed: bool, now: datetime = TUESDAY) -> FindingVerified:
    return FindingVerified(
        at=now,
        station="bianmin",
        finding=FINDING,
        passed=passed,
        ground=Ground.PERFUNCTORY,
        note="went there",
    )


def start(now: datetime = MONDAY, key: str = CAMPAIGN) -> StartCampaign:
    return StartCampaign(Asked(now, "office", key, "start_campaign"))


def draw(count: int, seed: int = 7, key: str = CAMPAIGN) -> DrawInspections:
    return DrawInspections(Asked(TUESDAY, "office", key, "draw_inspections"), DAY, count, seed)


def inspect(
    station: str, now: datetime = TUESDAY, actor: str = "office", key: str = CAMPAIGN
) -> RecordInspection:
    return RecordInspection(Asked(now, actor, key, "record_inspection"), station, True, "all there")


def find(station: str = "bianmin", actor: str = "office", now: datetime = MONDAY) -> RecordFinding:
    asked = Asked(now, actor, FINDING, "record_finding")
    return RecordFinding(asked, station, Ground.PERFUNCTORY, "nobody at counter two")


def verify(passed: bool, actor: str = "office", now: datetime = TUESDAY) -> VerifyRectification:
    return VerifyRectification(Asked(now, actor, FINDING, "verify_rectification"), passed, "went there")


def conducted(station: str, now: datetime = TUESDAY) -> InspectionConducted:
    return InspectionConducted(at=now, station=station, campaign=CAMPAIGN, passed=True, note="all there")


def coverage(now: datetime, *inspected: str, missing: tuple[str, ...] = ()) -> CoverageReported:
    return CoverageReported(at=now, campaign=CAMPAIGN, inspected=inspected, missing=missing)


def reasons(events: Sequence[Any]) -> list[Refusal]:
    return [event.reason for event in events if isinstance(event, SupervisionCommandRefused)]


def drawn(events: Sequence[Any]) -> list[str | None]:
    return [event.station for event in events if isinstance(event, InspectionDrawn)]


class TestStart:
    def test_a_campaign_starts_for_every_station_with_what_the_plan_leaves_open(self) -> None:
        started, *open_ends = given().when(start())
        assert started == STARTED
        assert [gap.gap for gap in open_ends] == [gap.message for gap in gaps(TOWNSHIP)]
        leaderless = PlanGapDetected(
            at=MONDAY,
            campaign=CAMPAIGN,
            path="plan.problems[0]",
            gap="problem 'p1' has no responsible leader (责任领导)",
            code="problem_without_leader",
            params={"problem": "p1"},
        )
        assert leaderless in open_ends

    def test_a_campaign_of_named_stations_starts_for_these_alone_until_its_last_day_is_over(self) -> None:
        assert short().when(start())[0] == SHORT_STARTED

    def test_a_campaign_starts_with_its_first_day_and_no_instant_sooner(self) -> None:
        assert given().when(start(STARTS))[0] == STARTED.model_copy(update={"at": STARTS})
        assert reasons(given().when(start(STARTS - TICK))) == [Refusal.TOO_EARLY]

    def test_a_campaign_cannot_start_once_its_last_day_is_over(self) -> None:
        assert reasons(short().when(start(ENDS))) == [Refusal.TOO_LATE]
        assert reasons(short().when(start(ENDS - TICK))) == []

    def test_a_campaign_starts_once(self) -> None:
        assert reasons(given(STARTED).when(start(TUESDAY))) == [Refusal.ALREADY_DONE]

    @pytest.mark.parametrize("key", ["campaign/2023", "campaign/"])
    def test_a_campaign_that_the_charter_does_not_know_cannot_start(self, key: str) -> None:
        [refused] = given().when(start(key=key))
        assert refused.reason is Refusal.NO_SUCH_CAMPAIGN
        assert "campaign/2024" in refused.detail

    def test_nothing_starts_where_the_charter_has_no_campaign(self) -> None:
        without = Given(supervision(TOWNSHIP.model_copy(update={"campaign": None})))
        assert reasons(without().when(start())) == [Refusal.NO_SUCH_CAMPAIGN]


class TestDraw:
    def test_each_station_drawn_is_told_with_the_day_and_the_seed(self) -> None:
        events = given(STARTED).when(draw(2))
        first, second = drawn(events)
        assert events == [
            InspectionDrawn(at=TUESDAY, station=station, campaign=CAMPAIGN, day=DAY, seed=7)
            for station in (first, second)
        ]
        assert first != second

    def test_the_same_seed_draws_the_same_stations(self) -> None:
        assert given(STARTED).when(draw(4, seed=7)) == given(STARTED).when(draw(4, seed=7))

    def test_the_draw_of_a_seed_stays_the_same_for_good(self) -> None:
        assert drawn(given(STARTED).when(draw(3, seed=20240418))) == ["nongye", "nongyisuo", "qingjieban"]

    def test_the_order_in_which_the_charter_names_the_stations_does_not_matter(self) -> None:
        turned = STARTED.model_copy(update={"stations": STATIONS[::-1]})
        assert drawn(given(turned).when(draw(5))) == drawn(given(STARTED).when(draw(5)))

    def test_other_seeds_draw_other_stations(self) -> None:
        assert len({tuple(drawn(given(STARTED).when(draw(3, seed)))) for seed in range(20)}) > 10

    def test_a_draw_of_more_than_there_are_draws_all(self) -> None:
        assert {*drawn(given(STARTED).when(draw(100)))} == {*STATIONS}

    def test_nothing_is_drawn_before_the_campaign_started(self) -> None:
        assert reasons(given().when(draw(1))) == [Refusal.WRONG_STATE]

    def test_nothing_is_drawn_for_an_unknown_campaign(self) -> None:
        assert reasons(given().when(draw(1, key="campaign/1999"))) == [Refusal.NO_SUCH_CAMPAIGN]


@for_all(st.integers(), st.integers(1, 9))
def test_stations_not_yet_inspected_are_drawn_first(seed: int, count: int) -> None:
    seen = set(STATIONS[:4])
    chosen = drawn(given(STARTED, *map(conducted, seen)).when(draw(count, seed)))
    assert len(set(chosen)) == count
    assert not seen & set(chosen[:5])


class TestInspection:
    def test_an_inspection_is_told_with_its_station_and_result(self) -> None:
        assert given(STARTED).when(inspect("bianmin")) == [conducted("bianmin")]

    def test_coverage_is_told_when_the_last_station_was_inspected_for_the_first_time(self) -> None:
        history = SHORT_STARTED, conducted("bianmin"), conducted("jiwei")
        assert short(*history).when(inspect("qingjieban")) == [
            conducted("qingjieban"),
            coverage(TUESDAY, *TRIO),
        ]

    def test_coverage_that_was_told_is_not_told_again(self) -> None:
        history = SHORT_STARTED, *map(conducted, TRIO), coverage(TUESDAY, *TRIO)
        assert short(*history).when(inspect("bianmin")) == [conducted("bianmin")]
        assert short(*history).when(Wake(ENDS)) == []

    def test_a_station_inspected_twice_does_not_stand_for_another(self) -> None:
        history = SHORT_STARTED, conducted("bianmin"), conducted("jiwei")
        assert short(*history).when(inspect("jiwei")) == [conducted("jiwei")]

    def test_a_station_outside_the_campaign_is_no_part_of_its_coverage(self) -> None:
        history = SHORT_STARTED, conducted("bianmin"), conducted("jiwei")
        assert short(*history).when(inspect("minzheng")) == [conducted("minzheng")]
        assert short(*history, conducted("minzheng")).state == short(*history).state

    def test_at_the_end_of_the_campaign_the_stations_never_inspected_are_told(self) -> None:
        history = SHORT_STARTED, conducted("jiwei")
        assert short(*history).when(Wake(ENDS)) == [
            coverage(ENDS, "jiwei", missing=("bianmin", "qingjieban"))
        ]
        assert short(*history).when(Wake(ENDS - TICK)) == []

    def test_an_inspection_after_the_end_still_counts_and_completes_the_coverage(self) -> None:
        last = ENDS + timedelta(days=1)
        history = SHORT_STARTED, conducted("jiwei"), conducted("bianmin")
        assert short(*history).when(inspect("qingjieban", last)) == [
            coverage(ENDS, "bianmin", "jiwei", missing=("qingjieban",)),
            conducted("qingjieban", last),
            coverage(last, *TRIO),
        ]

    def test_a_campaign_without_an_end_wakes_nobody(self) -> None:
        assert DECIDER.wake_at(given(STARTED).state) is None

    def test_a_campaign_goes_on_when_the_charter_has_a_new_one(self) -> None:
        renewed = Given(supervision(campaign_of(id="2025")))
        assert renewed(STARTED).when(inspect("bianmin")) == [conducted("bianmin")]

    def test_nothing_is_inspected_before_the_campaign_started(self) -> None:
        assert reasons(given().when(inspect("bianmin"))) == [Refusal.WRONG_STATE]

    def test_nothing_is_inspected_for_an_unknown_campaign(self) -> None:
        assert reasons(given().when(inspect("bianmin", key="campaign/1999"))) == [Refusal.NO_SUCH_CAMPAIGN]

    def test_the_commission_does_not_inspect_itself(self) -> None:
        assert reasons(given(STARTED).when(inspect("jiwei", actor="discipline"))) == [Refusal.OWN_CASE]
        assert given(STARTED).when(inspect("jiwei", actor="office")) == [conducted("jiwei")]


class TestFinding:
    def test_a_finding_is_told_with_its_ground(self) -> None:
        assert given().when(find()) == [RECORDED]

    def test_a_finding_names_the_measure_and_the_entry_concerned_and_whether_it_is_serious(self) -> None:
        asked = find().asked
        full = RecordFinding(
            asked, "jiwei", Ground.INTEGRITY, "asked for a gift", "p1-3-a", "2024-000123", True
        )
        [event] = given().when(full)
        assert (event.measure, event.entry, event.serious) == ("p1-3-a", "2024-000123", True)

    def test_the_commission_inspects_others_but_records_no_finding_on_itself(self) -> None:
        assert given().when(find("bianmin", "discipline")) == [RECORDED]
        assert reasons(given().when(find("jiwei", "discipline"))) == [Refusal.OWN_CASE]
        assert given().when(find("jiwei", "office")) == [AT_JIWEI]

    @pytest.mark.parametrize("history", [[RECORDED], [RECORDED, verified(True)]])
    def test_a_finding_is_recorded_once(self, history: Sequence[SupervisionEvent]) -> None:
        assert reasons(given(*history).when(find())) == [Refusal.ALREADY_DONE]


class TestVerification:
    def test_a_re_inspection_that_passed_closes_the_finding(self) -> None:
        assert given(RECORDED).when(verify(True)) == [verified(True)]
        assert reasons(given(RECORDED, verified(True)).when(verify(True))) == [Refusal.ALREADY_DONE]

    def test_a_re_inspection_that_did_not_pass_leaves_it_open(self) -> None:
        assert given(RECORDED).when(verify(False)) == [verified(False)]
        assert given(RECORDED, verified(False)).when(verify(False)) == [verified(False)]
        assert given(RECORDED, verified(False)).when(verify(True)) == [verified(True)]

    def test_a_closed_finding_is_not_opened_by_another_re_inspection(self) -> None:
        assert reasons(given(RECORDED, verified(True)).when(verify(False))) == [Refusal.ALREADY_DONE]

    def test_what_was_never_recorded_cannot_be_verified(self) -> None:
        assert reasons(given().when(verify(True))) == [Refusal.NO_SUCH_FINDING]

    @pytest.mark.parametrize("history", [[AT_JIWEI], [AT_JIWEI, verified(True)]])
    def test_the_commission_verifies_nothing_on_itself(self, history: Sequence[SupervisionEvent]) -> None:
        first = history[0]
        on_itself = [event.model_copy(update={"station": first.station}) for event in history]
        assert reasons(given(*on_itself).when(verify(True, "discipline"))) == [Refusal.OWN_CASE]

    def test_a_finding_without_a_station_is_nobodys_own_case(self) -> None:
        nowhere = RECORDED.model_copy(update={"station": None})
        assert reasons(given(nowhere).when(verify(True))) == []

    def test_a_refusal_names_who_asked_for_what(self) -> None:
        [refused] = given().when(verify(True, "discipline"))
        assert (refused.key, refused.command, refused.actor) == (
            FINDING,
            "verify_rectification",
            "discipline",
        )


moments = st.one_of(
    st.integers(-24 * 20, 24 * 60).map(lambda hours: MONDAY + timedelta(hours=hours)),
    st.sampled_from([STARTS, MONDAY, ENDS - TICK, ENDS]),
)
stations = st.sampled_from([*TRIO, "minzheng"])
actors = st.sampled_from(["office", "discipline"])
commands: st.SearchStrategy[Command | Wake] = st.one_of(
    st.builds(start, moments),
    st.builds(draw, st.integers(1, 100), st.integers()),
    st.builds(inspect, stations, moments, actors),
    st.builds(find, stations, actors, moments),
    st.builds(verify, st.booleans(), actors, moments),
    st.builds(Wake, moments),
)


def moment_of(command: Any) -> datetime:
    moment: datetime = command.asked.now if hasattr(command, "asked") else command.now
    return moment


def story(steps: Sequence[Command | Wake]) -> tuple[list[SupervisionEvent], State]:
    state, history = SHORT.initial_state, []
    for command in steps:
        events, state = SHORT.answer(command, moment_of(command), state)
        assert events or not hasattr(command, "asked"), "every request is answered"
        history += events
    return history, state


@for_all(st.lists(commands))
def test_whatever_comes_in_whatever_order_the_history_alone_gives_the_state(
    steps: list[Command | Wake],
) -> None:
    history, state = story(steps)
    assert SHORT.fold(SHORT.initial_state, history) == state


@for_all(st.lists(commands))
def test_full_coverage_is_told_at_most_once(steps: list[Command | Wake]) -> None:
    full = [event for event in story(steps)[0] if isinstance(event, CoverageReported) and not event.missing]
    assert len(full) <= 1


@for_all(st.lists(commands))
def test_nothing_is_told_of_a_finding_as_of_before_what_was_told_of_it(
    steps: list[Command | Wake],
) -> None:
    told = [each.at for each in story(steps)[0] if isinstance(each, FindingRecorded | FindingVerified)]
    assert told == sorted(told)


@for_all(st.lists(commands))
def test_any_state_comes_back_from_its_snapshot(steps: list[Command | Wake]) -> None:
    state = story(steps)[1]
    stored: TypeAdapter[State] = TypeAdapter(type(state))
    assert stored.validate_json(stored.dump_json(state)) == state


@pytest.mark.parametrize(
    "state",
    [
        Unknown(),
        Running(CAMPAIGN, TRIO, frozenset({"jiwei"}), ENDS),
        OpenFinding("bianmin", Ground.PERFUNCTORY),
        ClosedFinding("bianmin"),
    ],
)
def test_each_situation_comes_back_from_its_snapshot(state: State) -> None:
    assert type(state) in DECIDER.states
    stored: TypeAdapter[State] = TypeAdapter(type(state))
    assert stored.validate_json(stored.dump_json(state)) == state
