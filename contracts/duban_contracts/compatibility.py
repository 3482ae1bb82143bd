"""Whether messages of an older and a newer schema can be read by each other's readers.

Both directions count: the record is read again years later, and a listener may be older than the teller.
So only two differences are harmless: a further optional field, and a further value of an enumeration.
The second is harmless with a condition: readers that do not know the value yet put the message among
their dead letters, so readers are updated before anybody sends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Schema = dict[str, Any]
"""A JSON Schema as pydantic writes it, with its `$defs`."""

ANNOTATIONS = frozenset({"$defs", "$id", "$schema", "title", "description", "examples", "deprecated"})
"""What is said to people: it may change."""
COMPARED_APART = frozenset({"properties", "required", "enum", "const"})
HOLDS_A_SCHEMA = frozenset({"items", "additionalProperties", "propertyNames"})
HOLDS_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """What would break between readers and writers of the two; empty: they get on, both ways.

    Each sentence begins with the path of the field, e.g. `items[].kind: the value 'finding' is gone`.
    """
    return list(_Comparison(old.get("$defs", {}), new.get("$defs", {})).breaks(old, new, ""))


@dataclass(frozen=True)
class _Comparison:
    old_definitions: Schema
    new_definitions: Schema
    begun: frozenset[tuple[str, str]] = frozenset()
    """Pairs of definitions that we are inside of: one that contains itself ends there."""

    def breaks(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if "$ref" in old and "$ref" in new:
            pair = (old["$ref"], new["$ref"])
            if pair in self.begun:
                return
            self = replace(self, begun=self.begun | {pair})
        old, new = _resolved(old, self.old_definitions), _resolved(new, self.new_definitions)
        yield from self._fields(old, new, path)
        yield from _values(old, new, path)
        for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS - COMPARED_APART):
            yield from self._keyword(keyword, old.get(keyword), new.get(keyword), path)

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            here = f"{path}.{name}".removeprefix(".")
            if name not in after:
                yield f"{here}: the field is gone"
                continue
            if (name in needed_before) != (name in needed_after):
                yield f"{here}: was {_need(name in needed_before)}, is {_need(name in needed_after)}"
            yield from self.breaks(before[name], after[name], here)
        for name in sorted(needed_after - before.keys()):
            yield f"{path}.{name}".removeprefix(".") + ": a new field must be optional"

    def _keyword(self, keyword: str, old: Any, new: Any, path: str) -> Iterator[str]:
        if keyword in HOLDS_A_SCHEMA and isinstance(old, dict) and isinstance(new, dict):
            yield from self.breaks(old, new, _below(path, keyword))
        elif keyword in HOLDS_SCHEMAS and old and new and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                yield from self.breaks(before, after, path)
        elif old != new:
            yield f"{_named(path)}: {keyword} was {_shown(old)}, is {_shown(new)}"


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """With its `$ref` replaced by what it points to; words beside the `$ref` go before those behind it."""
    if "$ref" not in schema:
        return schema
    beside = {word: value for word, value in schema.items() if word != "$ref"}
    return _resolved({**definitions[schema["$ref"].rpartition("/")[2]], **beside}, definitions)


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is None:
        return
    if before is None or after is None:
        yield f"{_named(path)}: was {_shown(before)}, is {_shown(after)}"
        return
    for value in before:
        if value not in after:
            yield f"{_named(path)}: the value {value!r} is gone"


def _allowed(schema: Schema) -> list[Any] | None:
    """An enumeration with one member is written as a constant."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _below(path: str, keyword: str) -> str:
    return {"items": f"{path}[]", "additionalProperties": f"{path}{{}}"}.get(keyword, path)


def _named(path: str) -> str:
    return path or "the message"


def _need(required: bool) -> str:
    return "required" if required else "optional"


def _shown(value: Any) -> str:
    return "absent" if value is None else repr(value)
