"""How a measure (整改措施) of the plan is done, and the stages of an application, as a charter writes them.

These stand apart from `charter.py` only because both are worth reading by themselves.
"""

from collections.abc import Iterable
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from duban_contracts.rules import Article, Limit, Role, Rule, Token, Unit, wrong


def first_twice(ids: Iterable[str]) -> str | None:
    """The first of the ids that was there already."""
    seen = set[str]()
    return next((each for each in ids if each in seen or seen.add(each)), None)  # type: ignore[func-returns-value]


class OneOff(Article):
    """Done once, with evidence."""

    kind: Literal["one_off"] = "one_off"


class Counted(Article):
    """So many of something, e.g. twelve trainings."""

    kind: Literal["counted"] = "counted"
    target: int = Field(ge=1, le=1_000_000)
    unit: str = Field(min_length=1, description="What is counted")


class Milestone(Article):
    id: Token
    name: str
    due: date | None = Field(None, description="Last day that is in time; absent: it is never missed")
    percent: int = Field(ge=1, le=100, description="Progress of the whole measure once it is met")


class Milestones(Article):
    """In this order, each once."""

    kind: Literal["milestone"] = "milestone"
    milestones: tuple[Milestone, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for earlier, later in pairwise(self.milestones):
            if later.percent <= earlier.percent:
                raise wrong("milestone_worth_less", later=later.id, earlier=earlier.id)
            if earlier.due and later.due and later.due < earlier.due:
                raise wrong("milestone_due_first", later=later.id, earlier=earlier.id)
        if self.milestones[-1].percent != 100:
            raise wrong("milestones_incomplete")
        if twice := first_twice(each.id for each in self.milestones):
            raise wrong("repeated_milestone", id=twice)
        return self


class Recurring(Article):
    """Again and again, at every place: what was not reported by `by` on its day was missed."""

    kind: Literal["recurring"] = "recurring"
    every: Literal["day", "working_day"] = "day"
    by: time | None = Field(None, description="Local time of day; absent: the end of the day")
    villages: tuple[Token, ...] = Field((), description="Where; absent: every village of the charter")

    @field_validator("by", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if isinstance(value, int | float):  # a number would be read as seconds since midnight
            raise wrong("time_in_quotes", example="18:00", given=value)
        return value


Shape = Annotated[OneOff | Counted | Milestones | Recurring, Field(discriminator="kind")]


class Stage(Article):
    """One step of a procedure, in its time limit; a public notice stands for so many natural days."""

    id: Token
    name: str
    limit: Limit
    notice_days: int | None = Field(None, ge=1, le=365, description="Public notice: natural days at least")
    approval: bool = Field(False, description="Decides the application; paused while an objection is open")
    by: tuple[Role, ...] = Field(
        (Role.STATION,), min_length=1, description="Who may complete it; a station: only the responsible one"
    )

    @model_validator(mode="after")
    def _notice_fits(self) -> Self:
        """So many days at the least, whatever the calendar makes of them: then there is time to go on."""
        if self.notice_days is None:
            return self
        if self.limit.unit is Unit.WORKING_HOURS or self.limit.amount <= self.notice_days:
            raise wrong(
                "notice_beyond_limit", stage=self.id, days=self.notice_days, least=self.notice_days + 1
            )
        return self


class Procedure(Rule):
    """What an application goes through, in this order (domain.md §5.2, 2(3))."""

    name: str
    stages: tuple[Stage, ...] = Field(min_length=1)
    upheld_back_to: Token = Field(description="The stage to which an upheld objection sends it back")
    objection_within: Limit | None = Field(
        None,
        description="How long the office has to decide an objection; absent: no limit",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [stage.id for stage in self.stages]
        if twice := first_twice(ids):
            raise wrong("repeated_stage", id=twice)
        if self.upheld_back_to not in ids:
            raise wrong("unknown_stage", stage=self.upheld_back_to, stages=", ".join(ids))
        if not any(stage.approval for stage in self.stages):
            raise wrong("no_approval")
        return self


class Disclosure(Rule):
    """What the public may see of applications: stage and outcome, and never who."""

    minimum_households: int = Field(
        ge=1, description="A village with fewer households, or unknown, is not named"
    )


class HotList(Rule):
    """When matters count as similar, and how many of them make a cluster (举一反三, domain.md G1 and G2)."""

    within_days: int = Field(ge=1, le=3660)
    likeness_percent: int = Field(ge=1, le=100, description="Shared character pairs of two titles, at least")
    at_least: int = Field(ge=2, description="Matters that make a cluster")
