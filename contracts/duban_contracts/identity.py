"""What makes two deliveries the same command: who sent it, from which source, under which id.

CloudEvents identify an event by `source` and `id`; the actor stands before both because the broker binds it
to a credential: nobody can take up an id that somebody else is about to use. Facts of our own services keep
their bare `ce-id`, which is derived from the answered message.
"""

import json
from hashlib import blake2b
from typing import NamedTuple

from pydantic_core import from_json

SEPARATOR = "\n"
"""A control character, which no attribute may hold: so no two identities can be written alike."""


class Cause(NamedTuple):
    """The message that an answer is to. Source and actor are None for facts, wakes and answers of releases
    before commands were identified by them."""

    id: str
    source: str | None = None
    actor: str | None = None


_plainly = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def identity(actor: str, source: str, id_: str) -> str:
    return f"{actor}{SEPARATOR}{source}{SEPARATOR}{id_}"


def reuse(identity_: str, digest: str) -> str:
    """Under which another command with an identity that is taken is known: it is refused, once."""
    return f"{identity_}{SEPARATOR}{digest}"


def cause_of(name: str) -> Cause:
    """Back from an identity, a reuse of one, or a bare id."""
    match name.split(SEPARATOR):
        case [actor, source, id_] | [actor, source, id_, _]:
            return Cause(id_, source, actor)
        case _:
            return Cause(name)


def digest_of(type_: str, body: bytes) -> str:
    """Of what a command says: equal for equal JSON, however it is spaced, escaped and ordered."""
    try:
        plain = _plainly(from_json(body)).encode()
    except (ValueError, RecursionError):  # e.g. an integer of 5000 digits in a field that nobody reads
        plain = body
    return blake2b(type_.encode() + b"\n" + plain, digest_size=12).hexdigest()
