"""What cannot be published is never stored, what the database refuses is not logged, what is newer stays."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
import structlog

from duban_contracts.intake import Petitioner, StoredPetitioner, SubmitMatter
from duban_contracts.message import Refusal
from duban_contracts.operations import (
    AskStuck,
    DeadLetterVerb,
    DecideDeadLetter,
    ListDeadLetters,
    ShowDeadLetter,
)
from duban_contracts.readers import Program, Reader
from services.chassis import dead_letters as dead_letters_module
from services.chassis import originals as originals_module
from services.chassis.charter_bucket import CHARTER_KEY, CharterFollower, publish_charter
from services.chassis.clock import system_clock
from services.chassis.consumer import Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.decider import Wake
from services.chassis.documents import FORMAT, Answer, Event, NewerDataError
from services.chassis.logs import set_up
from services.chassis.memory import MemoryDocuments
from services.chassis.mongo import MongoDocuments, connect
from services.chassis.originals import Originals
from services.chassis.process import MASK, charter_state
from services.chassis.settle import Item, Settler, Telling, TooLargeError, refold, wake_id
from services.chassis.telling import NatsTeller, most_bytes
from services.chassis.upkeep import Upkeep
from services.console.client import Duban, NotStored, Order
from services.intake.app import SERVICE as INTAKE
from services.intake.decider.situations import SubmissionKept
from tests.chassis.broker import broker, client, stored, waiting
from tests.chassis.test_identity import DECIDER, Town, command, refusals, run, sums
from tests.chassis.world import START, Summed

__all__ = ["broker", "client"]
NAME, PHONE = "欧阳小明", "13812345678"
OPERATOR = Reader("operator", Program.OPERATOR)
SUBMIT = "cmd.intake.submit_matter.v1.gateway"


@pytest.fixture
def database(mongo):
    made = connect(mongo.url)
    yield made[f"test_{uuid4().hex}"]
    made.close()


@pytest.fixture
async def originals(database):
    made = Originals(database)
    await made.prepare()
    return made


async def nobody_listens(_tellings):
    pass


def consumer(client, charter, documents=None, originals=None, mask=dead_letters_module.as_it_is):
    letters = DeadLetters(client, "intake", "intake", 100, originals, mask)
    return Consumer(INTAKE, documents or MemoryDocuments(), nobody_listens, letters, lambda: charter)


# B5: nothing is stored that cannot be published


FITS = 10**600
MOST = len(Summed(at=START, total=FITS).model_dump_json(exclude_none=True))


class Small(Town):
    def settler(self):
        return Settler(DECIDER, self, self.tell, most_bytes=MOST)


@pytest.mark.case("B5")
def test_a_command_whose_fact_would_be_too_large_is_refused_instead():
    town, fits, too_large = Small(), FITS, 10 * FITS
    run(town, [command("1", amount=fits)], [command("2", amount=too_large)], [command("2", amount=too_large)])
    assert (sums(town), refusals(town)) == ([fits], [Refusal.TOO_LARGE])
    run(town, [command("3", amount=7)])
    assert max(sums(town)) == fits + 7
    assert max(len(event.data) for event in town.told.values()) <= MOST


@pytest.mark.case("B5")
def test_a_fact_that_falls_due_and_is_too_large_spoils_its_own_key_only():
    town = Town()
    run(town, [command("1", amount=10**200)])
    at = town.documents["a"].wake_at
    settler = Settler(DECIDER, town, town.tell, most_bytes=100)
    other = Item("f1", "b", command(amount=1).command, START)
    settled = asyncio.run(settler.settle([Item(wake_id("a", at), "a", Wake(at), at), other]))
    assert isinstance(settled.failures["a"], TooLargeError)
    assert list(settled.states) == ["b"]


@pytest.mark.case("B5")
async def test_a_fact_of_an_earlier_release_that_is_too_large_holds_up_no_other(client):
    def telling(to, data):
        event = Event("duban.intake.matter_declined.v1", "-", "2024-04-15T01:00:00Z", data)
        return Telling("key", Answer(to, to, events=(event,)), fresh=True)

    large = "x" * (most_bytes(client.max_payload) + 1)
    await NatsTeller(client, "duban/intake")([telling("m1", "{}"), telling("m2", large), telling("m3", "{}")])
    told = await stored(client, "INTAKE_EVT")
    assert [msg.headers["ce-causationid"] for msg in told] == ["m1", "m3"]


@pytest.mark.case("B5")
@pytest.mark.parametrize("size", [10, 25_000])
async def test_a_letter_always_fits_and_the_whole_original_is_kept(client, township, originals, size):
    headers = {f"X-{n}": "v" * 900 for n in range(40)}
    await client.jetstream().publish(SUBMIT, b"x" * size, headers=headers)
    consuming = consumer(client, township, originals=originals)
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    [letter] = await stored(client, "DEAD")
    assert len(letter.data) == min(size, dead_letters_module.MOST_BYTES)
    assert letter.headers["Duban-Dead-Size"] == str(size)
    original = await originals.find(letter.headers["Duban-Dead-Reference"])
    assert original.body == b"x" * size
    assert headers.items() <= dict(original.headers).items()


@pytest.mark.case("B5", "B6")
async def test_of_an_actor_beyond_the_rate_it_is_known_that_there_was_one(
    client, township, originals, monkeypatch
):
    monkeypatch.setattr(dead_letters_module, "RATE", 3)
    consuming = consumer(client, township, originals=originals)
    for n in range(6):
        await client.jetstream().publish(SUBMIT, b"x" * 1_000 + str(n).encode())
    await client.jetstream().publish("cmd.intake.submit_matter.v1.import", b"x" * 1_000)
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 7))
    sizes = sorted(len(letter.data or b"") for letter in await stored(client, "DEAD"))
    assert sizes == [0, 0, 0, 1_000, 1_001, 1_001, 1_001]
    assert await originals.waiting() == 4
    assert consuming.noisy() == {"gateway": 6}
    assert (await client.jetstream().consumer_info("INTAKE_CMD", "intake")).num_ack_pending == 0


@pytest.mark.case("B6", "B8")
async def test_an_unreadable_command_does_not_wait_for_room_among_the_letters(client, township, originals):
    jetstream = client.jetstream()
    config = (await jetstream.stream_info("DEAD")).config
    await jetstream.update_stream(config.evolve(max_msgs=1))
    consuming = consumer(client, township, originals=originals)
    for _ in range(3):
        await jetstream.publish(SUBMIT, b"x")
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 3))
    assert len(await stored(client, "DEAD")) == 1
    assert await originals.waiting() == 3
    assert (await jetstream.consumer_info("INTAKE_CMD", "intake")).num_ack_pending == 0


@pytest.mark.case("B5")
async def test_of_one_sender_no_more_than_a_share_is_kept(client, township, originals, monkeypatch):
    monkeypatch.setattr(originals_module, "MOST_OF_A_SENDER", 2)
    consuming = consumer(client, township, originals=originals)
    for actor in ("gateway", "gateway", "gateway", "import"):
        await client.jetstream().publish(f"cmd.intake.submit_matter.v1.{actor}", b"x")
        await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    kept = await originals.list(10)
    assert sorted(each.sender for each in kept) == ["gateway", "gateway", "import"]
    assert sorted(letter.data or b"" for letter in await stored(client, "DEAD")) == [b"", b"x", b"x", b"x"]


async def test_what_was_decided_about_takes_no_share_and_says_nothing_more(
    client, township, originals, monkeypatch
):
    monkeypatch.setattr(originals_module, "MOST_OF_A_SENDER", 1)
    consuming = consumer(client, township, originals=originals)
    for decided in (originals_module.REPLAYED, originals_module.DROPPED):
        await client.jetstream().publish(SUBMIT, b"x", headers={"X-Said": "y"})
        await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
        [letter] = await originals.list(10)
        assert (letter.body, dict(letter.headers)["X-Said"]) == (b"x", "y")
        assert await originals.decide(letter.where, decided, "operator", None, datetime.now(UTC))
        after = await originals.find(letter.where)
        assert (after.body, after.headers) == (b"", ())


@pytest.mark.case("B5")
async def test_outside_of_intake_personal_data_are_masked_in_what_is_kept(client, township, database):
    masked = Originals(database, lambda text: text.replace(PHONE, "*"))
    consuming = consumer(client, township, originals=masked, mask=lambda text: text.replace(PHONE, "*"))
    body = f"\xff 电话 {PHONE}".encode("latin-1", "ignore") + f"电话 {PHONE}".encode()
    await client.jetstream().publish(SUBMIT, body, headers={"X-Phone": PHONE})
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    [letter], [original] = await stored(client, "DEAD"), await masked.list(10)
    for kept in (letter.data + str(letter.headers).encode(), original.body + str(original.headers).encode()):
        assert PHONE.encode() not in kept
    assert original.body.startswith(b"\xff")


async def test_a_dead_letter_is_found_by_its_sender_by_key_source_and_id(client, township, originals):
    consuming = consumer(client, township, originals=originals)
    about = {"ce-id": "hotline:1/1", "ce-source": "/hotline", "ce-subject": "hotline:%E7%83%AD"}
    await client.jetstream().publish(SUBMIT, b"{}", headers={**about, "ce-type": "duban.none.v1"})
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    pair = ("hotline:热", "hotline:1/1")
    found = await originals.unreadable("gateway", "/hotline", [pair, ("hotline:热", "other")])
    assert {each: letter.reason for each, letter in found.items()} == {pair: "unknown_type"}
    assert await originals.unreadable("import", "/hotline", [pair]) == {}
    assert await originals.unreadable("gateway", "/other", [pair]) == {}


# Operators: what is stuck, and what is done about dead letters


def upkeep(consuming, originals):
    return Upkeep(
        [consuming],
        originals,
        lambda: {"nats": "ok", "mongo": "ok", "clock": "wrong"},
        system_clock,
        partial(MASK, service="intake"),
    )


async def test_a_dead_letter_is_listed_shown_replayed_once_and_its_identity_stays(
    client, township, originals
):
    documents = MemoryDocuments()
    consuming = consumer(client, township, documents, originals)
    matter = SubmitMatter(
        title="t", category="garbage", text="in my own words", petitioner=Petitioner(name=NAME, phone=PHONE)
    )
    order = Order(matter, "test:dead", "gateway", id="4711")
    headers = order.headers("/hotline") | {"content-type": "text/plain"}
    await client.jetstream().publish(SUBMIT, order.body, headers=headers)
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    asking = upkeep(consuming, originals)
    [card] = (await asking.dead_letters(OPERATOR, ListDeadLetters())).letters
    assert (card.reason, card.actor, card.state) == ("unsupported_content", "gateway", "waiting")
    shown = await asking.dead_letter(OPERATOR, ShowDeadLetter(letter=card.letter))
    assert not [said for said in (NAME, PHONE, matter.text) if said in shown.model_dump_json()]
    replay = DecideDeadLetter(letter=card.letter, verb=DeadLetterVerb.REPLAY)
    still = await asking.decide_dead_letter(OPERATOR, replay)
    assert not still.done
    assert "still unreadable" in still.outcome
    # As after a release that reads it
    await originals._letters.update_one(
        {}, {"$set": {"headers": list(map(list, order.headers("/hotline").items()))}}
    )
    assert (await asking.decide_dead_letter(OPERATOR, replay)).done
    assert documents.documents["test:dead"].answered == ("gateway\n/hotline\n4711",)
    [answer] = await documents.history("test:dead")
    kept = SubmissionKept.model_validate_json(answer.events[0].data)
    assert kept.submitted.text == matter.text
    assert kept.submitted.petitioner == StoredPetitioner(name=NAME, phone=PHONE)
    again = await asking.decide_dead_letter(OPERATOR, replay)
    assert (again.done, again.outcome) == (False, "operator has replayed it already")
    assert (await asking.dead_letters(OPERATOR, ListDeadLetters())).letters == ()
    [card] = (await asking.dead_letters(OPERATOR, ListDeadLetters(everything=True))).letters
    assert (card.state, card.by) == ("replayed", "operator")


async def test_a_dropped_letter_needs_a_reason_and_keeps_the_record(client, township, originals):
    consuming = consumer(client, township, originals=originals)
    for n in range(3):
        await client.jetstream().publish(SUBMIT, f"garbage {n}".encode())
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 3))
    asking = upkeep(consuming, originals)
    first = await asking.dead_letters(OPERATOR, ListDeadLetters(limit=2))
    second = await asking.dead_letters(OPERATOR, ListDeadLetters(limit=2, after=first.next))
    names = [card.letter for page in (first, second) for card in page.letters]
    assert len(set(names)) == 3
    assert second.next is None
    shown = await asking.dead_letter(OPERATOR, ShowDeadLetter(letter=names[0]))
    assert shown.body.startswith("garbage")
    drop = DecideDeadLetter(letter=names[0], verb=DeadLetterVerb.DROP)
    assert (await asking.decide_dead_letter(OPERATOR, drop)).outcome == "say why it is dropped"
    assert (await asking.decide_dead_letter(OPERATOR, drop.model_copy(update={"reason": "a test"}))).done
    shown = await asking.dead_letter(OPERATOR, ShowDeadLetter(letter=names[0]))
    assert (shown.card.state, shown.card.outcome, shown.body) == ("dropped", "a test", "")
    unknown = await asking.dead_letter(OPERATOR, ShowDeadLetter(letter="INTAKE_CMD.intake.999"))
    assert unknown.card is None
    stuck = await asking.stuck(OPERATOR, AskStuck())
    assert (stuck.dead_letters, stuck.warnings) == (2, {"clock": "wrong"})


# B7: an acknowledgement that says duplicate


@pytest.mark.case("B7")
async def test_an_acknowledgement_that_says_duplicate_is_an_error_to_the_sender(client, monkeypatch):
    order = Order(SubmitMatter(title="t", category="garbage"), "test:1", "gateway")
    monkeypatch.setattr(Order, "headers", lambda *_: {"Nats-Msg-Id": "guessed"})
    info = await client.jetstream().stream_info("INTAKE_CMD")
    assert info.config.duplicate_window == 0.1
    await client.jetstream().publish(SUBMIT, b"first", headers={"Nats-Msg-Id": "guessed"})
    with pytest.raises(NotStored, match="for a copy"):
        await Duban(client, "test").send(order)


# B9: what the database refuses


@pytest.mark.case("B9")
async def test_a_write_that_mongodb_refuses_leaves_no_value_in_the_log(client, township, database, capsys):
    set_up("json", "INFO", "intake")
    try:
        refused = {"$jsonSchema": {"properties": {"kind": {"enum": ["nothing that we write"]}}}}
        await database.create_collection("intake", validator=refused)
        consuming = consumer(client, township, MongoDocuments(database, "intake"))
        petitioner = {"name": NAME, "phone": PHONE}
        matter = SubmitMatter(title=f"{NAME} 的路灯", category="garbage", petitioner=petitioner)
        await Duban(client, "test").send(Order(matter, "test:1", "gateway"))
        msgs = await waiting(client, "INTAKE_CMD", "intake", 1)
        with pytest.raises(Exception, match=NAME) as caught:  # the driver's text holds all of it
            await consuming.process(msgs)
        structlog.get_logger().warning("trouble", exc_info=caught.value)
        logging.getLogger("asyncio").error(
            "Task exception was never retrieved\nfuture: %r", caught.value, exc_info=caught.value
        )
        logging.getLogger("nats").error("nats: %s", caught.value)
        said = "".join(capsys.readouterr())
    finally:
        structlog.reset_defaults()
    assert said.count("BulkWriteError(121)") >= 4
    assert NAME not in said
    assert PHONE not in said
    assert NAME.encode("unicode_escape").decode() not in said


# B14: data of a newer release


@pytest.mark.case("B14")
def test_facts_that_this_release_does_not_know_are_named_and_not_guessed():
    unknown = Event("kept:Invented", "-", "t", "{}")
    with pytest.raises(NewerDataError, match="kept:Invented, which this release does not know"):
        refold(DECIDER, [Answer("m1", "m1", events=(unknown,))])
    changed = Event(Summed.type, "-", "t", '{"sum": 1}')
    with pytest.raises(NewerDataError, match="that this release cannot read"):
        refold(DECIDER, [Answer("m1", "m1", events=(changed,))])


@pytest.mark.case("B14")
async def test_a_document_of_a_newer_release_is_left_alone_and_its_message_comes_again(
    client, township, database
):
    documents = MongoDocuments(database, "intake")
    await documents.prepare()
    consuming, duban = consumer(client, township, documents), Duban(client, "test")
    matter = SubmitMatter(title="t", category="garbage")
    await duban.send(Order(matter, "test:1", "gateway"))
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 1))
    await documents.collection.update_one({"_id": "test:1"}, {"$set": {"format": FORMAT + 1, "new": "field"}})
    before = await documents.collection.find_one({"_id": "test:1"})
    await duban.send_all([Order(matter, "test:1", "gateway"), Order(matter, "test:2", "gateway")])
    await consuming.process(await waiting(client, "INTAKE_CMD", "intake", 2))
    assert await documents.collection.find_one({"_id": "test:1"}) == before
    assert f"format {FORMAT + 1}" in consuming.troubles.newer_data
    [again] = await waiting(client, "INTAKE_CMD", "intake", 1)
    assert again.headers["ce-subject"] == "test:1"


@pytest.mark.case("B14")
async def test_a_charter_of_a_newer_release_is_told_as_such_and_the_last_readable_stays(client, township):
    revision = await publish_charter(client, township)
    bucket = await client.jetstream().key_value("charter")
    newer = json.loads((await bucket.get(CHARTER_KEY)).value) | {"sworn_officials": ["x"]}
    unreadable = await bucket.put(CHARTER_KEY, json.dumps(newer).encode())
    follower = CharterFollower(lambda: client)
    following = asyncio.create_task(follower.follow())
    async with asyncio.timeout(10):
        await follower.arrived.wait()
    state = charter_state(follower.charter, follower.unreadable, follower.why_unreadable)
    assert state.startswith(f"unreadable: revision {unreadable}, revision {revision} stays in force; ")
    assert "of a newer release, this one does not know sworn_officials" in state
    assert "apply" not in state  # which would downgrade it
    following.cancel()
