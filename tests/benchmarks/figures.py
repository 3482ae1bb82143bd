"""One figure of the benchmark: what was measured, what it is compared with, and whether the goal is met."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True)
class Figure:
    """`ratio` is judged where there is one, `measured` otherwise; `at_least` False means at most."""

    name: str
    measured: float
    unit: str
    goal: float | None = None
    """None: told, and not judged."""
    compared_with: str = ""
    compared: float | None = None
    ratio: float | None = None
    at_least: bool = True
    note: str = ""
    runs: dict[str, list[float]] = field(default_factory=dict)

    @property
    def judged(self) -> float:
        return self.measured if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.judged >= self.goal if self.at_least else self.judged <= self.goal

    @property
    def wanted(self) -> str:
        if self.goal is None:
            return ""
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.goal:g}" + ("" if self.ratio is not None else f" {self.unit}")


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    compared_with: str,
    goal: float,
    *,
    unit: str = "/s",
    at_least: bool = True,
    note: str = "",
) -> Figure:
    """Runs that alternated: the median of the ratios of neighbours, so that a slow minute hits both."""
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    runs = {"ours": list(ours), "theirs": list(theirs)}
    return Figure(name, median(ours), unit, goal, compared_with, median(theirs), ratio, at_least, note, runs)


def percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
