"""A small file of cases and its map, to vary in tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.console.importing.mapping import ImportMap
from services.console.importing.rows import Cell, Row

ROOT = Path(__file__).parents[3]
MAP_FILE = ROOT / "deploy" / "charters" / "myla311.map.yaml"
CHARTER_FILE = ROOT / "deploy" / "charters" / "myla311.yaml"
DATA = ROOT.parent / "shared" / "data" / "myla311-2020-01.csv"

HEADER = ("No", "What", "Who", "State", "In", "Planned", "Out", "How", "Urgent")
GIVEN: dict[str, Any] = {
    "feed": "hotline",
    "timezone": "America/Los_Angeles",
    "columns": {
        "id": "No",
        "title": "What",
        "category": "What",
        "station": "Who",
        "status": "State",
        "submitted_at": "In",
        "due_on": "Planned",
        "closed_at": "Out",
        "channel": "How",
        "urgent": "Urgent",
    },
    "date_formats": ["%m/%d/%y %H:%M", "%m/%d/%y"],
    "statuses": {"Done": {"closed": True, "outcome": "solved"}, "Open": {"closed": False}},
    "categories": {"Lamp": "lamp", "Road": "road"},
    "stations": {"Works": "works"},
    "channels": {"Call": "hotline"},
}
CELLS = dict(
    zip(
        HEADER,
        ("7", "Lamp", "Works", "Done", "1/2/20 9:00", "1/6/20", "1/3/20 8:30", "Call", ""),
        strict=True,
    )
)


def a_map(**changes: Any) -> ImportMap:
    return ImportMap.model_validate(GIVEN | changes)


def a_row(surplus: int = 0, cells: Mapping[str, Cell] | None = None, **changes: Cell) -> Row:
    return Row(2, {**CELLS, **(cells or {}), **changes}, surplus)
