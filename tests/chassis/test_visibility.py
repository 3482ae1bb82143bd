"""Facts that only some roles may see travel apart, and permissions agree with what an answer holds."""

from datetime import UTC, date, datetime

import pytest

from duban_contracts.charter import Ground, Role
from duban_contracts.escalation import ItemKind, ItemOpened, OpenItem, Rung, StepProposed
from duban_contracts.ledger import EntryAccepted, EntryOpened, EntryStruckOff, LedgerCommandRefused
from duban_contracts.message import CATALOGUE, Fact, Refusal
from duban_contracts.rating import IntegrityFlagged, RatingInvited
from duban_contracts.readers import Program, Reader, ReaderRole
from duban_contracts.subjects import parse_subject
from duban_contracts.supervision import FindingRecorded, InspectionConducted, InspectionDrawn
from duban_contracts.topology import TOLD_TO_CHANNEL
from duban_contracts.visibility import is_restricted, may_see, subjects_heard
from services.chassis.decider import Audience
from services.chassis.settle import as_event
from services.chassis.telling import subject_for

AT = datetime(2024, 4, 15, 1, tzinfo=UTC)
ENTRY = "2024-000001"
DRAWN = InspectionDrawn(at=AT, station="bianmin", campaign="2024", day=date(2024, 4, 20), seed=7)
CONDUCTED = InspectionConducted(at=AT, station="bianmin", campaign="2024", passed=True)


def found(ground: Ground) -> Fact:
    return FindingRecorded(at=AT, station="bianmin", finding="f", ground=ground, text="t")


def opened(kind: ItemKind) -> Fact:
    return ItemOpened(at=AT, station="bianmin", item=OpenItem(id="x", kind=kind, since=AT))


def proposed(rung: Rung) -> Fact:
    return StepProposed(
        at=AT, station="bianmin", step="s", rung=rung, because="b", items=(), decided_by=(Role.LEADER,)
    )


@pytest.mark.case("B4")
@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        (DRAWN, "restricted"),
        (CONDUCTED, "evt"),
        (IntegrityFlagged(at=AT, station="bianmin", entry=ENTRY, round=1), "restricted"),
        (found(Ground.INTEGRITY), "restricted"),
        (found(Ground.MISCONDUCT), "restricted"),
        (found(Ground.LAGGING), "evt"),
        (opened(ItemKind.INTEGRITY), "restricted"),
        (opened(ItemKind.ENTRY_OVERDUE), "evt"),
        (proposed(Rung.DISCIPLINE), "restricted"),
        (proposed(Rung.CIRCULAR), "evt"),
    ],
)
def test_a_fact_travels_restricted_by_what_it_says(fact: Fact, kind: str) -> None:
    assert parse_subject(subject_for(as_event(fact))).kind == kind


@pytest.mark.case("B4")
def test_every_fact_about_a_conduct_matter_is_restricted_but_a_refusal() -> None:
    conduct = Audience(restricted=True, channel="gateway")
    accepted = EntryAccepted(at=AT, station="jiwei", entry=ENTRY)
    refused = LedgerCommandRefused(
        at=AT, station="jiwei", key=ENTRY, command="accept", actor="jiwei", reason=Refusal.WRONG_STATE
    )
    assert subject_for(as_event(accepted, conduct)).startswith("restricted.ledger.")
    assert subject_for(as_event(refused, conduct)).startswith("evt.ledger.")
    assert as_event(accepted).restricted is False


def test_the_channel_is_told_of_what_concerns_its_petitioner_only() -> None:
    audience = Audience(channel="gateway")
    assert as_event(EntryAccepted(at=AT, station="bianmin", entry=ENTRY), audience).channel is None
    assert EntryOpened in TOLD_TO_CHANNEL


def fits(pattern: str, subject: str) -> bool:
    pairs = zip(pattern.split("."), subject.split("."), strict=True)
    return all(want in ("*", token) for want, token in pairs)


@pytest.mark.parametrize("role", [*Role, *Program])
@pytest.mark.parametrize("service", ["ledger", "supervision", "escalation"])
@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("station", ["bianmin", "qingjieban"])
def test_what_may_be_heard_live_is_what_may_be_seen_afterwards(
    role: ReaderRole, service: str, restricted: bool, station: str
) -> None:
    reader = Reader("bianmin", role)
    kind = "restricted" if restricted else "evt"
    subject = f"{kind}.{service}.told.v1.{station}"
    live = any(fits(pattern, subject) for pattern in subjects_heard(reader))
    assert live is may_see(reader, service, station, restricted=restricted)


BY_ITS_SERVICE = (EntryStruckOff, RatingInvited)
"""What they say is for rating; the service that tells them knows that their matter is one of conduct."""
SAYS_IT = [
    fact
    for fact in CATALOGUE.values()
    if issubclass(fact, Fact) and "restricted" in fact.model_fields and fact not in BY_ITS_SERVICE
]


@pytest.mark.parametrize("fact", SAYS_IT)
def test_a_fact_that_says_it_is_restricted_is(fact: type[Fact]) -> None:
    assert is_restricted(fact.model_construct(restricted=True, item="overdue/1"))
    assert not is_restricted(fact.model_construct(restricted=False, item="overdue/1"))
