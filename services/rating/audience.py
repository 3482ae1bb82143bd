"""Who hears what is told of a round, besides the station that handled it."""

from duban_contracts.charter import Charter
from services.chassis.decider import AudienceOf
from services.rating.decider.states import State, audience_of


def audience(_: Charter) -> AudienceOf[State]:
    return audience_of
