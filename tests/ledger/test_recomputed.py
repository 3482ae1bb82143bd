"""A new revision of the charter, or its calendar, counts open deadlines anew: once, at its publication."""

import asyncio
from datetime import timedelta
from typing import Any

from duban_contracts.charter import Charter, Limit
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import AcceptanceOverdue, DueClock
from services.chassis.decider import Wake
from services.chassis.memory import MemoryDocuments
from services.chassis.settle import Item, Settler, wake_id
from services.ledger.decider import RevisionSeen, Withdraw, ledger
from services.ledger.views import row
from services.ledger.why import explain
from tests.given import Given
from tests.ledger.matters import apply_extension, decide_extension, hold, report_up, resume, transfer
from tests.ledger.register import (
    ACCEPT_BY,
    DUE,
    EARLY,
    NUMBER,
    OPENED,
    SHIPPED,
    TOWN,
    accept,
    day,
    given,
    kinds,
    local,
    open_,
    reopen,
    resolve,
    story,
    verify,
)

PUBLISHED = local("2024-04-17", "09:00")
TUESDAY, WEDNESDAY = local("2024-04-16"), local("2024-04-17")


def next_revision(charter: Charter = TOWN, **changes: Any) -> Charter:
    return charter.model_copy(update={"revision": 8, "published_at": PUBLISHED, **changes})


def with_limit(days: int, charter: Charter = TOWN) -> Charter:
    help_ = {**charter.matters.limits, "help": Limit(amount=days)}
    matters = charter.matters.model_copy(
        update={"limits": {kind: help_.get(kind, limit) for kind, limit in help_.items()}}
    )
    return next_revision(charter, matters=matters)


def with_days_off(*days: str) -> Charter:
    overlay = {"country": "CN", "off": days, "source": "a notice of the town"}
    return next_revision(calendar=TOWN.calendar.model_validate(overlay))


def recomputed(charter: Charter, history: list[Any], until: Any = PUBLISHED) -> list[Any]:
    events = Given(ledger(charter))(*history).when(Wake(until))
    return [event for event in events if isinstance(event, DeadlineRecomputed | RevisionSeen)]


def test_a_changed_limit_recomputes_an_open_deadline_at_the_time_of_publication() -> None:
    history = story(open_(), accept())
    told, seen = recomputed(with_limit(8), history, local("2024-04-19"))
    assert (told.at, told.clock, seen.at) == (PUBLISHED, DueClock.STATION, PUBLISHED)
    assert (told.old.at, told.new.last_day.isoformat()) == (DUE, "2024-04-25")
    assert told.why.startswith("revision 8 of the charter says: 8 working days for kind help")
    assert (told.old.revision, told.new.revision) == (7, 8)


def test_a_new_day_off_recomputes_too_and_says_that_the_calendar_did_it() -> None:
    told, _ = recomputed(with_days_off("2024-04-18"), story(open_(), accept()))
    assert told.new.last_day.isoformat() == "2024-04-23"
    assert told.why.startswith("revision 8 of the charter counts other days")


def test_where_nothing_changes_nothing_is_told_and_it_is_looked_at_once() -> None:
    history = story(open_(), accept())
    [seen] = recomputed(next_revision(), history)
    assert isinstance(seen, RevisionSeen)
    assert seen.type.startswith("kept:")
    assert recomputed(next_revision(), [*history, seen], local("2024-04-22")) == []


def test_closed_entries_are_never_recomputed() -> None:
    struck_off = story(open_(), accept(), resolve(), verify(EARLY))
    withdrawn = story(open_(), Withdraw(EARLY, NUMBER, "xincunban"))
    for history in (struck_off, withdrawn):
        assert ledger(with_limit(8)).wake_at(Given(ledger(TOWN))(*history).state) is None


def test_an_answer_that_was_in_time_is_not_made_late_by_a_later_revision() -> None:
    history = story(open_(), accept(), resolve(EARLY))
    under = Given(ledger(with_limit(0)))
    told = under(*history).when(Wake(PUBLISHED))
    [struck_off] = under(*history, *told).when(verify(PUBLISHED))
    assert "DeadlineRecomputed" in kinds(told)
    assert (struck_off.late, struck_off.due.at) == (False, DUE)


def test_a_list_shows_the_due_date_that_an_answer_was_given_under_as_why_and_the_strike_off_do() -> None:
    history = story(open_(), accept(), resolve(EARLY))
    under = Given(ledger(with_limit(0)))
    told = under(*history).when(Wake(PUBLISHED))
    answered = under(*history, *told)
    assert answered.state.entry.due.at != DUE, "counted anew, in case it is not solved after all"
    ended = under(*history, *told, *answered.when(verify(PUBLISHED)))
    for state in (answered.state, ended.state):
        shown, explained = row(state), explain(NUMBER, state, with_limit(0))
        assert (shown["due_at"], shown["late"]) == (DUE, False)
        assert [each.due.at for each in explained.dues if each.clock is DueClock.STATION] == [DUE]


def test_a_recomputed_deadline_keeps_start_pauses_and_extensions() -> None:
    extended = (apply_extension(), decide_extension(EARLY))
    history = story(open_(), accept(), *extended, hold(TUESDAY), resume(WEDNESDAY))
    told, _ = recomputed(with_limit(8), history)
    assert (told.new.start, told.new.pauses, told.new.extensions) == (
        OPENED,
        history[-1].due.pauses,
        history[-1].due.extensions,
    )
    assert told.new.at > told.old.at


def test_every_clock_of_the_matter_is_counted_anew() -> None:
    matters = SHIPPED.matters
    slower = matters.model_copy(
        update={
            "limits": dict.fromkeys(matters.limits, Limit(amount=8)),
            "report_up": matters.report_up
            and matters.report_up.model_copy(update={"interim_within": Limit(amount=9)}),
        }
    )
    history = story(open_(), accept(), report_up(), charter=SHIPPED)
    events = recomputed(next_revision(SHIPPED, matters=slower), history)
    assert [event.clock for event in events[:-1]] == [DueClock.STATION, DueClock.CITIZEN, DueClock.INTERIM]


def test_a_deadline_that_lies_ahead_again_is_reminded_of_and_overdue_again() -> None:
    history = story(open_(), accept(), Wake(DUE))
    later = next_revision(
        with_limit(15), matters=with_limit(15).matters, published_at=DUE + timedelta(hours=9)
    )
    events = Given(ledger(later))(*history).when(Wake(local("2024-05-20")))
    assert kinds(events) == [
        "DeadlineRecomputed",
        "RevisionSeen",
        "EntryDueSoon",
        "EntryDueSoon",
        "EntryOverdue",
    ]
    assert events[-1].at == local("2024-05-09")


def test_a_deadline_that_was_moved_into_the_past_is_overdue_from_then_on_and_not_before() -> None:
    events = Given(ledger(with_limit(1)))(*story(open_(), accept())).when(Wake(PUBLISHED))
    assert kinds(events) == ["DeadlineRecomputed", "RevisionSeen", "EntryOverdue"]
    assert events[-1].at == PUBLISHED


def test_what_was_done_under_the_old_revision_after_the_new_one_was_published_stands_before_it() -> None:
    at = PUBLISHED + timedelta(hours=1)
    told, _ = recomputed(with_limit(8), story(open_(), accept(at)), at)
    assert told.at == at


def test_a_new_limit_gives_one_to_what_had_none() -> None:
    none = story(open_(limit=None), accept())
    told, _ = recomputed(with_limit(8), none)
    assert (told.old, told.new.start) == (None, OPENED)


def test_a_day_set_elsewhere_stays_and_gives_the_citizen_no_clock() -> None:
    for charter in (TOWN, SHIPPED):
        history = story(open_(due_on=day("2024-06-28")), accept(), charter=charter)
        [seen] = recomputed(with_limit(8, charter), history)
        assert isinstance(seen, RevisionSeen)


def test_after_a_reopening_what_had_a_day_set_elsewhere_has_a_limit_and_a_citizens_clock() -> None:
    reopened = (accept(), resolve(), verify(EARLY), reopen(EARLY))
    history = story(open_(due_on=day("2024-06-28")), *reopened, charter=SHIPPED)
    rating = SHIPPED.rating.model_copy(update={"rectify_within": Limit(amount=8)})
    told = recomputed(next_revision(SHIPPED, rating=rating), history)
    assert [event.clock for event in told[:-1]] == [DueClock.STATION, DueClock.CITIZEN]


def test_what_is_opened_by_a_limit_of_an_older_revision_is_counted_anew_once_and_at_its_opening() -> None:
    late = PUBLISHED + timedelta(hours=1)
    under = Given(ledger(with_limit(8)))
    opened = under.when(open_(late, revision=7))
    told, seen = under(*opened).when(Wake(late))
    assert opened[0].revision == 7
    assert (told.at, told.old.limit.amount, told.new.limit.amount) == (late, 5, 8)
    assert isinstance(seen, RevisionSeen)
    assert under(*opened, told, seen).when(Wake(late)) == []


def test_what_is_opened_by_a_limit_of_a_newer_revision_is_looked_at_when_that_arrives() -> None:
    opened = given.when(open_(revision=8))
    assert opened[0].revision == 7
    assert [type(event) for event in recomputed(next_revision(), opened)] == [RevisionSeen]


def test_the_time_to_answer_a_transfer_is_counted_anew_for_whoever_was_asked() -> None:
    asked_on = local("2024-04-16", "10:00")
    for before in ([accept()], []):
        history = story(open_(), *before, transfer("nongye", asked_on))
        events = recomputed(with_days_off("2024-04-17"), history)
        told = [(e.station, e.new.last_day.day) for e in events[:-1] if e.clock is DueClock.ACCEPTANCE]
        assert told == [("nongye", 18)]
        overdue = Given(ledger(with_days_off("2024-04-17")))(*history, *events).when(Wake(DUE))
        unsigned = [(e.station, e.at) for e in overdue if isinstance(e, AcceptanceOverdue)]
        assert unsigned == [("nongye", local("2024-04-19"))]


def test_a_time_to_sign_that_lies_ahead_again_may_run_out_again() -> None:
    slower = TOWN.matters.model_copy(update={"accept_within": Limit(amount=3)})
    unsigned, offered = story(open_()), story(open_(), accept(), transfer("nongye"))
    for history in (unsigned, offered):
        events = Given(ledger(next_revision(matters=slower)))(
            *history, *given(*history).when(Wake(ACCEPT_BY))
        ).when(Wake(DUE))
        assert [e.at for e in events if isinstance(e, AcceptanceOverdue)] == [local("2024-04-19")]


def test_a_deadline_across_a_year_without_a_notice_is_provisional_until_there_is_one() -> None:
    opened_at = local("2026-12-29", "10:00")
    history = story(open_(opened_at), accept(opened_at))
    assert history[0].due.provisional
    days = ("2027-01-04", "2027-01-05", "2027-01-06", "2027-01-07", "2027-01-08")
    known = {"country": "CN", "off": ("2027-01-01", "2027-01-02", "2027-01-03"), "working": days}
    notice = next_revision(
        calendar=TOWN.calendar.model_validate({**known, "source": "State Council notice for 2027"}),
        published_at=opened_at,
    )
    told, _ = recomputed(notice, history, opened_at)
    assert (told.old.provisional, told.new.provisional) == (True, False)
    assert told.new.last_day.isoformat() == "2027-01-06"


def test_the_poller_finds_what_is_open_whenever_it_runs_and_the_facts_are_the_same() -> None:
    """Whoever polls late tells the same at the same time as whoever polled at once."""
    outcomes = [asyncio.run(polled(after)) for after in (timedelta(0), timedelta(days=2))]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] == [("deadline_recomputed", PUBLISHED.isoformat().replace("+00:00", "Z"))]


async def polled(after: timedelta) -> list[Any]:
    documents, told = MemoryDocuments(), list[Any]()

    async def tell(tellings: Any) -> None:
        told.extend(event for telling in tellings for event in telling.answer.events)

    def settler(charter: Charter) -> Settler[Any, Any]:
        return Settler(ledger(charter), documents, tell, revision=charter.revision, row=row)  # type: ignore[arg-type]

    old, new = TOWN.model_copy(update={"revision": 7}), with_limit(8)
    await settler(old).settle([Item("m1", NUMBER, open_(), OPENED), Item("m2", NUMBER, accept(), EARLY)])
    now = PUBLISHED + after
    assert await documents.due(now, 10) == []
    assert await documents.recall(8, PUBLISHED) == 1
    [(key, at)] = await documents.due(now, 10)
    before = len(told)
    await settler(new).settle([Item(wake_id(key, at), key, Wake(now), now)])
    assert await documents.due(now, 10) == []
    assert documents.rows[NUMBER]["revision"] == 8
    return [
        (event.type.split(".")[2], event.time)
        for event in told[before:]
        if not event.type.startswith("kept:")
    ]


NO_LIMIT = next_revision(matters=TOWN.matters.model_copy(update={"limits": {}}))


def back_again(*then: Any) -> Any:
    """A revision takes the limit away, and the next one gives it back."""
    history = [*story(open_(), accept(), *then)]
    history += Given(ledger(NO_LIMIT))(*history).when(Wake(PUBLISHED))
    assert given(*history).state.entry.due is None
    again = NO_LIMIT.model_copy(
        update={"revision": 9, "published_at": local("2024-04-18", "09:00"), "matters": TOWN.matters}
    )
    told, _ = recomputed(again, history, local("2024-04-18", "09:00"))
    return told.new


def test_a_limit_that_comes_back_knows_its_start_its_pauses_and_its_extensions() -> None:
    assert back_again().at == DUE
    pause = (hold(TUESDAY), resume(PUBLISHED - timedelta(hours=1)))
    granted = (apply_extension(EARLY), decide_extension(EARLY))
    for then in (pause, granted, (*granted, *pause)):
        before, after = story(open_(), accept(), *then)[-1].due, back_again(*then)
        for field in ("start", "pauses", "extensions", "last_day", "at"):
            assert getattr(after, field) == getattr(before, field)
