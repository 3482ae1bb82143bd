"""The two buckets: the charter is followed live, and a standing never goes back."""

import asyncio
from datetime import UTC, datetime

from duban_contracts.escalation import Rung, Standing
from duban_contracts.subjects import STANDINGS_BUCKET
from services.chassis import calendar
from services.chassis.charter_bucket import CharterFollower, publish_charter, published_charter
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
    assert (await shown(client))[0] == showing(30, Rung.SUPERVISED, "order-30")


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
