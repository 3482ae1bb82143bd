"""`python -m tests.faults [--seed N] [--only FAULT]`: every fault, every invariant; exit 1 if one fails."""

import argparse
import random
import shutil
import sys
from pathlib import Path

from rich.console import Console

from tests.faults.run import NAMES, Run, report

FOLDER = Path("build") / "faults"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", action="append", choices=NAMES, metavar="FAULT", help=", ".join(NAMES))
    asked = parser.parse_args()
    console = Console(width=100)
    console.print(f"seed {asked.seed}; logs of the services in {FOLDER}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    run = Run(asked.seed)
    for row in run.endure(FOLDER.absolute(), asked.only or NAMES):
        console.print(f"  {row.fault}: {row.answered} of {row.sent} answered", highlight=False)
    report(run, console)
    return 0 if run.passed else 1


if __name__ == "__main__":
    sys.exit(main())
