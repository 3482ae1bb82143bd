"""Read a charter from its YAML file, and tell every error and every gap at its line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from duban_contracts.charter import Charter
from duban_contracts.charter_check import Path as Steps
from duban_contracts.charter_check import Remark, gaps
from duban_contracts.charter_findings import Value, sentence
from services.chassis.charter_faults import validated
from services.chassis.yaml_bounds import OutOfBounds, bounded, check_size


@dataclass(frozen=True)
class Finding:
    """Something to mend. `line` counts from 1; `path` reads like `plan.problems[0].leader`."""

    line: int
    path: str
    code: str
    params: tuple[tuple[str, Value], ...] = ()

    @property
    def message(self) -> str:
        """In English; whoever shows it to people makes the sentence in their language."""
        return sentence(self.code, dict(self.params))

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.path}: {self.message}"
            if self.path
            else f"line {self.line}: {self.message}"
        )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, by line."""
    return sorted(set(findings), key=lambda each: (each.line, each.path, each.message))


def finding(line: int, path: str, code: str, **params: Value) -> Finding:
    return Finding(line, path, code, tuple(params.items()))


class CharterErrors(Exception):
    """The file is not a usable charter. `findings` holds every error, in the order of the lines."""

    def __init__(self, path: Path, findings: Iterable[Finding]) -> None:
        self.path = path
        self.findings = in_order(findings)
        super().__init__("\n".join(f"{path}: {finding}" for finding in self.findings))


def read_charter(path: Path) -> Charter:
    """The charter in the YAML 1.2 file at `path`.

    Raises CharterErrors with all that is wrong with its text, types and names, OSError if unreadable.
    """
    return _read(path)[0]


def charter_gaps(path: Path) -> list[Finding]:
    """What a valid charter leaves open, in the order of the lines; raises what `read_charter` raises."""
    charter, lines = _read(path)
    return in_order(_at_line(lines, gaps(charter)))


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
        content = path.read_bytes()
        check_size(content)
        document, lines, found = _parse(content.decode())
    except YAMLError as error:
        raise CharterErrors(path, [_syntax_error(error)]) from None
    except RecursionError:
        raise CharterErrors(path, [finding(1, "", "too_deep")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CharterErrors(path, [finding(line, "", "not_utf8")]) from None
    charter, remarks = validated(document)
    found += _at_line(lines, remarks)
    if charter is None or found:
        raise CharterErrors(path, found)
    return charter, lines


def _parse(text: str) -> tuple[object, Lines, list[Finding]]:
    """The document, the line of each of its places, and keys that stand twice."""
    lines: Lines = {(): 1}
    yaml = _yaml()
    root = yaml.compose(text)
    repeated = list(_walk(root, (), lines))
    return root and yaml.constructor.construct_document(root), lines, repeated


def _yaml() -> YAML:
    yaml = bounded(YAML(typ="safe", pure=True))
    yaml.Constructor = _Constructor
    yaml.allow_duplicate_keys = True  # all of them are told by `_walk`, not only the first
    return yaml


def _walk(node: Node | None, at: Steps, lines: Lines) -> Iterator[Finding]:
    """Note the line of everything below `node`, and tell each key that is there already."""
    for step, mark, child in _below(node):
        place = (*at, step)
        line = mark.start_mark.line + 1
        first = lines.setdefault(_key(place), line)
        if first != line and isinstance(node, MappingNode):
            yield finding(line, _written(place), "repeated_key", key=step, first=first)
        yield from _walk(child, place, lines)


def _below(node: Node | None) -> Iterator[tuple[str | int, Node, Node]]:
    """Step, the node that shows its line, and the node of its value."""
    if isinstance(node, MappingNode):
        yield from ((str(key.value), key, value) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        yield from ((place, item, item) for place, item in enumerate(node.value))


def _syntax_error(error: YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    if isinstance(error, OutOfBounds):
        return finding(line, "", error.code, **error.params)
    parts = (error.context, error.problem) if isinstance(error, MarkedYAMLError) else (str(error),)
    return finding(line, "", "not_yaml", problem=" ".join(part for part in parts if part))


def _at_line(lines: Lines, remarks: Iterable[Remark]) -> list[Finding]:
    return [
        Finding(_line(lines, _key(each.path)), _written(each.path), each.code, each.params)
        for each in remarks
    ]


def _line(lines: Lines, key: tuple[str, ...]) -> int:
    """The line of a place, or of the nearest one above it that is written in the file."""
    return next(lines[key[:depth]] for depth in range(len(key), -1, -1) if key[:depth] in lines)


def _key(path: Steps) -> tuple[str, ...]:
    return tuple(map(str, path))


def _written(path: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
