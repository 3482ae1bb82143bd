"""Who hears what is told of a round, besides the station that handled it."""

from duban_contracts.charter import Charter
from services.chassis.decider import Audience, AudienceOf
from services.rating.decider.states import NotInvited, State


def audience(_: Charter) -> AudienceOf[State]:
    return _of


def _of(state: State) -> Audience | None:
    if isinstance(state, NotInvited):
        return None
    return Audience(state.round.restricted, state.round.brought_by)
