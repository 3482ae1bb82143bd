"""From a name and fields to a command that keeps its contract, or to a sentence that says what is wrong."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic import ValidationError

from duban_contracts.charter_check import hint as near_words
from duban_contracts.charter_findings import sentence as finding_sentence
from duban_contracts.faults import SENTENCES, FieldFault, field_faults
from duban_contracts.message import CATALOGUE, Command
from duban_contracts.rules import Limit, Unit
from services.console.i18n import _
from services.console.numbers import half_width
from services.console.terminal import misuse
from services.console.words import code_of, codes_in_words


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


Given = Sequence[tuple[str, str]]
"""Fields as they were typed, in order: name and text."""


def body_of(file: str | None, fields: Iterable[str]) -> tuple[dict[str, Any], Given]:
    """The body of the file, and the fields that were given one by one; those go before the file's."""
    return _from_file(file) if file else {}, [_field(each) for each in fields]


def split_words(words: Iterable[str], model: type[Command]) -> tuple[list[str], list[str]]:
    """What stands behind the command: bare words, and fields as `name=value`.

    A field may be written `name=value`, `--name value`, `--name=value`; one for yes or no also `--name` and
    `--no-name`.
    """
    bare, fields, rest = list[str](), list[str](), list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            (fields if "=" in word else bare).append(word)
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if equals:
            fields.append(f"{name}={value}")
        elif name.startswith("no_") and _is_bool(model, name.removeprefix("no_")):
            fields.append(f"{name.removeprefix('no_')}=false")
        elif _is_bool(model, name) and not (rest and _truth(rest[0]) is not None):
            fields.append(f"{name}=true")
        elif rest:
            fields.append(f"{name}={rest.pop(0)}")
        else:
            raise misuse(_("{name} needs a value").format(name=word))
    return bare, fields


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


def build(model: type[Command], body: Mapping[str, Any], given: Given = ()) -> Command:
    """The command, checked as strictly as a writer must be: a misspelt field is an error.

    A text in `given` becomes what its field holds: `length=5` a limit, several `evidence=...` a list.
    """
    try:
        return _checked(model, {**body, **_typed(model, given)})
    except ValidationError as error:
        faults = [_fault(model, each) for each in field_faults(error)]
        lines = "\n".join(f"  {each['field']}: {each['message']}" for each in faults)
        sentence = _("{command} breaks its contract:").format(command=full_name(model))
        raise misuse(f"{sentence}\n{lines}", fields=faults) from None


def _checked(model: type[Command], body: Mapping[str, Any]) -> Command:
    return model.model_validate_json(json.dumps(body), extra="forbid")


def _fault(model: type[Command], fault: FieldFault) -> dict[str, str]:
    hint = ""
    if fault.code == "extra_forbidden" and "." not in fault.field:
        hint = finding_sentence(
            "invalid", {"problem": ""} | dict(near_words(fault.field, model.model_fields)), _
        )
    known = model.model_fields.get(fault.field)
    codes = plain_type(known.annotation) if known else None
    if fault.code == "enum" and isinstance(codes, type) and issubclass(codes, Enum):
        fault = fault._replace(params={"expected": codes_in_words(codes)})
    return {"field": fault.field, "message": fault_in_words(fault) + hint}


def fault_in_words(fault: FieldFault) -> str:
    """In the language in use, without the field's name."""
    match fault.code:
        case "extra_forbidden":
            return _("there is no such field")
        case "missing":
            return _("this field is missing")
        case "bool_parsing" | "bool_type":
            also = " | ".join(each for each in TRUTHS if each not in ("true", "false"))
            return _("write true or false; these are taken, too: {words}").format(words=also)
        case code if code in SENTENCES:
            return _(SENTENCES[code]).format_map(fault.params)
        case _:
            return str(fault._replace(field="")).removeprefix("Value error, ")


def _typed(model: type[Command], given: Given) -> dict[str, Any]:
    texts: dict[str, list[str]] = {}
    for name, text in given:
        texts.setdefault(name, []).append(text)
    body: dict[str, Any] = {}
    for name, values in texts.items():
        first, dot, rest = name.partition(".")
        known = model.model_fields.get(name)
        if known is not None:
            body[name] = value_of_texts(name, known.annotation, values)
        elif dot and first in model.model_fields:
            inside = body.setdefault(first, {})
            inside[rest] = _one(name, _inner_field(model.model_fields[first].annotation, rest), values[-1])
        else:
            body[name] = values[-1]  # which the contract refuses, with what is near
    return body


def value_of_texts(name: str, annotation: Any, texts: Sequence[str]) -> Any:
    """What texts mean for a field of this type; the contract judges what comes out."""
    plain = plain_type(annotation)
    if get_origin(plain) is tuple:
        item = get_args(plain)[0]
        return [value for text in texts for value in _items(name, item, text)]
    if len(texts) > 1:
        raise misuse(_("{name} is given more than once, and takes one value").format(name=name))
    return _one(name, plain, texts[0])


def plain_type(annotation: Any) -> Any:
    """Without `Annotated` and without `None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(each for each in get_args(annotation) if each is not NoneType)
        else:
            return annotation


def _inner_field(annotation: Any, name: str) -> Any:
    plain = plain_type(annotation)
    if get_origin(plain) is dict:
        return get_args(plain)[1]
    known = getattr(plain, "model_fields", {}).get(name)
    return known.annotation if known else str


def _items(name: str, item: Any, text: str) -> list[Any]:
    if text.startswith("["):
        listed = _value(text)
        if isinstance(listed, list):
            return listed
    return [_one(name, item, text)]


JSON = ("{", "[", '"')


def _one(name: str, annotation: Any, text: str) -> Any:
    plain = plain_type(annotation)
    if plain is bool:
        truth = _truth(text)
        return text if truth is None else truth
    if plain is str:
        return text
    if not text.lstrip().startswith(JSON):  # whose texts are people's own
        text = half_width(text)
    if plain is Limit:
        return _limit(name, text)
    if isinstance(plain, type) and issubclass(plain, Enum):
        code = code_of(plain, text)
        return _value(text) if code is None else code.value
    return _value(text)


def _limit(name: str, text: str) -> Any:
    """`5` and `5 calendar_days`, the unit by its code or in words; else JSON."""
    found = re.fullmatch(r"(\d{1,9})\s*(.*)", text.strip(), re.DOTALL)
    if found is None:
        if text.startswith("{"):
            return _value(text)
        sentence = _('{name} {text!r} is no length of time; write it like 5 or "3 calendar_days": {units}')
        raise misuse(sentence.format(name=name, text=text, units=codes_in_words(Unit)))
    unit = code_of(Unit, found[2]) if found[2] else None
    if found[2] and unit is None:
        sentence = _("{text!r} has no unit that is known: {units}")
        raise misuse(sentence.format(text=text, units=codes_in_words(Unit)))
    return {"amount": int(found[1]), **({"unit": unit.value} if unit else {})}


def _is_bool(model: type[Command], name: str) -> bool:
    known = model.model_fields.get(name)
    return known is not None and plain_type(known.annotation) is bool


TRUTHS = {
    "true": True,
    "yes": True,
    "y": True,
    "是": True,
    "通过": True,
    "false": False,
    "no": False,
    "n": False,
    "否": False,
    "不通过": False,
}


def _truth(text: str) -> bool | None:
    return TRUTHS.get(half_width(text).casefold())


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
