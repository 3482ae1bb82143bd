"""`duban charter new`: a commented charter with working defaults, and the town's own names in it."""

import json
from collections.abc import Sequence
from pathlib import Path

TEMPLATE = Path(__file__).parent / "templates" / "charter.yaml"


def new_charter(township: str, name: str | None = None, stations: Sequence[tuple[str, str]] = ()) -> str:
    """YAML text. `stations` are (token, name); without any there is one to begin with.

    Each leads a category of its own, which the town replaces with its real ones.
    """
    listed = stations or [("bianmin", "便民服务中心")]
    fields = {
        "name": _quoted(name or f"{township}督办"),
        "township": _quoted(township),
        "mark": _quoted(f"{township}督"),
        "stations": "".join(f"  {token}: {{name: {_quoted(called)}}}\n" for token, called in listed),
        "categories": "".join(
            f"  {token[:34]}_other:\n    name: {_quoted(f'{called}其他诉求')}\n    lead: {token}\n"
            "    kind: help\n    source: 自定 / a choice\n"
            for token, called in listed
        ),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for field, value in fields.items():
        text = text.replace(f"{{{field}}}", value, 1)
    return text


def _quoted(text: str) -> str:
    """As YAML, whatever stands in it."""
    return json.dumps(text, ensure_ascii=False)
