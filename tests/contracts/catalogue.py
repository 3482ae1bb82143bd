"""The messages that are published, and what lies beside them; other tests may define more of their own."""

import json
from pathlib import Path
from typing import Any

import duban_contracts
from duban_contracts.message import CATALOGUE

CONTRACTS = Path(duban_contracts.__file__).parent
SCHEMAS = CONTRACTS / "schemas"
QUERY_SCHEMAS = CONTRACTS / "query_schemas"
EXAMPLES = CONTRACTS / "examples"
README = CONTRACTS.parent / "README.md"
RELEASED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("released.json").read_text("utf-8"))
"""The schemas of the release before, without what they say to people."""

MESSAGES = {
    type_: message
    for type_, message in CATALOGUE.items()
    if message.__module__.startswith("duban_contracts.")
}


def example(type_: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{type_}.json").read_text("utf-8"))
