"""What operators read, in their language: text ids are English sentences, Chinese stands in a catalogue."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from pathlib import Path

MESSAGES = Path(__file__).parent / "messages"
_ENTRY = re.compile(r"^(msgid|msgstr) (\".*\")$")


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
        with file.open(encoding="utf-8") as lines:
            found |= read_catalogue(lines)
    return found


def read_catalogue(lines: Iterable[str]) -> dict[str, str]:
    """The pairs of a .po file without plurals or contexts, fuzzy and empty ones included as they stand.

    Ours is read at each start: babel, which tests compare this with, would take a tenth of a second more.
    """
    pairs: list[tuple[str, str]] = []
    part, texts = "", {"msgid": "", "msgstr": ""}
    for line in lines:
        words = line.strip()
        if found := _ENTRY.match(words):
            if found[1] == "msgid":
                pairs.append((texts["msgid"], texts["msgstr"]))
                texts = {"msgid": "", "msgstr": ""}
            part, words = found[1], found[2]
        if words.startswith('"'):
            texts[part] += json.loads(words)
    pairs.append((texts["msgid"], texts["msgstr"]))
    return {text: translated for text, translated in pairs if text and translated}


def chosen(arguments: Sequence[str], preferred: str | None = None) -> Lang:
    """The language that `--lang` names, else DUBAN_LANG, else `preferred` (the context's), else the locale's,
    else English.

    A language that we do not speak counts as not named: the command line complains about it.
    """
    named = value_of("--lang", arguments) or os.environ.get("DUBAN_LANG") or preferred or _locale()
    return Lang.ZH if named.lower().startswith("zh") else Lang.EN


def value_of(option: str, arguments: Sequence[str]) -> str | None:
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else next(iter(arguments[place + 1 :]), None)
    return None


def _locale() -> str:
    """As the environment names it: the C library knows installed locales only, and a slim image has none.

    LC_CTYPE says nothing about the language; the first of the others that is set decides, as in POSIX, and
    LANGUAGE goes before them unless the locale is C, as in gettext.
    """
    named = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    if named.partition(".")[0] in ("", "C", "POSIX"):
        return ""
    return os.environ.get("LANGUAGE", "").partition(":")[0] or named
