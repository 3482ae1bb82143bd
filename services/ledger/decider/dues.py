"""Every due date of a matter: one rule, counted over the time in which nothing paused it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from duban_contracts.charter import Charter, Limit, OfficeHours
from duban_contracts.due import Closing, Pause
from duban_contracts.intake import Priority
from duban_contracts.ledger import Due
from duban_contracts.reclassifying import ClockEffect
from services.chassis.calendar import WorkingCalendar
from services.chassis.counting import Counter, Counting
from services.chassis.limits import Chosen, choose_limit, in_words
from services.ledger.decider.commands import Matter
from services.ledger.decider.situations import CountedAs, Entry, Former

ONE_DAY = timedelta(days=1)
COUNTED_BY = ("start", "limit", "rule", "set_for", "set_at", "closing", "hours_of", "pauses", "extensions")
"""The fields of a due date that say how it is counted; the rest is what comes of it."""


class Reminders(NamedTuple):
    """When to remind of a due date (催办); None: not at all."""

    soon: datetime | None
    """When the charter's share of the time is used."""
    on_due_day: datetime | None


@dataclass(frozen=True)
class Dues:
    charter: Charter
    calendar: WorkingCalendar

    # Counting

    def counted(self, **by: Any) -> Due:
        """A due date from the fields of `COUNTED_BY`, by the calendar of this charter."""
        due = Due.model_construct(**by)
        counting = self.counting(due)
        return Due(
            at=counting.at,
            last_day=counting.last_day,
            provisional=counting.provisional,
            revision=self.charter.revision or None,
            calendar=self.calendar.version,
            **by,
        )

    def again(self, due: Due, **changed: Any) -> Due:
        """Counted anew with these fields changed. One that does not say how it was counted stays."""
        if due.start is None:
            return due
        return self.counted(**{name: getattr(due, name) for name in COUNTED_BY} | changed)

    def counting(self, due: Due) -> Counting:
        """Day by day; needs `start`, and the limit or the day or instant that was set elsewhere."""
        if due.start is None:
            raise ValueError("a due date that does not say where it starts cannot be counted")
        counter = self._counter(due)
        more = [extension.length for extension in due.extensions]
        if due.closing is not None:
            more.append(due.closing.length)
        if due.limit is not None:
            return counter.due(due.start, [due.limit, *more])
        if due.set_at is not None:
            return counter.until_instant(due.start, due.set_at, more)
        if due.set_for is None:
            raise ValueError("a due date needs a limit, or a day or an instant set elsewhere")
        return counter.until(due.start, due.set_for, more)

    def ends(self, start: datetime, limit: Limit, station: str) -> datetime:
        """When a plain limit of `station` is over, by its own office hours."""
        return self.calendar.due(start, limit, self.hours(station)).at

    def hours(self, station: str | None) -> OfficeHours | None:
        known = self.charter.stations.get(station) if station else None
        return known.hours if known else None

    def _counter(self, due: Due) -> Counter:
        return self._counting_by(due.hours_of, due.pauses)

    def _counting_by(self, hours_of: str | None, pauses: tuple[Pause, ...]) -> Counter:
        spans = tuple((pause.start, pause.end) for pause in pauses)
        return Counter(self.calendar, self.hours(hours_of), spans)

    # Reminders

    def reminders(self, due: Due, since: datetime, station: str) -> Reminders:
        """催办, from `since` on (domain.md §5.4, rung 0): nobody is reminded as of before a date was set.

        When the charter's share of the unpaused working time is used; and on the due day, at once where it
        is that day already, or before it where the office is closed on it. Both while the office of `station`
        is open and before the due instant; where they meet, one is enough.
        """
        day = self._on_due_day(due, since, station)
        used = self._share_used(due.start or since, due.at, due.hours_of, due.pauses)
        soon = used and self._while_open(used, due, station)
        return Reminders(soon if soon and soon >= since and soon != day else None, day)

    @cached_property
    def _share_used(self) -> "Callable[[datetime, datetime, str | None, tuple[Pause, ...]], datetime | None]":
        """When the charter's share of a time is used. Every message of a matter asks for the same again."""
        percent = self.charter.matters.reminder_percent

        @lru_cache(maxsize=16_384)
        def used(
            start: datetime, end: datetime, hours_of: str | None, pauses: tuple[Pause, ...]
        ) -> datetime | None:
            return self._counting_by(hours_of, pauses).used(start, end, percent)

        return used

    def _on_due_day(self, due: Due, since: datetime, station: str) -> datetime | None:
        if not self.charter.ladder.reminder.on_due_day:
            return None
        day = due.last_day
        while not self.calendar.openings(day, self.hours(station)):
            day -= ONE_DAY
        return self._while_open(max(self.calendar.begins(day), since), due, station)

    def _while_open(self, moment: datetime, due: Due, station: str) -> datetime | None:
        """At that moment or the next opening of the station, if that is before the due instant."""
        opens = self.calendar.within_hours(moment, self.hours(station)) if moment < due.at else due.at
        return opens if opens < due.at else None

    # Rules

    def of_matter(self, matter: Matter, now: datetime) -> Due | None:
        """An instant or a day set elsewhere goes before the limit; with neither, nothing is ever late."""
        if matter.due_at is not None:
            rule = f"set elsewhere by {matter.source}"
            return self.counted(start=now, set_at=matter.due_at, rule=rule, hours_of=matter.station)
        if matter.due_on is not None:
            return self.set_elsewhere(matter.due_on, matter.source, matter.station, now)
        if matter.limit is None:
            return None
        return self.counted(start=now, limit=matter.limit, rule=matter.rule, hours_of=matter.station)

    def set_elsewhere(self, last_day: date, who: str, station: str, now: datetime) -> Due:
        return self.counted(start=now, set_for=last_day, rule=f"set elsewhere by {who}", hours_of=station)

    def of_citizen(self, due: Due | None, submitted_at: datetime | None = None) -> Due | None:
        """From submission to strike-off: the station's limit and the time to verify on top."""
        rule = self.charter.matters.citizen
        if rule is None or due is None or due.limit is None:
            return None
        closing = Closing(length=rule.closing, source=rule.source)
        return self.again(due, start=submitted_at or due.start, closing=closing)

    def of_acceptance(self, now: datetime, station: str) -> Due:
        """Signing for the order (签收), domain.md §5.2."""
        rules = self.charter.matters
        return self._by(rules.accept_within, "to sign for it", rules.source, now, station)

    def of_interim(self, now: datetime, station: str, limit: Limit, source: str) -> Due:
        return self._by(limit, "for the interim answer", source, now, station)

    def of_rectification(self, now: datetime, station: str) -> Due:
        """A round after a reopening is due like the rectification of a negative rating (domain.md §5.1)."""
        rules = self.charter.rating
        return self._by(rules.rectify_within, "to put it right after reopening", rules.source, now, station)

    def of_successor(self, entry: Entry, station: str, start: datetime, now: datetime) -> Due | None:
        """The clock of a station that gets the entry at `now` starts with it, at `start`.

        One that had it before has its own again, so that a round trip gives nobody new time: only while
        others had it did it stand still. A day set elsewhere stands, whoever has the entry.
        """
        due = entry.last_due
        if due is not None and due.limit is None:
            return self.again(due, hours_of=station)
        if before := entry.former_of(station):
            return self._back(entry, before, now)
        chosen = self._chosen(entry, due)
        if chosen.limit is None:
            return None
        return self.counted(
            start=start,
            limit=chosen.limit,
            rule=chosen.rule,
            hours_of=station,
            extensions=entry.promised,
        )

    def _back(self, entry: Entry, before: Former, now: datetime) -> Due | None:
        """By the limit that is in force now, whatever it was when the entry left."""
        away, own = Pause(start=before.left_at, end=max(before.left_at, now)), before.due
        if own is not None:
            extensions = (*own.extensions, *entry.promised)
            own = own.model_copy(update={"pauses": (*own.pauses, away), "extensions": extensions})
        return self._anew(entry, own, before.station, before.assigned_at, before.counted_as)

    # Another category

    def whole_limit(self, entry: Entry, station: str, now: datetime) -> tuple[Due | None, ClockEffect]:
        """Of a station that gets the entry with its new category: nothing that passed before is its time.

        A day or an instant set elsewhere stands, unless it has passed already: that was not this station's
        to keep.
        """
        due = entry.last_due
        if due is not None and due.limit is None and (due.set_for or due.set_at) and due.at > now:
            return self.again(due, hours_of=station), ClockEffect.UNCHANGED
        chosen = self._chosen(entry, due)
        if chosen.limit is None:
            return None, ClockEffect.NONE
        fresh = self.counted(
            start=now, limit=chosen.limit, rule=chosen.rule, hours_of=station, extensions=entry.promised
        )
        return fresh, ClockEffect.WHOLE_LIMIT

    def other_limit(
        self, entry: Entry, old: Due | None, station: str, now: datetime
    ) -> tuple[Due | None, ClockEffect]:
        """A clock that goes on under the new category of `entry` (a choice of ours; no source rules it).

        What has passed stays passed: no lateness is healed. Else the elapsed time counts in full, but nobody
        misses a time that he was not told of before: a shorter limit counts from `now`, and never beyond the
        old date.
        """
        if old is not None and (old.limit is None or old.at <= now):
            return old, ClockEffect.UNCHANGED
        chosen = self._chosen(entry, old)
        if chosen.limit is None:
            return None, ClockEffect.NONE
        if old is None:
            fresh = self.counted(start=now, limit=chosen.limit, rule=chosen.rule, hours_of=station)
            return fresh, ClockEffect.FROM_NOW
        changed = self.again(old, limit=chosen.limit, rule=chosen.rule)
        if changed.at >= old.at:
            return changed, ClockEffect.SAME_START
        from_now = self.again(changed, start=now, pauses=())
        return (from_now, ClockEffect.FROM_NOW) if from_now.at < old.at else (old, ClockEffect.UNCHANGED)

    # A new revision of the charter: what a due date is under this one; start, pauses, extensions are kept

    def station_anew(self, entry: Entry) -> Due | None:
        return self._anew(entry, entry.due, entry.station, entry.assigned_at, entry.counted_as)

    def citizen_anew(self, entry: Entry) -> Due | None:
        """Where the day was set elsewhere the citizen has none, until a reopening gives the entry a limit."""
        old, of_station = entry.citizen, entry.last_due
        if of_station is not None and of_station.limit is None and not entry.rectifying:
            return None
        submitted_at = entry.opened.submitted_at or entry.opened.at
        began = entry.began_at if entry.rectifying else submitted_at
        of_it = old and self.again(old, closing=None)
        plain = self._anew(entry, of_it, entry.station, began, entry.citizen_as)
        if old is None and plain is not None:
            of_station = entry.due or entry.lapsed
            extensions = of_station.extensions if of_station else ()
            plain = self.again(plain, pauses=entry.paused, extensions=extensions)
        return self.of_citizen(plain)

    def acceptance_anew(self, acceptance: Due | None) -> Due | None:
        rules = self.charter.matters
        return self._changed(acceptance, rules.accept_within, "to sign for it", rules.source)

    def interim_anew(self, interim: Due | None) -> Due | None:
        rule = self.charter.matters.report_up
        if rule is None:
            return interim
        return self._changed(interim, rule.interim_within, "for the interim answer", rule.source)

    def _anew(
        self,
        entry: Entry,
        due: Due | None,
        station: str,
        start: datetime | None,
        counted_as: CountedAs | None,
    ) -> Due | None:
        if due is not None and due.limit is None:
            return self.again(due)
        chosen = self._chosen(entry, due, counted_as)
        if chosen.limit is None:
            return None
        if due is None:
            return self.counted(
                start=start or entry.opened.at,
                limit=chosen.limit,
                rule=chosen.rule,
                hours_of=station,
                pauses=entry.paused,
                extensions=entry.lapsed.extensions if entry.lapsed else (),
            )
        if chosen.limit == due.limit:
            return self.again(due)
        return self.again(due, limit=chosen.limit, rule=chosen.rule)

    def _chosen(self, entry: Entry, due: Due | None, counted_as: CountedAs | None = None) -> Chosen:
        """A category that the charter knows no more keeps the limit that it gave."""
        if entry.rectifying:
            rules = self.charter.rating
            words = f"{in_words(rules.rectify_within)} to put it right after reopening ({rules.source})"
            return Chosen(rules.rectify_within, words)
        opened = entry.opened
        by = counted_as or CountedAs(opened.category, opened.kind)
        if by.category not in self.charter.categories and due is not None:
            return Chosen(due.limit, due.rule)
        return choose_limit(self.charter, by.category, by.kind, opened.priority is Priority.URGENT)

    def _changed(self, due: Due | None, limit: Limit, what: str, source: str) -> Due | None:
        if due is None or due.limit == limit:
            return due and self.again(due)
        return self.again(due, limit=limit, rule=f"{in_words(limit)} {what} ({source})")

    def _by(self, limit: Limit, what: str, source: str, now: datetime, station: str) -> Due:
        rule = f"{in_words(limit)} {what} ({source})"
        return self.counted(start=now, limit=limit, rule=rule, hours_of=station)
