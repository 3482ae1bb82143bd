"""The scenario: the same for the same seed, all nine stations in it, and no person in what is told."""

import pytest

from duban_contracts.charter import Charter, Ground
from duban_contracts.intake import SubmitMatter
from duban_contracts.supervision import DrawInspections, RecordFinding, StartCampaign
from services.console.demo import texts
from services.console.demo.play import with_timelapse
from services.console.demo.scenario import FIRST, LAST, MATTERS, WEIGHTS, opening
from services.console.demo.steps import ACTOR, Step, World
from services.console.demo.tempers import TEMPERS

SEEDS = (1, 2024)


@pytest.fixture(scope="module", params=SEEDS)
def steps(request: pytest.FixtureRequest, township: Charter) -> list[Step]:
    return opening(request.param, township)


def matters(steps: list[Step]) -> list[SubmitMatter]:
    return [step.command for step in steps if isinstance(step.command, SubmitMatter)]


def test_the_same_seed_gives_the_same_steps_and_the_same_ids(township: Charter) -> None:
    once, again = opening(2024, township), opening(2024, township)
    assert once == again
    assert [step.order(2024).id for step in once] == [step.order(2024).id for step in again]


def test_another_seed_tells_another_story(township: Charter) -> None:
    assert opening(1, township) != opening(2, township)


def test_every_step_has_an_id_of_its_own(steps: list[Step]) -> None:
    assert len({step.order(2024).id for step in steps}) == len(steps)


def test_a_few_hundred_matters_come_to_all_nine_stations(steps: list[Step], township: Charter) -> None:
    leads = {township.categories[matter.category].lead for matter in matters(steps)}
    assert (len(matters(steps)), leads) == (MATTERS, set(township.stations))


def test_every_category_of_the_charter_can_come(township: Charter) -> None:
    assert set(WEIGHTS) == set(texts.TITLES) == set(township.categories)


def test_every_station_and_the_office_itself_has_a_temper(township: Charter) -> None:
    assert set(TEMPERS) == {*township.stations, "office"}


def test_who_came_is_in_no_title(steps: list[Step]) -> None:
    names = {surname + given for surname in texts.SURNAMES for given in texts.GIVEN}
    for matter in matters(steps):
        assert matter.petitioner is not None
        assert matter.petitioner.name in names
        assert not any(name in matter.title for name in names)
        assert not any(given in matter.title for given in texts.GIVEN)


def test_some_matters_are_hard_some_solved_at_once_and_some_incomplete(
    steps: list[Step], township: Charter
) -> None:
    came = matters(steps)
    lacking = [m for m in came if set(township.categories[m.category].required) - set(m.materials)]
    assert lacking
    assert any(matter.hardship for matter in came)
    assert any(matter.safety for matter in came)
    assert any(matter.solved_on_the_spot for matter in came)


def test_the_campaign_starts_first_and_on_the_day_of_the_plan(steps: list[Step], township: Charter) -> None:
    assert isinstance(steps[0].command, StartCampaign)
    assert township.campaign is not None
    assert steps[0].at.date() == township.campaign.starts == FIRST


def test_everything_happens_within_the_three_months_and_by_day(steps: list[Step]) -> None:
    assert all(FIRST <= step.at.date() <= LAST and 9 <= step.at.hour < 18 for step in steps)


def test_stations_are_drawn_once_a_week_for_a_later_working_day(steps: list[Step], township: Charter) -> None:
    draws = [(step.at.date(), step.command) for step in steps if isinstance(step.command, DrawInspections)]
    calendar = World(1, township).calendar
    assert len(draws) == 14
    assert all(draw.day > on and calendar.is_working(draw.day) for on, draw in draws)


def test_the_findings_of_the_story_are_about_measures_of_the_station(
    steps: list[Step], township: Charter
) -> None:
    assert township.plan is not None
    measures = township.plan.measures()
    found = [step.command for step in steps if isinstance(step.command, RecordFinding)]
    assert all(each.station in measures[each.measure or ""].stations for each in found)
    assert {each.ground for each in found} >= {Ground.LAGGING, Ground.PERFUNCTORY, Ground.INTEGRITY}


def test_all_steps_are_sent_by_the_timelapse_for_an_actor_who_may(
    steps: list[Step], township: Charter
) -> None:
    charter = with_timelapse(township)
    for step in steps:
        order, actor = step.order(2024), charter.actor(step.actor)
        assert (order.actor, order.acting_for, order.at) == (ACTOR, step.actor, step.at)
        assert actor is not None
        assert actor.role in step.command.by


def test_the_timelapse_is_believed_and_the_charter_otherwise_unchanged(township: Charter) -> None:
    charter = with_timelapse(township)
    actor = charter.actors[ACTOR]
    assert actor.may_backdate
    assert actor.may_act_for
    others = {token: each for token, each in charter.actors.items() if token != ACTOR}
    assert charter.model_copy(update={"actors": others}) == township
