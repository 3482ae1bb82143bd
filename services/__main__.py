"""One image, the service's name as its argument: `python -m services ledger`."""

import os
import sys
from importlib import import_module

from duban_contracts.message import SERVICES


def main(arguments: list[str]) -> int:
    match arguments:
        case [name] if name in SERVICES:
            return int(import_module(f"services.{name}.app").main())
        case _:
            print(f"usage: python -m services {{{','.join(SERVICES)}}}", file=sys.stderr)  # noqa: T201
            return 2


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Not sys.exit: a thread of Motor's that waits for a silent MongoDB would hold up the end.
    os._exit(status)
