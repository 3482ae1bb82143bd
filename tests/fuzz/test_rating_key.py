"""What a citizen holds to rate a round is its key: whatever else is sent rates nothing and is told no."""

import json
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import example, given
from hypothesis import strategies as st

from duban_contracts.envelope import Attributes, Poison, PoisonReason, encode
from duban_contracts.message import Refusal
from duban_contracts.rating import Level, Rate, RatingCommandRefused, RatingEvent, RatingGiven
from duban_contracts.subjects import subject_of
from services.chassis.charter_file import read_charter
from services.chassis.inbox import Delivery, commands, read
from services.rating.app import SERVICE
from services.rating.decider import InviteRating, Round, rating
from tests.given import Given

CHARTER = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
ACTORS, TOLD = CHARTER.everyone(), Given(rating(CHARTER))
KEY, AT = "2024-000123/1", datetime(2024, 4, 16, 2, tzinfo=UTC)
INVITED = TOLD().when(InviteRating(datetime(2024, 4, 15, 2, tzinfo=UTC), Round("2024-000123", 1, "bianmin")))
BODY = b'{"level": 5}'

NEARLY = st.builds(
    lambda key, n, sign: key[:n] + sign + key[n:],
    st.sampled_from([KEY, "2024-000123/01", "2024-123/1", "２０２４-000123/1", "2024‑000123/1"]),
    st.integers(0, len(KEY)),
    st.sampled_from([*string.whitespace, *"/-%.*>\\'\"$\x00", "​", ""]),
)


def delivered(key: str, body: bytes = BODY) -> RatingEvent | Poison:
    """What a `rate` for that key, as a channel sends it, leads to. The key may be in any encoding."""
    written = encode(Attributes("m1", "fuzz", Rate.type, None, "-", "m1")) | {"ce-subject": key}
    try:
        message = read(Delivery(subject_of(Rate, "gateway"), written, body, AT), ACTORS)
    except Poison as poison:
        return poison
    [(of, command)] = commands(message, SERVICE.handlers, CHARTER)
    [first, *_] = TOLD(*(INVITED if of == KEY else [])).when(command)
    return first


@given(st.text() | NEARLY | NEARLY.map(quote))
@example(KEY)
@example(quote(KEY, safe=""))
def test_only_the_key_of_an_invited_round_rates_it(key: str) -> None:
    match delivered(key):
        case Poison(reason=reason):
            assert reason in (PoisonReason.BAD_ATTRIBUTE, PoisonReason.MISSING_ATTRIBUTE)
        case RatingGiven():
            assert unquote(key) == KEY
        case RatingCommandRefused(reason=reason):
            assert unquote(key) != KEY
            assert reason is Refusal.NO_SUCH_ROUND
        case other:
            raise AssertionError(other)


LEVELS = (
    st.integers(-1, 7)
    | st.floats()
    | st.text(max_size=3)
    | st.none()
    | st.booleans()
    | st.lists(st.integers(), max_size=2)
)
DIMENSIONS = st.dictionaries(st.sampled_from(["attitude", "integrity", "smile", ""]), LEVELS) | LEVELS


@given(LEVELS, DIMENSIONS)
@example(5, {"attitude": 1})
def test_a_level_that_is_none_of_the_five_is_never_a_rating(level: Any, dimensions: Any) -> None:
    match delivered(KEY, json.dumps({"level": level, "dimensions": dimensions}).encode()):
        case Poison(reason=reason):
            assert reason is PoisonReason.BREAKS_CONTRACT
        case RatingGiven(level=given_level):
            assert given_level in Level
            assert given_level == int(level)
        case other:
            raise AssertionError(other)
