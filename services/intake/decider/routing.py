"""Who leads a matter and how long it may take, each with the words that explain it.

What is told of a submission is masked here; the whole stays in `SubmissionKept`.
"""

import hashlib

from duban_contracts.charter import Category, Charter
from duban_contracts.intake import MatterAccepted, Priority, StoredMatter
from duban_contracts.masking import mask_message
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Asked
from services.chassis.limits import choose_limit
from services.intake.decider.situations import SubmissionKept


def accept(
    charter: Charter,
    category: Category,
    asked: Asked,
    kept: SubmissionKept,
    masked: StoredMatter | None = None,
) -> MatterAccepted:
    submitted = masked or mask_message(kept.submitted)[0]
    station, route = choose_station(category, submitted, kept.source)
    kind = submitted.kind or category.kind
    # Of an application each stage has a limit of its own, which urgency does not shorten.
    hurried = is_urgent(submitted) and category.procedure is None
    chosen = choose_limit(charter, submitted.category, kind, hurried)
    allowed = chosen.rule
    if submitted.due_at is not None:
        instant = WorkingCalendar(charter).local_time(submitted.due_at)
        allowed = f"due at {instant} as set elsewhere by {kept.source}"
    elif submitted.due_on is not None:
        allowed = f"due on {submitted.due_on} as set elsewhere by {kept.source}"
    return MatterAccepted(
        at=asked.now,
        station=station,
        submission=asked.key,
        title=submitted.title,
        category=submitted.category,
        kind=kind,
        co_handlers=tuple(dict.fromkeys(each for each in category.co_handlers if each != station)),
        village=submitted.village,
        channel=submitted.channel,
        priority=Priority.URGENT if is_urgent(submitted) else Priority.NORMAL,
        restricted=category.restricted,
        petitioner=pseudonym(asked.key),
        limit=chosen.limit,
        due_on=submitted.due_on,
        due_at=submitted.due_at,
        rule=f"{route}; {allowed}",
        solved_on_the_spot=submitted.solved_on_the_spot,
        past=submitted.past,
        source=kept.source,
        recurs=submitted.recurs,
        submitted_at=kept.at,
        revision=charter.revision or None,
    )


def is_urgent(submitted: StoredMatter) -> bool:
    """Hardship and safety raise the priority like an urgent matter (domain.md §2, 1(1)b and 1(2)d)."""
    return submitted.urgent or submitted.safety or submitted.hardship


def choose_station(category: Category, submitted: StoredMatter, source: str) -> tuple[str, str]:
    """The responsible station, and in words what chose it."""
    if submitted.station is not None:
        return submitted.station, f"station {submitted.station} named by {source}"
    return category.lead, f"station {category.lead} leads category {submitted.category} ({category.source})"


def pseudonym(submission: str) -> str:
    """Stands for the petitioner outside intake: made from the submission's key, never from personal data."""
    return f"p-{hashlib.sha256(submission.encode()).hexdigest()[:16]}"
