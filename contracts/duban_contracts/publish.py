"""Writes the JSON Schemas and the tables of the README: `python -m duban_contracts.publish`, in a checkout.

A committed schema is a promise: one that an older reader or writer could not live with is not overwritten.
The exceptions are in `tightened.json`, each with its reason: bounds of commands (docs/decisions/0017).
"""

import inspect
import json
import sys
from collections.abc import Container, Mapping
from pathlib import Path

from pydantic import BaseModel

from duban_contracts.compatibility import Schema, breaks
from duban_contracts.message import CATALOGUE, SERVICES, Command, Message
from duban_contracts.notices import DeadLetterNotice
from duban_contracts.queries import QueryFault
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from duban_contracts.query_catalogue import EVERYBODY, QueryContract
from duban_contracts.subjects import subject_of
from duban_contracts.topology import listeners_of

PACKAGE = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
QUESTIONS = "query_schemas"
"""The folder beside `schemas`."""
BEGIN = "<!-- messages: written by `make contracts` -->"
END = "<!-- end of messages -->"
BEGIN_QUERIES = "<!-- queries: written by `make contracts` -->"
END_QUERIES = "<!-- end of queries -->"

NEXT_STEP = """\
Nothing was written. These are promises that somebody relies on already. Either
  - make a v2 beside it: a further class with version=2, and tell both for a while; or,
  - if a command only gets narrower bounds, list the sentence with its reason in tightened.json; or,
  - if the message was never published to anybody, delete its file in schemas/ and run this again."""


def schema_of(message: type[Message]) -> Schema:
    """What a reader accepts (pydantic's validation mode), under a name of its own."""
    schema = message.model_json_schema(mode="validation")
    name = {"$schema": DIALECT, "$id": f"urn:{message.type.replace('.', ':')}"}
    return {**name, **schema, "title": message.type}


def schemas_of_questions(catalogue: Mapping[str, QueryContract]) -> dict[str, Schema]:
    """By the name that the table of questions gives it: what is asked and what is answered, the refusal of a
    question, and the one notice that is no fact."""
    models: list[type[BaseModel]] = [QueryFault, DeadLetterNotice]
    for contract in catalogue.values():
        models += [contract.asks, contract.gives]
    return {
        model.__name__: {"$schema": DIALECT, **model.model_json_schema(mode="validation")} for model in models
    }


def as_text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def committed(folder: Path) -> dict[str, Schema]:
    """Type -> schema as it stands in `folder`."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def tightened() -> dict[str, str]:
    """Every broken promise that is meant, as `broken_promises` words it -> why."""
    by_reason: dict[str, dict[str, list[str]]] = json.loads((PACKAGE / "tightened.json").read_text("utf-8"))
    return {
        f"{type_}: {sentence}": reason
        for reason, types in by_reason.items()
        for type_, sentences in types.items()
        for sentence in sentences
    }


def broken_promises(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> list[str]:
    """Where `after` does not keep what `before` promised, as sentences; a further message breaks nothing."""
    gone = [f"{type_}: the message is gone" for type_ in before if type_ not in after]
    return gone + [
        f"{type_}: {sentence}"
        for type_, schema in after.items()
        for sentence in (breaks(before[type_], schema) if type_ in before else ())
    ]


def table(catalogue: Mapping[str, type[Message]]) -> str:
    """All messages as Markdown, service by service, commands before facts."""
    lines = ["| type | subject | who sends it | who listens | what it means |", "|---|---|---|---|---|"]
    return "\n".join(lines + [_row(message) for message in sorted(catalogue.values(), key=_place)])


def _place(message: type[Message]) -> tuple[int, bool]:
    return SERVICES.index(message.service), not issubclass(message, Command)


def _row(message: type[Message]) -> str:
    last = "<actor>" if issubclass(message, Command) else "<station>"
    cells = (
        f"`{message.type}`",
        f"`{subject_of(message, last)}`",
        ", ".join(_senders(message)),
        ", ".join(listeners_of(message)),
        meaning(message).replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _senders(message: type[Message]) -> list[str]:
    """The roles that may ask, or the one service that tells."""
    return sorted(message.by) if issubclass(message, Command) else [message.service]


def meaning(message: type[Message]) -> str:
    """The first line of its docstring; `IntakeCommandRefused` without one says that of `CommandRefused`."""
    namesakes = (each for each in message.__mro__ if message.__name__.endswith(each.__name__))
    documented = next((each for each in namesakes if each.__doc__), None)
    return inspect.cleandoc(documented.__doc__ or "").partition("\n")[0] if documented else ""


def query_table(catalogue: Mapping[str, QueryContract]) -> str:
    """All questions as Markdown; what every service answers stands once, under `<service>`."""
    lines = ["| subject | takes | gives | who may ask |", "|---|---|---|---|"]
    rows: dict[str, QueryContract] = {}
    for contract in catalogue.values():
        shared = {(each.by, each.asks) for each in catalogue.values() if each.name == contract.name}
        common = len(shared) == 1 and contract.name in _OF_EVERY_SERVICE
        rows.setdefault(contract.subject("<actor>").replace(contract.service, "<service>", common), contract)
    return "\n".join(lines + [_query_row(subject, contract) for subject, contract in rows.items()])


_OF_EVERY_SERVICE = ("charter", "answers", "history", "backlog", "facts")


def _query_row(subject: str, contract: QueryContract) -> str:
    askers = (
        "everybody" if contract.by == EVERYBODY else ", ".join(sorted(role.value for role in contract.by))
    )
    return f"| `{subject}` | {contract.asks.__name__} | {contract.gives.__name__} | {askers} |"


def with_table(readme: str, messages: str, begin_mark: str = BEGIN, end_mark: str = END) -> str:
    """`readme` with everything between its two markers replaced. Raises ValueError without markers."""
    before, begin, rest = readme.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not (begin and end):
        raise ValueError(
            f"the README has no lines {begin_mark!r} and {end_mark!r}; put the table's place back"
        )
    return f"{before}{begin}\n{messages}\n{end}{after}"


def publish(
    catalogue: Mapping[str, type[Message]], schemas: Path, readme: Path, meant: Container[str] = ()
) -> list[str]:
    """Writes all, also the schemas of questions beside `schemas`; or nothing where a promise would break that
    is not `meant`, and returns what would."""
    after = {type_: schema_of(message) for type_, message in catalogue.items()}
    if broken := [each for each in broken_promises(committed(schemas), after) if each not in meant]:
        return broken
    text = with_table(readme.read_text("utf-8"), table(catalogue))
    text = with_table(text, query_table(QUERIES), BEGIN_QUERIES, END_QUERIES)
    schemas.mkdir(exist_ok=True)
    for type_, schema in after.items():
        (schemas / f"{type_}.json").write_text(as_text(schema), "utf-8")
    questions = schemas.with_name(QUESTIONS)
    questions.mkdir(exist_ok=True)
    for name, schema in schemas_of_questions(QUERIES).items():
        (questions / f"{name}.json").write_text(as_text(schema), "utf-8")
    readme.write_text(text, "utf-8")
    return []


def main() -> None:
    readme = PACKAGE.parent / "README.md"
    if not readme.exists():
        sys.exit("There is no README.md beside the package: run this in a checkout, not in an installation.")
    if broken := publish(CATALOGUE, PACKAGE / "schemas", readme, tightened()):
        sys.exit("\n".join([*broken, NEXT_STEP]))


if __name__ == "__main__":
    main()
