"""Why a message could not be read: the contracts say it in English, here it is said in the language in use.

What is in no form, as from a newer service or where personal data was masked in it, stays as it is.
"""

import re
from functools import cache

from duban_contracts.faults import SENTENCES
from services.console.i18n import N_, Lang, _, language
from services.console.said import form_of

FORMS = (
    N_("no message is called {type}"),
    N_("its headers or its subject cannot be read"),
    N_("structured mode is not read; send binary mode: attributes in ce- headers, data as the body"),
    N_("{content}; send application/json"),
    N_("the body begins with a byte order mark; send UTF-8 without one"),
    N_("a field is there twice in one object; send each field once"),
    N_("NaN and Infinity are no JSON; leave the field out where there is no number"),
    N_("a value is outside of what can be kept, e.g. a date before 1900 or after 9998"),
    N_("header {header} is there twice"),
    N_("header {header} is missing"),
    N_("ce-specversion must be 1.0"),
    N_("header {header} holds a % that begins no escape; write it as %25"),
    N_("header {header} is not UTF-8 when its escapes are decoded"),
    N_("header {header} holds {character}; send UTF-8, percent-encoded"),
    N_("header {header} is longer than {most} characters"),
    N_("{header} has to be 1 to 40 letters A to Z, digits, _ or -, as in the charter"),
    N_("ce-time {time} is outside of the years that are kept; leave it out for no time"),
    N_("ce-time {time} is not an RFC 3339 time with a zone, like 2024-04-15T09:00:00+08:00"),
    N_("ce-time {time} is before 1900; leave it out for no time"),
    N_("ce-charterrevision {revision} is not a number"),
    N_("{type} travels on {subject}, not on {other}"),
    N_("{type} is not handled here"),
)
MORE = N_("and {count} more faults")


def why_unreadable(detail: str) -> str:
    if language() is Lang.EN:
        return detail
    if (faults := _faults(detail)) is not None:
        return faults
    found = form_of(detail, FORMS)
    return detail if found is None else _(found[0]).format_map(found[1])


def _faults(detail: str) -> str | None:
    """`field: sentence; field: sentence`, as `duban_contracts.faults.in_words` writes it."""
    said, place = list[str](), 0
    while place < len(detail):
        found = _fault().match(detail, place)
        if found is None:
            return None
        field, sentence = found["field"], _in_words(found["sentence"])
        said.append(f"{field}: {sentence}" if field else sentence)
        place = found.end()
    return _("; ").join(said)


def _in_words(sentence: str) -> str:
    form, values = form_of(sentence, (*SENTENCES.values(), MORE)) or (sentence, {})
    if "expected" in values:
        values["expected"] = values["expected"].replace(" or ", _(" or "))
    return _(form).format_map(values) if values else _(form)


@cache
def _fault() -> re.Pattern[str]:
    forms = map(re.escape, (*SENTENCES.values(), MORE))
    sentences = "|".join(re.sub(r"\\{\w+\\}", ".*?", form) for form in forms)
    return re.compile(rf"(?:(?P<field>[\w.]+): )?(?P<sentence>{sentences})(?:; |$)", re.DOTALL)
