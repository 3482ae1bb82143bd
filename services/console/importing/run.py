"""Send what is not there yet, wait until each case is answered and the pipeline is through.

Convergent: ids follow from the rows, so running again continues where a run broke off and, when all is
there, changes nothing. At most IN_FLIGHT chunks are held at once, however long the file is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Protocol, TypeVar

from duban_contracts.intake import IntakeCommandRefused, MatterIncomplete
from duban_contracts.message import Fact, Refusal
from duban_contracts.queries import AnswerGiven, AskCharter, Following
from services.console.client import Duban, Misasked, NotAnswered, Order, Unreachable
from services.console.i18n import _
from services.console.importing.convert import ATTEMPT, Case, Refused, convert, external_id
from services.console.importing.mapping import ImportMap
from services.console.importing.rows import Row
from services.console.sentences import Town, why_refused

CHUNK = 250
"""Rows asked about in one question: their answers together stay far below the broker's 1 MB."""
IN_FLIGHT = 8
FIRST_NOTED = 20
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

Found = TypeVar("Found")


class Stalled(Exception):
    """Nothing moved for as long as we are patient; the message says what is missing."""


class Sink(Protocol):
    """Where refused rows go."""

    def add(self, refused: Refused) -> None: ...


@dataclass
class Tally:
    """What became of the rows so far."""

    rows: int = 0
    ready: int = 0
    """Converted; what is refused afterwards is among them."""
    would_be_sent: int = 0
    """By a dry run: neither there already nor refused."""
    imported: int = 0
    already_there: int = 0
    refused: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    """Rows of which something is left out, by code."""
    noted_rows: dict[str, list[int]] = field(default_factory=dict)
    """The first FIRST_NOTED of them."""

    def note(self, case: Case) -> None:
        for code in case.notes:
            self.notes[code] = self.notes.get(code, 0) + 1
            rows = self.noted_rows.setdefault(code, [])
            if len(rows) < FIRST_NOTED:
                rows.append(case.row.number)

    @property
    def settled(self) -> int:
        return self.imported + self.already_there + self.refused


@dataclass
class Conversion:
    """Turns rows into cases and passes the refused ones on, among them each second row of an id.

    The ids seen so far are all that grows with the file.
    """

    map: ImportMap
    refused: Sink
    tally: Tally = field(default_factory=Tally)
    _seen: set[str] = field(default_factory=set)

    def cases(self, rows: Iterable[Row]) -> Iterator[Case]:
        for row in rows:
            self.tally.rows += 1
            found = self._twice(row) or convert(row, self.map)
            if isinstance(found, Refused):
                self.refuse(found)
            else:
                self.tally.ready += 1
                self.tally.note(found)
                yield found

    def refuse(self, refused: Refused) -> None:
        self.tally.refused += 1
        self.refused.add(refused)

    def _twice(self, row: Row) -> Refused | None:
        known = external_id(row, self.map)
        if known and known in self._seen:
            said = _("a row above has the id {known!r} already; keep one of them").format(known=known[:50])
            return Refused(row, "duplicate_id", said)
        self._seen.add(known)
        return None


@dataclass(frozen=True)
class Attempt:
    """A case on its way under one message id."""

    case: Case
    id: str

    @property
    def asked(self) -> tuple[str, str]:
        return self.case.key, self.id


@dataclass
class Import:
    """One run. `moved` is called whenever rows were settled; `patience` is in seconds without progress."""

    duban: Duban
    conversion: Conversion
    patience: float
    moved: Callable[[], None]
    _last_progress: float = 0.0

    async def run(self, rows: Iterable[Row]) -> None:
        """Raises Stalled."""
        self._progress()
        on_their_way: asyncio.Queue[list[Attempt] | None] = asyncio.Queue(IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_all(self.conversion.cases(rows), on_their_way))
                tasks.create_task(self._settle_all(on_their_way))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        await self._through()

    async def _send_all(
        self, cases: Iterator[Case], on_their_way: asyncio.Queue[list[Attempt] | None]
    ) -> None:
        """In the order of the file, so that the register numbers them in that order."""
        while chunk := list(islice(cases, CHUNK)):
            await on_their_way.put(await self._send(chunk))
        await on_their_way.put(None)

    async def _settle_all(self, on_their_way: asyncio.Queue[list[Attempt] | None]) -> None:
        """Oldest first, as they are answered."""
        while (chunk := await on_their_way.get()) is not None:
            await self._settle(chunk)

    async def _send(self, cases: Sequence[Case]) -> list[Attempt]:
        """Those that are not answered yet, all of them stored by the broker now."""
        missing, refused = await self._known([Attempt(case, case.id) for case in cases])
        if refused:
            second, refused = await self._known(
                await self._second_attempts([attempt for attempt, _no in refused])
            )
            missing += second
        for attempt, no in refused:
            self._refuse(attempt, no)
        orders = [self._order(attempt) for attempt in missing]
        await self._persistently(lambda: self.duban.send_all(orders, patience=self.patience))
        self._progress()
        return missing

    async def _known(self, attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[tuple[Attempt, "No"]]]:
        """What nobody answered yet, and what an earlier run was refused; the rest is there already."""
        answers = await self._answers(attempts)
        missing, refused = [], list[tuple[Attempt, No]]()
        for attempt in attempts:
            no = refusal_in(answers[attempt.id]) if attempt.id in answers else None
            if attempt.id not in answers:
                missing.append(attempt)
            elif no is None or no.code == Refusal.ALREADY_DONE:
                self.conversion.tally.already_there += 1
            elif no.code == MatterIncomplete.message_name:
                self._refuse(attempt, no)  # it is kept there; what it needs is the material
            else:
                refused.append((attempt, no))
        self._progress()
        return missing, refused

    async def _second_attempts(self, refused: Iterable[Attempt]) -> list[Attempt]:
        """A refusal stands for what was asked under that charter. Row or charter changed: ask again."""
        ask, question = self.duban.ask, AskCharter(text=False)
        charter = await self._persistently(lambda: ask("intake", "charter", question, Following))
        return [Attempt(each.case, second_id(each.case, charter.revision)) for each in refused]

    async def _settle(self, chunk: Sequence[Attempt]) -> None:
        waiting = {attempt.id: attempt for attempt in chunk}
        pause = FIRST_PAUSE
        while waiting:
            answers = await self._answers(list(waiting.values()))
            for id_, answer in answers.items():
                self._settled(waiting.pop(id_), answer)
            if answers:
                self._progress()
            pause = FIRST_PAUSE if answers else min(pause * 1.5, LONGEST_PAUSE)
            if waiting:
                row = next(iter(waiting.values())).case.row.number
                await self._rest(pause, _("intake has not answered row {row}").format(row=row))

    def _settled(self, attempt: Attempt, answer: AnswerGiven) -> None:
        no = refusal_in(answer)
        if no is None:
            self.conversion.tally.imported += 1
        elif no.code == Refusal.ALREADY_DONE:
            self.conversion.tally.already_there += 1
        else:
            self._refuse(attempt, no)

    def _refuse(self, attempt: Attempt, no: "No") -> None:
        self.conversion.refuse(Refused(attempt.case.row, no.code, no.reason))

    def _order(self, attempt: Attempt) -> Order:
        return order_of(attempt.case, self.conversion.map.actor, attempt.id)

    async def _answers(self, attempts: Sequence[Attempt]) -> dict[str, AnswerGiven]:
        asked, actor = [attempt.asked for attempt in attempts], self.conversion.map.actor
        return await self._persistently(lambda: self.duban.answers("intake", asked, actor))

    async def _persistently(self, attempt: Callable[[], Awaitable[Found]]) -> Found:
        """Servers and services may be restarted under us; only long silence is an error."""
        while True:
            try:
                return await attempt()
            except (Unreachable, Misasked) as error:
                await self._rest(LONGEST_PAUSE, str(error))

    async def _through(self) -> None:
        """Until every service has heard all that follows."""
        try:
            await self.duban.caught_up(patience=self.patience)
        except NotAnswered as error:
            raise Stalled(str(error)) from None

    def _progress(self) -> None:
        self._last_progress = asyncio.get_running_loop().time()
        self.moved()

    async def _rest(self, seconds: float, why: str) -> None:
        if asyncio.get_running_loop().time() - self._last_progress > self.patience:
            raise Stalled(why)
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class No:
    """The service's refusal: its code and its sentence."""

    code: str
    reason: str


async def already_there(duban: Duban, cases: Sequence[Case], actor: str) -> set[str]:
    """The message ids of those that intake has accepted; a refused one is decided again by the next run."""
    answers = await duban.answers("intake", [(case.key, case.id) for case in cases], actor)
    refused = {id_: refusal_in(answer) for id_, answer in answers.items()}
    return {id_ for id_, no in refused.items() if no is None or no.code == Refusal.ALREADY_DONE}


def order_of(case: Case, actor: str, id_: str | None = None) -> Order:
    return Order(case.command, case.key, actor, id_ or case.id, case.at)


def refusal_in(answer: AnswerGiven) -> No | None:
    """None: the matter was accepted."""
    kinds: dict[str, type[Fact]] = {each.type: each for each in (IntakeCommandRefused, MatterIncomplete)}
    told = (fact for fact in answer.facts if fact.type in kinds)
    return refusal_of(kinds[fact.type].model_validate_json(fact.data) for fact in told)


def refusal_of(facts: Iterable[Fact]) -> No | None:
    """None: the matter was accepted."""
    for fact in facts:
        if isinstance(fact, IntakeCommandRefused):
            return No(fact.reason, why_refused(fact, Town()))
        if isinstance(fact, MatterIncomplete):
            missing = ", ".join(fact.missing)
            said = _("it came in, but material is missing: {missing}; supplement it there")
            return No(MatterIncomplete.message_name, said.format(missing=missing))
    return None


def second_id(case: Case, revision: int) -> str:
    """The same for the same row under the same charter, so that repeating stays harmless."""
    content = f"{revision} {case.at.isoformat()} {case.command.model_dump_json()}"
    return f"{case.id}:{sha256(content.encode()).hexdigest()[: ATTEMPT - 1]}"
