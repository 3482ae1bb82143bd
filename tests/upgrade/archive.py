"""What a release stored, as files, and back: streams, buckets and consumers of the broker, and the databases.

A folder of a release holds

    streams.tar     for each stream and bucket its configuration and the broker's own snapshot of it
    broker.xz       the same for people: JSON lines with configurations, consumers' positions, every message
    databases.xz    JSON lines: every collection with its indexes and its documents (extended JSON)
    expected.xz     what that release answered (see `answers.py`)

A message's stored time cannot be set by publishing it, and `now` of a command is that time; so streams are
restored from the broker's snapshots, which keep times, sequences, headers and the consumers' positions.
"""

import base64
import io
import json
import lzma
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pymongo
from bson import json_util
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

STREAMS, BROKER, DATABASES, EXPECTED = "streams.tar", "broker.xz", "databases.xz", "expected.xz"
CHUNK = 32 * 1024
"""Bytes of a snapshot in one message. A broker that syncs every write restores message by message, and gives
up on a chunk of which it has not stored all within five seconds."""
SECONDS = 20
SERVERS_OWN = ("admin", "config", "local")
Line = dict[str, Any]


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    with lzma.open(path, "wt", encoding="utf-8") as file:
        for line in lines:
            file.write(
                json.dumps(line, ensure_ascii=False) + "\n"
            )  # unsorted: fields of an index have an order


def read_lines(path: Path) -> Iterator[Line]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


# The broker


async def _api(client: Client, subject: str, request: Line | None = None) -> Line:
    msg = await client.request(f"$JS.API.{subject}", json.dumps(request or {}).encode(), timeout=SECONDS)
    answer: Line = json.loads(msg.data)
    if "error" in answer:
        raise RuntimeError(f"{subject}: {answer['error']}")
    return answer


async def stream_names(client: Client) -> list[str]:
    return sorted((await _api(client, "STREAM.NAMES"))["streams"] or ())


async def all_messages(client: Client) -> list[Line]:
    """Of every stream, in its order."""
    return [each for stream in await stream_names(client) for each in await stored_messages(client, stream)]


async def save_broker(client: Client, folder: Path) -> None:
    """Write `streams.tar` and `broker.xz`. No service may run: watches, which end with it, are left out."""
    heads: list[Line] = []
    with tarfile.open(folder / STREAMS, "w") as tar:
        for stream in await stream_names(client):
            await _end_watches(client, stream)
            head, snapshot = await _snapshot(client, stream)
            _put(tar, f"{stream}.json", json.dumps(head, sort_keys=True).encode())
            _put(tar, f"{stream}.snapshot", snapshot)
            heads.append({"stream": stream, **head, "consumers": await consumers(client, stream)})
    write_lines(folder / BROKER, [*heads, *await all_messages(client)])


async def _end_watches(client: Client, stream: str) -> None:
    for consumer in await consumers(client, stream):
        if not consumer["config"].get("durable_name"):
            await _api(client, f"CONSUMER.DELETE.{stream}.{consumer['name']}")


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


async def _snapshot(client: Client, stream: str) -> tuple[Line, bytes]:
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    asked = {"deliver_subject": inbox, "chunk_size": CHUNK}
    head = await _api(client, f"STREAM.SNAPSHOT.{stream}", asked)
    chunks = []
    while (msg := await subscription.next_msg(timeout=SECONDS)).data:
        chunks.append(msg.data)
        if msg.reply:
            await msg.respond(b"")
    await subscription.unsubscribe()
    return {"config": head["config"], "state": head["state"]}, b"".join(chunks)


async def restore_broker(client: Client, folder: Path) -> None:
    """Into a broker without streams of these names."""
    with tarfile.open(folder / STREAMS) as tar:
        files = {member.name: _got(tar, member) for member in tar.getmembers()}
    for name in sorted(files):
        stream, _, suffix = name.rpartition(".")
        if suffix == "json":
            await _restore(client, stream, json.loads(files[name]), files[f"{stream}.snapshot"])


def _got(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


async def _restore(client: Client, stream: str, head: Line, snapshot: bytes) -> None:
    to = (await _api(client, f"STREAM.RESTORE.{stream}", head))["deliver_subject"]
    for start in range(0, len(snapshot), CHUNK):
        await client.request(to, snapshot[start : start + CHUNK], timeout=SECONDS)
    done = json.loads((await client.request(to, b"", timeout=SECONDS)).data)
    if "error" in done:
        raise RuntimeError(f"{stream} was not restored: {done['error']}")


async def consumers(client: Client, stream: str) -> list[Line]:
    """Configuration and position of each."""
    found = (await _api(client, f"CONSUMER.LIST.{stream}"))["consumers"] or ()
    kept = ("name", "config", "delivered", "ack_floor", "num_pending", "num_ack_pending")
    return [{field: each[field] for field in kept} for each in sorted(found, key=lambda each: each["name"])]


async def stored_messages(client: Client, stream: str) -> list[Line]:
    """Every message in the order of its sequence."""
    jetstream = client.jetstream(timeout=SECONDS)
    count = (await jetstream.stream_info(stream)).state.messages
    if not count:
        return []
    reader = await jetstream.subscribe(
        ">", stream=stream, config=ConsumerConfig(ack_policy=AckPolicy.NONE), pending_msgs_limit=-1
    )
    found = [_line(stream, await reader.next_msg(timeout=SECONDS)) for _ in range(count)]
    await jetstream.delete_consumer(stream, (await reader.consumer_info()).name)
    await reader.unsubscribe()
    return found


def _line(stream: str, msg: Msg) -> Line:
    return {
        "stream": stream,
        "seq": msg.metadata.sequence.stream,
        "time": msg.metadata.timestamp.isoformat(),
        "subject": msg.subject,
        "headers": msg.headers,
        **_body(msg.data),
    }


def _body(data: bytes) -> Line:
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


# The databases


def save_databases(url: str, folder: Path) -> None:
    with pymongo.MongoClient[Line](url, tz_aware=True) as client:
        write_lines(folder / DATABASES, _database_lines(client))


def _database_lines(client: "pymongo.MongoClient[Line]") -> Iterator[Line]:
    for database in sorted(set(client.list_database_names()) - set(SERVERS_OWN)):
        for name in sorted(client[database].list_collection_names()):
            where = {"database": database, "collection": name}
            indexes = sorted(client[database][name].list_indexes(), key=lambda index: str(index["name"]))
            yield {**where, "indexes": [_extended(index) for index in indexes]}
            for document in client[database][name].find().sort("_id"):
                yield {**where, "document": _extended(document)}


def _extended(document: Any) -> Any:
    return json.loads(json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS))


def restore_databases(url: str, folder: Path) -> None:
    with pymongo.MongoClient[Line](url) as client:
        documents: dict[tuple[str, str], list[Line]] = {}
        for line in read_lines(folder / DATABASES):
            where = line["database"], line["collection"]
            if "indexes" in line:
                _create(client[where[0]], where[1], line["indexes"])
            else:
                documents.setdefault(where, []).append(json_util.loads(json.dumps(line["document"])))
        for (database, collection), them in documents.items():
            client[database][collection].insert_many(them)


def _create(database: Any, collection: str, indexes: list[Line]) -> None:
    database.create_collection(collection)
    specs = [json_util.loads(json.dumps(index)) for index in indexes if index["name"] != "_id_"]
    if specs:
        database.command({"createIndexes": collection, "indexes": specs})
