"""Each fact and request that escalation hears, as the command it becomes for a station."""

import pytest

from duban_contracts import escalation, ledger, rating, supervision
from duban_contracts.charter import Ground
from duban_contracts.escalation import ItemKind, OpenItem
from duban_contracts.ledger import Due
from duban_contracts.message import Command, Refusal
from duban_contracts.rating import CallbackResult
from duban_contracts.time import PassTime
from duban_contracts.topology import HEARS as TOPOLOGY
from duban_contracts.topology import commands_of
from services.chassis.decider import Asked, Refuse
from services.chassis.heard import Heard
from services.escalation.decider import (
    EVERY_ROUND,
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    BeginSupervision,
    Close,
    DeclineStep,
    Open,
    RecordInstruction,
    RecordReceipt,
    Remind,
    WithdrawCircular,
)
from services.escalation.handlers import HEARS
from tests.escalation.town import DUE, ENTRY, OVERDUE, STATION, TOWNSHIP, day, late_item, revised

NOW = day(4, 18, 9)
ACCEPTANCE = f"acceptance/{ENTRY}"
RECTIFICATION = f"rectification/{ENTRY}/2"
CALLBACK = f"callback/{ENTRY}/2"
DUE_DATE = Due(at=DUE, last_day=day(4, 17, 12).date(), rule="3 working days")
OF_ROUND = {"at": NOW, "station": STATION, "entry": ENTRY, "round": 2}


def commands_for(data, charter=TOWNSHIP, key="key", actor="office"):
    return list(HEARS[type(data)](Heard("id", key, data, NOW, actor, actor), charter))


def fact(kind, **fields):
    return commands_for(kind(at=NOW, station=STATION, **fields))


def test_escalation_hears_its_commands_and_what_the_topology_lists():
    asked = {command for command in commands_of("escalation") if not issubclass(command, PassTime)}
    assert set(HEARS) == {*asked, *TOPOLOGY["escalation"]}


@pytest.mark.parametrize("on_due_day", [False, True])
def test_what_is_due_soon_is_reminded_of(on_due_day):
    told = fact(ledger.EntryDueSoon, entry=ENTRY, due=DUE_DATE, on_due_day=on_due_day)
    assert told == [(STATION, Remind(NOW, STATION, ENTRY, on_due_day))]


def test_an_overdue_entry_opens_an_item_since_its_due_date_in_its_round():
    told = fact(ledger.EntryOverdue, entry=ENTRY, round=2, due=DUE_DATE)
    assert told == [(STATION, Open(NOW, STATION, late_item(), 2))]


def test_an_entry_signed_for_too_late_opens_an_item():
    item = OpenItem(id=ACCEPTANCE, kind=ItemKind.ACCEPTANCE_OVERDUE, since=NOW)
    assert fact(ledger.AcceptanceOverdue, entry=ENTRY) == [(STATION, Open(NOW, STATION, item))]


def test_a_signature_or_a_resolution_closes_what_waits_for_acceptance_and_nothing_more():
    closes = [(STATION, Close(NOW, STATION, (ACCEPTANCE,)))]
    assert fact(ledger.EntryAccepted, entry=ENTRY) == closes
    assert fact(ledger.EntryResolved, entry=ENTRY, by=STATION, outcome="solved") == closes


@pytest.mark.parametrize(
    ("late", "round", "owed"), [(False, 1, ()), (None, 1, ()), (True, 1, (OVERDUE,)), (False, 2, (OVERDUE,))]
)
def test_an_entry_struck_off_closes_everything_of_its_round(late, round, owed):  # noqa: A002
    told = fact(ledger.EntryStruckOff, entry=ENTRY, by="office", outcome="solved", late=late, round=round)
    assert told == [(STATION, Close(NOW, STATION, (OVERDUE, ACCEPTANCE), round, owed))]


def test_an_entry_taken_back_closes_everything_for_good():
    items = (OVERDUE, ACCEPTANCE)
    told = fact(ledger.EntryClosedUnsolved, entry=ENTRY, outcome="withdrawn")
    assert told == [(STATION, Close(NOW, STATION, items, EVERY_ROUND, items))]


def test_an_entry_reopened_opens_no_item_by_itself():
    assert fact(ledger.EntryReopened, entry=ENTRY, round=2, reason="office") == []


def test_an_overdue_rectification_opens_an_item_of_its_round():
    item = OpenItem(id=RECTIFICATION, kind=ItemKind.RECTIFICATION_OVERDUE, since=NOW)
    told = commands_for(rating.RectificationOverdue(**OF_ROUND))
    assert told == [(STATION, Open(NOW, STATION, item))]


@pytest.mark.parametrize(("late", "owed"), [(False, ()), (True, (RECTIFICATION,))])
def test_a_rectification_closes_its_item(late, owed):
    told = commands_for(rating.Rectified(**OF_ROUND, late=late))
    assert told == [(STATION, Close(NOW, STATION, (RECTIFICATION,), owed=owed))]


def test_an_overdue_callback_is_the_failing_of_the_office():
    item = OpenItem(id=CALLBACK, kind=ItemKind.CALLBACK_OVERDUE, since=NOW)
    told = commands_for(rating.CallbackOverdue(**OF_ROUND))
    assert told == [("office", Open(NOW, "office", item))]


def test_an_unfounded_complaint_closes_the_callback_and_the_rectification():
    told = commands_for(rating.CallbackRecorded(**OF_ROUND, result=CallbackResult.UNFOUNDED))
    assert told == [
        ("office", Close(NOW, "office", (CALLBACK,), owed=(CALLBACK,))),
        (STATION, Close(NOW, STATION, (RECTIFICATION,))),
    ]


def test_a_confirmed_complaint_closes_the_callback_alone():
    told = commands_for(rating.CallbackRecorded(**OF_ROUND, result=CallbackResult.CONFIRMED))
    assert [key for key, _ in told] == ["office"]


def test_a_citizen_who_was_not_reached_is_still_to_be_called_back():
    assert commands_for(rating.CallbackRecorded(**OF_ROUND, result=CallbackResult.NOT_REACHED)) == []


def test_an_integrity_flag_opens_an_item_with_its_ground():
    item = OpenItem(id=f"integrity/{ENTRY}/2", kind=ItemKind.INTEGRITY, ground=Ground.INTEGRITY, since=NOW)
    assert commands_for(rating.IntegrityFlagged(**OF_ROUND)) == [(STATION, Open(NOW, STATION, item))]


def test_a_campaign_begins_for_each_of_its_stations_and_for_the_office():
    started = supervision.CampaignStarted(
        at=NOW, campaign="campaign/2024", name="spring", stations=("bianmin", STATION)
    )
    assert commands_for(started) == [
        (key, BeginSupervision(NOW, key, "campaign/2024")) for key in ("bianmin", STATION, "office")
    ]


def test_an_office_that_is_a_station_has_one_key_only():
    office = TOWNSHIP.actors["office"].model_copy(update={"station": STATION})
    town = revised(actors=TOWNSHIP.actors | {"office": office})
    started = supervision.CampaignStarted(at=NOW, campaign="c", name="spring", stations=(STATION,))
    assert [key for key, _ in commands_for(started, town)] == [STATION]
    assert [key for key, _ in commands_for(rating.CallbackOverdue(**OF_ROUND), town)] == [STATION]


@pytest.mark.parametrize("key", ["7", "finding/7"])
def test_a_finding_opens_an_item_with_its_ground_and_a_verified_one_closes_it(key):
    item = OpenItem(id="finding/7", kind=ItemKind.FINDING, ground=Ground.LAGGING, since=NOW)
    found = fact(supervision.FindingRecorded, finding=key, ground=Ground.LAGGING, text="late", serious=True)
    assert found == [(STATION, Open(NOW, STATION, item, serious=True))]
    mended = fact(supervision.FindingVerified, finding=key, ground=Ground.LAGGING, passed=True)
    assert mended == [(STATION, Close(NOW, STATION, ("finding/7",), owed=("finding/7",)))]


def test_a_finding_that_is_not_mended_yet_stays_open():
    assert fact(supervision.FindingVerified, finding="7", ground=Ground.LAGGING, passed=False) == []


def test_a_fact_about_nobody_concerns_no_station():
    assert commands_for(ledger.EntryOverdue(at=NOW, entry=ENTRY, due=DUE_DATE)) == []
    assert commands_for(ledger.EntryAccepted(at=NOW, entry=ENTRY)) == []


ORDER, STEP, CIRCULAR = f"{STATION}-2024-3", f"{STATION}-2024-step-3", f"{STATION}-2024-circular-3"
ASKED = Asked(NOW, "office", "key", "name")
REQUESTS = [
    (escalation.AcknowledgeOrder(order=ORDER), AcknowledgeOrder(ASKED, STATION, ORDER)),
    (escalation.AnswerOrder(order=ORDER, answer="a"), AnswerOrder(ASKED, STATION, ORDER, "a")),
    (
        escalation.ApproveStep(step=STEP, decided_by="b", reason="r"),
        ApproveStep(ASKED, STATION, STEP, "b", "r"),
    ),
    (
        escalation.DeclineStep(step=STEP, decided_by="b", reason="r"),
        DeclineStep(ASKED, STATION, STEP, "b", "r"),
    ),
    (escalation.RecordInstruction(step=STEP, instruction="i"), RecordInstruction(ASKED, STATION, STEP, "i")),
    (escalation.RecordReceipt(step=STEP, receipt="r"), RecordReceipt(ASKED, STATION, STEP, "r")),
    (
        escalation.WithdrawCircular(circular=CIRCULAR, reason="r"),
        WithdrawCircular(ASKED, STATION, CIRCULAR, "r"),
    ),
]


@pytest.mark.parametrize(("request_", "command"), REQUESTS, ids=lambda each: type(each).__name__)
def test_a_request_goes_to_the_station_that_its_number_names(request_: Command, command):
    ((key, made),) = commands_for(request_)
    assert key == STATION
    assert made.asked == Asked(NOW, "office", "key", request_.message_name)
    assert vars(made) | {"asked": ASKED} == vars(command)


@pytest.mark.parametrize("order", [STEP, CIRCULAR, "nobody-2024-1", STATION, "-2024-1", "x"])
def test_an_order_whose_number_names_no_order_of_a_station_is_refused(order):
    ((key, no),) = commands_for(escalation.AcknowledgeOrder(order=order))
    assert isinstance(no, Refuse)
    assert (key, no.reason) == ("key", Refusal.NO_SUCH_ORDER)
    assert "bianmin-2024-1" in no.detail or "jiwei-2024-1" in no.detail


@pytest.mark.parametrize("step", [ORDER, CIRCULAR, "nobody-2024-step-1"])
def test_a_step_whose_number_names_no_step_of_a_station_is_refused(step):
    ((_, no),) = commands_for(escalation.ApproveStep(step=step, decided_by="b"))
    assert isinstance(no, Refuse)
    assert no.reason is Refusal.NO_SUCH_STEP
