"""Messages that cannot be read: kept with their reason, then terminated.

A letter in the dead-letter stream has the reason, the beginning of the original and a reference. The whole
original is kept in the service's own database, from where it can be replayed (`originals.py`). More people
read the stream than intake's database, so in a letter what looks like personal data is masked.

Only unreadable facts of our own services count towards the cap that stops a consumer: they say that releases
do not fit together. Unreadable commands are somebody's mistake or mischief, and are counted by who sent them.
None of them may hold up anybody else: beyond a rate, or a sender's share of what is kept, a letter says only
that there was one; and where the stream of letters is full, none is waited for.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from duban_contracts.envelope import Poison
from duban_contracts.masking import mask, mask_header
from duban_contracts.notices import DEAD_LETTER, DeadLetterNotice
from duban_contracts.rules import is_token
from duban_contracts.subjects import dead_subject, is_command, notice_subject
from services.chassis import metrics, nats_client
from services.chassis.originals import Original, Originals, as_it_is

log = structlog.get_logger()

MOST_BYTES = 16_384
"""Of the original's body in a letter."""
MOST_HEADER_BYTES = 8_192
"""Of the original's headers in a letter, all together, as they are written."""
MOST_DETAIL, BRIEF = 1_000, 256
"""Characters of what is wrong with it; beyond the rate, as of all headers together."""
RATE = 100
"""Unreadable commands of one actor within WINDOW that are kept whole."""
WINDOW = 60.0
MOST_ACTORS = 1_000


class DeadLetters:
    """`cap` consecutive unreadable facts mean that something larger is wrong: then `stopped` is set."""

    def __init__(
        self,
        client: Client,
        consumer: str,
        service: str,
        cap: int,
        originals: Originals | None = None,
        mask: Callable[[str], str] = as_it_is,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._client, self._jetstream = client, client.jetstream(timeout=5)
        self._consumer, self._service, self._cap = consumer, service, cap
        self._originals, self._mask, self._clock = originals, mask, clock
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        """When the latest unreadable commands of each actor came."""
        self.in_a_row = 0

    @property
    def stopped(self) -> bool:
        return self.in_a_row >= self._cap

    def fine(self) -> None:
        self.in_a_row = 0

    def noisy(self) -> dict[str, int]:
        """Actors who send more unreadable commands than are kept whole: how many in the last minute."""
        for times in self._recent.values():
            self._forget(times)
        self._recent = defaultdict(deque, {who: times for who, times in self._recent.items() if times})
        return {who: len(times) for who, times in self._recent.items() if len(times) >= RATE}

    async def bury(self, msg: Msg, poison: Poison) -> None:
        """Original and letter are stored before the message is terminated: twice at worst, never lost."""
        sender = sender_of(msg.subject)
        kept = False
        if sender is None or not self._is_beyond_the_rate(sender):
            kept = await self._keep(msg, poison, sender)
        brief = sender is not None and not kept
        await self._tell(msg, poison, sender, brief=brief)
        if notice := self._notice(msg, poison, BRIEF if brief else MOST_DETAIL):
            await self._client.publish(*notice)
        await self._client.publish(msg.reply, f"+TERM {poison.reason.value}".encode())
        if sender is None:
            self.in_a_row += 1

    async def _keep(self, msg: Msg, poison: Poison, sender: str | None) -> bool:
        """The original; False where it is one too many of its sender's."""
        if self._originals is None:
            return True
        return await self._originals.keep(
            Original(
                where=self._where(msg),
                subject=msg.subject,
                headers=tuple((name, str(value)) for name, value in (msg.headers or {}).items()),
                body=msg.data,
                stored_at=msg.metadata.timestamp,
                reason=poison.reason.value,
                detail=poison.detail[:MOST_DETAIL],
                sender=sender,
            )
        )

    async def _tell(self, msg: Msg, poison: Poison, sender: str | None, *, brief: bool) -> None:
        """The letter."""
        meta, where = msg.metadata, self._where(msg)
        # Masked before it is cut: half a number is not recognised.
        body = b"" if brief else self._masked(msg.data)[:MOST_BYTES]
        headers = {
            **self._original(msg.headers or {}, BRIEF if brief else MOST_HEADER_BYTES),
            "Nats-Msg-Id": f"dead.{where}",
            "Duban-Dead-Reason": poison.reason.value,
            "Duban-Dead-Detail": _quoted(
                mask(poison.detail[: BRIEF if brief else MOST_DETAIL]).text, safe=" :;,.'()[]{}"
            ),
            "Duban-Dead-Subject": _quoted(mask(msg.subject).text[:300]),
            "Duban-Dead-Stream": meta.stream,
            "Duban-Dead-Sequence": str(meta.sequence.stream),
            "Duban-Dead-Reference": where,
            "Duban-Dead-Size": str(len(msg.data)),
        }
        if sender is not None:
            headers["Duban-Dead-Actor"] = sender
        subject = dead_subject(self._service, poison.reason.value)
        try:
            await self._jetstream.publish(subject, body, headers=headers)
        except APIError as error:
            if sender is None or self._originals is None or error.err_code not in nats_client.NO_ROOM:
                raise
            metrics.LETTERS_WITHOUT_ROOM.labels(self._consumer).inc()
        if not brief:
            log.warning("dead_letter", consumer=self._consumer, reason=poison.reason.value, where=where)

    def _where(self, msg: Msg) -> str:
        return f"{msg.metadata.stream}.{self._consumer}.{msg.metadata.sequence.stream}"

    def _is_beyond_the_rate(self, sender: str) -> bool:
        times, now = self._recent[sender], self._clock()
        self._forget(times)
        times.append(now)
        if len(times) == RATE + 1:
            log.warning("unreadable_commands", consumer=self._consumer, actor=sender, rate=RATE)
        if len(self._recent) > MOST_ACTORS:
            self._recent = defaultdict(deque, {sender: times})
        return len(times) > RATE

    def _forget(self, times: deque[float]) -> None:
        while times and times[0] < self._clock() - WINDOW:
            times.popleft()

    def _masked(self, body: bytes) -> bytes:
        return self._mask(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    def _original(self, headers: Mapping[str, Any], most_bytes: int) -> dict[str, str]:
        """Without the broker's own: `Nats-Expected-Stream` would have the letter itself refused.

        A `Status` would have clients take the letter for a word of the broker's: it is kept renamed.
        """
        kept: dict[str, str] = {}
        for name, value in headers.items():
            if name.lower().startswith("nats-"):
                continue
            most_bytes -= len(name) + len(str(value).encode(errors="replace"))
            if most_bytes < 0:  # before it is looked through: that costs by its length
                break
            text = mask_header(self._mask(str(value)))
            kept[f"Duban-Dead-Header-{name}" if name.lower() in ("status", "description") else name] = text
        return kept

    def _notice(self, msg: Msg, poison: Poison, most: int) -> tuple[str, bytes] | None:
        """Subject and body of what the sender of a command is told, `most` characters; facts have none."""
        sender = msg.subject.rpartition(".")[2]
        if not is_command(msg.subject) or not is_token(sender):
            return None
        notice = DeadLetterNotice(
            reason=poison.reason.value,
            detail=mask(poison.detail[:most]).text,
            subject=msg.subject,
            sequence=msg.metadata.sequence.stream,
            id=(msg.headers or {}).get("ce-id"),
        )
        return notice_subject(self._service, DEAD_LETTER, sender), notice.model_dump_json().encode()


def sender_of(subject: str) -> str | None:
    """Who sent a command, by its subject; None for a fact."""
    if not is_command(subject):
        return None
    last = subject.rpartition(".")[2]
    return last if is_token(last) else "unknown"


def _quoted(text: str, safe: str = "/") -> str:
    return quote(text, safe=safe, errors="replace")
