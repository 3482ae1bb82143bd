"""Personal data for every field of every command, made from the contracts: to be found nowhere again."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from duban_contracts.masking import free_text_fields
from duban_contracts.masking.messages import identifier_fields
from duban_contracts.message import Command
from tests.contracts.catalogue import MESSAGES, example

MOBILE, LANDLINE = "13957146280", "0571-86429753"
IDENTITY, CARD = "33010619850712451X", "6217001234567893"
EMAIL, NAME, DOOR = "ouyang@example.cn", "欧阳建国", "17号4单元1802室"
NUMBERS = (MOBILE, LANDLINE, IDENTITY, CARD)
TEXT = f"{MOBILE}或{LANDLINE}，{IDENTITY}，{CARD}，{EMAIL}，联系人：{NAME}，{DOOR}"
"""Not longer than the shortest text that a contract allows, and whatever is masked in it."""
PLANTED = (*NUMBERS, EMAIL, NAME, DOOR, LANDLINE.replace("-", ""))

COMMANDS = [each for each in MESSAGES.values() if issubclass(each, Command) and each.model_fields]


def in_texts(command: type[Command]) -> dict[str, Any]:
    """The command's example with TEXT in every field where a sentence may stand."""
    return example(command.type) | {name: _value(command, name, TEXT) for name in free_text_fields(command)}


def in_identifiers(command: type[Command]) -> Iterator[dict[str, Any]]:
    """One body for each name of something that may be a number of a person as far as the contract goes."""
    for name in identifier_fields(command):
        for number in NUMBERS:
            body = example(command.type) | {name: _value(command, name, number)}
            try:
                command.model_validate(body)
            except ValidationError:
                continue
            yield body


def broken(command: type[Command]) -> Iterator[bytes]:
    """Bodies that no reader takes, with personal data in them."""
    body = in_texts(command) | {"petitioner": {"name": NAME, "phone": MOBILE, "id_card": IDENTITY}}
    text = TypeAdapter(dict[str, Any]).dump_json(body)
    yield text[:-1]
    yield text[:-1].decode().encode("gb18030")
    first = next(iter(command.model_fields), "note")
    yield TypeAdapter(dict[str, Any]).dump_json({**body, first: [[int(MOBILE), TEXT]]})
    yield b"\xff\xfe\x00" + MOBILE.encode()


def _value(command: type[Command], name: str, text: str) -> Any:
    annotation = command.model_fields[name].annotation
    several = any(get_origin(each) is tuple for each in (annotation, *get_args(annotation)))
    return [text] if several else text
