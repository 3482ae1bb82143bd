"""How another program brings a matter in: it needs nats-py and duban-contracts, nothing else of Duban."""

import asyncio
import os
from urllib.parse import urlsplit

import nats

from duban_contracts.envelope import Attributes, encode
from duban_contracts.intake import Channel, SubmitMatter
from duban_contracts.subjects import subject_of

URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
ACTOR = urlsplit(URL).username or "gateway"  # the credential's name is who acts, and where answers come


async def main() -> None:
    matter = SubmitMatter(title="村口公厕堵塞", category="public_toilet", channel=Channel.HOTLINE)
    key = f"{ACTOR}:20240416-0032"  # your own token and number: sent twice, it still comes in once
    about = Attributes(
        id=f"{key}/submit", source="/hotline", type=matter.type, time=None, key=key, correlation=key
    )
    async with await nats.connect(URL, inbox_prefix=f"_INBOX.{ACTOR}", error_cb=refused) as client:
        # Returns when the matter is on disk and raises when it is not: then send the very same again.
        await client.jetstream().publish(
            subject_of(matter, ACTOR), matter.model_dump_json().encode(), headers=encode(about)
        )


async def refused(error: Exception) -> None:
    print("the server says:", error)  # e.g. a permissions violation, at once; waiting would end in a timeout


asyncio.run(main())
