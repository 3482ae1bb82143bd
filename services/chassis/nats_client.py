"""The NATS client, made to survive whatever bytes a message has for its subject and its headers.

nats-py 2.16 decodes both as UTF-8 in the loop that reads the connection. A message on `cmd.x\\xff.…`, or with
a header block like `NATS/1.0 \\xff`, which the server passes on as it is, ends that loop with an exception:
the process stays connected and hears nothing any more, and after a restart the message is delivered again.
Here they are read as far as they can be, and become dead letters like anything else that makes no sense.
"""

from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

_process_headers = Client._process_headers


async def _headers(client: Client, headers: Any) -> dict[str, str] | None:
    try:
        return await _process_headers(client, headers)
    except Exception:
        return None


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
    setattr(Client, "_build_message", _message)  # noqa: B010
