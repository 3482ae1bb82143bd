"""What is wrong with a document that should be a charter: types and names together, each with what to do."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from reprlib import Repr
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

from duban_contracts.charter import Charter
from duban_contracts.charter_check import Path as Steps
from duban_contracts.charter_check import Remark, hint, problems, remark
from duban_contracts.charter_findings import PROBLEMS


def validated(document: object) -> tuple[Charter | None, list[Remark]]:
    """The charter, where it is one, and every problem; it may be used if there is none."""
    if not isinstance(document, Mapping):
        return None, [remark((), "no_fields")]
    try:
        charter = Charter.model_validate(document)
    except ValidationError as error:
        wrong = problems(with_defaults(document, Charter))
        said = {each.path for each in wrong}  # an unknown name says more than its wrong spelling
        told = (_plain(each, document) for each in error.errors(include_url=False) if each["type"] != FOLLOWS)
        return None, wrong + [each for each in told if each.path not in said]
    return charter, problems(charter)


def with_defaults(node: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """What is written, with the defaults of what is left out, so that one run tells both."""
    filled = dict(node)
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner and isinstance(filled.get(name), Mapping):
            filled[name] = with_defaults(filled[name], inner)
        elif name not in filled and not field.is_required() and field.default_factory is None:
            filled[name] = to_jsonable_python(field.default)
    return filled


def _model_of(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, or None; models in lists and mappings are not looked at."""
    plain = get_origin(annotation) in (None, Union, UnionType)
    options = (annotation, *get_args(annotation)) if plain else ()
    models = [each for each in options if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 else None


FOLLOWS = "default_factory_not_called"
"""A default that is made from another field, which is wrong itself."""
BY_TYPE = {
    "enum": "unknown_value",
    "literal_error": "unknown_value",
    "union_tag_invalid": "unknown_value",
    "union_tag_not_found": "missing",
    "model_type": "no_mapping",
    "model_attributes_type": "no_mapping",
    "dict_type": "no_mapping",
    "tuple_type": "no_list",
    "int_type": "no_integer",
    "int_parsing": "no_integer",
    "int_parsing_size": "no_integer",
    "int_from_float": "no_integer",
    "bool_type": "no_boolean",
    "bool_parsing": "no_boolean",
    "date_type": "no_date",
    "date_parsing": "no_date",
    "date_from_datetime_parsing": "no_date",
    "date_from_datetime_inexact": "no_date",
    "time_type": "no_time",
    "time_parsing": "no_time",
}
"""What pydantic calls an error, where we call it otherwise."""


def _plain(error: ErrorDetails, document: object) -> Remark:
    """A validation error as a finding that says what to do."""
    code, context = BY_TYPE.get(error["type"], error["type"]), error.get("ctx", {})
    path = tuple(_steps([step for step in error["loc"] if step != "[key]"], document, code == "missing"))
    name, given = str(path[-1]) if path else "", shortened(error["input"])
    match code:
        case "missing" if error["type"] != "missing":
            field = str(context["discriminator"]).strip("'")
            return remark((*path, field), "missing", field=field)
        case "missing":
            return remark(path, "missing", field=name)
        case "extra_forbidden":
            return remark(path, "extra_forbidden", field=name, **hint(name, _fields_at(path[:-1])))
        case "unknown_value":
            expected = context.get("expected") or context.get("expected_tags", "")
            return remark(path, code, given=given, expected=str(expected))
        case "value_error":
            return remark(path, "invalid", problem=error["msg"].removeprefix("Value error, "))
        case _ if code not in PROBLEMS:
            return remark(path, "invalid", problem=f"{error['msg']}, not {given}")
        case _:
            params = {key: value for key, value in context.items() if isinstance(value, str | int)}
            return remark(path, code, **{"given": given} | params)


_repr = Repr()
_repr.maxstring = _repr.maxother = 60
_repr.maxlevel, _repr.maxdict, _repr.maxlist = 2, 3, 4


def shortened(given: object) -> str:
    """A value as it is written, cut where it is long: a refusal is a sentence, whatever it refuses."""
    return _repr.repr(given)


def _steps(steps: Sequence[str | int], node: object, missing: bool) -> Iterator[str | int]:
    """The path as the file has it: pydantic also names which of several shapes it read."""
    for place, step in enumerate(steps):
        named = missing and place == len(steps) - 1
        if isinstance(node, Mapping) and step not in node and not named:
            continue
        yield step
        node = _child(node, step)


def _child(node: object, step: str | int) -> object:
    if isinstance(node, Mapping):
        return node.get(step)
    inside = isinstance(node, list) and isinstance(step, int) and step < len(node)
    return node[step] if inside else None  # type: ignore[index]


@cache
def _schema() -> dict[str, Any]:
    return Charter.model_json_schema()


def _fields_at(path: Steps) -> list[str]:
    """The fields that the charter's models know at `path`."""
    node = _schema()
    for step in path:
        named = node.get("properties", {}).get(step)
        keyed = node.get("additionalProperties") or next(
            iter(node.get("patternProperties", {}).values()), None
        )
        node = _resolved(named or keyed or node.get("items") or {})
    return list(node.get("properties", {}))


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference, perhaps one that may be null, stands for."""
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            return cast(dict[str, Any], _schema()["$defs"][option["$ref"].rpartition("/")[2]])
    return node
