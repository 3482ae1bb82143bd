"""The demo's own check says what its story did not show."""

from datetime import UTC, datetime

from duban_contracts.charter import Charter
from duban_contracts.escalation import Rung, StationRecovered, StepDecided
from duban_contracts.ledger import EntryOpened, LedgerCommandRefused
from duban_contracts.message import Fact
from services.console.demo.closing import AT_EACH_STATION, SOMEWHERE, Tally, missing

NOON = datetime(2024, 5, 7, 4, tzinfo=UTC)


def told(type_: type[Fact], station: str = "bianmin") -> Fact:
    return type_.model_construct(at=NOON, station=station)


def complete(charter: Charter) -> list[Fact]:
    declined = StepDecided.model_construct(at=NOON, station="nongyisuo", approved=False)
    everywhere = [told(type_, station) for type_ in AT_EACH_STATION for station in charter.stations]
    return [declined, *(told(type_) for type_ in SOMEWHERE), *everywhere]


def tally_of(facts: list[Fact]) -> Tally:
    tally = Tally()
    tally.count(facts)
    return tally


def test_a_complete_story_lacks_nothing(township: Charter) -> None:
    assert missing(tally_of(complete(township)), township) == []


def test_a_rung_that_was_not_reached_is_named(township: Charter) -> None:
    facts = [fact for fact in complete(township) if not isinstance(fact, StationRecovered)]
    assert missing(tally_of(facts), township) == ["station_recovered"]


def test_a_station_without_a_matter_is_named(township: Charter) -> None:
    facts = [
        fact for fact in complete(township) if not (isinstance(fact, EntryOpened) and fact.station == "jiwei")
    ]
    assert missing(tally_of(facts), township) == ["entry_opened (jiwei)"]


def test_a_story_in_which_nobody_said_no_is_not_complete(township: Charter) -> None:
    facts = [fact for fact in complete(township) if not isinstance(fact, StepDecided)]
    assert missing(tally_of(facts), township) == ["step_decided (declined)"]


def test_rungs_and_refusals_are_counted(township: Charter) -> None:
    tally = tally_of([*complete(township), told(LedgerCommandRefused)])
    assert tally.refused == 1
    assert tally.rungs() == dict.fromkeys(Rung, 1)
