"""The rules of 督查: when a campaign starts, who is drawn, who may judge whom, what closes a finding."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from duban_contracts.charter import Campaign, Charter
from duban_contracts.charter_check import Path, gaps
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
from services.chassis.decider import Asked, Wake, refusal
from services.chassis.wording import Wording, wording
from services.supervision.decider.commands import (
    Command,
    DrawInspections,
    RecordFinding,
    RecordInspection,
    StartCampaign,
    VerifyRectification,
)
from services.supervision.decider.states import (
    ClosedFinding,
    OpenFinding,
    Running,
    State,
    Unknown,
    inspected,
)

OWN_CASE = wording("nobody judges its own case; another inspector has to record this")


@dataclass(frozen=True)
class Rules:
    charter: Charter

    def decide(self, command: Command | Wake, state: State) -> list[SupervisionEvent]:
        match command:
            case Wake(now):
                return _fallen_due(now, state)
            case StartCampaign():
                return self._start(command, state)
            case DrawInspections():
                return self._draw(command, state)
            case RecordInspection():
                return self._record_inspection(command, state)
            case RecordFinding():
                return self._record_finding(command, state)
            case VerifyRectification():
                return self._verify(command, state)
            case _:
                assert_never(command)

    def _start(self, command: StartCampaign, state: State) -> list[SupervisionEvent]:
        """The office inspects every station from the campaign's first day on (plan 三(三), domain.md W3a)."""
        asked, campaign = command.asked, self._campaign(command.asked.key)
        if not isinstance(state, Unknown):
            return [_no(asked, Refusal.ALREADY_DONE, wording("this campaign was started"))]
        if campaign is None:
            return [_no(asked, Refusal.NO_SUCH_CAMPAIGN, self._what_is_there())]
        if asked.now < self._midnight(campaign.starts):
            return [
                _no(
                    asked,
                    Refusal.TOO_EARLY,
                    wording("the campaign starts on {starts}", starts=campaign.starts),
                )
            ]
        until = self._midnight(campaign.ends + timedelta(days=1)) if campaign.ends else None
        if until and asked.now >= until:
            detail = wording(
                "the campaign ended on {ends}; write a new one into the charter", ends=campaign.ends
            )
            return [_no(asked, Refusal.TOO_LATE, detail)]
        return [self._started(asked, campaign, until), *self._gaps(asked)]

    def _started(self, asked: Asked, campaign: Campaign, until: datetime | None) -> CampaignStarted:
        stations = campaign.stations or tuple(self.charter.stations)
        return CampaignStarted(
            at=asked.now, campaign=asked.key, name=campaign.name, stations=stations, until=until
        )

    def _gaps(self, asked: Asked) -> list[PlanGapDetected]:
        """A measure without owner, leader or date is shown as a gap (domain.md W1)."""
        return [
            PlanGapDetected(
                at=asked.now,
                campaign=asked.key,
                path=_written(gap.path),
                gap=gap.message,
                code=gap.code,
                params=dict(gap.params),
            )
            for gap in gaps(self.charter)
        ]

    def _draw(self, command: DrawInspections, state: State) -> list[SupervisionEvent]:
        if not isinstance(state, Running):
            return [self._not_running(command.asked)]
        return [
            InspectionDrawn(
                at=command.asked.now,
                station=station,
                campaign=state.campaign,
                day=command.day,
                seed=command.seed,
            )
            for station in _drawn(state, command.count, command.seed)
        ]

    def _record_inspection(self, command: RecordInspection, state: State) -> list[SupervisionEvent]:
        """An inspection is a fact whenever it took place; no body inspects itself (domain.md §3, 10)."""
        asked, station = command.asked, command.station
        if not isinstance(state, Running):
            return [self._not_running(asked)]
        if self._is(asked.actor, station):
            return [_no(asked, Refusal.OWN_CASE, OWN_CASE)]
        conducted = InspectionConducted(
            at=asked.now,
            station=station,
            campaign=state.campaign,
            passed=command.passed,
            note=command.note,
        )
        covered = state.missing == (station,)
        return [conducted, *([_coverage(asked.now, inspected(state, station))] if covered else [])]

    def _record_finding(self, command: RecordFinding, state: State) -> list[SupervisionEvent]:
        """No body records what it found at itself (domain.md §3, 10)."""
        asked = command.asked
        if self._is(asked.actor, command.station):
            return [_no(asked, Refusal.OWN_CASE, OWN_CASE)]
        if not isinstance(state, Unknown):
            return [
                _no(
                    asked, Refusal.ALREADY_DONE, wording("this finding was recorded; give another its own id")
                )
            ]
        return [_finding(command)]

    def _verify(self, command: VerifyRectification, state: State) -> list[SupervisionEvent]:
        """Only a re-inspection that passed closes a finding (domain.md §5.4), and not one's own."""
        asked = command.asked
        match state:
            case OpenFinding(station) | ClosedFinding(station) if self._is(asked.actor, station):
                return [_no(asked, Refusal.OWN_CASE, OWN_CASE)]
            case OpenFinding():
                return [_verified(command, state)]
            case ClosedFinding():
                return [_no(asked, Refusal.ALREADY_DONE, wording("this finding is closed; record a new one"))]
            case _:
                return [
                    _no(asked, Refusal.NO_SUCH_FINDING, wording("no finding was recorded under this key"))
                ]

    def _campaign(self, key: str) -> Campaign | None:
        campaign = self.charter.campaign
        return campaign if campaign and key == f"campaign/{campaign.id}" else None

    def _what_is_there(self) -> Wording:
        campaign = self.charter.campaign
        return (
            wording("the charter's campaign is campaign/{id}", id=campaign.id)
            if campaign
            else wording("the charter has no campaign")
        )

    def _not_running(self, asked: Asked) -> SupervisionCommandRefused:
        if self._campaign(asked.key):
            return _no(asked, Refusal.WRONG_STATE, wording("start the campaign first"))
        return _no(asked, Refusal.NO_SUCH_CAMPAIGN, self._what_is_there())

    def _is(self, token: str, station: str | None) -> bool:
        actor = self.charter.actor(token)
        return actor is not None and station is not None and actor.station == station

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), ZoneInfo(self.charter.timezone))


def _fallen_due(now: datetime, state: State) -> list[SupervisionEvent]:
    match state:
        case Running(report_at=datetime() as report_at) if report_at <= now:
            return [_coverage(now, state)]
        case _:
            return []


def _coverage(now: datetime, state: Running) -> CoverageReported:
    seen = tuple(station for station in state.stations if station in state.inspected)
    return CoverageReported(at=now, campaign=state.campaign, inspected=seen, missing=state.missing)


def _drawn(state: Running, count: int, seed: int) -> list[str]:
    """`count` stations in the order of the draw, those never inspected first; all, if they are fewer.

    Only `random()` itself is promised to give the same numbers in every Python version, so the draw
    orders by it: whoever has the seed can repeat the draw years later.
    """
    chance = random.Random(seed)  # noqa: S311  # it must be reproducible, not secret
    lots = {station: chance.random() for station in sorted(state.stations)}
    return sorted(lots, key=lambda station: (station in state.inspected, lots[station]))[:count]


def _finding(command: RecordFinding) -> FindingRecorded:
    return FindingRecorded(
        at=command.asked.now,
        station=command.station,
        finding=command.asked.key,
        ground=command.ground,
        text=command.text,
        measure=command.measure,
        entry=command.entry,
        serious=command.serious,
    )


def _verified(command: VerifyRectification, finding: OpenFinding) -> FindingVerified:
    return FindingVerified(
        at=finding.told_as_of(command.asked.now),
        station=finding.station,
        finding=command.asked.key,
        passed=command.passed,
        ground=finding.ground,
        note=command.note,
    )


def _written(path: Path) -> str:
    """As the charter check writes it, e.g. `plan.problems[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _no(asked: Asked, reason: Refusal, detail: Wording) -> SupervisionCommandRefused:
    return refusal(SupervisionCommandRefused, asked, reason, detail)
