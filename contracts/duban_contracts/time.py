"""Time as a message: in a time-lapse, what falls due by `ce-time` becomes a fact when this arrives.

The key is always `clock`. With the system clock the message is superfluous and harmless.
"""

from duban_contracts.charter import Role
from duban_contracts.message import Command


class PassTime(Command):
    """Believed only from actors who may backdate."""


class IntakePassTime(PassTime, service="intake", message_name="pass_time", by=(Role.FEED,)):
    pass


class LedgerPassTime(PassTime, service="ledger", message_name="pass_time", by=(Role.FEED,)):
    pass


class RatingPassTime(PassTime, service="rating", message_name="pass_time", by=(Role.FEED,)):
    pass


class SupervisionPassTime(PassTime, service="supervision", message_name="pass_time", by=(Role.FEED,)):
    pass


class EscalationPassTime(PassTime, service="escalation", message_name="pass_time", by=(Role.FEED,)):
    pass
