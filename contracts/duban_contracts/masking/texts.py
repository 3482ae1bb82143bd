"""One text, or one identifier."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from duban_contracts.masking.dwellings import MAY_BE_DWELLING, find_dwellings
from duban_contracts.masking.kinds import HIDDEN, Masked, PersonalData
from duban_contracts.masking.names import LABELS_AND_TITLES, find_names
from duban_contracts.masking.numbers import (
    LABELS,
    OR_NOT,
    find_cards,
    find_emails,
    find_identities,
    find_labelled,
    find_landlines,
    find_mobiles,
)
from duban_contracts.masking.view import CHINESE_NUMBER, CHINESE_TOO, DISGUISED, PLAIN, Find, View


class Finder(NamedTuple):
    kind: PersonalData
    gate: re.Pattern[str]
    """What must be there at least: most texts hold nothing, and are not searched any further."""
    find: Find


_TEN_DIGITS = re.compile(r"(?:\d[^\dA-Za-z\u3400-\u9fff]{0,5}){9}\d")
"""The shortest number of a person has ten, and never a letter or more than four other signs between two."""
_NO_DIGITS = re.compile(r"\D+")
NUMBERS: tuple[Finder, ...] = (
    Finder(PersonalData.IDENTITY_NUMBER, _TEN_DIGITS, find_identities),
    Finder(PersonalData.BANK_CARD_NUMBER, _TEN_DIGITS, find_cards),
    Finder(PersonalData.MOBILE_NUMBER, _TEN_DIGITS, find_mobiles),
    Finder(PersonalData.LANDLINE_NUMBER, _TEN_DIGITS, find_landlines),
)
FINDERS: tuple[Finder, ...] = (
    Finder(PersonalData.EMAIL, re.compile("@"), find_emails),
    *NUMBERS,
    Finder(PersonalData.ACCOUNT, re.compile(r"[A-Za-z0-9][A-Za-z0-9 _\-]{5}"), find_labelled),
    Finder(PersonalData.ADDRESS, MAY_BE_DWELLING, find_dwellings),
    Finder(PersonalData.NAME, re.compile(LABELS_AND_TITLES), find_names),
)
_SIGNS = (
    DISGUISED,
    re.compile(f"{LABELS_AND_TITLES}|{LABELS}"),
    _TEN_DIGITS,
    CHINESE_NUMBER,
    MAY_BE_DWELLING,
)
"""Without any of them in a text as it was written, no finder finds anything in it."""


def mask(text: str, known: Iterable[str] = ()) -> Masked:
    """`known` are the petitioner's own name, telephone and so on: masked wherever they stand."""
    if not text:
        return Masked(text)
    kinds: set[PersonalData] = set()
    if known:
        text = _without_known(text, _ready(tuple(known)), kinds)
    if not any(sign.search(text) for sign in _SIGNS):  # as in nearly all texts
        return Masked(text, tuple(kinds))
    text = _mask_all(text, FINDERS, kinds)
    if CHINESE_NUMBER.search(text):
        text = _mask_all(text, NUMBERS, kinds, CHINESE_TOO)
    return Masked(text, tuple(sorted(kinds)))


def _mask_all(
    text: str, finders: "Iterable[Finder]", kinds: set[PersonalData], more: Mapping[int, str] | None = None
) -> str:
    view = View(text, more)
    closed: re.Pattern[str] | None = None
    for kind, gate, find in finders:
        if gate is closed:  # the finder before found it so in the same text
            continue
        if not gate.search(view.text):
            closed = gate
        elif cuts := list(find(view.text)):
            kinds.add(kind)
            text, closed = view.cut(cuts), None
            view = View(text, more)
    return text


def mask_identifier(value: str) -> Masked:
    """An identifier holds no sentence: what is not bounded by other signs than letters and digits is part of
    a longer name, e.g. of a hash."""
    if value.isascii() and not _TEN_DIGITS.search(value):
        return Masked(value)
    kinds: set[PersonalData] = set()
    for kind, gate, find in NUMBERS:
        view = View(value)
        if not gate.search(view.text):
            continue
        cuts = [
            (start, end, re.sub(r"\d", "0", view.text[start:end]))
            for start, end, _mark in find(view.text)
            if not _alphanumeric(view.text, start - 1) and not _alphanumeric(view.text, end)
        ]
        if cuts:
            kinds.add(kind)
            value = view.cut(cuts)
    return Masked(value, tuple(sorted(kinds)))


def _alphanumeric(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isascii() and text[place].isalnum()


class _Known(NamedTuple):
    """Something that a message says about a person, and how it is looked for."""

    least: str
    """What has to be in a text at least: a pattern of its own for every petitioner is dear to make."""
    within: Callable[[str], str]
    pattern: str
    instead: str


def _whole(plain: str) -> str:
    return plain


def _run_together(plain: str) -> str:
    return plain.replace(" ", "").replace(".", "")


def _digits(plain: str) -> str:
    return _NO_DIGITS.sub("", plain)


@lru_cache(maxsize=16)
def _ready(values: tuple[str, ...]) -> tuple[_Known, ...]:
    """The longest first. Kept for the texts of one message, which are masked one after another."""
    stripped = sorted({value.strip() for value in values}, key=len, reverse=True)
    return tuple(known for known in map(_looked_for, stripped) if known is not None)


def _looked_for(value: str) -> _Known | None:
    """A number is found however it is grouped; a name of one sign, or a short number, is no name to go by."""
    plain = value if value.isascii() else value.translate(PLAIN)
    digits = _digits(plain)
    if len(digits) >= 6 and len(digits) * 2 > len(value):
        return _Known(digits, _digits, r"(?<!\d)" + OR_NOT.join(digits) + r"(?!\d)", "[号码]")
    if len(value) >= 2 and not any(sign.isdigit() for sign in value):
        return _Known(_run_together(plain), _run_together, r"[ .]?".join(map(re.escape, plain)), "某某")
    if len(value) >= 6:
        return _Known(plain, _whole, re.escape(plain), HIDDEN)
    return None


def _without_known(text: str, known: Iterable[_Known], kinds: set[PersonalData]) -> str:
    view = View(text)
    for least, within, pattern, instead in known:
        if least not in within(view.text):
            continue
        if cuts := [(*found.span(), instead) for found in re.finditer(pattern, view.text)]:
            kinds.add(PersonalData.PETITIONER)
            view = View(view.cut(cuts))
    return view.original
