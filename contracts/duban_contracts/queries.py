"""Questions by request and reply, `query.<service>.<name>.v1.<actor>`, and their answers.

The table of all of them, with the roles that may ask each, is `query_catalogue`; this module holds the models
about one entry and those that every service answers, `reading` those about many entries.

The last token of the subject is who asks: the broker binds it to the credential, and the answer holds what
that role may see. Conduct matters are shown to the office, to the commission and to the station that has
them in hand, and are as good as absent for everybody else; `hot_list` and `disclosure` never have them.

Every question that is answered in pages is asked and answered in the same way: `limit` is the most that one
page holds, and a page that is not the last one carries `next`, even where it holds less or nothing. Asked
again with that as `after`, it goes on where the page ended. `next` is opaque.

An answer that is a refusal is a `QueryFault`; the reply then carries the headers `Nats-Service-Error` and
`Nats-Service-Error-Code` as well: 400 the question is malformed, 403 this actor may not ask it, 429 too many
questions of this actor at once, 500 our fault, 503 no charter yet.
"""

from datetime import date

from pydantic import Field

from duban_contracts.charter import Charter, Token
from duban_contracts.due import DayReason, Due, DueClock
from duban_contracts.escalation import Standing
from duban_contracts.fields import MAX_EXACT_INTEGER, Bookmark, RequestKey, RequestMoment
from duban_contracts.intake import Channel, StoredPetitioner
from duban_contracts.message import Key, Moment, Part, Question
from duban_contracts.reading import EntryInFull
from duban_contracts.reclassifying import Reclassification


class QueryFault(Part):
    """The answer to a question that was not answered, in words."""

    error: str
    code: int = 400


class WhatBecameOf(Question):
    """Pairs of key and `ce-id`, at most 1000. Only the asker's own commands are answered."""

    asked: tuple[tuple[RequestKey, RequestKey], ...] = Field(max_length=1000)
    source: RequestKey | None = Field(
        None,
        description="`ce-source` of the commands; absent: only what earlier releases answered is found",
    )
    digest: str | None = Field(
        None,
        max_length=64,
        pattern="^[0-9a-f]{1,64}$",
        description="Of a command that was refused because its id was that of another one",
    )


class ToldFact(Part):
    type: str
    time: str
    data: str = Field(description="The JSON body as it was told")
    continues: bool = Field(
        False, description="The body goes on in the next fact of this answer, perhaps on the next page"
    )


class AnswerGiven(Part):
    key: str
    message: str = Field(description="`ce-id` of what was answered")
    facts: tuple[ToldFact, ...]
    source: str | None = Field(None, description="`ce-source` of the command; absent: a fact, a wake, or old")
    actor: str | None = Field(None, description="Who sent the command; absent as `source` is")
    digest: str | None = Field(None, description="Of what the command said (`duban_contracts.identity`)")


class Unreadable(Part):
    """A command of the asker's that could not be read: it is not answered. Mend it and send it again; its id
    is not used up. Known for 90 days, and not for more than some of those that came in great numbers."""

    key: str
    message: str = Field(description="Its `ce-id`")
    source: str
    reason: str = Field(description="As in a notice of a dead letter")
    detail: str


class Answers(Part):
    """Only what was answered already, and of that as much as fits; ask again for what is not here."""

    answers: tuple[AnswerGiven, ...]
    unreadable: tuple[Unreadable, ...] = Field((), description="Of what was asked for: dead letters")
    next: str | None = Field(None, description="Of a history that goes on; absent: this is all")


class HistoryOf(Question):
    """All that ever happened to a key, as far as the asker may see it."""

    key: RequestKey
    after: Bookmark | None = Field(None, description="The `next` of the page before")


class Nothing(Question):
    pass


class AskCharter(Question):
    """Which charter does the service follow?"""

    text: bool = Field(True, description="False: its revision alone")


class Following(Part):
    """The charter in force, as this service follows it."""

    revision: int
    published_at: Moment | None = None
    charter: Charter | None = Field(None, description="Absent where `text` was not asked for")


class AskFacts(Question):
    """Which facts of this service that the asker may hear were stored after a place in its stream?"""

    after: int | None = Field(
        None, ge=0, le=MAX_EXACT_INTEGER, description="A sequence; absent: where does the stream end now?"
    )
    limit: int = Field(100, ge=1, le=500)


class HeardFact(Part):
    """One fact as it was published: `envelope.decode(subject, headers, data)` reads it."""

    sequence: int
    subject: str
    headers: dict[str, str]
    data: str


class FactsPage(Part):
    """In the order of the stream. A page may be short or empty and yet not be the last one."""

    facts: tuple[HeardFact, ...] = ()
    next: int = Field(description="Ask on after this sequence; up to here nothing is left out")
    more: bool = Field(False, description="There may be more already")


class ConsumerBacklog(Part):
    stream: str
    consumer: str
    left: int = Field(description="Messages that wait or are in work")
    delivered: int = Field(description="Messages ever delivered to it")


class Backlog(Part):
    """How far a service's consumers have come, and what keeps them."""

    consumers: tuple[ConsumerBacklog, ...]
    wrong: dict[str, str] = Field(
        default_factory=dict, description="Why the service is not ready, by part, as `/ready` says it"
    )


class FindEntry(Question):
    """Which entry came of a submission?"""

    submission: RequestKey


class Found(Part):
    entry: Key | None = Field(None, description="Its number; absent: nothing was opened, or not yet")


class ShowEntry(Question):
    """How does an entry stand, by its number?"""

    entry: RequestKey


class AskPetitioner(Question):
    """Who is behind an entry? Answered for some minutes after a `show_petitioner` of the same asker."""

    entry: RequestKey


class PetitionerRead(Part):
    """Personal data: for the asker's eyes, and not to be kept."""

    entry: Key
    submission: Key
    title: str = Field(description="As it was written")
    text: str = Field("", description="The petitioner's own words")
    petitioner: StoredPetitioner | None = Field(None, description="Absent: not said, or withheld")
    withheld: bool = Field(False, description="Wants to stay unnamed: the office alone sees who it is")
    channel: Channel
    submitted_at: Moment


class PetitionerFound(Part):
    read: PetitionerRead | None = Field(
        None, description="Absent: no reading by the asker is on record, or it is over"
    )


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


class AskStandings(Question):
    """Where does every station stand? A station is told of itself only."""

    station: Token | None = None


class Standings(Part):
    standings: tuple[Standing, ...] = Field(description="The highest rung first")


class WhoLags(Question):
    """The laggard report, as of `at` or now."""

    at: RequestMoment | None = None


class WhyEntry(Question):
    """Why is it due when it is due?"""

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
    reclassified: tuple[Reclassification, ...] = Field((), description="Oldest first")
    merged_into: Key | None = Field(
        None, description="Its station has no clock: it is handled with this entry"
    )
    merged_at: Moment | None = None
