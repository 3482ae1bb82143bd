"""Who hears what the ledger tells of an entry, besides its station."""

from typing import Any

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryOpened
from services.chassis.decider import Audience, AudienceOf


def audience(_: Charter) -> AudienceOf[Any]:
    """The channel that brought the matter or application; measures and the plan were brought by none."""
    return _of


def _of(state: Any) -> Audience | None:
    held: Any = getattr(state, "entry", None) or getattr(state, "application", None)
    opened = getattr(held, "opened", None)
    if not isinstance(opened, EntryOpened):
        return None
    offer, helpers = getattr(held, "offer", None), getattr(held, "co_handlers", opened.co_handlers)
    in_hand = (held.station, *helpers, *((offer.to,) if offer else ()))
    return Audience(opened.restricted, opened.brought_by, in_hand)
