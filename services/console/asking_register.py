"""How the commands ask the register: with the town's names beside the answer, and page after page."""

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.console.i18n import _
from services.console.sentences import Town
from services.console.terminal import Exit, Stop, misuse

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

Asked = TypeVar("Asked", bound=BaseModel)
Reply = TypeVar("Reply", bound=BaseModel)


def asking(question: type[Asked], **fields: Any) -> Asked:
    """Raises Stop where a field breaks the contract."""
    try:
        return question(**fields)
    except ValidationError as error:
        faults = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
        raise misuse("; ".join(f"{field}: {why}" for field, why in faults)) from None


async def with_town(
    system: "Duban", name: str, question: BaseModel, reply: type[Reply]
) -> tuple[Reply, Town]:
    answer = await system.ask("ledger", name, question, reply)
    return answer, Town(await system.charter())


async def every_page(system: "Duban", name: str, question: BaseModel, reply: type[Any]) -> list[Any]:
    """Until there is none."""
    pages = [await system.ask("ledger", name, question, reply)]
    while following := pages[-1].next:
        question = question.model_copy(update={"after": following})
        pages.append(await system.ask("ledger", name, question, reply))
    return pages


async def full_page(
    system: "Duban", name: str, question: Any, reply: type[Reply], pieces: str
) -> tuple[Reply, Town]:
    """With the town's names, and as long as was asked for: the register may answer in shorter pages."""
    page: Any = await system.ask("ledger", name, question, reply)
    found = (*getattr(page, pieces),)
    while (mark := page.next) and (missing := question.limit - len(found)) > 0:
        further = question.model_copy(update={"after": mark, "limit": missing})
        page = await system.ask("ledger", name, further, reply)
        found += getattr(page, pieces)
    return page.model_copy(update={pieces: found}), Town(await system.charter())


def no_such(entry: str) -> Stop:
    sentence = _(
        "the register shows no number {entry}; check it. A conduct matter is shown to the office, the "
        "commission and its station alone; DUBAN_ACTOR says who asks"
    ).format(entry=entry)
    return Stop(Exit.REFUSED, "no_such_entry", sentence, entry=entry)


def more(mark: str) -> str:
    return _("there are more; go on with --after {mark}").format(mark=mark)
