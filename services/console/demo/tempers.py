"""How each station goes about its work in the demo: one row per station, so that the story can be tuned."""

from dataclasses import dataclass

Days = tuple[int, int]
"""Between so many and so many working days, both included."""

CONTENT = (1, 2, 12, 40, 45)
AVERAGE = (3, 7, 25, 40, 25)
ANGRY = (10, 18, 32, 28, 12)
"""Weights of the five levels of a rating, from very dissatisfied up."""


@dataclass(frozen=True)
class Temper:
    signs: float = 0.95
    """Share of entries signed for on the next working day; the others are signed for by handling them."""
    prompt: float = 0.93
    """Share of entries handled within their time limit."""
    late: Days = (1, 3)
    """How late the others are."""
    forgets: float = 0.0
    """Share of entries that nobody looks at until the principal leaders insist."""
    sound: float = 0.95
    """Share of results that pass verification at the first go."""
    passes: float = 0.9
    """Share of inspections passed."""
    mends: Days = (5, 8)
    """How long a finding takes to be mended."""
    rated: tuple[int, ...] = AVERAGE
    acknowledges: int = 1
    """Working days until an order is acknowledged; in time means 1."""
    answers: int = 5
    """Working days until an order is answered."""
    insisted: bool = False
    """Mends its findings only when the principal leaders insist."""
    spared: bool = False
    """The office declines to name it in a circular."""


USUAL = Temper()
TEMPERS = {
    "jiwei": Temper(prompt=0.85, rated=CONTENT),
    "qingjieban": Temper(prompt=0.85, passes=0.8, late=(1, 2)),
    "xuanchuanxian": Temper(signs=1.0, prompt=1.0, sound=0.98, passes=1.0, rated=CONTENT),
    "wenhuazhan": Temper(prompt=0.9, passes=0.8, mends=(3, 4)),
    "xincunban": Temper(
        prompt=1.0,  # of the entries that it does not forget
        forgets=0.2,
        sound=0.8,
        passes=0.4,
        rated=ANGRY,
        acknowledges=6,
        answers=38,
        insisted=True,
    ),
    "bianmin": Temper(
        signs=0.85, prompt=0.72, late=(2, 5), sound=0.85, passes=0.7, rated=ANGRY, acknowledges=3, answers=9
    ),
    "nongye": Temper(prompt=0.9),
    "minzheng": Temper(signs=1.0, prompt=0.97, passes=1.0, rated=CONTENT),
    "nongyisuo": Temper(prompt=0.9, passes=1.0, mends=(7, 9), answers=21, spared=True),
    "office": Temper(signs=1.0),
}


def temper(station: str | None) -> Temper:
    return TEMPERS.get(station or "", USUAL)
