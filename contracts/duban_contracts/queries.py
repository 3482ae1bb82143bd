"""Questions that any program may ask a service by request/reply, `query.<service>.<name>`, and the answers.

`query.ledger.find` takes FindEntry and gives Found; `query.ledger.show` takes ShowEntry and gives Shown.
"""

from pydantic import Field

from duban_contracts.charter import Token
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


class Shown(Part):
    card: EntryCard | None = Field(None, description="Absent: there is no such entry")


class WhoLags(Part):
    """`query.escalation.laggards`: the laggard report, as of `at` or now."""

    at: Moment | None = None
