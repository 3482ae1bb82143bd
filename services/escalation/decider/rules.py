"""What the charter says about one station: weights, deadlines, numbers, and who decides about whom."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from duban_contracts.charter import (
    Actor,
    Charter,
    CircularRung,
    DisciplineRung,
    LeadersRung,
    Limit,
    OfficeHours,
    Role,
)
from duban_contracts.escalation import ApproveStep, ItemKind, OpenItem, RecordReceipt, Rung
from services.chassis.calendar import WorkingCalendar
from services.escalation.decider.state import State, Supervised

LEADER = "leader"


@dataclass(frozen=True)
class Rules:
    charter: Charter
    calendar: WorkingCalendar

    # What an item weighs

    def bypasses(self, item: OpenItem) -> bool:
        """Integrity and misconduct go to the discipline track, never to the service ladder."""
        return item.kind is ItemKind.INTEGRITY or item.ground in self.charter.ladder.discipline.grounds

    def calls_for(self, item: OpenItem, serious: bool) -> tuple[Rung, ...]:
        """The rungs to which a ground leads at once; a serious finding (情节严重) to the commission, too."""
        circular = item.ground in self.charter.ladder.circular.grounds
        discipline = serious or self.bypasses(item)
        return (Rung.CIRCULAR,) * circular + (Rung.DISCIPLINE,) * discipline

    def serious_at(self, item: OpenItem, now: datetime, state: State, station: str) -> datetime | None:
        """When an item makes the station lag: what is late after the charter's grace, a ground at once.

        What was late before the campaign counts from its start. None: not for the service ladder.
        """
        if item.kind.late:
            began = state.began if isinstance(state, Supervised) else item.since
            return self._late_serious_at(item.since, began, station)
        ladder = self.charter.ladder
        at_once = item.ground in (*ladder.order.grounds, *ladder.circular.grounds)
        return now if at_once and not self.bypasses(item) else None

    def _late_serious_at(self, since: datetime, began: datetime, station: str) -> datetime:
        grace = self.charter.ladder.order.after_overdue
        return self.after(began, grace, station) if since < began else self.beyond(since, grace, station)

    # Deadlines

    def after(self, moment: datetime, limit: Limit, station: str) -> datetime:
        """When `limit` from something that happened at `moment` ends."""
        return self.calendar.due(moment, limit, self._hours(station)).at

    def beyond(self, deadline: datetime, limit: Limit, station: str) -> datetime:
        """When something due at `deadline` is late by `limit`."""
        return self.calendar.overdue(deadline, limit, self._hours(station)).at

    def interval(self, rung: Rung) -> Limit:
        """How long the rung below must stay unmet before `rung` (2 to 4) is proposed."""
        return self._rung(rung).after_unmet

    def quarter(self, moment: datetime) -> tuple[int, int]:
        local = self._local(moment)
        return local.year, (local.month - 1) // 3

    # Numbers: each station has its own series per local year

    def next_order(self, now: datetime, state: Supervised) -> str:
        return self._next(f"{state.station}-{self._local(now).year}", state)

    def next_step(self, now: datetime, state: Supervised) -> str:
        return self._next(f"{state.station}-{self._local(now).year}-step", state)

    def next_circular(self, now: datetime, state: Supervised) -> str:
        return self._next(f"{state.station}-{self._local(now).year}-circular", state)

    def order_number(self, key: str, now: datetime, station: str) -> str:
        return self._printed("督", key, now, station)

    def circular_number(self, key: str, now: datetime, station: str) -> str:
        return self._printed("通报", key, now, station)

    # Who decides about whom

    def concerns(self, actor: str, station: str) -> bool:
        """Whether the actor is the station itself, under whichever of its names."""
        known = self.charter.actor(actor)
        return actor == station or (known is not None and known.station == station)

    def role(self, actor: str) -> Role | None:
        known = self.charter.actor(actor)
        return known.role if known else None

    def decided_by(self, rung: Rung, station: str) -> tuple[Role, ...]:
        """Nobody decides his own case: there the station's superior does, else the principal leaders."""
        superior = self._superior(station)
        if superior is not None:
            return (superior.role if superior.role in ApproveStep.by else Role.LEADER,)
        return tuple(role for role in self._rung(rung).decided_by if role not in self._roles_of(station)) or (
            Role.LEADER,
        )

    def recipient(self, station: str) -> str:
        """Where rung 4 leads: to the commission, or to the body above it where it is itself the case."""
        for token, actor in self.charter.actors.items():
            if actor.role is Role.DISCIPLINE and not self.concerns(token, station):
                return token
        superior = self._superior(station)
        if superior is not None and superior.role in RecordReceipt.by:
            return self.charter.stations[station].superior or LEADER
        leaders = (token for token, actor in self.charter.actors.items() if actor.role is Role.LEADER)
        return next((token for token in leaders if not self.concerns(token, station)), LEADER)

    def _rung(self, rung: Rung) -> CircularRung | LeadersRung | DisciplineRung:
        match rung:
            case Rung.CIRCULAR:
                return self.charter.ladder.circular
            case Rung.LEADERS:
                return self.charter.ladder.leaders
            case _:
                return self.charter.ladder.discipline

    def _roles_of(self, station: str) -> set[Role]:
        return {actor.role for token, actor in self.charter.actors.items() if self.concerns(token, station)}

    def _superior(self, station: str) -> Actor | None:
        known = self.charter.stations.get(station)
        return self.charter.actor(known.superior) if known and known.superior else None

    def _next(self, series: str, state: Supervised) -> str:
        return f"{series}-{state.numbers.get(series, 0) + 1}"

    def _printed(self, kind: str, key: str, now: datetime, station: str) -> str:
        """发文字号, e.g. 某镇营商办督〔2024〕便民服务中心3号 (domain.md §5.5)."""
        mark = self.charter.document_mark.removesuffix("督")
        return f"{mark}{kind}〔{self._local(now).year}〕{self._name(station)}{key.rpartition('-')[2]}号"

    def _name(self, station: str) -> str:
        if station in self.charter.stations:
            return self.charter.stations[station].name
        actor = self.charter.actor(station)
        return actor.name if actor else station

    def _hours(self, station: str) -> OfficeHours | None:
        known = self.charter.stations.get(station)
        return known.hours if known else None

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.charter.timezone))
