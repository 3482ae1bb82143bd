"""Read a charter from its YAML file, and tell every error and every gap at its line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from duban_contracts.charter import Charter
from duban_contracts.charter_check import Path as Steps
from duban_contracts.charter_check import Remark, closest, gaps, problems


@dataclass(frozen=True, order=True)
class Finding:
    """Something to mend. `line` counts from 1; `path` reads like `plan.problems[0].leader`."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.path}: {self.message}"
            if self.path
            else f"line {self.line}: {self.message}"
        )


class CharterErrors(Exception):
    """The file is not a usable charter. `findings` holds every error, in the order of the lines."""

    def __init__(self, path: Path, findings: Iterable[Finding]) -> None:
        self.path = path
        self.findings = sorted(set(findings))
        super().__init__("\n".join(f"{path}: {finding}" for finding in self.findings))


def read_charter(path: Path) -> Charter:
    """The charter in the YAML 1.2 file at `path`.

    Raises CharterErrors with all that is wrong with its text, types and names, OSError if unreadable.
    """
    return _read(path)[0]


def charter_gaps(path: Path) -> list[Finding]:
    """What a valid charter leaves open, in the order of the lines; raises what `read_charter` raises."""
    charter, lines = _read(path)
    return sorted(_at_line(lines, gaps(charter)))


Lines = dict[tuple[str, ...], int]
"""The line of every key and list item; steps as text, for pydantic writes some numbers as text too."""


class _Constructor(SafeConstructor):
    """Leaves dates as text: the model reads them, and tells a wrong one with its place."""

    def construct_object(self, node: Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError):  # a tag written out that does not fit what follows it
            said = f"{node.value!r} is not what its tag says"
            raise MarkedYAMLError(problem=said, problem_mark=node.start_mark) from None


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _read(path: Path) -> tuple[Charter, Lines]:
    try:
        document, lines, found = _parse(path.read_bytes().decode())
    except YAMLError as error:
        raise CharterErrors(path, [_syntax_error(error)]) from None
    except RecursionError:
        raise CharterErrors(path, [Finding(1, "", "nested too deeply to be a charter")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CharterErrors(path, [Finding(line, "", "not UTF-8 text; save the file as UTF-8")]) from None
    charter, remarks = _validated(document)
    found += _at_line(lines, remarks)
    if charter is None or found:
        raise CharterErrors(path, found)
    return charter, lines


def _parse(text: str) -> tuple[object, Lines, list[Finding]]:
    """The document, the line of each of its places, and keys that stand twice."""
    lines: Lines = {(): 1}
    yaml = _yaml()
    root = yaml.compose(text)
    repeated = list(_walk(root, (), lines, ()))
    return root and yaml.constructor.construct_document(root), lines, repeated


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    yaml.allow_duplicate_keys = True  # all of them are told by `_walk`, not only the first
    return yaml


def _walk(node: Node | None, at: Steps, lines: Lines, above: tuple[Node, ...]) -> Iterator[Finding]:
    """Note the line of everything below `node`, and tell each key that is there already."""
    if node in above:
        raise MarkedYAMLError(problem="an alias stands inside its own anchor", problem_mark=node.start_mark)
    for step, mark, child in _below(node):
        place = (*at, step)
        line = mark.start_mark.line + 1
        first = lines.setdefault(_key(place), line)
        if first != line and isinstance(node, MappingNode):
            yield Finding(
                line, _written(place), f"key {step!r} stands twice, first at line {first}; remove one"
            )
        yield from _walk(child, place, lines, (*above, cast(Node, node)))


def _below(node: Node | None) -> Iterator[tuple[str | int, Node, Node]]:
    """Step, the node that shows its line, and the node of its value."""
    if isinstance(node, MappingNode):
        yield from ((str(key.value), key, value) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        yield from ((place, item, item) for place, item in enumerate(node.value))


def _syntax_error(error: YAMLError) -> Finding:
    if not isinstance(error, MarkedYAMLError):
        return Finding(1, "", f"not readable as YAML: {error}")
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    return Finding(mark.line + 1 if mark else 1, "", f"not readable as YAML: {said}")


def _validated(document: object) -> tuple[Charter | None, list[Remark]]:
    if not isinstance(document, Mapping):
        return None, [Remark((), "a charter is a mapping of fields; this file holds none")]
    try:
        charter = Charter.model_validate(document)
    except ValidationError as error:
        wrong = problems(document)
        said = {each.path for each in wrong}  # an unknown name says more than its wrong spelling
        told = (_plain(each, document) for each in error.errors(include_url=False))
        return None, wrong + [each for each in told if each.path not in said]
    return charter, problems(charter)


def _plain(error: ErrorDetails, document: object) -> Remark:
    """A validation error as a sentence that says what to do."""
    missing = error["type"] == "missing"
    path = tuple(_steps([step for step in error["loc"] if step != "[key]"], document, missing))
    name, given = str(path[-1]) if path else "", error["input"]
    match error["type"]:
        case "missing":
            return Remark(path, f"the field {name!r} is missing; add it")
        case "extra_forbidden":
            return Remark(path, f"unknown field {name!r}{closest(name, _fields_at(path[:-1]))}")
        case "string_type":
            return Remark(path, f"must be text; put {given!r} in quotes")
        case "string_pattern_mismatch":
            return Remark(path, f"{given!r} is no token; use 1 to 40 ASCII letters, digits, '-' and '_'")
        case "enum" | "literal_error":
            return Remark(path, f"unknown value {given!r}; use {error['ctx']['expected']}")
        case "model_type" | "dict_type":
            return Remark(path, f"must be a mapping of fields, not {given!r}")
        case "tuple_type":
            return Remark(path, f"must be a list, not {given!r}")
        case "value_error":
            return Remark(path, error["msg"].removeprefix("Value error, "))
        case _:
            return Remark(path, f"{error['msg']}, not {given!r}")


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


def _at_line(lines: Lines, remarks: Iterable[Remark]) -> list[Finding]:
    return [Finding(_line(lines, _key(each.path)), _written(each.path), each.message) for each in remarks]


def _line(lines: Lines, key: tuple[str, ...]) -> int:
    """The line of a place, or of the nearest one above it that is written in the file."""
    return next(lines[key[:depth]] for depth in range(len(key), -1, -1) if key[:depth] in lines)


def _key(path: Steps) -> tuple[str, ...]:
    return tuple(map(str, path))


def _written(path: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
