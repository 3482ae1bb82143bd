"""Questions that any program may ask a service by request/reply, `query.<service>.<name>`, and the answers.

| subject | takes | gives |
|---|---|---|
| `query.ledger.find` | FindEntry | Found |
| `query.ledger.show` | ShowEntry | Shown |
| `query.ledger.list` | ListEntries | EntryPage |
| `query.ledger.export` | ListEntries | PaperPage |
| `query.ledger.hot_list` | AskHotList | HotListShown |
| `query.ledger.disclosure` | AskDisclosure | Disclosed |

`show`, `list` and `export` leave conduct matters out; under `show_restricted`, `list_restricted` and
`export_restricted`, which NATS permits to the office and the commission only, they are there.
A page that is not the last one carries `next`: asked again with `after`, it goes on where it ended.
"""

from datetime import date

from pydantic import Field

from duban_contracts.charter import Token
from duban_contracts.due import DayReason, Due, DueClock
from duban_contracts.message import Key, Moment, Part


class FindEntry(Part):
    """Which entry came of a submission?"""

    submission: Key


class Found(Part):
    entry: Key | None = Field(None, description="Its number; absent: nothing was opened, or not yet")


class ShowEntry(Part):
    """How does an entry stand, by its number?"""

    entry: Key


class EntryCard(Part):
    """What fits on one line about an entry; no personal data."""

    entry: Key
    status: str = Field(description="open, accepted, resolved, struck_off or closed")
    station: Token
    title: str
    due_at: Moment | None = Field(None, description="The first instant that is too late; absent: never late")


class EntryStatus(StrEnum):
    """Coarse and stable; what is finer is in the entry's history."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    STRUCK_OFF = "struck_off"
    CLOSED = "closed"


class EntryInFull(Part):
    """Everything that the register shows of an entry; no personal data."""

    number: Key
    register: EntryKind = EntryKind.MATTER
    status: EntryStatus
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


class Shown(Part):
    card: EntryCard | None = Field(None, description="Absent: there is no such entry")
    entry: EntryInFull | None = None


class ListEntries(Part):
    """Which entries? Every filter that is given must hold; without one: all of them.

    Sorted by due date, what is never late at the end; with `updated_since` by the time of the last change.
    """

    station: Token | None = Field(None, description="The responsible one, not a co-handler")
    statuses: tuple[EntryStatus, ...] = ()
    register: EntryKind | None = None
    kind: MatterKind | None = None
    category: Token | None = None
    village: Token | None = None
    due_from: date | None = Field(None, description="Last day in time: this one or later, local")
    due_until: date | None = Field(None, description="This one or earlier")
    updated_since: Moment | None = None
    text: str | None = Field(None, min_length=2, max_length=100, description="Stands in the title")
    limit: int = Field(50, ge=1, le=500)
    after: str | None = Field(None, max_length=400, description="The `next` of the page before")


class EntryPage(Part):
    entries: tuple[EntryInFull, ...]
    next: str | None = Field(None, description="Absent: this is all")


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


class AskHotList(Part):
    """Where do matters pile up? What is not said is taken from the charter."""

    category: Token | None = None
    village: Token | None = None
    within_days: int | None = Field(None, ge=1, le=3660)
    at_least: int | None = Field(None, ge=2, le=1000)


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


class HotListShown(Part):
    clusters: tuple[Cluster, ...] = Field(description="The largest first")
    since: Moment
    looked_at: int = Field(description="How many matters of that time were compared")
    all_of_them: bool = Field(description="False: there were more, and only the newest were compared")


class AskDisclosure(Part):
    category: Token | None = None
    limit: int = Field(50, ge=1, le=500)
    after: str | None = Field(None, max_length=400)


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


class WhoLags(Part):
    """`query.escalation.laggards`: the laggard report, as of `at` or now."""

    at: Moment | None = None


class WhyEntry(Part):
    """`query.ledger.why`: why is it due when it is due? Answered with Why."""

    entry: Key


class DayExplained(Part):
    """One day on the way to a due date. `counted` is in days, or in hours where the limit is in hours."""

    day: date
    reason: DayReason
    counted: float = 0.0
    provisional: bool = Field(False, description="No holiday notice is known for it yet")


class DueExplained(Part):
    clock: DueClock
    station: Token | None = Field(None, description="Whose clock it is")
    due: Due = Field(description="Rule and source, revision, calendar, start, pauses and extensions")
    days: tuple[DayExplained, ...] = Field((), description="By the charter in force now")
    agrees: bool = Field(True, description="False: the charter in force now would give another due date")


class Why(Part):
    """Every due date of an entry, each day of it with its reason."""

    entry: Key | None = Field(None, description="Absent: there is no such entry")
    stopped: bool = Field(False, description="Struck off or taken back: no clock runs any more")
    held_since: Moment | None = Field(None, description="The clocks of station and citizen stand still")
    dues: tuple[DueExplained, ...] = Field((), description="Empty: it has no time limit")
