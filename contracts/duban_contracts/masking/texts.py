"""One text, or one identifier."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from duban_contracts.masking.dwellings import find_dwellings
from duban_contracts.masking.kinds import HIDDEN, Masked, PersonalData
from duban_contracts.masking.names import find_names
from duban_contracts.masking.numbers import (
    OR_NOT,
    find_cards,
    find_emails,
    find_identities,
    find_labelled,
    find_landlines,
    find_mobiles,
)
from duban_contracts.masking.view import CHINESE_NUMBER, CHINESE_TOO, PLAIN, Find, View


class Finder(NamedTuple):
    kind: PersonalData
    gate: re.Pattern[str]
    """What must be there at least: most texts hold nothing, and are not searched any further."""
    find: Find


_SEVEN_DIGITS = re.compile(r"(?:\d\D{0,3}){6}\d")
NUMBERS: tuple[Finder, ...] = (
    Finder(PersonalData.IDENTITY_NUMBER, _SEVEN_DIGITS, find_identities),
    Finder(PersonalData.BANK_CARD_NUMBER, _SEVEN_DIGITS, find_cards),
    Finder(PersonalData.MOBILE_NUMBER, _SEVEN_DIGITS, find_mobiles),
    Finder(PersonalData.LANDLINE_NUMBER, _SEVEN_DIGITS, find_landlines),
)
FINDERS: tuple[Finder, ...] = (
    Finder(PersonalData.EMAIL, re.compile("@"), find_emails),
    *NUMBERS,
    Finder(PersonalData.ACCOUNT, re.compile(r"[A-Za-z0-9][A-Za-z0-9 _\-]{5}"), find_labelled),
    Finder(PersonalData.ADDRESS, re.compile("[号室户元]"), find_dwellings),
    Finder(PersonalData.NAME, re.compile("[名人我主者生属客东民众姐爷妈娘姨奶士]"), find_names),
)


def mask(text: str, known: Iterable[str] = ()) -> Masked:
    """`known` are the petitioner's own name, telephone and so on: masked wherever they stand."""
    kinds: set[PersonalData] = set()
    for value in sorted({each.strip() for each in known}, key=len, reverse=True):
        text = _without_known(text, value, kinds)
    text = _mask_all(text, FINDERS, kinds)
    if CHINESE_NUMBER.search(text):
        text = _mask_all(text, NUMBERS, kinds, CHINESE_TOO)
    return Masked(text, tuple(sorted(kinds)))


def _mask_all(
    text: str, finders: "Iterable[Finder]", kinds: set[PersonalData], more: Mapping[int, str] | None = None
) -> str:
    view = View(text, more)
    for kind, gate, find in finders:
        if gate.search(view.text) and (cuts := list(find(view.text))):
            kinds.add(kind)
            text = view.cut(cuts)
            view = View(text, more)
    return text


def mask_identifier(value: str) -> Masked:
    """An identifier holds no sentence: what is not bounded by other signs than letters and digits is part of
    a longer name, e.g. of a hash."""
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


def _without_known(text: str, value: str, kinds: set[PersonalData]) -> str:
    """A number is found however it is grouped; a name of one sign, or a short number, is no name to go by."""
    digits = [sign for sign in value.translate(PLAIN) if sign.isdigit()]
    if len(digits) >= 6 and len(digits) * 2 > len(value):
        pattern, instead = r"(?<!\d)" + OR_NOT.join(digits) + r"(?!\d)", "[号码]"
    elif len(value) >= 2 and not any(sign.isdigit() for sign in value):
        pattern, instead = r"[ .]?".join(map(re.escape, value.translate(PLAIN))), "某某"
    elif len(value) >= 6:
        pattern, instead = re.escape(value.translate(PLAIN)), HIDDEN
    else:
        return text
    view = View(text)
    cuts = [(*found.span(), instead) for found in re.finditer(pattern, view.text)]
    if cuts:
        kinds.add(PersonalData.PETITIONER)
    return view.cut(cuts)
