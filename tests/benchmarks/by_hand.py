"""The same work as `account`, without the chassis: what it is measured against.

floor       nats-py and Motor by hand: batches, one read, one bulk write, gathered publishing;
            no framework, no validation, no history
faststream  the idiomatic FastStream handler: one write and one publish per message,
            `faststream 1` with its default pull, `faststream 100` with 100 in flight
"""

import asyncio
import json
import sys

import nats
import uvloop
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from pydantic import BaseModel
from pymongo import UpdateOne

from services.chassis.mongo import connect
from services.chassis.settings import Settings

STREAM, DURABLE = "RATING_CMD", "rating"


def posted_subject(subject: str) -> str:
    return f"evt.rating.bench_posted.v1.{subject.rsplit('.', 1)[1]}"


async def floor(settings: Settings) -> None:
    client = await nats.connect(settings.nats_url)
    jetstream = client.jetstream(timeout=10)
    collection = connect(settings.mongo_url)[f"{settings.database_prefix}_floor"]["accounts"]
    subscription = await jetstream.pull_subscribe_bind(DURABLE, STREAM)
    while True:
        try:
            msgs = await subscription.fetch(settings.batch, timeout=5)
        except TimeoutError:
            continue
        keys = list({msg.headers["ce-subject"] for msg in msgs})
        found = {doc["_id"]: doc async for doc in collection.find({"_id": {"$in": keys}})}
        facts = []
        for msg in msgs:
            key, body = msg.headers["ce-subject"], json.loads(msg.data)
            account = found.setdefault(key, {"_id": key, "total": 0})
            account["total"] += body["amount"]
            fact = {"account": key, "amount": body["amount"], "total": account["total"], "note": body["note"]}
            facts.append((posted_subject(msg.subject), json.dumps(fact).encode(), msg.headers["ce-id"]))
        await collection.bulk_write(
            [UpdateOne({"_id": k}, {"$set": {"total": found[k]["total"]}}, upsert=True) for k in keys],
            ordered=False,
        )
        await asyncio.gather(
            *(
                jetstream.publish(subject, body, headers={"Nats-Msg-Id": f"{id_}.0"})
                for subject, body, id_ in facts
            )
        )
        for msg in msgs:
            await msg.ack()


class Post(BaseModel):
    amount: int
    note: str = ""


class Posted(BaseModel):
    account: str
    amount: int
    total: int
    note: str


async def faststream(settings: Settings, in_flight: int) -> None:
    broker = NatsBroker(settings.nats_url, logger=None)
    collection = connect(settings.mongo_url)[f"{settings.database_prefix}_fs{in_flight}"]["accounts"]
    pull = PullSub() if in_flight == 1 else PullSub(batch_size=in_flight)

    @broker.subscriber(
        "cmd.rating.>",
        stream=JStream(STREAM, declare=False),
        durable=DURABLE,
        pull_sub=pull,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        no_reply=True,
    )
    async def handle(command: Post, msg: NatsMessage) -> None:
        key = msg.headers["ce-subject"]
        account = await collection.find_one_and_update(
            {"_id": key}, {"$inc": {"total": command.amount}}, upsert=True, return_document=True
        )
        fact = Posted(account=key, amount=command.amount, total=account["total"], note=command.note)
        await broker.publish(
            fact,
            posted_subject(msg.raw_message.subject),
            stream="RATING_EVT",
            headers={"Nats-Msg-Id": f"{msg.headers['ce-id']}.0"},
            timeout=5,
        )

    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["floor"]:
            uvloop.run(floor(Settings()))
        case ["faststream", in_flight]:
            uvloop.run(faststream(Settings(), int(in_flight)))
