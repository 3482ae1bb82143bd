"""What the ledger decides when it is asked, by the township's own charter."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts.charter import Limit, Role
from duban_contracts.intake import Outcome, PastOutcome
from duban_contracts.ledger import (
    Due,
    EntryAccepted,
    EntryClosedUnsolved,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    ProgressRecorded,
    ReopenReason,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.calendar import NATIONAL
from services.ledger.decider import (
    Closed,
    RecordProgress,
    Reopen,
    ReopenForRating,
    ReportUp,
    Resolve,
    Withdraw,
)
from tests.ledger.register import (
    ACCEPT_BY,
    DUE,
    EARLY,
    NUMBER,
    ONE_MOMENT,
    OPENED,
    TOWN,
    accept,
    asked,
    day,
    given,
    kinds,
    local,
    open_,
    progress,
    reopen,
    resolve,
    story,
    verify,
)

RESOLVED_AT = local("2024-04-16", "09:00")
VERIFIED_AT = local("2024-04-16", "15:00")
REOPEN_UNTIL = local("2024-05-07")  # fifteen calendar days end on 1 May, which moves to Monday 6 May
WITHDRAW = Withdraw(VERIFIED_AT, NUMBER, "xincunban")

COUNTED = {"start": OPENED, "revision": 7, "calendar": NATIONAL, "hours_of": "xincunban"}
DUE_BY_LIMIT = Due(
    at=DUE,
    last_day=day("2024-04-22"),
    rule="5 working days for kind help (12345 rule)",
    limit=Limit(amount=5),
    **COUNTED,
)

opened = story(open_())
in_hand = story(open_(), accept())
resolved = story(open_(), accept(), resolve(RESOLVED_AT))
struck_off = story(open_(), accept(), resolve(RESOLVED_AT), verify(VERIFIED_AT))
withdrawn = story(open_(), WITHDRAW)


def refused(events: Any) -> Refusal:
    event = events[-1]
    assert isinstance(event, LedgerCommandRefused)
    assert len(event.detail.split()) > 4, "a refusal says what to do"
    return event.reason


def last(events: Any, kind: type[Any]) -> Any:
    assert isinstance(events[-1], kind)
    return events[-1]


# Opening


def test_an_entry_is_opened_with_a_due_date_that_explains_itself() -> None:
    [fact] = given.when(open_())
    assert isinstance(fact, EntryOpened)
    assert (fact.entry, fact.submission, fact.station, fact.at) == (
        NUMBER,
        "hotline:4711",
        "xincunban",
        OPENED,
    )
    assert (fact.due, fact.accept_by) == (DUE_BY_LIMIT, ACCEPT_BY)


def test_a_day_set_elsewhere_goes_before_the_limit_and_ends_at_its_midnight() -> None:
    [fact] = given.when(open_(due_on=day("2024-04-20"), source="import"))
    assert fact.due == Due(
        at=local("2024-04-21"),
        last_day=day("2024-04-20"),
        rule="set elsewhere by import",
        set_for=day("2024-04-20"),
        **COUNTED,
    )


@pytest.mark.case("A19")
def test_an_instant_set_elsewhere_goes_before_a_day_and_ends_at_that_time() -> None:
    instant = local("2024-04-20", "08:30")
    [fact] = given.when(open_(due_at=instant, due_on=day("2024-04-26"), source="import"))
    assert fact.due == Due(
        at=instant,
        last_day=day("2024-04-20"),
        rule="set elsewhere by import",
        set_at=instant,
        **COUNTED,
    )


@pytest.mark.case("A19")
@pytest.mark.parametrize(("minutes", "late"), [(-1, False), (0, True), (60, True)])
def test_a_case_closed_on_its_day_but_after_its_instant_is_late(minutes: int, late: bool) -> None:
    instant = local("2024-04-16", "08:30")
    events = closed(instant + timedelta(minutes=minutes), due_at=instant)
    assert events[-1].late is late


def test_without_a_limit_nothing_is_ever_due() -> None:
    [fact] = given.when(open_(limit=None))
    assert fact.due is None


def test_restricted_entries_stay_restricted() -> None:
    [fact] = given.when(open_(restricted=True))
    assert fact.restricted


def test_an_entry_is_opened_once() -> None:
    assert given(*opened).when(open_(OPENED + timedelta(minutes=1))) == []


def test_solved_on_the_spot_is_accepted_and_resolved_at_once_and_still_to_be_verified() -> None:
    events = given.when(open_(solved_on_the_spot="当场办结"))
    assert kinds(events) == ["EntryOpened", "EntryAccepted", "EntryResolved"]
    answer = events[-1]
    assert (answer.by, answer.outcome, answer.answer, answer.on_the_spot) == (
        "xincunban",
        Outcome.SOLVED,
        "当场办结",
        True,
    )
    assert refused(given(*events).when(verify(EARLY, "xincunban"))) is Refusal.OWN_WORK
    assert last(given(*events).when(verify(EARLY)), EntryStruckOff).by == "office"


# Cases closed elsewhere


def closed(closed_at: Any, **fields: Any) -> list[Any]:
    past = PastOutcome(outcome=Outcome.SOLVED, closed_at=closed_at)
    return list(given.when(open_(past=past, source="import", **fields)))


def test_a_case_closed_elsewhere_in_time_is_struck_off_as_past() -> None:
    events = closed(DUE - ONE_MOMENT)
    assert kinds(events) == ["EntryOpened", "EntryResolved", "EntryStruckOff"]
    assert events[0].accept_by is None
    assert events[1:] == [
        EntryResolved(
            at=DUE - ONE_MOMENT, station="xincunban", entry=NUMBER, by="xincunban", outcome=Outcome.SOLVED
        ),
        EntryStruckOff(
            at=DUE - ONE_MOMENT,
            station="xincunban",
            entry=NUMBER,
            by="import",
            outcome=Outcome.SOLVED,
            resolved_at=DUE - ONE_MOMENT,
            late=False,
            due=DUE_BY_LIMIT,
            past=True,
        ),
    ]


def test_a_case_closed_elsewhere_at_its_due_instant_was_late() -> None:
    events = closed(DUE)
    assert kinds(events) == ["EntryOpened", "EntryOverdue", "EntryResolved", "EntryStruckOff"]
    assert events[1] == EntryOverdue(at=DUE, station="xincunban", entry=NUMBER, due=DUE_BY_LIMIT)
    assert events[-1].late is True


def test_a_case_due_before_it_was_opened_is_overdue_from_its_opening() -> None:
    events = closed(OPENED, due_on=day("2024-04-10"))
    assert kinds(events) == ["EntryOpened", "EntryOverdue", "EntryResolved", "EntryStruckOff"]
    assert [event.at for event in events] == [OPENED] * 4
    assert events[-1].late is True


def test_of_a_case_whose_closing_was_not_timed_nothing_is_said_about_lateness() -> None:
    events = closed(None)
    assert kinds(events) == ["EntryOpened", "EntryStruckOff"]
    assert (events[-1].at, events[-1].resolved_at, events[-1].late) == (OPENED, None, None)


def test_of_a_case_without_a_due_date_nothing_is_said_about_lateness() -> None:
    assert closed(DUE, limit=None)[-1].late is None


def test_a_case_closed_elsewhere_is_never_woken() -> None:
    for closed_at in (None, OPENED, DUE):
        assert wake_at(closed(closed_at)) is None


def wake_at(history: list[Any]) -> Any:
    return given.decider.wake_at(given(*history).state)


# Accepting


def test_the_responsible_station_accepts() -> None:
    assert given(*opened).when(accept()) == [EntryAccepted(at=EARLY, station="xincunban", entry=NUMBER)]


def test_only_the_responsible_station_accepts_and_only_once() -> None:
    for somebody_else in ("bianmin", "qingjieban", "office", "nobody-we-know"):
        assert refused(given(*opened).when(accept(actor=somebody_else))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*in_hand).when(accept())) is Refusal.ALREADY_DONE
    assert refused(given(*resolved).when(accept(VERIFIED_AT))) is Refusal.WRONG_STATE


# Progress


def test_station_and_co_handlers_record_progress() -> None:
    for actor in ("xincunban", "qingjieban"):
        assert given(*in_hand).when(progress(actor=actor)) == [
            ProgressRecorded(at=EARLY, station="xincunban", entry=NUMBER, note="已派人", percent=50, by=actor)
        ]


def test_others_record_no_progress_and_nobody_does_on_what_is_resolved() -> None:
    assert refused(given(*in_hand).when(progress(actor="bianmin"))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*resolved).when(progress(VERIFIED_AT))) is Refusal.WRONG_STATE


# Resolving


def test_the_handler_resolves() -> None:
    assert given(*in_hand).when(resolve(RESOLVED_AT)) == [
        EntryResolved(
            at=RESOLVED_AT,
            station="xincunban",
            entry=NUMBER,
            by="xincunban",
            outcome=Outcome.SOLVED,
            answer="已修好",
        )
    ]


def test_who_resolves_has_signed_for_it() -> None:
    assert kinds(given(*opened).when(resolve())) == ["EntryAccepted", "EntryResolved"]


def test_only_the_handler_resolves_and_only_what_is_open() -> None:
    for somebody_else in ("bianmin", "qingjieban", "office"):
        assert refused(given(*in_hand).when(resolve(actor=somebody_else))) is Refusal.NOT_THE_HANDLER
    for history in (resolved, struck_off, withdrawn):
        assert refused(given(*history).when(resolve(VERIFIED_AT))) is Refusal.WRONG_STATE


def test_that_it_was_taken_back_is_the_petitioners_to_say_and_not_the_handlers() -> None:
    request = Resolve(asked("xincunban", EARLY, "resolve"), Outcome.WITHDRAWN, "群众撤诉")
    events = given(*in_hand).when(request)
    assert refused(events) is Refusal.NOT_ALLOWED
    assert events[-1].detail.endswith("resolve it as solved, explained, not_feasible, not_ours")


def test_who_asks_for_something_says_why_and_who_answers_says_what() -> None:
    nothing = " \n"
    for history, request in (
        (in_hand, RecordProgress(asked("xincunban", EARLY), nothing)),
        (in_hand, Resolve(asked("xincunban", EARLY), Outcome.SOLVED, nothing)),
        (in_hand, ReportUp(asked("xincunban", EARLY), nothing, "需市级资金")),
        (in_hand, ReportUp(asked("xincunban", EARLY), "市住建局", nothing)),
        (struck_off, Reopen(asked("office", VERIFIED_AT), nothing)),
    ):
        assert refused(given(*history).when(request)) is Refusal.REASON_MISSING


def test_people_are_told_the_time_of_the_town() -> None:
    too_late = given(*struck_off).when(reopen(REOPEN_UNTIL))[-1]
    assert "could be reopened until 2024-05-07 00:00;" in too_late.detail


# Verifying


def test_somebody_else_verifies_and_it_is_struck_off() -> None:
    assert given(*resolved).when(verify(VERIFIED_AT)) == [
        EntryStruckOff(
            at=VERIFIED_AT,
            station="xincunban",
            entry=NUMBER,
            by="office",
            outcome=Outcome.SOLVED,
            resolved_at=RESOLVED_AT,
            late=False,
            due=DUE_BY_LIMIT,
            brought_by="hotline",
        )
    ]


def test_lateness_is_judged_by_the_resolution_and_not_by_the_verification() -> None:
    for resolved_at, late in ((DUE - ONE_MOMENT, False), (DUE, True)):
        history = story(open_(), accept(), resolve(resolved_at))
        events = given(*history).when(verify(DUE + timedelta(days=3)))
        assert last(events, EntryStruckOff).late is late


def test_without_a_due_date_nothing_is_said_about_lateness() -> None:
    history = story(open_(limit=None), accept(), resolve())
    assert last(given(*history).when(verify(VERIFIED_AT)), EntryStruckOff).late is None


def test_nobody_verifies_the_work_of_their_own_station() -> None:
    assert refused(given(*resolved).when(verify(VERIFIED_AT, "xincunban"))) is Refusal.OWN_WORK


def test_the_commission_is_a_station_and_does_not_verify_its_own_work_under_another_token() -> None:
    rules = TOWN.matters.model_copy(update={"verify_roles": (Role.OFFICE, Role.DISCIPLINE, Role.STATION)})
    town = TOWN.model_copy(update={"matters": rules})
    own = (open_(station="jiwei", co_handlers=()), accept(actor="jiwei"), resolve(actor="jiwei"))
    for token in ("jiwei", "discipline"):
        events = story(*own, verify(VERIFIED_AT, token), charter=town)
        assert refused(events) is Refusal.OWN_WORK
    others = (open_(), accept(), resolve())
    assert last(story(*others, verify(VERIFIED_AT, "discipline"), charter=town), EntryStruckOff)


def test_only_roles_that_the_charter_names_verify() -> None:
    for token in ("bianmin", "leader", "discipline", "nobody-we-know"):
        assert refused(given(*resolved).when(verify(VERIFIED_AT, token))) is Refusal.NOT_ALLOWED


def test_only_what_is_resolved_is_verified() -> None:
    for history in (opened, in_hand, struck_off, withdrawn):
        assert refused(given(*history).when(verify(VERIFIED_AT))) is Refusal.WRONG_STATE


def test_what_did_not_pass_goes_back_for_another_round_under_the_same_due_date() -> None:
    events = given(*resolved).when(verify(VERIFIED_AT, passed=False, reason="灯还是不亮"))
    assert events == [
        VerificationRejected(
            at=VERIFIED_AT,
            station="xincunban",
            entry=NUMBER,
            round=2,
            by="office",
            reason="灯还是不亮",
            due=DUE_BY_LIMIT,
        )
    ]
    again = story(
        *(open_(), accept(), resolve(RESOLVED_AT), verify(VERIFIED_AT, passed=False, reason="不亮")),
        *(resolve(DUE), verify(DUE + timedelta(hours=9))),
    )
    assert (again[-1].round, again[-1].late) == (2, True)


def test_a_rejection_needs_a_reason() -> None:
    for reason in ("", "  "):
        events = given(*resolved).when(verify(VERIFIED_AT, passed=False, reason=reason))
        assert refused(events) is Refusal.REASON_MISSING


# Reopening


def test_a_struck_off_entry_comes_back_under_its_number_with_a_new_due_date() -> None:
    at = VERIFIED_AT + timedelta(days=1)  # Wednesday 17 April: five working days end on the 24th
    [fact] = given(*struck_off).when(reopen(at))
    assert fact == EntryReopened(
        at=at,
        station="xincunban",
        entry=NUMBER,
        round=2,
        reason=ReopenReason.OFFICE,
        detail="又不亮了",
        was_late=False,
        due=Due(
            at=local("2024-04-25"),
            last_day=day("2024-04-24"),
            rule=fact.due.rule,
            limit=Limit(amount=5),
            **COUNTED | {"start": at},
        ),
    )
    assert fact.due.rule.startswith("5 working days to put it right after reopening (Plan 3(4)")


def test_who_asks_on_the_petitioners_behalf_reopens_as_not_solved() -> None:
    [fact] = given(*struck_off).when(reopen(VERIFIED_AT, "gateway"))
    assert fact.reason is ReopenReason.NOT_SOLVED


def test_the_time_to_reopen_is_half_open() -> None:
    [fact] = given(*struck_off).when(reopen(REOPEN_UNTIL - ONE_MOMENT))
    assert isinstance(fact, EntryReopened)
    assert refused(given(*struck_off).when(reopen(REOPEN_UNTIL))) is Refusal.TOO_LATE


def test_only_what_is_struck_off_is_reopened() -> None:
    for history in (opened, in_hand, resolved, withdrawn):
        assert refused(given(*history).when(reopen(VERIFIED_AT))) is Refusal.WRONG_STATE


def test_the_lateness_of_a_later_round_is_judged_by_its_own_due_date() -> None:
    late_once = story(open_(), accept(), resolve(DUE), verify(DUE + timedelta(hours=10)))
    assert late_once[-1].late is True
    came_back = story(
        *(open_(), accept(), resolve(DUE), verify(DUE + timedelta(hours=10))),
        *(
            reopen(DUE + timedelta(hours=11)),
            resolve(DUE + timedelta(days=1)),
            verify(DUE + timedelta(days=2)),
        ),
    )
    assert (came_back[-1].round, came_back[-1].late) == (2, False)
    assert [fact.was_late for fact in came_back if isinstance(fact, EntryReopened)] == [True]


def test_a_negative_rating_reopens_the_round_that_was_rated() -> None:
    rated = ReopenForRating(VERIFIED_AT + timedelta(days=1), 1, "round 1 was rated dissatisfied")
    fact = last(given(*struck_off).when(rated), EntryReopened)
    assert (fact.reason, fact.round, fact.was_late) == (ReopenReason.NEGATIVE_RATING, 2, False)


def test_a_negative_rating_of_another_round_or_of_what_is_open_changes_nothing() -> None:
    at = VERIFIED_AT + timedelta(days=1)
    assert given(*struck_off).when(ReopenForRating(at, 2, "")) == []
    reopened = story(open_(), accept(), resolve(RESOLVED_AT), verify(VERIFIED_AT), reopen(VERIFIED_AT))
    for history in ([], opened, resolved, withdrawn, reopened):
        assert "EntryReopened" not in kinds(given(*history).when(ReopenForRating(at, 1, "")))


# Taking back


def test_what_the_petitioner_takes_back_while_it_is_open_is_closed_unsolved() -> None:
    for history in (opened, in_hand, resolved):
        assert given(*history).when(WITHDRAW) == [
            EntryClosedUnsolved(at=VERIFIED_AT, station="xincunban", entry=NUMBER, outcome=Outcome.WITHDRAWN)
        ]


def test_what_is_struck_off_or_taken_back_already_is_not_closed_again() -> None:
    assert given(*struck_off).when(WITHDRAW) == []
    assert given(*withdrawn).when(WITHDRAW) == []


@pytest.mark.parametrize("fields", [{}, {"solved_on_the_spot": "好了"}])
def test_a_withdrawal_that_overtakes_its_matter_is_remembered(fields: dict[str, Any]) -> None:
    early = given.when(WITHDRAW)
    assert kinds(early) == ["EntryClosedUnsolved"]
    assert given(*early).when(WITHDRAW) == []
    late = given(*early).when(open_(**fields))
    assert kinds(late) == ["EntryOpened"]
    assert isinstance(given(*early, *late).state, Closed)
    assert wake_at([*early, *late]) is None


def test_of_a_number_that_was_never_given_out_nothing_can_be_asked() -> None:
    for request in (accept(), progress(), resolve(), verify(EARLY), reopen(EARLY)):
        assert refused(given.when(request)) is Refusal.NO_SUCH_ENTRY
        assert refused(given(*given.when(WITHDRAW)).when(request)) is Refusal.NO_SUCH_ENTRY
