"""From what stands on the screen to tokens: the charter's names are understood wherever a token is."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from duban_contracts.charter import Charter
from services.console.i18n import N_, _
from services.console.numbers import half_width
from services.console.terminal import Stop, misuse

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")
MOST_NEAR = 5


class Named(StrEnum):
    """What a charter gives names and tokens to."""

    STATION = "station"
    ACTOR = "actor"
    CATEGORY = "category"
    VILLAGE = "village"
    STAGE = "stage"
    MEASURE = "measure"


WORDS: Mapping[Named, str] = {
    Named.STATION: N_("station"),
    Named.ACTOR: N_("actor"),
    Named.CATEGORY: N_("category"),
    Named.VILLAGE: N_("village"),
    Named.STAGE: N_("stage"),
    Named.MEASURE: N_("measure"),
}
LISTS: Mapping[Named, str] = {
    Named.STATION: "stations",
    Named.ACTOR: "actors",
    Named.CATEGORY: "categories",
    Named.VILLAGE: "villages",
    Named.STAGE: "stages",
    Named.MEASURE: "measures",
}
"""How `duban list` calls them."""
FIELDS: Mapping[str, Named] = {
    "station": Named.STATION,
    "to": Named.STATION,
    "co_handlers": Named.STATION,
    "category": Named.CATEGORY,
    "village": Named.VILLAGE,
    "stage": Named.STAGE,
    "measure": Named.MEASURE,
}
"""Fields of commands that hold tokens of the charter."""
OPTIONS: Mapping[str, Named] = {**FIELDS, "actor": Named.ACTOR, "acting_for": Named.ACTOR}
"""And those beside a command: who sends it."""


def tokens(charter: Charter, kind: Named) -> dict[str, tuple[str, ...]]:
    """Each token with its names, in every language that the charter has."""
    match kind:
        case Named.STATION:
            return {
                token: tuple(filter(None, (each.name, each.name_en)))
                for token, each in charter.stations.items()
            }
        case Named.ACTOR:
            actors = {token: (each.name,) for token, each in charter.actors.items()}
            return tokens(charter, Named.STATION) | actors
        case Named.CATEGORY:
            return {token: (each.name,) for token, each in charter.categories.items()}
        case Named.VILLAGE:
            return {token: (each.name,) for token, each in charter.villages.items()}
        case Named.STAGE:
            return {stage.id: (stage.name,) for each in charter.procedures.values() for stage in each.stages}
        case Named.MEASURE:
            problems = charter.plan.problems if charter.plan else ()
            return {
                measure.id: (measure.name,)
                for problem in problems
                for group in problem.groups
                for measure in group.measures
            }


def is_token(text: str) -> bool:
    return TOKEN.fullmatch(text) is not None


def token_of(charter: Charter | None, kind: Named, text: str, *, known: bool = False) -> str:
    """The token for a token or a name. What has the form of a token and is none is left to the service,
    which refuses it, unless it must be `known`. Raises Stop with what is near."""
    text = half_width(text)
    if charter is None:
        if is_token(text):
            return text
        raise misuse(_("{text!r} is a name, and no charter says which; use the token").format(text=text))
    all_of_them = tokens(charter, kind)
    if text in all_of_them:
        return text
    called = [token for token, names in all_of_them.items() if _plain(text) in map(_plain, (token, *names))]
    match called:
        case [token]:
            return token
        case [_first, *_rest]:
            sentence = _("several are called {text!r}; say which: {names}")
            raise misuse(sentence.format(text=text, names=_(", ").join(called)))
    if is_token(text) and not known:
        return text
    raise unknown(charter, kind, text)


def in_tokens(charter: Charter | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields with a token where OPTIONS says one stands. Raises Stop for a name that is none."""
    return {
        name: token_of(charter, OPTIONS[name], value) if name in OPTIONS and value is not None else value
        for name, value in fields.items()
    }


def without_names(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields fit for their contract, to find what else breaks it before the charter is asked for."""
    return {name: "name" if _is_name(name, value) else value for name, value in fields.items()}


def have_names(fields: Mapping[str, Any]) -> bool:
    return any(_is_name(name, value) for name, value in fields.items())


def _is_name(field: str, value: Any) -> bool:
    return field in OPTIONS and value is not None and bool(value.strip()) and not is_token(value)


def unknown(charter: Charter, kind: Named, text: str) -> Stop:
    sentence = _("the charter has no {kind} {text!r}").format(kind=_(WORDS[kind]), text=text)
    return misuse(sentence + did_you_mean(charter, kind, text))


def did_you_mean(charter: Charter, kind: Named, text: str) -> str:
    """A hint to follow a complaint: what is near, else where they are listed."""
    near = near_tokens(tokens(charter, kind), text)
    if near:
        return _("; did you mean {names}?").format(names=_(", ").join(near))
    return _("; `duban list {kind}` shows all").format(kind=LISTS[kind])


def near_tokens(known: Mapping[str, Iterable[str]], text: str) -> list[str]:
    """As `token (name)`: those whose name holds the text or is held by it first, then those spelt alike."""
    words = {_plain(word): token for token, names in known.items() for word in (token, *names)}
    wanted = _plain(text)
    inside = [
        token for word, token in words.items() if len(wanted) > 1 and (wanted in word or word in wanted)
    ]
    alike = [words[word] for word in get_close_matches(wanted, words, MOST_NEAR)]
    return [_with_name(token, known[token]) for token in list(dict.fromkeys(inside + alike))[:MOST_NEAR]]


def _with_name(token: str, names: Iterable[str]) -> str:
    name = next(iter(names), "")
    return f"{token} ({name})" if name and name != token else token


def _plain(text: str) -> str:
    return half_width(text).casefold()
