"""Why a date is what it is, and the like: services say it in English, in one of these forms.

A form is recognised by the text between its braces, and said again in the language in use; what is in no
form, as from a newer service, stays as it is. So do sources, but for those of the charters that ship, which
`zh.sources.po` has.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from duban_contracts.charter import MatterKind
from duban_contracts.rating import Level
from duban_contracts.rules import Limit, Unit
from services.console.i18n import N_, Lang, _, language
from services.console.words import limit_in_words, word

UNITS = {f"{unit.value.replace('_', ' ').removesuffix('s')}": unit for unit in Unit}
_LIMIT = rf"\d+ (?:{'|'.join(UNITS)})s?"
CAUSES = (
    N_("its ground leads there at once"),
    N_("the order was not lifted in time"),
    N_("items of the circular stayed open"),
    N_("there were so many circulars in one quarter"),
    N_("items stayed open after the report to the principal leaders"),
)
"""Why a step is proposed."""
_GROUPS: Mapping[str, str] = {
    "limit": _LIMIT,
    "number": r"\d+",
    "token": r"\S+",
    "by": r"\S+",
    "category": r"\S+",
    "kind": r"\w+",
    "cause": "|".join(CAUSES),
    "level": "|".join(level.name.lower().replace("_", " ") for level in Level),
}
"""What may stand in the braces; anywhere else anything."""
BOTH = N_("{route}; {rule}")
FORMS = (
    N_("station {token} leads category {category} ({source})"),
    N_("station {token} named by {by}"),
    N_("{limit} for category {category} ({source})"),
    N_("{limit} for kind {kind} ({source})"),
    N_("{limit} as it is urgent ({source})"),
    N_("no time limit for kind {kind} ({source})"),
    N_("no time limit"),
    N_("due at {moment} as set elsewhere by {token}"),
    N_("due on {moment} as set elsewhere by {token}"),
    N_("set elsewhere by {token}"),
    N_("{limit} to sign for it ({source})"),
    N_("{limit} for the interim answer ({source})"),
    N_("{limit} to put it right after reopening ({source})"),
    N_("{limit} to decide an objection ({source})"),
    N_("{limit} for the stage {stage} ({source})"),
    N_("{limit} for the stage {stage}"),
    N_("{limit} to say that it is done, after its last day {moment} ({source})"),
    N_("the plan's own date ({source})"),
    N_("revision {number} of the charter says: {rule}"),
    N_("revision {number} of the charter counts other days ({source})"),
    N_("round {number} was rated {level}"),
    N_(
        "same category and village, opened within {number} days, titles alike by {percent} percent or more "
        "({source})"
    ),
    *CAUSES,
    N_("{token}: {cause}"),
)
ROUTES = re.compile(r"station \S+ (?:leads category|named by) ")
BEGINS = re.compile(rf"; (?={_LIMIT} |no time limit|due (?:at|on) |set elsewhere)")
"""Where what follows a route may begin: its source may hold such marks, too."""
Name = Callable[[str], str]


def said(text: str, name: Name, category: Name) -> str:
    """`name` and `category` are how people call tokens of stations, actors and categories."""
    if language() is Lang.EN:
        return text
    if ROUTES.match(text):
        for cut in BEGINS.finditer(text):
            route, rule = text[: cut.start()], text[cut.end() :]
            if form_of(route, FORMS) and form_of(rule, FORMS):
                return _(BOTH).format(route=said(route, name, category), rule=said(rule, name, category))
    found = form_of(text, FORMS)
    if found is None:
        return text
    form, values = found
    return _(form).format_map({field: _value(field, values[field], name, category) for field in values})


def form_of(text: str, forms: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """The first that it has, with what stands in its braces."""
    for form in forms:
        if found := _pattern(form).fullmatch(text):
            return form, found.groupdict()
    return None


def _value(field: str, value: str, name: Name, category: Name) -> str:
    match field:
        case "limit":
            amount, unit = value.split(" ", 1)
            return limit_in_words(Limit(amount=int(amount), unit=UNITS[unit.removesuffix("s")]))
        case "token" | "by":
            return name(value)
        case "category":
            return category(value)
        case "kind":
            return word(MatterKind(value)) if value in set(MatterKind) else value
        case "level":
            return word(Level[value.upper().replace(" ", "_")])
        case "rule" | "cause":
            return said(value, name, category)
        case "source":
            return _(value)
        case _:
            return value


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", form)
    return re.compile(
        "".join(
            f"(?P<{part}>{_GROUPS.get(part, '.*?')})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        ),
        re.DOTALL,
    )
