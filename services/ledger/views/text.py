"""How titles are found and compared: by pairs of characters, since Chinese is written without spaces."""

from collections.abc import Sequence
from unicodedata import normalize


def plain(text: str) -> str:
    """Without case, width, spaces and punctuation."""
    return "".join(filter(str.isalnum, normalize("NFKC", text).casefold()))


def grams(text: str) -> list[str]:
    """Each pair of neighbouring characters once, in order; what is shorter than a pair stands for itself."""
    letters = plain(text)
    if len(letters) < 2:
        return [letters] if letters else []
    return list(dict.fromkeys(letters[at : at + 2] for at in range(len(letters) - 1)))


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Shared pairs by all pairs (Jaccard), from 0 to 1; nothing is like nothing."""
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else 0.0
