"""The NATS client, made to survive whatever bytes a message has for its subject and its headers.

nats-py 2.16 decodes both as UTF-8 in the loop that reads the connection. A message on `cmd.x\\xff.…`, or with
a header block like `NATS/1.0 \\xff`, which the server passes on as it is, ends that loop with an exception:
the process stays connected and hears nothing any more, and after a restart the message is delivered again.
Here they are read as far as they can be, and become dead letters like anything else that makes no sense.

It also looks at each header several times when it reads and when it writes one, which is a sixth of a
service's time for a message (docs/performance.md): plain ones, as nearly all are, are read and written all at
once here.
"""

import re
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.protocol.command import hpub_cmd

_process_headers, _any_header_lines = Client._process_headers, Client._parse_header_lines
_send_publish = Client._send_publish
_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SPACE = re.compile(r"\s")
_AROUND = " \t\n\r\v\f"
MOST_HEADERS = 64 * 1024
"""Bytes of the headers of one message. Streams take no command with more; a question could have half a
million, and every line of them costs, before anybody looks whose it is."""

NO_ROOM = (10047, 10077)
"""Of the server's errors: the store is full, and a limit of the stream is reached."""


async def _headers(client: Client, headers: Any) -> dict[str, str] | None:
    if headers and len(headers) > MOST_HEADERS:
        return None
    try:
        return await _process_headers(client, headers)
    except Exception:
        return None


def _header_lines(raw: bytes) -> dict[str, str]:
    """The same as nats-py reads."""
    if not raw.isascii():
        return _any_header_lines(raw)
    lines = (line.partition(":") for line in raw.decode("ascii").split("\r\n"))
    given = {name.strip(_AROUND): value.strip(_AROUND) for name, colon, value in lines if colon}
    return _any_header_lines(raw) if _SPACE.search("".join(given)) else given


async def _publish(
    client: Client, subject: str, reply: str, payload: bytes, size: int, headers: dict[str, Any] | None
) -> None:
    """The same as nats-py sends."""
    if not headers or not subject or not _plain(headers):
        await _send_publish(client, subject, reply, payload, size, headers)
        return
    # Added, not formatted: nats-py names some headers by an enumeration, which is formatted as its own name.
    lines = "".join([name + ": " + value.strip() + "\r\n" for name, value in headers.items()])
    command = hpub_cmd(subject, reply, f"NATS/1.0\r\n{lines}\r\n".encode(), payload)
    client.stats["out_msgs"] += 1
    client.stats["out_bytes"] += size
    await client._send_command(command)
    if client._flush_queue is not None and client._flush_queue.empty():
        await client._flush_pending()


def _plain(headers: dict[str, str]) -> bool:
    values = "".join(headers.values())
    return "" not in headers and bool(_NAMES.fullmatch("".join(headers))) and values.isprintable()


def _message(
    client: Client, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None
) -> Msg:
    return client.msg_class(
        subject=subject.decode(errors="backslashreplace"),
        reply=reply.decode(errors="backslashreplace"),
        data=data,
        headers=headers,
        _client=client,
        _sid=sid,
    )


def survive_any_bytes() -> None:
    """Of every client made in this process; `tests/chassis/test_nats_client.py` guards it."""
    setattr(Client, "_process_headers", _headers)  # noqa: B010
    setattr(Client, "_parse_header_lines", staticmethod(_header_lines))  # noqa: B010
    setattr(Client, "_send_publish", _publish)  # noqa: B010
    setattr(Client, "_build_message", _message)  # noqa: B010
