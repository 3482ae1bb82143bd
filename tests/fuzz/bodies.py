"""Bodies made from the contract itself: values at and beyond each bound of the JSON Schema, and rubbish."""

import json
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from tests.fuzz.town import CHARTER

TOKENS = [
    *CHARTER.stations,
    *CHARTER.villages,
    *CHARTER.categories,
    *CHARTER.everyone(),
    "investigation",
    "no",
]
ANY_CHARACTER = st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"])
"""Every category, lone surrogates among them."""
ZONES = ["Z", "+08:00", "-08:00", "+14:00", "-23:59", "+23:59", "", "+24:00", "Asia/Shanghai"]
MOMENTS = st.builds(
    "{}-{}T{}{}".format,
    st.sampled_from(["0000", "0001", "1582", "1900", "2024", "2199", "2200", "9999", "10000", "-001"]),
    st.sampled_from(["01-01", "02-29", "02-30", "05-21", "12-31"]),
    st.sampled_from(["00:00:00", "23:59:59", "23:59:60", "24:00:00", "12:00:00.123456789", "12:00"]),
    st.sampled_from(ZONES),
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63, 2**64, 10**30, 1713146400, 1e308, -0.0, 0.5]),
    st.floats(),
)
RUBBISH = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(ANY_CHARACTER, max_size=20) | MOMENTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
RAW = [
    b"",
    b"{",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    '{"note": "\u529e"}'.encode("gbk"),
    '{"note": "\u529e"}'.encode("utf-16"),
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"count": ' + b"9" * 5_000 + b"}",
    b'{"note": "a", "note": {"note": 1}}',
    b'{"note": NaN, "percent": Infinity}',
    b'{"note": "\\ud800"}',
    b'{"\\u0000": "\\u0000"}',
    b'"' * 60_000,
    b"null",
]


def bodies(model: type[BaseModel]) -> st.SearchStrategy[bytes]:
    schema = model.model_json_schema()
    made = _values(schema, schema.get("$defs", {}))
    odd = st.builds(_with, made, st.sampled_from([*model.model_fields, "of_nobody"]), RUBBISH)
    return st.one_of(made.map(_written), made.map(_written), odd.map(_written), st.sampled_from(RAW))


def _with(body: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**body, name: value}


def _written(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # lone surrogates go as escapes
        return json.dumps(body).encode()


def _values(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly valid, and at the bounds more often than chance would have it."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return st.one_of(*(_values(each, definitions) for each in schema["anyOf"]))
    match schema.get("type"):
        case "object" if "properties" in schema:
            required = set(schema.get("required", ()))
            fields = {name: _values(each, definitions) for name, each in schema["properties"].items()}
            return st.fixed_dictionaries(
                {name: each for name, each in fields.items() if name in required},
                optional={name: each for name, each in fields.items() if name not in required},
            )
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            names = definitions[schema["propertyNames"]["$ref"].rpartition("/")[2]]["enum"]
            return st.dictionaries(
                st.sampled_from(names), _values(schema["additionalProperties"], definitions)
            )
        case "array" if "prefixItems" in schema:
            return st.tuples(*(_values(each, definitions) for each in schema["prefixItems"])).map(list)
        case "array":
            most, items = schema["maxItems"], _values(schema["items"], definitions)
            return st.one_of(
                st.lists(items, min_size=schema.get("minItems", 0), max_size=3),
                items.map(lambda item: [item] * most),
                items.map(lambda item: [item] * (most + 1)),
            )
        case "integer":
            low, high = schema["minimum"], schema["maximum"]
            return st.integers(low, high) | st.sampled_from([low, high, low, 1, low - 1, high + 1])
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string" if schema.get("format") == "date":
            days = st.dates().map(str) | MOMENTS.map(lambda text: text.partition("T")[0])
            return days | st.sampled_from(["1900-01-01", "2199-12-31", "2024-05-20", "2024-05-21"])
        case "string" if "format" in schema:
            return MOMENTS | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
        case "string":
            return _texts(schema)
        case _:
            return RUBBISH


def _texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    most = schema.get("maxLength", 40)
    pattern = schema.get("pattern", "")
    if "A-Za-z0-9_-" in pattern:
        return st.sampled_from(TOKENS) | st.sampled_from(["x" * 40, "x" * 41, "a.b", "*", ">", "", "村"])
    if "[0-9]{4}" in pattern:
        return st.sampled_from(["2024-000001", "2024-" + "9" * 15, "2024-" + "9" * 16, "２０２４-000001"])
    return st.one_of(
        st.sampled_from(["已办结", "bianmin-2024-1", "bianmin-2024-step-1", "jiwei-2024-step-1"]),
        st.text(ANY_CHARACTER, max_size=30),
        st.sampled_from(["", " ", "\u200b", "\U00020bb7" * most, '"' * most, "\\" * most, "x" * (most + 1)]),
    )
