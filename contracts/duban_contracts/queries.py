"""Questions that any program may ask a service by request/reply, `query.<service>.<name>`, and the answers.

| subject | takes | gives |
|---|---|---|
| `query.ledger.find` | FindEntry | Found |
| `query.ledger.show` | ShowEntry | Shown |
| `query.ledger.why` | WhyEntry | Why |
| `query.ledger.list` | ListEntries | EntryPage |
| `query.ledger.export` | ListEntries | PaperPage |
| `query.ledger.hot_list` | AskHotList | HotListShown |
| `query.ledger.disclosure` | AskDisclosure | Disclosed |

`show`, `why`, `list`, `export` and `history` leave conduct matters out; under `show_restricted` and so on,
which NATS permits to the office and the commission only, they are there. `hot_list` and `disclosure` never
have them. `find` gives whoever knows a submission its number, as a receipt, and nothing more.
Every question that is answered in pages is asked and answered in the same way: `limit` is the most that one
page holds, and a page that is not the last one carries `next`, even where it holds less or nothing. Asked
again with that as `after`, it goes on where the page ended; what `next` is made of is nobody's business.
"""

from datetime import date

from pydantic import Field

from duban_contracts.charter import Token
from duban_contracts.due import DayReason, Due, DueClock
from duban_contracts.fields import RequestKey, RequestMoment
from duban_contracts.message import Key, Moment, Part, Question
from duban_contracts.reading import EntryInFull


class FindEntry(Question):
    """Which entry came of a submission?"""

    submission: RequestKey


class Found(Part):
    entry: Key | None = Field(None, description="Its number; absent: nothing was opened, or not yet")


class ShowEntry(Question):
    """How does an entry stand, by its number?"""

    entry: RequestKey


class EntryCard(Part):
    """What fits on one line about an entry; no personal data."""

    entry: Key
    status: str = Field(description="open, accepted, resolved, struck_off or closed")
    station: Token
    title: str
    due_at: Moment | None = Field(None, description="The first instant that is too late; absent: never late")


class Shown(Part):
    card: EntryCard | None = Field(None, description="Absent: there is no such entry")
    entry: EntryInFull | None = None


class WhoLags(Question):
    """`query.escalation.laggards`: the laggard report, as of `at` or now."""

    at: RequestMoment | None = None


class WhyEntry(Question):
    """`query.ledger.why`: why is it due when it is due? Answered with Why."""

    entry: RequestKey


class DayExplained(Part):
    """One day on the way to a due date. `counted` is in days, or in hours where the limit is in hours."""

    day: date
    reason: DayReason
    counted: float = 0.0
    provisional: bool = Field(False, description="No holiday notice is known for it yet")


class DueExplained(Part):
    clock: DueClock
    station: Token | None = Field(None, description="Whose clock it is")
    part: str | None = Field(None, description="The stage or milestone that is due; absent: the whole")
    due: Due = Field(description="Rule and source, revision, calendar, start, pauses and extensions")
    days: tuple[DayExplained, ...] = Field((), description="By the charter in force now")
    agrees: bool = Field(True, description="False: the charter in force now would give another due date")


class Why(Part):
    """Every due date of an entry, each day of it with its reason."""

    entry: Key | None = Field(None, description="Absent: there is no such entry")
    stopped: bool = Field(False, description="Struck off or taken back: no clock runs any more")
    held_since: Moment | None = Field(None, description="The clocks of station and citizen stand still")
    dues: tuple[DueExplained, ...] = Field((), description="Empty: it has no time limit")
