"""The bucket of standings, as somebody who watches it would find it."""

from nats.aio.client import Client

from duban_contracts.subjects import STANDINGS_BUCKET


async def shown_standings(client: Client) -> dict[str, bytes]:
    """By station, in order.

    Not by the bucket's `keys`: its watcher may say that there is nothing where the broker's answer about the
    watcher overtakes the values.
    """
    jetstream = client.jetstream(timeout=10)
    bucket = await jetstream.key_value(STANDINGS_BUCKET)
    info = await jetstream.stream_info(f"KV_{STANDINGS_BUCKET}", subjects_filter=">")
    stations = sorted(subject.rpartition(".")[2] for subject in info.state.subjects or {})
    return {station: (await bucket.get(station)).value or b"" for station in stations}
