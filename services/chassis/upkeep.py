"""What operators ask a service about itself, and what they do about its dead letters."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from duban_contracts.envelope import Poison
from duban_contracts.operations import (
    AskStuck,
    DeadLetterCard,
    DeadLetterDecided,
    DeadLetterPage,
    DeadLetterShown,
    DeadLetterState,
    DeadLetterVerb,
    DecideDeadLetter,
    ListDeadLetters,
    ShowDeadLetter,
    Stuck,
    StuckDelivery,
    StuckWake,
)
from duban_contracts.readers import Reader
from services.chassis.clock import Clock
from services.chassis.consumer import Consumer
from services.chassis.faults import fault
from services.chassis.health import OK
from services.chassis.originals import DROPPED, REPLAYED, WAITING, Original, Originals, as_it_is
from services.chassis.queries import bookmark, fitting, place

log = structlog.get_logger()
SHOWN_BYTES = 16_384
SHOWN_STUCK = 200


class Upkeep:
    def __init__(
        self,
        consumers: Sequence[Consumer],
        originals: Originals,
        report: Callable[[], Mapping[str, str]],
        clock: Clock,
        mask: Callable[[str], str] = as_it_is,
    ) -> None:
        self._consumers, self._originals = consumers, originals
        self._report, self._clock, self._mask = report, clock, mask

    async def stuck(self, __: Reader, _: AskStuck) -> Stuck:
        troubles = [consumer.troubles for consumer in self._consumers]
        messages = [
            StuckDelivery(
                stream=each.stream,
                sequence=each.sequence,
                subject=each.subject,
                deliveries=each.deliveries,
                error=each.fault,
                at=each.at,
            )
            for trouble in troubles
            for each in trouble.messages
        ]
        wakes = [
            StuckWake(key=key, error=error) for trouble in troubles for key, error in trouble.unwoken.items()
        ]
        report = self._report()
        return Stuck(
            messages=tuple(messages[:SHOWN_STUCK]),
            wakes=tuple(wakes[:SHOWN_STUCK]),
            warnings={part: state for part, state in report.items() if state != OK},
            # Without a database nobody counts them, and the answer is wanted most.
            dead_letters=await self._originals.waiting() if report["mongo"] == OK else 0,
        )

    async def dead_letters(self, __: Reader, asked: ListDeadLetters) -> DeadLetterPage:
        after = place(asked.after) if asked.after else None
        found = await self._originals.list(asked.limit + 1, after, asked.everything)
        shown = fitting(map(self._card, found[: asked.limit]))
        more = len(found) > len(shown)
        return DeadLetterPage(
            letters=tuple(shown), next=bookmark(shown[-1].letter) if more and shown else None
        )

    async def dead_letter(self, __: Reader, asked: ShowDeadLetter) -> DeadLetterShown:
        original = await self._originals.find(asked.letter)
        if original is None:
            return DeadLetterShown()
        # Masked before it is cut: half a number is not recognised.
        body = self._mask(original.body.decode(errors="replace"))[:SHOWN_BYTES]
        headers = {name: self._mask(value)[:2_000] for name, value in original.headers[:100]}
        return DeadLetterShown(card=self._card(original), headers=headers, body=body)

    async def decide_dead_letter(self, reader: Reader, asked: DecideDeadLetter) -> DeadLetterDecided:
        """Recorded with who decided. A letter is decided about once; a failed replay leaves it waiting."""
        original = await self._originals.find(asked.letter)
        if original is None:
            return DeadLetterDecided(done=False, outcome=f"there is no dead letter {asked.letter} here")
        if original.state != WAITING:
            return DeadLetterDecided(done=False, outcome=f"{original.by} has {original.state} it already")
        if asked.verb is DeadLetterVerb.DROP:
            if not asked.reason.strip():
                return DeadLetterDecided(done=False, outcome="say why it is dropped")
            return await self._record(original, DROPPED, reader.actor, asked.reason)
        return await self._replay(original, reader.actor)

    async def _replay(self, original: Original, by: str) -> DeadLetterDecided:
        name = original.where.split(".")[1]
        consumer = next((each for each in self._consumers if each.service.name == name), None)
        if consumer is None:
            return DeadLetterDecided(done=False, outcome=f"no consumer here is called {name}")
        try:
            await consumer.replay(original)
        except Poison as poison:
            detail = self._mask(poison.detail)
            return DeadLetterDecided(done=False, outcome=f"still unreadable: {poison.reason}: {detail}")
        except Exception as error:
            log.warning("replay_failed", letter=original.where, error=fault(error))
            return DeadLetterDecided(done=False, outcome=f"it could be read, but failed: {fault(error)}")
        return await self._record(original, REPLAYED, by, "answered")

    async def _record(self, original: Original, state: str, by: str, outcome: str) -> DeadLetterDecided:
        first = await self._originals.decide(original.where, state, by, outcome, self._clock())
        log.info("dead_letter_decided", letter=original.where, state=state, by=by)
        return DeadLetterDecided(done=True, outcome=outcome if first else "somebody else decided meanwhile")

    def _card(self, original: Original) -> DeadLetterCard:
        """What is wrong with a message may repeat what it said."""
        return DeadLetterCard(
            letter=original.where,
            reason=original.reason,
            detail=self._mask(original.detail),
            subject=self._mask(original.subject),
            actor=original.sender,
            stored_at=original.stored_at,
            bytes=len(original.body),
            state=DeadLetterState(original.state),
            by=original.by,
            decided_at=original.decided_at,
            outcome=original.outcome,
        )
