"""What is asked of the register: the row beside each entry, its indexes, and the questions over them."""

from services.ledger.views.row import INDEXES, row
from services.ledger.views.row import QUERIES as ROWS
from services.ledger.views.why import WHY

QUERIES = ROWS | WHY

__all__ = ["INDEXES", "QUERIES", "row"]
