"""Who leads a matter and how long it may take, each with the words that explain it."""

import hashlib

from duban_contracts.charter import Category, Charter, Limit, MatterKind
from duban_contracts.intake import MatterAccepted, Priority, SubmitMatter
from services.chassis.decider import Asked
from services.intake.decider.situations import SubmissionKept


def accept(charter: Charter, category: Category, asked: Asked, kept: SubmissionKept) -> MatterAccepted:
    submitted = kept.submitted
    station, route = choose_station(category, submitted, kept.source)
    kind = submitted.kind or category.kind
    limit, allowed = choose_limit(charter, category, submitted, kind)
    if submitted.due_on is not None:
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
        limit=limit,
        due_on=submitted.due_on,
        rule=f"{route}; {allowed}",
        solved_on_the_spot=submitted.solved_on_the_spot,
        past=submitted.past,
        source=kept.source,
    )


def is_urgent(submitted: SubmitMatter) -> bool:
    """Hardship and safety raise the priority like an urgent matter (domain.md §2, 1(1)b and 1(2)d)."""
    return submitted.urgent or submitted.safety or submitted.hardship


def choose_station(category: Category, submitted: SubmitMatter, source: str) -> tuple[str, str]:
    """The responsible station, and in words what chose it."""
    if submitted.station is not None:
        return submitted.station, f"station {submitted.station} named by {source}"
    return category.lead, f"station {category.lead} leads category {submitted.category} ({category.source})"


def choose_limit(
    charter: Charter, category: Category, submitted: SubmitMatter, kind: MatterKind
) -> tuple[Limit | None, str]:
    """The time limit and its source in words: urgent before category before kind (domain.md §5.2)."""
    rules = charter.matters
    if is_urgent(submitted) and rules.urgent is not None:
        return rules.urgent, f"{in_words(rules.urgent)} as it is urgent ({rules.source})"
    if category.limit is not None:
        limit = category.limit
        return limit, f"{in_words(limit)} for category {submitted.category} ({category.source})"
    if (of_kind := rules.limits.get(kind)) is not None:
        return of_kind, f"{in_words(of_kind)} for kind {kind.value} ({rules.source})"
    return None, f"no time limit for kind {kind.value} ({rules.source})"


def in_words(limit: Limit) -> str:
    unit = limit.unit.value.replace("_", " ")
    return f"{limit.amount} {unit.removesuffix('s') if limit.amount == 1 else unit}"


def pseudonym(submission: str) -> str:
    """Stands for the petitioner outside intake: made from the submission's key, never from personal data."""
    return f"p-{hashlib.sha256(submission.encode()).hexdigest()[:16]}"
