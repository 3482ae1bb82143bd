"""Help in one layout for both languages: names left, sentences right, readable at 80 columns."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from services.console.i18n import N_, _
from services.console.tables import columns, pad, text_width, wrap

WIDEST = 100
"""Longer lines are hard to read."""
NAMES = 28
"""Columns for names; a longer one has a line of its own."""
WORDS = {
    "OPTIONS": N_("OPTIONS"),
    "COMMAND": N_("COMMAND"),
    "ARGS": N_("ARGS"),
    "TEXT": N_("TEXT"),
    "NUMBER": N_("NUMBER"),
    "PATH": N_("PATH"),
    "DAY": N_("DAY"),
}
"""The parser's words for what an option takes, translated."""
TYPES = {"str": "TEXT", "int": "NUMBER", "float": "NUMBER", "path": "PATH", "datetime": "DAY"}
"""How we call the types in its angle brackets."""
NOTES = {
    "required": N_("required"),
    "default: ": N_("default: "),
    "env var: ": N_("env var: "),
}
PARSER_HELP = {
    "Show this message and exit.": N_("Show this message and exit."),
    "Install completion for the current shell.": N_("Install completion for the current shell."),
    "Show completion for the current shell, to copy it or customize the installation.": N_(
        "Show completion for the current shell, to copy it or customize the installation."
    ),
}
"""The help that the parser brings for options of its own."""


def help_text(command: Any, ctx: Any) -> str:
    """The whole help page of a command or a group."""
    blocks = [usage(command, ctx)]
    if command.help:
        blocks.append("\n".join(wrap(command.help.split("\f")[0].strip(), _width())))
    arguments, options = _records(command, ctx)
    blocks += [
        _section(title, rows)
        for title, rows in (
            (_("Commands"), _commands(command)),
            (_("Arguments"), arguments),
            (_("Options"), options),
        )
        if rows
    ]
    if ctx.parent is not None:
        names = "--nats, --lang, --context, --no-pager"
        text = _("Options of every command: {names}; `duban --help` explains them.")
        blocks.append("\n".join(wrap(text.format(names=names), _width())))
    return "\n\n".join(blocks)


def usage(command: Any, ctx: Any) -> str:
    pieces = " ".join(_worded(piece) for piece in command.collect_usage_pieces(ctx))
    return _("Usage: {command}").format(command=f"{ctx.command_path} {pieces}".rstrip())


def _records(command: Any, ctx: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    arguments: list[tuple[str, str]] = []
    options: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            rows = arguments if parameter.param_type_name == "argument" else options
            rows.append((_worded(record[0]), _noted(record[1])))
    return arguments, options


def _commands(command: Any) -> list[tuple[str, str]]:
    known = getattr(command, "commands", {})
    below = known.lines() if hasattr(known, "lines") else known.values()
    return [
        (each.name, _(each.help) if each.help else "") for each in below if not getattr(each, "hidden", False)
    ]


def _section(title: str, rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join([title + _(":"), *definition_list(rows, _width())])


def definition_list(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """`name  text`, the text wrapped and lined up; a name too long for its column stands above its text."""
    rows = list(rows)
    names = min(NAMES, max((text_width(name) for name, _text in rows), default=0))
    indent = " " * (names + 4)
    lines = []
    for name, text in rows:
        wrapped = wrap(text, width - len(indent))
        if text_width(name) > names:
            lines += [f"  {line}" for line in _name_lines(name, width - 2)]
            lines += [indent + line for line in wrapped if line]
        else:
            first, *rest = wrapped
            lines.append(f"  {pad(name, names)}  {first}".rstrip())
            lines += [indent + line for line in rest]
    return lines


def _name_lines(name: str, width: int) -> list[str]:
    """A choice of many values is broken after a bar."""
    lines = [""]
    for piece in re.split(r"(?<=\|)|(?<= )", name):
        if lines[-1] and text_width(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("    ")
        lines[-1] += piece
    return lines


def _width() -> int:
    return min(WIDEST, columns()) if columns() < WIDEST else 80


def _worded(names: str) -> str:
    typed = re.sub(r"<(?:list\[)?(\w+)\]?(?: range)?>", lambda found: TYPES.get(found[1], found[0]), names)
    return re.sub(r"\b[A-Z]+\b", lambda found: _(WORDS.get(found[0], found[0])), typed)


def _noted(text: str) -> str:
    """The parser puts its notes in brackets at the end."""
    said, bracket, notes = text.rpartition("[")
    if not bracket or not notes.endswith("]"):
        return _(PARSER_HELP.get(text, text))
    told = [_note(note) for note in notes[:-1].split("; ")]
    return f"{said}[{_('; ').join(told)}]"


def _note(note: str) -> str:
    for parser, ours in NOTES.items():
        if note.startswith(parser):
            return _(ours) + note.removeprefix(parser)
    return note
