"""What is wrong with a body, field by field: a code with parameters for programs, a sentence for people.

Neither repeats the value: it may hold personal data, and dead letters and logs are read by many.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from duban_contracts.rules import WORD


class FieldFault(NamedTuple):
    """`code` and `params` are pydantic's error type and context, or one of those that `fields` defines."""

    field: str
    """Its path, e.g. `past.closed_at` or `materials.0`; empty: the body as a whole."""
    code: str
    params: Mapping[str, str | int | float]
    message: str
    """Pydantic's own sentence, for codes that SENTENCES does not know."""

    def __str__(self) -> str:
        sentence = SENTENCES.get(self.code, self.message).format_map(self.params)
        return f"{self.field}: {sentence}" if self.field else sentence


SENTENCES = {
    "missing": "is missing, add it",
    "extra_forbidden": "there is no such field, leave it out",
    "string_type": "write it as text, in quotes",
    "string_too_short": "write at least {min_length} characters",
    "string_too_long": "write at most {max_length} characters",
    "string_pattern_mismatch": "has to match {pattern}",
    "not_a_token": (
        "write a token of the charter, which has 1 to 40 letters A to Z, digits, _ or -, and not its name; "
        "the question `charter` and `duban list` tell them"
    ),
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
    "greater_than_equal": "has to be {ge} or more",
    "less_than_equal": "has to be {le} or less",
    "enum": "has to be one of {expected}",
    "timezone_aware": "add the zone, as in 2024-04-15T14:31:00+08:00",
    "json_invalid": "Invalid JSON: {error}, send a JSON object in UTF-8",
    "model_type": "the body has to be a JSON object",
    "no_visible_character": "write at least one visible character",
    "control_character": "remove the character {character}",
    "unfit_for_key": "a key may not hold {character}",
    "moment_out_of_range": (
        "the year has to be from {first} to {last}, or leave the field out if there is no such time"
    ),
    "day_out_of_range": (
        "the year has to be from {first} to {last}, or leave the field out if there is no such day"
    ),
    "bad_bookmark": "give the `next` of an earlier page, unchanged",
    "moment_format": "write it as text with a zone, like {example}",
    "day_format": "write it as text, like {example}",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "int_parsing": "a whole number is needed",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_parsing": "a number is needed",
    "float_type": "a number is needed",
    "finite_number": "a finite number is needed",
    "date_from_datetime_parsing": "write it as a day, like 2024-04-15",
    "date_parsing": "write it as a day, like 2024-04-15",
    "datetime_parsing": "write it as a time with a zone, like 2024-04-15T09:00:00+08:00",
    "datetime_from_date_parsing": "write it as a time with a zone, like 2024-04-15T09:00:00+08:00",
    "tuple_type": "several values are needed, as a JSON list",
    "dict_type": "a JSON object is needed",
}
"""What to do, by code. Another language translates these with the same parameters."""


def field_faults(error: ValidationError) -> list[FieldFault]:
    """Every fault, in the order of the fields."""
    return [
        FieldFault(
            ".".join(map(str, each["loc"])),
            # What programs most often send instead is the name that people read.
            "not_a_token" if each.get("ctx", {}).get("pattern") == WORD else each["type"],
            {name: _plain(value) for name, value in each.get("ctx", {}).items()},
            each["msg"].replace("{", "{{").replace("}", "}}"),
        )
        for each in error.errors(include_url=False, include_input=False)
    ]


MOST_TOLD = 10
"""Faults of one body: a list of thirty wrong tokens would be a letter of five thousand characters."""


def in_words(error: ValidationError) -> str:
    """One sentence for each field, of the first ones."""
    found = field_faults(error)
    more = [f"and {len(found) - MOST_TOLD} more faults"] if len(found) > MOST_TOLD else []
    return "; ".join([*map(str, found[:MOST_TOLD]), *more])


def _plain(value: object) -> str | int | float:
    return value if isinstance(value, str | int | float) else str(value)
