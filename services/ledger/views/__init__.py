"""What is asked of the register: the row beside each entry, its indexes, and the questions over them."""

from duban_contracts.queries import FindEntry, ShowEntry
from duban_contracts.reading import AskDisclosure, AskHotList, ListEntries
from services.chassis.service import Query
from services.ledger.views.clusters import hot_list
from services.ledger.views.disclosure import disclosure
from services.ledger.views.export import export
from services.ledger.views.history import HISTORY
from services.ledger.views.indexes import INDEXES, PARTIAL_INDEXES
from services.ledger.views.listing import find, list_entries, show
from services.ledger.views.lookup import look_up
from services.ledger.views.row import row, rows
from services.ledger.views.why import WHY

QUERIES = {
    "find": Query(FindEntry, find),
    "show": Query(ShowEntry, show),
    "list": Query(ListEntries, list_entries),
    "export": Query(ListEntries, export),
    "hot_list": Query(AskHotList, hot_list),
    "disclosure": Query(AskDisclosure, disclosure),
    **WHY,
    **HISTORY,
}

__all__ = ["INDEXES", "PARTIAL_INDEXES", "QUERIES", "look_up", "row", "rows"]
