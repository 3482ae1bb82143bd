"""The current standing of a station, as the `standings` bucket shows it."""

from duban_contracts.escalation import Rung, Standing
from services.escalation.decider import State, Supervised


def standing(station: str, state: State, version: int) -> Standing | None:
    """None while nothing was ever heard of the station."""
    if state.at is None:
        return None
    known = state if isinstance(state, Supervised) else None
    return Standing(
        station=station,
        version=version,
        at=state.at,
        rung=known.standing_rung if known else Rung.REMINDER,
        lagging_since=known.lagging_since if known else None,
        items=tuple(item.fact for item in state.items.values()),
        order=known.order.key if known and known.order else None,
        proposed=known.proposal.step if known and known.proposal else None,
    )
