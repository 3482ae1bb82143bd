"""The smallest service whose answers depend on all that went before: an account that may not be overdrawn.

Run as a process it is the chassis with this decider, under the name and streams of `rating`.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duban_contracts.charter import Charter, Role
from duban_contracts.message import CATALOGUE, Command, CommandRefused, Fact, Refusal
from services.chassis.decider import Asked, Decider, Wake, refusal
from services.chassis.heard import Heard
from services.chassis.main import run
from services.chassis.service import Service

NAME = "rating"


class Post(Command, service=NAME, message_name="bench_post", by=(Role.STATION,)):
    amount: int
    note: str = ""


class Posted(Fact, service=NAME, message_name="bench_posted"):
    account: str
    amount: int
    total: int
    note: str = ""


class PostRefused(CommandRefused, service=NAME, message_name="bench_refused"):
    pass


if __name__ != "__main__":
    for message in (Post, Posted, PostRefused):
        del CATALOGUE[message.type]  # no messages of ours: only the measured process reads them


@dataclass(frozen=True)
class Posting:
    asked: Asked
    amount: int
    note: str


@dataclass(frozen=True)
class Account:
    total: int = 0
    postings: int = 0
    wake_at: datetime | None = None


def decide(command: Posting | Wake, account: Account) -> list[Posted | PostRefused]:
    match command:
        case Posting(asked, amount, _) if account.total + amount < 0:
            return [refusal(PostRefused, asked, Refusal.WRONG_STATE, "it would be overdrawn")]
        case Posting(asked, amount, note):
            total = account.total + amount
            about = {"station": asked.actor, "account": asked.key, "note": note}
            return [Posted(at=asked.now, amount=amount, total=total, **about)]
        case Wake(now):
            return [Posted(at=now, account="-", amount=0, total=account.total)]


def evolve(account: Account, event: Posted | PostRefused) -> Account:
    match event:
        case Posted(total=total):
            return Account(total, account.postings + 1, None)
        case PostRefused():
            return account


def accounts(_: Charter) -> Decider[Any, Account, Any]:
    return Decider(
        decide,
        evolve,
        Account(),
        states=(Account,),
        events=(Posted, PostRefused),
        refused=PostRefused,
        wake_at=lambda account: account.wake_at,
    )


def post(heard: Heard[Post], _: Charter) -> Iterable[tuple[str, Posting]]:
    return [(heard.key, Posting(heard.asked, heard.data.amount, heard.data.note))]


SERVICE = Service(NAME, {Post: post}, accounts)

if __name__ == "__main__":
    sys.exit(run(SERVICE))
