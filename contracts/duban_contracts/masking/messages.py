"""A whole message: which of its fields hold text, and the same message with it masked."""

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from duban_contracts.masking.kinds import IDENTIFIER, PERSONAL, Identifier, Personal, PersonalData
from duban_contracts.masking.texts import mask, mask_identifier

Model = TypeVar("Model", bound=BaseModel)


class MaskedPlace(NamedTuple):
    """Where in a message something was masked: the field's name, with a dot before one inside of it."""

    field: str
    kinds: tuple[PersonalData, ...]


def mask_message(message: Model) -> tuple[Model, tuple[MaskedPlace, ...]]:
    """The message as everybody but intake may see it, and what was masked in it.

    Fields that are meant for personal data are empty in it, which is nothing to report.
    """
    found: dict[str, set[PersonalData]] = {}
    masked = _mask_model(message, known_values(message), "", found)
    if not found:
        return masked, ()
    return masked, tuple(MaskedPlace(field, tuple(sorted(kinds))) for field, kinds in found.items())


def known_values(message: BaseModel) -> tuple[str, ...]:
    """What the message says about a person in fields meant for it, without the petitioner's own words."""
    persons = [getattr(message, name) for name in _personal_fields(type(message))]
    return tuple(text for person in persons if isinstance(person, BaseModel) for text in _texts(person))


def _texts(model: BaseModel) -> Iterator[str]:
    for _name, value in model:
        if isinstance(value, str) and not isinstance(value, Enum):
            yield value


def _mask_model(
    model: Model, known: tuple[str, ...], path: str, found: dict[str, set[PersonalData]]
) -> Model:
    changed: dict[str, Any] = {}
    for name, how in _treatment(type(model)).items():
        value = getattr(model, name)
        if value is None and how is not PERSONAL:
            continue
        place = f"{path}{name}" if path else name
        if how is PERSONAL:
            default = type(model).model_fields[name]
            masked = None if default.default is None else default.get_default(call_default_factory=True)
        else:
            masked = _mask_value(value, how is IDENTIFIER, known, place, found)
        if masked is not value:
            changed[name] = masked
    return model.model_copy(update=changed) if changed else model


def _mask_value(
    value: Any, identifies: bool, known: tuple[str, ...], place: str, found: dict[str, set[PersonalData]]
) -> Any:
    """The very same object where nothing had to be masked."""
    if isinstance(value, str) and not isinstance(value, Enum):
        masked = mask_identifier(value) if identifies else mask(value, known)
        if masked.text == value:
            return value
        found.setdefault(place, set()).update(masked.kinds)
        return masked.text
    if isinstance(value, tuple | list):
        items = [_mask_value(each, identifies, known, place, found) for each in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, Mapping):
        pairs = {key: _mask_value(each, identifies, known, place, found) for key, each in value.items()}
        return value if all(pairs[key] is value[key] for key in value) else pairs
    if isinstance(value, BaseModel):
        return _mask_model(value, known, f"{place}.", found)
    return value


@cache
def _treatment(model: type[BaseModel]) -> dict[str, Identifier | Personal | None]:
    """How each field that can hold text is treated; what is marked as nothing is free text, to be safe."""
    treated: dict[str, Identifier | Personal | None] = {}
    for name, field in model.model_fields.items():
        marks = list(_marks(field))
        if any(isinstance(mark, Personal) for mark in marks):
            treated[name] = PERSONAL
        elif not any(_holds_text(leaf) for leaf in _leaves(field.annotation)):
            continue
        elif any(isinstance(mark, Identifier) or getattr(mark, "pattern", None) for mark in marks):
            treated[name] = IDENTIFIER
        else:
            treated[name] = None
    return treated


@cache
def _personal_fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name, how in _treatment(model).items() if how is PERSONAL)


def free_text_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields in which sentences may stand: what a mask is looked for in."""
    return tuple(name for name, how in _treatment(model).items() if how is None)


def identifier_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields that name something: a key, a token."""
    return tuple(name for name, how in _treatment(model).items() if how is IDENTIFIER)


def _holds_text(leaf: Any) -> bool:
    if leaf in (str, Any):
        return True
    return isinstance(leaf, type) and issubclass(leaf, BaseModel) and bool(_treatment(leaf))


def _leaves(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _leaves(argument)


def _marks(annotation: Any) -> Iterator[Any]:
    """Everything that stands beside the types, at any depth."""
    if isinstance(annotation, FieldInfo):
        for mark in annotation.metadata:
            yield from _marks(mark)
        yield from _marks(annotation.annotation)
        return
    yield annotation
    for beside in getattr(annotation, "__metadata__", ()):
        yield from _marks(beside)
    for argument in get_args(annotation):
        yield from _marks(argument)
