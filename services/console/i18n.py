"""What operators read, in their language: text ids are English sentences, Chinese stands in a catalogue."""

import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel import default_locale
from babel.messages.pofile import read_po

MESSAGES = Path(__file__).parent / "messages"


class Lang(StrEnum):
    EN = "en"
    ZH = "zh"


_language: ContextVar[Lang] = ContextVar("language", default=Lang.EN)


def use(language: Lang) -> None:
    _language.set(language)


def language() -> Lang:
    return _language.get()


def _(text: str) -> str:
    """The text in the language in use; the text itself where the catalogue has none."""
    return catalogue(language()).get(text, text)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Marks a text that is looked up later."""
    return text


@cache
def catalogue(language: Lang) -> Mapping[str, str]:
    """From all files of the language: `zh.po`, and by subject `zh.charter.po` and so on."""
    found = dict[str, str]()
    for file in sorted(MESSAGES.glob(f"{language}*.po")):
        with file.open("rb") as lines:
            messages = read_po(lines, locale=language.value, abort_invalid=True)
        found |= {str(each.id): str(each.string) for each in messages if each.id and each.string}
    return found


def chosen(arguments: Sequence[str]) -> Lang:
    """The language that `--lang` names, else DUBAN_LANG, else the locale's, else English.

    A language that we do not speak counts as not named: the command line complains about it.
    """
    named = _value_of("--lang", arguments) or os.environ.get("DUBAN_LANG") or _locale()
    return Lang.ZH if named.lower().startswith("zh") else Lang.EN


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else next(iter(arguments[place + 1 :]), None)
    return None


def _locale() -> str:
    try:
        return default_locale("LC_MESSAGES") or ""
    except ValueError:  # a locale that nobody knows
        return ""
