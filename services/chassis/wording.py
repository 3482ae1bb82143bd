"""Why something is refused, as a sentence that can be said in another language.

A decider says it in English, with names in braces; what stands for them goes along. So a refusal reads at
once in `detail`, and whoever shows it to people translates the text and puts the values in.
"""

from collections.abc import Iterable, Mapping
from typing import Self

from duban_contracts.charter_check import hint
from duban_contracts.charter_findings import HINTS


class Wording(str):
    """The English sentence; `text` and `values` are what it was made of.

    A value that is a wording itself stays a text among the values:
    `{"state": "merged into {into}", "into": "7"}`.
    """

    text: str
    values: Mapping[str, str]
    __slots__ = ("text", "values")

    def __new__(cls, text: str, values: Mapping[str, object]) -> Self:
        made = super().__new__(cls, text.format_map(values))
        flat: dict[str, str] = {}
        for name, value in values.items():
            if isinstance(value, Wording):
                flat |= {name: value.text, **value.values}
            else:
                flat[name] = str(value)
        made.text, made.values = text, flat
        return made


def wording(text: str, /, **values: object) -> Wording:
    """`wording("{key} is with {station}", key="2024-000001", station="cunbu")`."""
    return Wording(text, values)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint to follow a sentence about an unknown word of the charter: the nearest one, all if they are few,
    else how many there are and where they are read."""
    known = list(known)
    for name, value in hint(word, known).items():
        return Wording(HINTS[name], {name: value})
    if not known:
        return ""
    return wording(
        "; it has {count}, which `duban list` and the question `charter` tell",
        count=len(known),
    )
