"""Every role that a charter names is checked against the command that carries the decision."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from duban_contracts.charter import Charter, Role
from duban_contracts.charter_check import ROLE_REFERENCES

DEFINES = {"actors.*.role", "actors.*.acts_for.*"}
"""Say who an actor is, and for whom it speaks; every other field with roles refers to such actors."""


def role_fields(annotation: Any, at: str = "") -> Iterator[str]:
    """The paths of all fields that hold roles, in the patterns of the charter's checks."""
    if annotation is Role:
        yield at
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from role_fields(field.annotation, f"{at}.{name}".removeprefix("."))
    else:
        inner = get_args(annotation)
        many = getattr(annotation, "__origin__", None) in (tuple, list, dict)
        for each in inner[1:] if many and len(inner) > 1 and inner[1] is not ... else inner:
            yield from role_fields(each, f"{at}.*" if many else at)


@pytest.mark.case("A5")
def test_every_field_with_roles_names_its_commands_in_the_table() -> None:
    assert set(role_fields(Charter)) - DEFINES == set(ROLE_REFERENCES)


@pytest.mark.case("A5")
def test_every_default_of_such_a_field_is_admitted_by_its_commands() -> None:
    charter = Charter.model_validate(
        {
            "name": "x",
            "township": "x",
            "stations": {"a": {"name": "x"}},
            "categories": {"b": {"name": "x", "lead": "a", "source": "x"}},
        }
    )
    for rung in (charter.ladder.circular, charter.ladder.leaders, charter.ladder.discipline):
        assert all(
            set(rung.decided_by) <= command.by for command in ROLE_REFERENCES["ladder.circular.decided_by.*"]
        )
    assert all(
        set(charter.matters.verify_roles) <= command.by
        for command in ROLE_REFERENCES["matters.verify_roles.*"]
    )
