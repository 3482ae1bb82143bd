"""What documents show inside of a sentence is complete: typed commands, and bodies as JSON."""

import re
import shlex

import pytest
from pydantic import BaseModel, ValidationError

from duban_contracts.message import Command
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from services.console.bodies import build, find_command, split_words
from tests.contracts.catalogue import MESSAGES
from tests.docs.shown import DOCUMENTS, ROOT

TEXTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in DOCUMENTS}
TYPED = [
    (name, line)
    for name, text in TEXTS.items()
    for line in re.findall(r"`(duban do [^`]+)`", re.sub(r"\s+", " ", text))
    if "=" in line or re.search(r"--(?!list|help)", line)
]
BODIES = [(name, body) for name, text in TEXTS.items() for body in re.findall(r"`(\{\"[^`]+\})`", text)]
SENT = [
    *(model for model in MESSAGES.values() if issubclass(model, Command)),
    *(question.asks for question in QUERIES.values()),
]
WIRE = ("--key", "--actor", "--id", "--at")


@pytest.mark.parametrize(("document", "line"), TYPED)
def test_a_command_inside_of_a_sentence_has_every_field_that_it_needs(document, line):
    name, *words = shlex.split(line)[2:]
    model = find_command(name)
    bare, fields = split_words(words, model)
    given = [(field, value) for field, _, value in (each.partition("=") for each in fields)]
    build(model, {}, [each for each in given if f"--{each[0]}" not in WIRE])
    assert len(bare) <= 1


@pytest.mark.parametrize(("document", "body"), BODIES)
def test_a_body_inside_of_a_sentence_is_one_that_is_sent(document, body):
    assert any(accepts(model, body) for model in SENT)


def accepts(model: type[BaseModel], body: str) -> bool:
    try:
        model.model_validate_json(body, extra="forbid")
    except ValidationError:
        return False
    return True


def test_samples_are_found():
    assert {"docs/questions.md"} <= {name for name, _ in TYPED}
    assert {"docs/integrating.md"} <= {name for name, _ in BODIES}
