"""The largest valid body of a type: each text at its longest in characters of four bytes, each list full."""

from typing import Any

from pydantic import BaseModel

WIDE = "\U00020bb7"
"""Four bytes in UTF-8."""
WRITTEN = {"date": "2199-12-31", "date-time": "2199-12-31T23:59:59.999Z"}


def largest(model: type[BaseModel]) -> BaseModel:
    schema = model.model_json_schema()
    return model.model_validate(_value(schema, schema.get("$defs", {})))


def _value(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema or "const" in schema:
        return max(schema.get("enum", [schema.get("const")]), key=lambda value: len(str(value)))
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], definitions)
    match schema["type"]:
        case "object" if "propertyNames" in schema:
            names = definitions[schema["propertyNames"]["$ref"].rpartition("/")[2]]["enum"]
            return {name: _value(schema["additionalProperties"], definitions) for name in names}
        case "object":
            return {name: _value(each, definitions) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [_value(schema["items"], definitions)] * schema["maxItems"]
        case "integer":
            return schema["maximum"]
        case "boolean":
            return False
        case "string" if "format" in schema:
            return WRITTEN[schema["format"]]
    pattern, most = schema.get("pattern", r"\S"), schema.get("maxLength", 40)
    if pattern == r"\S":
        return WIDE * most
    return "2024-" + "1" * (most - 5) if "[0-9]{4}" in pattern else "x" * most
