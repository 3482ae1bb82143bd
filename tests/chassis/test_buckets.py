"""The two buckets: the charter is followed live, and a standing never goes back."""

import asyncio
from datetime import UTC, datetime

import pytest
from nats.js.api import ConsumerConfig
from nats.js.errors import APIError

from duban_contracts.escalation import Rung, Standing
from duban_contracts.subjects import CHARTER_BUCKET, CHARTER_KEY, STANDINGS_BUCKET
from services.chassis import calendar
from services.chassis.charter_bucket import CharterFollower, publish_charter, published_charter
from services.chassis.process import charter_state
from services.chassis.provision import provision
from services.chassis.standings import Standings
from tests.chassis.broker import broker, client

__all__ = ["broker", "client"]
NOW = datetime(2024, 4, 15, 1, tzinfo=UTC)


async def test_a_new_charter_is_followed_as_soon_as_it_is_published(client, township):
    follower = CharterFollower(lambda: client)
    following = asyncio.create_task(follower.follow())
    first = await publish_charter(client, township)
    async with asyncio.timeout(20):
        await follower.arrived.wait()
        assert follower.charter.revision == first
        second = await publish_charter(client, township.model_copy(update={"name": "another"}))
        while follower.charter.revision != second:
            follower.arrived.clear()
            await follower.arrived.wait()
    following.cancel()
    assert second > first
    assert follower.charter.name == "another"


async def test_where_there_is_no_consumer_left_to_follow_it_the_charter_is_read(client, township):
    """A service that was taken over may have all of them."""
    jetstream = client.jetstream()
    bucket = f"KV_{CHARTER_BUCKET}"
    config = (await jetstream.stream_info(bucket)).config
    await jetstream.delete_stream(bucket)
    await jetstream.add_stream(config.evolve(max_consumers=1))
    revision = await publish_charter(client, township)
    taken = await jetstream.add_consumer(bucket, ConsumerConfig(durable_name="taken"))
    follower = CharterFollower(lambda: client)
    try:
        with pytest.raises(APIError, match="maximum consumers"):
            await follower.follow()
        assert follower.charter.revision == revision
    finally:
        await jetstream.delete_stream(taken.stream_name)
        await provision(client)


async def test_the_same_charter_published_again_is_no_new_revision(client, township):
    first = await publish_charter(client, township)
    assert await publish_charter(client, township) == first
    assert (await published_charter(client)).revision == first


async def test_a_new_national_calendar_makes_a_new_revision_of_the_same_charter(
    client, township, monkeypatch
):
    first = await publish_charter(client, township)
    monkeypatch.setattr(calendar, "NATIONAL", "chinesecalendar of next year")
    second = await publish_charter(client, township)
    assert second > first
    assert (await published_charter(client)).national_calendar == "chinesecalendar of next year"
    assert await publish_charter(client, township) == second


def showing(version, rung, order=None):
    return Standing(station="bianmin", version=version, at=NOW, rung=rung, order=order)


async def put(standings, version, rung):
    await standings.put({"bianmin": (version, rung)}, lambda _key, state, v: showing(v, state))


async def shown(client):
    bucket = await client.jetstream(timeout=10).key_value(STANDINGS_BUCKET)
    entry = await bucket.get("bianmin")
    return Standing.model_validate_json(entry.value), entry.revision


async def test_a_standing_never_goes_back_to_an_older_version(client):
    standings = Standings(client)
    await put(standings, 3, Rung.CIRCULAR)
    await put(standings, 2, Rung.SUPERVISED)
    assert (await shown(client))[0] == showing(3, Rung.CIRCULAR)
    await put(standings, 4, Rung.REMINDER)
    assert (await shown(client))[0] == showing(4, Rung.REMINDER)


async def test_of_many_replicas_that_show_at_once_the_newest_version_stays(client):
    def each_different(_key, rung, version):
        return showing(version, rung, order=f"order-{version}")

    replicas = (
        Standings(client).put({"bianmin": (n, Rung.SUPERVISED)}, each_different) for n in range(1, 31)
    )
    await asyncio.gather(*replicas)
    standing, _ = await shown(client)
    assert (standing.version, standing.order) == (30, "order-30")


async def test_a_version_that_was_not_worth_showing_still_goes_before_older_ones(client):
    standings = Standings(client)
    await put(standings, 3, Rung.CIRCULAR)
    await put(standings, 5, Rung.CIRCULAR)
    await put(standings, 4, Rung.REMINDER)  # a slower replica
    assert (await shown(client))[0].rung is Rung.CIRCULAR


async def test_a_version_that_changes_nothing_that_is_shown_wakes_no_watcher(client):
    standings = Standings(client)
    await put(standings, 1, Rung.SUPERVISED)
    _, before = await shown(client)
    await put(standings, 2, Rung.SUPERVISED)
    assert (await shown(client))[1] == before


@pytest.mark.case("B2")
@pytest.mark.parametrize("garbage", [b"", b"?", b'{"stream":"INTAKE_CMD","seq":7}'])
async def test_an_unreadable_standing_counts_as_absent(client, garbage):
    bucket = await client.jetstream(timeout=10).key_value(STANDINGS_BUCKET)
    await bucket.put("bianmin", garbage)
    await put(Standings(client), 1, Rung.SUPERVISED)
    assert (await shown(client))[0] == showing(1, Rung.SUPERVISED)


async def spoilt(client, garbage):
    bucket = await client.jetstream(timeout=10).key_value(CHARTER_BUCKET)
    return await bucket.put(CHARTER_KEY, garbage)


@pytest.mark.case("B3")
@pytest.mark.parametrize("garbage", [b"", b"?", b'{"stream":"INTAKE_CMD","seq":7}'])
async def test_after_an_unreadable_revision_the_last_readable_one_stays_in_force(client, township, garbage):
    first = await publish_charter(client, township)
    for _ in range(3):
        unreadable = await spoilt(client, garbage)
    assert (await published_charter(client)).revision == first
    follower = CharterFollower(lambda: client)  # as after a restart
    following = asyncio.create_task(follower.follow())
    async with asyncio.timeout(20):
        await follower.arrived.wait()
    assert (follower.charter.revision, follower.unreadable) == (first, unreadable)
    assert follower.charter.published_at is not None
    state = charter_state(follower.charter, follower.unreadable)
    assert state.startswith(f"unreadable: revision {unreadable}, revision {first} stays in force")
    follower.arrived.clear()
    mended = await publish_charter(client, township.model_copy(update={"name": "mended"}))
    async with asyncio.timeout(20):
        await follower.arrived.wait()
    following.cancel()
    assert (follower.charter.revision, follower.unreadable) == (mended, None)


@pytest.mark.case("B3")
async def test_provision_does_not_mind_an_unreadable_charter(client):
    await spoilt(client, b"?")
    await provision(client)
    assert await published_charter(client) is None
