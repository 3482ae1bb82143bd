"""How a channel learns what became of its matter: by a question, and by notices as they happen."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from duban_contracts.queries import AnswerGiven, Answers, FindEntry, Found, WhatBecameOf
from duban_contracts.subjects import query_subject

URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
ACTOR = urlsplit(URL).username or "gateway"
KEY = f"{ACTOR}:20240416-0032"


async def main() -> None:
    async with await nats.connect(URL, inbox_prefix=f"_INBOX.{ACTOR}", error_cb=refused) as client:
        # What petitioners of ours must be told, and commands of ours that nobody could read.
        await client.subscribe(f"notice.*.*.*.{ACTOR}", cb=heard)
        # What was refused to us.
        await client.subscribe(f"evt.*.*.*.{ACTOR}", cb=heard)
        answer = await answer_to(client, KEY, f"{KEY}/submit")
        for fact in answer.facts:
            print("answer", fact.type, fact.data)
        if any(fact.type == "duban.intake.matter_accepted.v1" for fact in answer.facts):
            print("number", await number_of(client, KEY))
        if "--listen" in sys.argv:
            await asyncio.Event().wait()


async def answer_to(client: Client, key: str, command: str) -> AnswerGiven:
    """Asks until the service has answered: it may be down for a while, and the command waits for it."""
    asked = WhatBecameOf(asked=((key, command),), source="/hotline").model_dump_json().encode()
    while True:
        reply = await client.request(query_subject("intake", "answers", ACTOR), asked, timeout=10)
        given = Answers.model_validate_json(reply.data)
        if given.answers:
            return given.answers[0]
        if given.unreadable:
            letter = given.unreadable[0]
            sys.exit(f"it could not be read: {letter.reason}: {letter.detail}")
        await asyncio.sleep(0.5)


async def number_of(client: Client, submission: str) -> str:
    """The number in the register, which the petitioner is told."""
    asked = FindEntry(submission=submission).model_dump_json().encode()
    while True:
        reply = await client.request(query_subject("ledger", "find", ACTOR), asked, timeout=10)
        if number := Found.model_validate_json(reply.data).entry:
            return number
        await asyncio.sleep(0.5)


async def heard(msg: Msg) -> None:
    print("heard", msg.subject, msg.data.decode(), flush=True)


async def refused(error: Exception) -> None:
    print("the server says:", error, file=sys.stderr)


asyncio.run(main())
