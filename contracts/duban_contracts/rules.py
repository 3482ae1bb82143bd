"""What every rule of a charter is made of: its articles, roles and lengths of time."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from duban_contracts.charter_findings import PROBLEMS

WORD = r"^[A-Za-z0-9_-]{1,40}$"
Token = Annotated[str, Field(pattern=WORD)]
"""An identifier that may stand in a NATS subject."""

_token = re.compile(WORD.strip("^$"))


def is_token(text: str) -> bool:
    return _token.fullmatch(text) is not None


class Article(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Rule(Article):
    source: str = Field(min_length=1, description="Where this rule and its numbers come from")


class Role(StrEnum):
    STATION = "station"
    OFFICE = "office"
    LEADER = "leader"
    DISCIPLINE = "discipline"
    GATEWAY = "gateway"
    FEED = "feed"


class Unit(StrEnum):
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    WORKING_HOURS = "working_hours"


class Limit(Article):
    """A length of time. The start day is not counted; a last day off moves to the next working day."""

    amount: int = Field(ge=0, le=3660)
    unit: Unit = Unit.WORKING_DAYS


def wrong(code: str, **params: object) -> PydanticCustomError:
    """To raise in a validator: a problem of `charter_findings`, by its code."""
    shown = {name: value if isinstance(value, str | int) else str(value) for name, value in params.items()}
    return PydanticCustomError(code, PROBLEMS[code].format(**shown), shown)
