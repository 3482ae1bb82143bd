"""Bad input gets a clear answer or becomes a dead letter; nothing is lost and neighbours go on."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from duban_contracts.intake import PastOutcome, SubmitMatter
from duban_contracts.ledger import Accept, Resolve, Verify
from duban_contracts.queries import Answers, FindEntry, Found, HistoryOf
from services.console.client import Misasked, Order, duban


@pytest.fixture
async def town(system):
    async with duban(system.nats_url, "duban/tests") as connected:
        yield connected


def matter(**more):
    return SubmitMatter(**{"title": "村口垃圾没有清运", "category": "garbage", **more})


def reasons(given):
    return [json.loads(f.data)["reason"] for f in given.facts if f.type.endswith(".command_refused.v1")]


def types(given):
    return [fact.type.split(".")[2] for fact in given.facts]


async def opened(town, actor="gateway"):
    key = f"test:{uuid4().hex}"
    assert types(await town.outcome(Order(matter(), key, actor))) == ["matter_accepted"]
    await town.caught_up(consumers=["intake", "ledger"])
    found = await town.ask("ledger", "find", FindEntry(submission=key), Found)
    return found.entry


async def dead_letter(town, subject, headers, body):
    """Publish raw bytes; returns the letter that became of them, as the stream keeps it."""
    jetstream = town.client.jetstream()
    state = (await jetstream.stream_info("DEAD")).state
    await jetstream.publish(subject, body, headers=headers)
    await town.caught_up(consumers=["intake", "ledger"])
    after = (await jetstream.stream_info("DEAD")).state
    assert after.messages == state.messages + 1
    return await jetstream.get_msg("DEAD", after.last_seq)


def headers(**changes):
    whole = {
        "ce-id": uuid4().hex,
        "ce-source": "test",
        "ce-type": SubmitMatter.type,
        "ce-subject": f"test:{uuid4().hex}",
        "content-type": "application/json",
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


SUBMIT = "cmd.intake.submit_matter.v1.gateway"


@pytest.mark.parametrize(
    ("reason", "subject", "changes", "body"),
    [
        ("breaks_contract", SUBMIT, {}, b"\xff\xfe not even text"),
        ("breaks_contract", SUBMIT, {}, b'{"title": 7, "category": "garbage"}'),
        ("unknown_type", "cmd.intake.sing.v1.gateway", {"ce-type": "duban.intake.sing.v1"}, b"{}"),
        (
            "unknown_type",
            "cmd.intake.submit_matter.v2.gateway",
            {"ce-type": "duban.intake.submit_matter.v2"},
            b"{}",
        ),
        ("missing_attribute", SUBMIT, {"ce-id": None}, b"{}"),
        (
            "wrong_subject",
            "cmd.intake.withdraw_matter.v1.gateway",
            {},
            b'{"title": "t", "category": "garbage"}',
        ),
        ("bad_attribute", SUBMIT, {"ce-time": "yesterday"}, b'{"title": "t", "category": "garbage"}'),
        ("unsupported_content", SUBMIT, {"content-type": "text/xml"}, b"<matter/>"),
    ],
)
async def test_what_cannot_be_read_is_kept_whole_with_its_reason(town, reason, subject, changes, body):
    given = headers(**changes)
    letter = await dead_letter(town, subject, given, body)
    assert letter.subject == f"dead.intake.{reason}"
    assert letter.data == body
    assert letter.headers["Duban-Dead-Reason"] == reason
    assert letter.headers["Duban-Dead-Subject"] == subject
    assert given.items() <= letter.headers.items()


async def test_a_poisoned_message_does_not_harm_its_neighbours(town):
    jetstream = town.client.jetstream()
    orders = [Order(matter(), f"test:{uuid4().hex}", "gateway") for _ in range(20)]
    await asyncio.gather(
        *(town.send(order) for order in orders[:10]),
        *(jetstream.publish(SUBMIT, b"poison", headers=headers()) for _ in range(5)),
        *(town.send(order) for order in orders[10:]),
    )
    await town.caught_up(consumers=["intake"])
    answers = await town.answers("intake", [(order.key, order.id) for order in orders], "gateway")
    assert [types(answers[order.id]) for order in orders] == [["matter_accepted"]] * 20


async def test_a_time_that_has_not_come_is_refused(town):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for actor in ("gateway", "import"):
        given = await town.outcome(Order(matter(), f"test:{uuid4().hex}", actor, at=tomorrow))
        assert reasons(given) == ["time_in_future"]


async def test_an_actor_who_may_not_backdate_counts_as_acting_now(town):
    before = datetime.now(UTC)
    given = await town.outcome(
        Order(matter(), f"test:{uuid4().hex}", "gateway", at=datetime(2024, 4, 15, 1, tzinfo=UTC))
    )
    assert datetime.fromisoformat(given.facts[0].time) >= before - timedelta(seconds=1)


async def test_an_actor_who_may_backdate_is_believed(town):
    given = await town.outcome(
        Order(matter(), f"test:{uuid4().hex}", "import", at=datetime(2024, 4, 15, 1, tzinfo=UTC))
    )
    assert given.facts[0].time == "2024-04-15T01:00:00Z"


@pytest.mark.parametrize(
    ("command", "actor", "reason"),
    [
        (matter(category="gold"), "gateway", "unknown_category"),
        (matter(village="atlantis"), "gateway", "unknown_village"),
        (matter(station="moon"), "import", "unknown_station"),
        (matter(station="bianmin"), "gateway", "not_believed"),
        (matter(past=PastOutcome(outcome="solved")), "gateway", "not_believed"),
        (matter(), "leader", "not_allowed"),
    ],
)
async def test_what_the_charter_does_not_know_or_allow_is_refused_with_a_code(town, command, actor, reason):
    given = await town.outcome(Order(command, f"test:{uuid4().hex}", actor))
    assert reasons(given) == [reason]
    assert json.loads(given.facts[0].data)["detail"]


async def test_a_command_of_somebody_whom_the_charter_does_not_know_is_refused_with_a_code(town):
    order = Order(matter(), f"test:{uuid4().hex}", "stranger")
    assert reasons(await town.outcome(order)) == ["unknown_actor"]
    history = await town.ask("intake", "history", HistoryOf(key=order.key), Answers, actor="office")
    assert [reasons(given) for given in history.answers] == [["unknown_actor"]]


async def test_nobody_can_act_for_somebody_else_unless_the_charter_says_so(town):
    entry = await opened(town)
    given = await town.outcome(Order(Accept(), entry, "bianmin", acting_for="qingjieban"))
    assert reasons(given) == ["not_believed"]


async def test_a_command_for_an_entry_that_does_not_exist_is_refused(town):
    given = await town.outcome(Order(Accept(), "1999-000001", "bianmin"))
    assert reasons(given) == ["no_such_entry"]


async def test_a_handler_cannot_verify_its_own_work(town):
    entry = await opened(town)
    assert (
        types(await town.outcome(Order(Resolve(answer="已清运"), entry, "qingjieban")))[-1]
        == "entry_resolved"
    )
    assert reasons(await town.outcome(Order(Verify(passed=True), entry, "qingjieban"))) == ["own_work"]
    assert types(await town.outcome(Order(Verify(passed=True), entry, "office"))) == ["entry_struck_off"]


async def test_a_repeated_command_is_answered_once_with_the_same_facts(town):
    order = Order(matter(), f"test:{uuid4().hex}", "gateway")
    first, second = await town.outcome(order), await town.outcome(order)
    assert first == second
    await town.caught_up(consumers=["intake", "ledger"])
    history = await town.answers("intake", [(order.key, order.id)], order.actor)
    assert len(history) == 1


async def test_a_question_that_makes_no_sense_is_told_so(town):
    class Nonsense(FindEntry):
        submission: int = 7

    with pytest.raises(Misasked):
        await town.ask("ledger", "find", Nonsense(), Found)
