"""From a name and fields to a command that keeps its contract, or to a sentence that says what is wrong."""

import json
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from duban_contracts.charter_check import closest
from duban_contracts.message import CATALOGUE, Command
from services.console.i18n import _
from services.console.terminal import misuse


def commands() -> dict[str, type[Command]]:
    """Every command by its full name, `<service>.<command>`."""
    return {full_name(each): each for each in CATALOGUE.values() if issubclass(each, Command)}


def full_name(command: type[Command]) -> str:
    return f"{command.service}.{command.message_name}"


def find_command(name: str) -> type[Command]:
    """By its name, or by its full name where several services have one of that name."""
    wanted = name.replace("-", "_")
    known = commands()
    found = [full for full in known if wanted in (full, full.partition(".")[2])]
    if len(found) == 1:
        return known[found[0]]
    if found:
        sentence = _("several services have a command {name!r}; say which: {names}")
        raise misuse(sentence.format(name=name, names=", ".join(found)))
    raise misuse(_("there is no command {name!r}").format(name=name) + _did_you_mean(wanted, known))


def _did_you_mean(wanted: str, known: Iterable[str]) -> str:
    words = {word: full for full in known for word in (full, full.partition(".")[2])}
    near = dict.fromkeys(words[word] for word in get_close_matches(wanted, words, 3))
    if near:
        return _("; did you mean {names}?").format(names=_(", ").join(near))
    return _("; `duban do --list` shows all")


def body_of(file: str | None, fields: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The body, and the text of the fields that were given one by one; those go before the file's."""
    body = _from_file(file) if file else {}
    texts = dict(map(_field, fields))
    return body | {name: _value(text) for name, text in texts.items()}, texts


def _from_file(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        body = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise misuse(_("{file} cannot be read: {why}").format(file=file, why=error)) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise misuse(_("{file} is not JSON: {why}").format(file=file, why=error)) from None
    if not isinstance(body, dict):
        raise misuse(_("{file} must hold one JSON object").format(file=file))
    return body


def _field(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name and equals):
        raise typer.BadParameter(_("{given!r} is not name=value").format(given=given), param_hint="--field")
    return name, value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def build(model: type[Command], body: Mapping[str, Any], texts: Mapping[str, str] = {}) -> Command:
    """The command, checked as strictly as a writer must be: a misspelt field is an error.

    `texts` are fields as they were typed: 138 for a field that holds text is the text "138".
    """
    try:
        return _checked(model, body)
    except ValidationError as error:
        typed = {name: texts[name] for name in _wanting_text(error) if name in texts}
    try:
        return _checked(model, {**body, **typed})
    except ValidationError as error:
        faults = [_fault(model, each) for each in error.errors(include_url=False)]
        lines = "\n".join(f"  {each['field']}: {each['message']}" for each in faults)
        sentence = _("{command} breaks its contract:").format(command=full_name(model))
        raise misuse(f"{sentence}\n{lines}", fields=faults) from None


def _checked(model: type[Command], body: Mapping[str, Any]) -> Command:
    return model.model_validate_json(json.dumps(body), extra="forbid")


def _wanting_text(error: ValidationError) -> list[str]:
    return [str(e["loc"][0]) for e in error.errors() if e["type"] == "string_type" and len(e["loc"]) == 1]


def _fault(model: type[Command], error: ErrorDetails) -> dict[str, str]:
    field = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        hint = closest(field, model.model_fields) if len(error["loc"]) == 1 else ""
        return {"field": field, "message": _("there is no such field") + hint}
    if error["type"] == "missing":
        return {"field": field, "message": _("this field is missing")}
    return {"field": field, "message": error["msg"].removeprefix("Value error, ")}
