"""Who hears what intake tells of a submission, besides the station that leads."""

from duban_contracts.charter import Charter
from services.chassis.decider import Audience, AudienceOf
from services.intake.decider.situations import Accepted, Duties, State, Unseen, Withdrawn


def audience(charter: Charter) -> AudienceOf[State]:
    """The channel that brought it; a conduct matter is heard by nobody else without the right to it."""

    def of(state: State) -> Audience | None:
        if isinstance(state, Unseen):
            return None
        if isinstance(state, Duties):
            return Audience(state.noted.restricted)
        category = charter.categories.get(state.kept.submitted.category)
        restricted = category is not None and category.restricted
        became = isinstance(state, Accepted | Withdrawn) and state.restricted
        return Audience(restricted or became, state.kept.source)

    return of
