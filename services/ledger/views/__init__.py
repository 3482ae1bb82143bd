"""What is asked of the register: the row beside each entry, its indexes, and the questions over them."""

from services.ledger.views.row import INDEXES, QUERIES, row

__all__ = ["INDEXES", "QUERIES", "row"]
