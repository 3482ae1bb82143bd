"""How titles are found and compared: by pairs of characters, since Chinese is written without spaces."""

from collections.abc import Iterable
from functools import lru_cache
from unicodedata import normalize

KNOWN = 4096
"""Titles kept in mind: an entry's is asked for with every change, and with every new matter beside it."""


@lru_cache(maxsize=KNOWN)
def plain(text: str) -> str:
    """Without case, width, spaces and punctuation."""
    return "".join(filter(str.isalnum, normalize("NFKC", text).casefold()))


@lru_cache(maxsize=KNOWN)
def grams(text: str) -> tuple[str, ...]:
    """Each pair of neighbouring characters once, in order; what is shorter than a pair stands for itself."""
    letters = plain(text)
    if len(letters) < 2:
        return (letters,) if letters else ()
    return tuple(dict.fromkeys(letters[at : at + 2] for at in range(len(letters) - 1)))


def likeness(one: Iterable[str], other: Iterable[str]) -> float:
    """Shared pairs by all pairs (Jaccard), from 0 to 1; nothing is like nothing. Sets are fastest."""
    these, those = frozenset(one), frozenset(other)
    shared = len(these & those)
    return shared / (len(these) + len(those) - shared) if these or those else 0.0
