"""Messages that cannot be read: kept whole in the dead-letter stream with their reason, then terminated."""

from typing import Any
from urllib.parse import quote

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from duban_contracts.envelope import Poison
from duban_contracts.notices import DEAD_LETTER, DeadLetterNotice
from duban_contracts.subjects import dead_subject, is_command, notice_subject

log = structlog.get_logger()


class DeadLetters:
    """`cap` consecutive ones mean that something larger is wrong: then `stopped` is set."""

    def __init__(self, client: Client, consumer: str, service: str, cap: int) -> None:
        self._client, self._jetstream = client, client.jetstream(timeout=5)
        self._consumer, self._service, self._cap = consumer, service, cap
        self.in_a_row = 0

    @property
    def stopped(self) -> bool:
        return self.in_a_row >= self._cap

    def fine(self) -> None:
        self.in_a_row = 0

    async def bury(self, msg: Msg, poison: Poison) -> None:
        """The letter is stored before the message is terminated: twice at worst, never not at all."""
        meta = msg.metadata
        where = f"{meta.stream}.{self._consumer}.{meta.sequence.stream}"
        headers = {
            **_original(msg.headers or {}),
            "Nats-Msg-Id": f"dead.{where}",
            "Duban-Dead-Reason": poison.reason.value,
            "Duban-Dead-Detail": quote(poison.detail[:1_000], safe=" :;,.'()[]{}"),
            "Duban-Dead-Subject": quote(msg.subject),
            "Duban-Dead-Stream": meta.stream,
            "Duban-Dead-Sequence": str(meta.sequence.stream),
        }
        await self._jetstream.publish(
            dead_subject(self._service, poison.reason.value), msg.data, headers=headers
        )
        if notice := self._notice(msg, poison):
            await self._client.publish(*notice)
        await self._client.publish(msg.reply, f"+TERM {poison.reason.value}".encode())
        self.in_a_row += 1
        log.warning("dead_letter", consumer=self._consumer, reason=poison.reason.value, where=where)

    def _notice(self, msg: Msg, poison: Poison) -> tuple[str, bytes] | None:
        """Subject and body of what the sender of a command is told; facts have none."""
        if not is_command(msg.subject):
            return None
        notice = DeadLetterNotice(
            reason=poison.reason.value,
            detail=poison.detail[:1_000],
            subject=msg.subject,
            sequence=msg.metadata.sequence.stream,
            id=(msg.headers or {}).get("ce-id"),
        )
        sender = msg.subject.rpartition(".")[2]
        return notice_subject(self._service, DEAD_LETTER, sender), notice.model_dump_json().encode()


def _original(headers: dict[str, Any]) -> dict[str, str]:
    """Without the broker's own: `Nats-Expected-Stream` would have the letter itself refused.

    A `Status` would have clients take the letter for a word of the broker's: it is kept renamed.
    """
    return {
        f"Duban-Dead-Header-{name}" if name.lower() in ("status", "description") else name: str(value)
        for name, value in headers.items()
        if not name.lower().startswith("nats-")
    }
