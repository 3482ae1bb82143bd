"""Questions about many entries of the register at once, and the answers; the table is in `queries`."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from duban_contracts.charter import MatterKind, Token
from duban_contracts.due import Due
from duban_contracts.fields import MAX_LIST, Bookmark, Day, RequestMoment, Words
from duban_contracts.intake import Outcome
from duban_contracts.ledger import EntryKind
from duban_contracts.message import Key, Moment, Part, Question


class EntryStatus(StrEnum):
    """Coarse and stable; what is finer is in the entry's history."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    STRUCK_OFF = "struck_off"
    CLOSED = "closed"


class Situation(StrEnum):
    """What `status` leaves out; as the rules grow, so may this list."""

    UNSIGNED = "unsigned"
    IN_HAND = "in_hand"
    OFFERED = "offered"
    """Another station is asked to take it over."""
    EXTENSION_ASKED = "extension_asked"
    REPORTED_UP = "reported_up"
    """Asked of the body above, and no interim answer yet."""
    ON_HOLD = "on_hold"
    RETURNED = "returned"
    """The office has to say whose it is."""
    IN_PROCEDURE = "in_procedure"
    OBJECTED = "objected"
    """An objection keeps the approval waiting."""
    AWAITING_VERIFICATION = "awaiting_verification"
    VERIFIED = "verified"
    TAKEN_BACK = "taken_back"
    MERGED = "merged"
    """Handled with an earlier entry, whose outcome it will share."""
    NOT_IN_PLAN = "not_in_plan"


class EntryInFull(Part):
    """Everything that the register shows of an entry; no personal data."""

    number: Key
    entry_kind: EntryKind = EntryKind.MATTER
    status: EntryStatus
    situation: Situation | None = None
    station: Token
    co_handlers: tuple[Token, ...] = ()
    title: str
    category: Token | None = None
    kind: MatterKind | None = None
    village: Token | None = None
    priority: str | None = None
    restricted: bool = False
    round: int = 1
    opened_at: Moment
    updated_at: Moment
    due_at: Moment | None = Field(None, description="The first instant that is too late")
    due: Due | None = None
    held: bool = Field(False, description="Its clocks stand still")
    stage: Token | None = Field(None, description="Of an application")
    measure: Token | None = Field(None, description="The plan's id of a measure")
    about: str = Field("", description="Of a measure: the problem in the plan's words")
    leader: str | None = None
    note: str = Field("", description="What was last said of its progress, or its answer")
    percent: int | None = None
    outcome: Outcome | None = None
    late: bool | None = None
    ended_at: Moment | None = Field(None, description="When it left the register")
    reclassified_from: Token | None = Field(None, description="The category until the last reclassification")
    resembles: tuple[Key, ...] = Field((), description="Entries that it may be the same as: a hint")
    merged_into: Key | None = Field(None, description="The entry that it is, or was, handled with")
    merged: tuple[Key, ...] = Field((), description="Entries that are handled with this one")


class ListEntries(Question):
    """Which entries? Every filter that is given must hold; without one: all of them.

    Sorted by due date, what is never late at the end; with `updated_since` by the time of the last change.
    Where the filters together match hardly anything a page may be short, or empty: there is more as long as
    there is a `next`.
    """

    station: Token | None = Field(None, description="The responsible one, not a co-handler")
    statuses: tuple[EntryStatus, ...] = Field((), max_length=MAX_LIST)
    entry_kind: EntryKind | None = None
    kind: MatterKind | None = None
    category: Token | None = None
    village: Token | None = None
    due_from: Day | None = Field(None, description="Last day in time: this one or later, local")
    due_until: Day | None = Field(None, description="This one or earlier")
    overdue: bool = Field(False, description="Only what its station has in hand and should have answered")
    updated_since: RequestMoment | None = Field(
        None,
        description=(
            "By the time of the fact that changed it, which may be told later, as of then: ask from well "
            "before the last time, or listen to the facts"
        ),
    )
    text: Annotated[str, Words(100, least=2)] | None = Field(None, description="Stands in the title")
    limit: int = Field(50, ge=1, le=500)
    after: Bookmark | None = Field(None, description="The `next` of the page before")


class EntryPage(Part):
    entries: tuple[EntryInFull, ...]
    next: str | None = Field(None, description="Absent: this is all, however many entries a page holds")


class PaperRow(Part):
    """A line of the paper ledger: 编号, 问题, 责任站所, 责任领导, 整改措施, 完成时限, 进展, 销号."""

    number: Key
    problem: str
    stations: tuple[str, ...] = Field(description="By name, the responsible one first")
    leader: str | None = None
    measure: str = ""
    last_day: date | None = None
    status: EntryStatus
    percent: int | None = None
    note: str = ""
    struck_off: date | None = None


class PaperPage(Part):
    rows: tuple[PaperRow, ...]
    next: str | None = None


class AskHotList(Question):
    """Where do matters pile up? What is not said is taken from the charter."""

    category: Token | None = None
    village: Token | None = None
    within_days: int | None = Field(None, ge=1, le=3660)
    at_least: int | None = Field(None, ge=2, le=1000)
    limit: int = Field(50, ge=1, le=500)
    after: Bookmark | None = None


class Alike(Part):
    """One matter of a cluster, with what somebody needs to judge whether it is the same as the others."""

    number: Key
    title: str
    station: Token
    status: EntryStatus
    opened_at: Moment


class Cluster(Part):
    """Matters of one category and one village whose titles are alike (举一反三)."""

    category: Token
    village: Token | None = None
    size: int
    entries: tuple[Key, ...] = Field(description="Oldest first")
    titles: tuple[str, ...]
    stations: tuple[Token, ...]
    first_at: Moment
    last_at: Moment
    members: tuple[Alike, ...] = Field((), description="All of them, oldest first")


class HotListShown(Part):
    clusters: tuple[Cluster, ...] = Field(description="The largest first")
    since: Moment
    looked_at: int = Field(description="How many matters of that time were compared")
    all_of_them: bool = Field(description="False: there were more, and only the newest were compared")
    next: str | None = None


class AskDisclosure(Question):
    category: Token | None = None
    limit: int = Field(50, ge=1, le=500)
    after: Bookmark | None = None


class PublicApplication(Part):
    """What anybody may see of an application: no name, no number, no village of few households."""

    category: Token
    name: str
    stage: str = Field(description="By name")
    village: str | None = Field(None, description="By name; absent: another one")
    status: EntryStatus
    outcome: Outcome | None = None
    since: date = Field(description="Of the last change")


class Disclosed(Part):
    applications: tuple[PublicApplication, ...]
    next: str | None = None
