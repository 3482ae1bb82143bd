"""The situations a campaign or a finding can be in, and how each fact leads from one to the next."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from duban_contracts.charter import Ground
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
    SupervisionPersonalDataMasked,
)


@dataclass(frozen=True)
class Unknown:
    """Neither a campaign was started nor a finding recorded under this key."""


@dataclass(frozen=True)
class Running:
    """A campaign since its start. `report_at` is when it ends, while its coverage is still to be told."""

    campaign: str
    stations: tuple[str, ...]
    inspected: frozenset[str] = frozenset()
    report_at: datetime | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(station for station in self.stations if station not in self.inspected)


@dataclass(frozen=True)
class OpenFinding:
    station: str | None
    ground: Ground
    told_at: datetime | None = None
    """When anything was last told of it."""

    def told_as_of(self, at: datetime) -> datetime:
        """Nobody found it mended before what was told of it."""
        return at if self.told_at is None else max(at, self.told_at)


@dataclass(frozen=True)
class ClosedFinding:
    """Mended, as a re-inspection found."""

    station: str | None


State = Unknown | Running | OpenFinding | ClosedFinding


def evolve(state: State, event: SupervisionEvent) -> State:
    match event:
        case CampaignStarted(campaign=campaign, stations=stations, until=until):
            return Running(campaign, stations, report_at=until)
        case InspectionConducted(station=station):
            return inspected(state, station) if isinstance(state, Running) else state
        case CoverageReported():
            return replace(state, report_at=None) if isinstance(state, Running) else state
        case FindingRecorded(station=station, ground=ground):
            return OpenFinding(station, ground, event.at)
        case FindingVerified(station=station, passed=True):
            return ClosedFinding(station)
        case FindingVerified() if isinstance(state, OpenFinding):
            return replace(state, told_at=event.at)
        case FindingVerified() | InspectionDrawn() | PlanGapDetected():
            return state
        case SupervisionCommandRefused() | SupervisionPersonalDataMasked():
            return state
        case _:
            assert_never(event)


def inspected(state: Running, station: str | None) -> Running:
    """A station outside the campaign may be inspected too, and changes nothing in its coverage."""
    seen = state.inspected | {station} if station in state.stations else state.inspected
    return replace(state, inspected=seen)


def wake_at(state: State) -> datetime | None:
    """When a campaign ends whose coverage is still to be told."""
    return state.report_at if isinstance(state, Running) else None
