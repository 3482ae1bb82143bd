"""What the ledger is asked and tells of applications. Stored and on the wire: add optional fields only.

An application is an entry that a matter opens whose category names a procedure. It goes through the stages in
their order; `verify` and `record_progress` are those of every entry.
"""

from pydantic import Field

from duban_contracts.fields import Number, OptionalText, Text
from duban_contracts.ledger import Due
from duban_contracts.message import Command, Fact, Key, Moment
from duban_contracts.plan import Stage
from duban_contracts.rules import Role, Token


class CompleteStage(Command, service="ledger", by=(Role.STATION, Role.OFFICE, Role.LEADER)):
    """The present stage is done, passed or not; a stage before or after it is refused."""

    stage: Token
    passed: bool = Field(True, description="False ends the procedure: the application fails here")
    note: OptionalText = Field("", description="Without names; required where it did not pass")


class RaiseObjection(
    Command, service="ledger", by=(Role.GATEWAY, Role.FEED, Role.OFFICE, Role.STATION, Role.DISCIPLINE)
):
    """Somebody objects to an application that is in public notice or waits for approval."""

    text: Text = Field(description="Without names")


class DecideObjection(Command, service="ledger", by=(Role.OFFICE, Role.LEADER, Role.DISCIPLINE)):
    """Upheld sends the application back to an earlier stage; dismissed lets it go on."""

    objection: Number
    upheld: bool
    reason: Text


class ProcedureBegun(Fact, service="ledger"):
    """The stages that this application goes through, whatever a later charter says."""

    entry: Key
    procedure: Token
    stages: tuple[Stage, ...]
    upheld_back_to: Token


class StageBegun(Fact, service="ledger"):
    """The next stage, or an earlier one again after an upheld objection, is due at `due`."""

    entry: Key
    stage: Token
    name: str
    number: int = Field(description="Counted from 1")
    of: int
    due: Due
    visit: int = Field(1, description="How many stages began so far: a stage may come again")
    not_before: Moment | None = Field(None, description="Public notice: cannot be completed before this")


class StageCompleted(Fact, service="ledger"):
    """A stage is done; with `passed` false the application failed in it."""

    entry: Key
    stage: Token
    by: Token
    passed: bool = True
    late: bool = False
    note: str = ""
    visit: int = 1
    late_with: Token | None = Field(None, description="Whom `stage_overdue` was told of, if it was told")


class StageOverdue(Fact, service="ledger"):
    """The stage's time limit passed while it was under way; `station` is who has to complete it.

    That is the handler, or whoever decides where the handler may not. Told once per visit, and once more
    where a new revision of the charter put its date ahead again.
    """

    entry: Key
    stage: Token
    name: str
    due: Due
    visit: int = 1


class ObjectionRaised(Fact, service="ledger"):
    """Counted from 1 within the application. Pauses its approval until it is decided."""

    entry: Key
    objection: int
    stage: Token
    by: Token
    text: str
    due: Due | None = Field(None, description="By when it has to be decided; a new revision does not move it")


class ObjectionOverdue(Fact, service="ledger"):
    """An objection was not decided in time and may be stopping the approval; `station` is who has to decide.

    As a rule the office, but never the handler nor whoever raised it. No consequence by itself.
    """

    entry: Key
    objection: int
    due: Due


class ObjectionDecided(Fact, service="ledger"):
    """Upheld: back to an earlier stage, unless it is there already. Dismissed: the procedure goes on."""

    entry: Key
    objection: int
    upheld: bool
    by: Token
    reason: str
    due: Due | None = Field(None, description="Of the approval, where it had been paused and goes on")
    visit: int = Field(1, description="Of the stage that it was in")
    late_with: Token | None = Field(None, description="Who was late with a stage that it breaks off")


ApplicationEvent = (
    ProcedureBegun
    | StageBegun
    | StageCompleted
    | StageOverdue
    | ObjectionRaised
    | ObjectionOverdue
    | ObjectionDecided
)
"""What is told of applications only."""
