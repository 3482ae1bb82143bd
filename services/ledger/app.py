"""The ledger as a process."""

from services.chassis.main import run
from services.chassis.service import Numbering, Service
from services.ledger.decider import ledger
from services.ledger.handlers import HEARS, numbered
from services.ledger.views import INDEXES, QUERIES, row

SERVICE = Service(
    "ledger", HEARS, ledger, row=row, indexes=INDEXES, numbering=Numbering(numbered), queries=QUERIES
)


def main() -> int:
    return run(SERVICE)
