"""What is counted. Labels come from closed sets, never from a subject or a key."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "duban_messages", "Messages by what became of them", ["consumer", "outcome"]
)  # outcome: settled, poison, conflict, failed
ANSWERED = Counter("duban_answered", "Messages decided for a key, copies not counted", ["consumer"])
CONFLICTS = Counter("duban_conflicts", "Keys that another writer changed first", ["consumer"])
DEAD_LETTERS = Counter("duban_dead_letters", "Messages that could not be read", ["consumer", "reason"])
WAKES = Counter("duban_wakes", "Keys woken because something fell due", ["consumer"])
BATCH_SECONDS = Histogram(
    "duban_batch_seconds",
    "Time from having a batch to having acknowledged it",
    ["consumer"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BATCH_SIZE = Histogram(
    "duban_batch_size",
    "Messages in a batch",
    ["consumer"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
)
CHARTER_REVISION = Gauge("duban_charter_revision", "Revision of the charter that is followed", ["service"])
STUCK_MESSAGES = Gauge("duban_stuck_messages", "Messages that were given back again and again", ["consumer"])
STUCK_WAKES = Gauge("duban_stuck_wakes", "Keys that are due and cannot be woken", ["consumer"])
SLOW_DECISIONS = Counter(
    "duban_slow_decisions", "Decisions that took longer than half a second", ["consumer"]
)
UNKNOWN_SENDER = "unknown"
UNREADABLE_COMMANDS = Counter(
    "duban_unreadable_commands", "Commands that could not be read, by who sent them", ["consumer", "actor"]
)  # actor: those of the charter, and UNKNOWN_SENDER
LETTERS_WITHOUT_ROOM = Counter(
    "duban_letters_without_room",
    "Unreadable commands without a letter, for the stream of letters is full",
    ["consumer"],
)
UNREADABLE_FACTS = Counter(
    "duban_unreadable_facts", "Facts of our own services that could not be read", ["consumer"]
)
UNPUBLISHABLE = Counter(
    "duban_unpublishable", "Facts of earlier releases that are larger than the broker takes", ["service"]
)
LOOPS_STUCK = Gauge("duban_loops_stuck", "Loops of the process that do not turn", ["service"])
CLOCK_DEPARTURE = Gauge(
    "duban_clock_departure_seconds", "How far this machine's clock is ahead of the broker's", ["service"]
)
CONSUMER_PENDING = Gauge(
    "duban_consumer_pending", "Messages that wait for a consumer, not delivered yet", ["stream", "consumer"]
)
STREAM_USED = Gauge(
    "duban_stream_used_ratio", "What a stream holds, of what it may hold", ["stream", "limit"]
)  # limit: bytes, messages
NEWER_DATA = Gauge("duban_newer_data", "1 while data of a newer release are refused", ["service"])
READY = Gauge("duban_ready", "1 while /ready answers 200", ["service"])
DEAD_LETTERS_WAITING = Gauge(
    "duban_dead_letters_waiting", "Dead letters that nobody replayed or dropped yet", ["service"]
)


def begin(service: str, consumers: Iterable[str]) -> None:
    """With nought: of a counter that appears with its first event, Prometheus sees no increase."""
    UNPUBLISHABLE.labels(service)
    for consumer in consumers:
        SLOW_DECISIONS.labels(consumer)
        UNREADABLE_FACTS.labels(consumer)
        LETTERS_WITHOUT_ROOM.labels(consumer)
        CONFLICTS.labels(consumer)


def begin_senders(consumer: str, actors: Iterable[str]) -> None:
    """As `begin`, for those whom a charter names."""
    for actor in (*actors, UNKNOWN_SENDER):
        UNREADABLE_COMMANDS.labels(consumer, actor)
