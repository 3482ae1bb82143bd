"""What people type for numbers, ids, days and tokens, in the form in which it is kept.

A Chinese keyboard writes `２０２６－１５` and `hotline：4712`: full-width characters mean the same as
those of ASCII. Numbers of entries may be short: `15` is this year's `2026-000015`.
"""

import re
from datetime import datetime
from unicodedata import normalize

_SHORT = re.compile(r"(?:(?P<year>\d{4})[-/])?(?P<number>\d{1,6})", re.ASCII)


def half_width(text: str) -> str:
    """Without blanks around it. For keys, ids, numbers, days and tokens; never for what people read."""
    return normalize("NFKC", text).strip()


def entry_number(text: str, year: int | None = None) -> str:
    """`year` is that of a number without one; default: this year here. What is no number stays as it is."""
    text = half_width(text)
    found = _SHORT.fullmatch(text)
    if found is None:
        return text
    return f"{found['year'] or year or datetime.now().astimezone().year}-{int(found['number']):06}"


def round_key(text: str, year: int | None = None) -> str:
    """`15/1` is the first round of this year's `2026-000015`."""
    text = half_width(text)
    entry, slash, number = text.rpartition("/")
    return f"{entry_number(entry, year)}/{number}" if slash else text
