"""Questions of operators to every service, and their answers: what is stuck, and what could not be read.

| question | takes | gives |
|---|---|---|
| `stuck` | AskStuck | Stuck |
| `dead_letters` | ListDeadLetters | DeadLetterPage |
| `dead_letter` | ShowDeadLetter | DeadLetterShown |
| `decide_dead_letter` | DecideDeadLetter | DeadLetterDecided |

For the credentials of administrators and operators only. Bodies are shown with patterns of
personal data masked.
"""

from enum import StrEnum

from pydantic import Field

from duban_contracts.fields import Bookmark, OptionalText, RequestKey
from duban_contracts.message import Moment, Part, Question


class AskStuck(Question):
    """What does not get on?"""


class StuckDelivery(Part):
    """A message that was given back to the broker again and again."""

    stream: str
    sequence: int
    subject: str
    deliveries: int
    error: str = Field(description="Type and code of what went wrong at the last try")
    at: Moment = Field(description="When it was given back last")


class StuckWake(Part):
    """A key that is due and cannot be woken."""

    key: str
    error: str


class Stuck(Part):
    messages: tuple[StuckDelivery, ...] = ()
    wakes: tuple[StuckWake, ...] = ()
    warnings: dict[str, str] = Field(
        default_factory=dict, description="What `/ready` says, but for what is as it should be"
    )
    dead_letters: int = Field(0, description="Letters that nobody replayed or dropped yet")


class DeadLetterState(StrEnum):
    WAITING = "waiting"
    REPLAYED = "replayed"
    DROPPED = "dropped"


class ListDeadLetters(Question):
    """Newest first; those that wait, unless `everything` is asked for."""

    everything: bool = False
    limit: int = Field(50, ge=1, le=500)
    after: Bookmark | None = Field(None, description="The `next` of the page before")


class DeadLetterCard(Part):
    """What fits on one line; no personal data."""

    letter: str = Field(description="`<stream>.<consumer>.<sequence>`, its name")
    reason: str
    detail: str
    subject: str
    actor: str | None = Field(None, description="Who sent the command; absent: a fact of ours")
    stored_at: Moment
    bytes: int = Field(description="Size of the body")
    state: DeadLetterState = DeadLetterState.WAITING
    by: str | None = Field(None, description="Who replayed or dropped it")
    decided_at: Moment | None = None
    outcome: str | None = Field(None, description="Why it was dropped, or what came of it")


class DeadLetterPage(Part):
    letters: tuple[DeadLetterCard, ...]
    next: str | None = None


class ShowDeadLetter(Question):
    letter: RequestKey


class DeadLetterShown(Part):
    card: DeadLetterCard | None = Field(None, description="Absent: there is no such letter")
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = Field("", description="Masked, and its beginning only where it is long")


class DeadLetterVerb(StrEnum):
    REPLAY = "replay"
    """Deliver the original once more, under its own identity."""
    DROP = "drop"


class DecideDeadLetter(Question):
    letter: RequestKey
    verb: DeadLetterVerb
    reason: OptionalText = Field("", description="Needed to drop one")


class DeadLetterDecided(Part):
    done: bool
    outcome: str = Field(description="In words; where it was not done, why")
