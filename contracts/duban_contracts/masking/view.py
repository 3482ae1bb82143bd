"""A text in plain signs: full-width digits, odd hyphens and blanks as the ASCII ones, nothing invisible."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

Cut = tuple[int, int, str]
"""From where to where, and what stands there instead."""
Find = Callable[[str], Iterable[Cut]]


def _is_digit(sign: str) -> bool:
    return unicodedata.digit(sign, None) is not None


PLAIN: dict[int, str] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width signs of ASCII
    **{ord(sign): "-" for sign in "‐‑‒–—―−﹣－"},
    **{ord(sign): " " for sign in "\u00a0\u2002\u2003\u2009\u202f\u3000\t\r\n"},
    **{ord(sign): "." for sign in "·•．。∙"},
    **{
        code: str(unicodedata.digit(chr(code)))
        for code in range(0x80, 0x20000)
        if _is_digit(chr(code)) and not 0xFF10 <= code <= 0xFF19
    },
}
"""One sign for one sign: places in the plain text are places in the text."""
_CHINESE_DIGITS = {
    ord(sign): str(digit)
    for digit, signs in enumerate(
        ("〇零", "一幺壹", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for sign in signs
}
CHINESE_TOO = {**PLAIN, **_CHINESE_DIGITS}
_ONE_CHINESE = f"[{''.join(map(chr, _CHINESE_DIGITS))}]"
CHINESE_NUMBER = re.compile(rf"{_ONE_CHINESE}{{5}}|{_ONE_CHINESE}.?\d{{4}}")
_UNSEEN = "\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u20e3\ufe00-\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_BEYOND = "\U00010000-\U0010ffff"
"""Rare signs, all taken together: a class that names single ones of them is ten times slower."""


def _of_two_bytes(signs: Iterable[int]) -> str:
    return re.escape("".join(chr(code) for code in signs if code <= 0xFFFF))


DISGUISED = re.compile(
    f"[@{_UNSEEN}{_BEYOND}{_of_two_bytes(c for c, s in PLAIN.items() if s.isalnum() or s == '@')}]"
)
"""An @, or what may read as a letter or digit of ASCII and is none, or what cannot be seen between them."""
_TO_PLAIN = re.compile(f"[{_BEYOND}{_of_two_bytes(PLAIN)}]")


class View:
    """A text in plain signs, and the way back from places in it."""

    def __init__(self, text: str, more: Mapping[int, str] | None = None) -> None:
        self.original = text
        self._places: list[int] | None = None
        if _INVISIBLE.search(text):
            self._places = [place for place, sign in enumerate(text) if not _INVISIBLE.match(sign)]
            text = "".join(text[place] for place in self._places)
            self._places.append(len(self.original))
        plain = text.isascii() or (more is None and not _TO_PLAIN.search(text))
        self.text = text if plain else text.translate(more or PLAIN)

    def cut(self, cuts: Iterable[Cut]) -> str:
        pieces, done = [], 0
        for start, end, instead in sorted(cuts):
            if self._places is not None:
                start, end = self._places[start], self._places[end - 1] + 1
            if start < done:
                continue
            pieces += [self.original[done:start], instead]
            done = end
        return "".join([*pieces, self.original[done:]])
