"""What an actor is told as it happens, on `notice.<service>.<name>.v1.<actor>`; no stream keeps it.

A notice of a fact (`topology.TOLD_TO_CHANNEL`) is the fact itself, with its headers, under another subject;
the question `facts` gives it again later. A dead letter is told by the notice below.
"""

from duban_contracts.message import Part

DEAD_LETTER = "dead_letter"


class DeadLetterNotice(Part):
    """A command of yours that could not be read: it will not be answered. Mend it and send it again."""

    reason: str
    detail: str
    subject: str
    sequence: int
    id: str | None = None
    """Its `ce-id`, where it had one."""
