"""Numbers of entries as people say them: `15` is this year's `2026-000015`."""

import re
from datetime import datetime

_SHORT = re.compile(r"(?:(?P<year>\d{4})[-/])?(?P<number>\d{1,6})", re.ASCII)


def entry_number(text: str, year: int | None = None) -> str:
    """`year` is that of a number without one; default: this year here. What is no number stays as it is."""
    found = _SHORT.fullmatch(text.strip())
    if found is None:
        return text
    return f"{found['year'] or year or datetime.now().astimezone().year}-{int(found['number']):06}"


def round_key(text: str, year: int | None = None) -> str:
    """`15/1` is the first round of this year's `2026-000015`."""
    entry, slash, number = text.strip().rpartition("/")
    return f"{entry_number(entry, year)}/{number}" if slash else text
