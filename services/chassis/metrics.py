"""What is counted. Labels come from closed sets, never from a subject or a key."""

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
