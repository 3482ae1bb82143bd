"""What the parser of options complains about, as a sentence in the language in use."""

import re
from typing import Any

from services.console.help_text import usage
from services.console.i18n import N_, _

SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"No such command '(?P<name>.*?)'\. Did you mean (?P<names>.*)\?",
        N_("there is no command {name!r}; did you mean {names}?"),
    ),
    (r"No such command '(?P<name>.*)'\.", N_("there is no command {name!r}; `duban --help` lists them")),
    (r"Missing command\.", N_("a command is missing")),
    (
        r"No such option: (?P<name>\S+)(?: \(Possible options: (?P<names>.*)\))?",
        N_("there is no option {name}"),
    ),
    (r"Option '(?P<name>.*)' requires (?:an argument|\d+ arguments)\.?", N_("option {name} needs a value")),
    (r"Option '(?P<name>.*)' does not take a value\.", N_("option {name} takes no value")),
    (r"Got unexpected extra argument\(s\) \((?P<names>.*)\)", N_("not understood: {names}")),
    (r"Missing parameter: (?P<name>.*)", N_("{name} is missing")),
    (r"(?i:file|path|directory) (?P<name>'.*') does not exist\.", N_("{name} does not exist")),
    (r"(?i:file|path|directory) (?P<name>'.*') is a directory\.", N_("{name} is a folder")),
    (r"(?i:file|path|directory) (?P<name>'.*') is a file\.", N_("{name} is a file")),
    (r"(?i:file|path|directory) (?P<name>'.*') is not readable\.", N_("{name} cannot be read")),
    (r"(?i:file|path|directory) (?P<name>'.*') is not writable\.", N_("{name} cannot be written")),
    (r"Input should be a valid boolean.*", N_("write true or false")),
    (r"Input should be a valid integer.*", N_("a whole number is needed")),
    (r"Input should be a valid number.*", N_("a number is needed")),
    (r"Input should be a finite number.*", N_("a finite number is needed")),
    (r"Input should be greater than or equal to (?P<name>\S+)", N_("at least {name} is needed")),
    (r"Input should be less than or equal to (?P<name>\S+)", N_("at most {name} is possible")),
    (r"Value error, (?P<name>'.*') is not one of (?P<names>.*)\.", N_("{name} is none of {names}")),
    (r"Input should be (?P<names>'.*')", N_("one of {names} is needed")),
)
"""The parser's sentences, which come in English only, and ours."""


def usage_error_text(error: Any) -> str:
    """The sentence, and how the command is used; help itself where the command was named without anything."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.message)
    ctx = getattr(error, "ctx", None)
    sentence = _sentence(error)
    if ctx is None:
        return sentence
    hint = _("`{command} --help` explains it").format(command=ctx.command_path)
    return f"{sentence}\n{usage(ctx.command, ctx)}\n{hint}"


def _sentence(error: Any) -> str:
    name = _parameter(error)
    if type(error).__name__ == "MissingParameter":
        return _("{name} is missing").format(name=name)
    said = in_words(str(error.message))
    near = getattr(error, "possibilities", None)
    if near:
        said += _("; did you mean {names}?").format(names=_(", ").join(near))
    return _("{name}: {why}").format(name=name, why=said) if name else said


def in_words(message: str) -> str:
    """As it is where the sentence is none of the parser's, or one of a later version of it."""
    for pattern, ours in SENTENCES:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return _(ours).format(**{key: value or "" for key, value in found.groupdict().items()})
    return message


def _parameter(error: Any) -> str:
    """How the parameter is written: `--actor`, or `COMMAND` for an argument."""
    hint = getattr(error, "param_hint", None)
    if hint:
        return str(hint)
    parameter = getattr(error, "param", None)
    if parameter is None:
        return ""
    if parameter.param_type_name == "argument":
        return str(parameter.display_name_raw)
    return str(max(parameter.opts, key=len))
