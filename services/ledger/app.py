"""The ledger as a process."""

from services.chassis.main import run
from services.chassis.service import Numbering, Service
from services.ledger.audience import audience
from services.ledger.handlers import HEARS, numbered
from services.ledger.register_kinds import register
from services.ledger.views import INDEXES, PARTIAL_INDEXES, QUERIES, look_up, rows

SERVICE = Service(
    "ledger",
    HEARS,
    register,
    row=rows,
    indexes=INDEXES,
    partial_indexes=PARTIAL_INDEXES,
    follows_charter=True,
    numbering=Numbering(numbered),
    audience=audience,
    lookup=look_up,
    queries=QUERIES,
)


def main() -> int:
    return run(SERVICE)
