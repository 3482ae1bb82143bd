"""Which time limit a matter has, by the charter, and in words why: one source for everybody who asks."""

from dataclasses import dataclass

from duban_contracts.charter import Charter, Limit, MatterKind


@dataclass(frozen=True)
class Chosen:
    """`rule` says it in words, with its source; no limit means that nothing is ever late."""

    limit: Limit | None
    rule: str


def choose_limit(charter: Charter, category: str, kind: MatterKind, urgent: bool) -> Chosen:
    """Urgent before category before kind (domain.md §5.2)."""
    rules = charter.matters
    if urgent and rules.urgent is not None:
        return Chosen(rules.urgent, f"{in_words(rules.urgent)} as it is urgent ({rules.source})")
    known = charter.categories.get(category)
    if known is not None and known.limit is not None:
        words = f"{in_words(known.limit)} for category {category} ({known.source})"
        return Chosen(known.limit, words)
    if (of_kind := rules.limits.get(kind)) is not None:
        return Chosen(of_kind, f"{in_words(of_kind)} for kind {kind.value} ({rules.source})")
    return Chosen(None, f"no time limit for kind {kind.value} ({rules.source})")


def in_words(limit: Limit) -> str:
    unit = limit.unit.value.replace("_", " ")
    return f"{limit.amount} {unit.removesuffix('s') if limit.amount == 1 else unit}"
