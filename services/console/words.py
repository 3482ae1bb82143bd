"""Codes of the contracts as words for people."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from duban_contracts.charter import Ground, MatterKind, Role, Unit
from duban_contracts.due import DueClock
from duban_contracts.escalation import ItemKind, Rung
from duban_contracts.handling import HoldGround
from duban_contracts.intake import Channel, DeclineReason, Duty, Outcome, Priority
from duban_contracts.ledger import EntryKind, ReopenReason
from duban_contracts.masking import PersonalData
from duban_contracts.message import Refusal
from duban_contracts.rating import CallbackResult, Level
from duban_contracts.reading import EntryStatus, Situation
from duban_contracts.reclassifying import ClockEffect
from duban_contracts.rules import Limit
from services.console.i18n import N_, Lang, _, catalogue, language

WORDS: Mapping[type[Enum], Mapping[Enum, str]] = {
    Rung: {
        Rung.REMINDER: N_("reminder"),
        Rung.SUPERVISED: N_("supervised handling"),
        Rung.CIRCULAR: N_("town-wide circular"),
        Rung.LEADERS: N_("principal leaders"),
        Rung.DISCIPLINE: N_("discipline commission"),
    },
    ItemKind: {
        ItemKind.ENTRY_OVERDUE: N_("overdue entry"),
        ItemKind.ACCEPTANCE_OVERDUE: N_("not signed for in time"),
        ItemKind.FINDING: N_("finding"),
        ItemKind.CALLBACK_OVERDUE: N_("overdue callback"),
        ItemKind.RECTIFICATION_OVERDUE: N_("overdue rectification"),
        ItemKind.INTEGRITY: N_("integrity flag"),
    },
    Ground: {
        Ground.LAGGING: N_("lagging"),
        Ground.BELOW_REQUIREMENT: N_("below requirement"),
        Ground.PERFUNCTORY: N_("perfunctory"),
        Ground.NONFEASANCE: N_("nonfeasance"),
        Ground.BUCK_PASSING: N_("buck-passing"),
        Ground.MISCONDUCT: N_("misconduct"),
        Ground.INTEGRITY: N_("integrity"),
    },
    EntryKind: {
        EntryKind.MATTER: N_("matter"),
        EntryKind.MEASURE: N_("measure"),
        EntryKind.APPLICATION: N_("application"),
    },
    MatterKind: {
        MatterKind.CONSULT: N_("question"),
        MatterKind.HELP: N_("request for help"),
        MatterKind.COMPLAINT: N_("complaint"),
        MatterKind.REPORT: N_("report of wrongdoing"),
        MatterKind.SUGGESTION: N_("suggestion"),
    },
    Priority: {
        Priority.NORMAL: N_("normal"),
        Priority.URGENT: N_("urgent"),
    },
    EntryStatus: {
        EntryStatus.OPEN: N_("open"),
        EntryStatus.ACCEPTED: N_("accepted"),
        EntryStatus.RESOLVED: N_("resolved"),
        EntryStatus.STRUCK_OFF: N_("struck off"),
        EntryStatus.CLOSED: N_("closed"),
    },
    Situation: {
        Situation.UNSIGNED: N_("not signed for yet"),
        Situation.IN_HAND: N_("in hand"),
        Situation.OFFERED: N_("offered to another station"),
        Situation.EXTENSION_ASKED: N_("an extension is asked for"),
        Situation.REPORTED_UP: N_("reported to a higher level"),
        Situation.ON_HOLD: N_("on hold"),
        Situation.RETURNED: N_("returned to the office"),
        Situation.IN_PROCEDURE: N_("in its procedure"),
        Situation.OBJECTED: N_("waiting for an objection"),
        Situation.AWAITING_VERIFICATION: N_("waiting for verification"),
        Situation.VERIFIED: N_("verified"),
        Situation.TAKEN_BACK: N_("taken back"),
        Situation.MERGED: N_("merged into another entry"),
        Situation.NOT_IN_PLAN: N_("no longer in the plan"),
    },
    Outcome: {
        Outcome.SOLVED: N_("solved"),
        Outcome.EXPLAINED: N_("explained"),
        Outcome.NOT_FEASIBLE: N_("not feasible"),
        Outcome.NOT_OURS: N_("not ours"),
        Outcome.WITHDRAWN: N_("withdrawn"),
    },
    DeclineReason: {
        DeclineReason.OUTSIDE_JURISDICTION: N_("outside our jurisdiction"),
        DeclineReason.COURT: N_("a matter for the court"),
        DeclineReason.ARBITRATION: N_("a matter for arbitration"),
        DeclineReason.DISCIPLINE: N_("a matter for the discipline commission"),
        DeclineReason.PETITION_CHANNEL: N_("a matter for the petition channel"),
        DeclineReason.ALREADY_CLOSED: N_("the same facts are closed already"),
        DeclineReason.SECRETS: N_("concerns secrets"),
    },
    ReopenReason: {
        ReopenReason.NEGATIVE_RATING: N_("negative rating"),
        ReopenReason.NOT_SOLVED: N_("not solved"),
        ReopenReason.OFFICE: N_("by the office"),
    },
    HoldGround: {
        HoldGround.AWAITING_PETITIONER: N_("waiting for the petitioner"),
        HoldGround.AWAITING_AUTHORITY: N_("waiting for another authority"),
        HoldGround.FORCE_MAJEURE: N_("force majeure"),
    },
    DueClock: {
        DueClock.STATION: N_("the station's answer"),
        DueClock.CITIZEN: N_("strike-off, for the citizen"),
        DueClock.ACCEPTANCE: N_("signing for it"),
        DueClock.INTERIM: N_("the interim answer"),
    },
    ClockEffect: {
        ClockEffect.WHOLE_LIMIT: N_("the whole new limit from then on, nothing that passed before counts"),
        ClockEffect.SAME_START: N_("the new limit from the old start, all that passed counts"),
        ClockEffect.FROM_NOW: N_("the new limit from then on"),
        ClockEffect.UNCHANGED: N_("the old date stands"),
        ClockEffect.NONE: N_("no limit"),
    },
    CallbackResult: {
        CallbackResult.CONFIRMED: N_("confirmed"),
        CallbackResult.UNFOUNDED: N_("unfounded"),
        CallbackResult.NOT_REACHED: N_("not reached"),
    },
    Level: {
        Level.VERY_DISSATISFIED: N_("very dissatisfied"),
        Level.DISSATISFIED: N_("dissatisfied"),
        Level.FAIRLY_SATISFIED: N_("fairly satisfied"),
        Level.SATISFIED: N_("satisfied"),
        Level.VERY_SATISFIED: N_("very satisfied"),
    },
    Role: {
        Role.STATION: N_("station"),
        Role.OFFICE: N_("office"),
        Role.LEADER: N_("leader"),
        Role.DISCIPLINE: N_("discipline commission"),
        Role.GATEWAY: N_("gateway"),
        Role.FEED: N_("feed"),
    },
    Unit: {
        Unit.WORKING_DAYS: N_("working day(s)"),
        Unit.CALENDAR_DAYS: N_("calendar day(s)"),
        Unit.WORKING_HOURS: N_("working hour(s)"),
    },
    Refusal: {
        Refusal.NO_SUCH_ENTRY: N_("there is no such entry"),
        Refusal.NO_SUCH_SUBMISSION: N_("there is no such submission"),
        Refusal.NO_SUCH_ROUND: N_("there is no such round"),
        Refusal.NO_SUCH_CAMPAIGN: N_("there is no such campaign"),
        Refusal.NO_SUCH_INSPECTION: N_("there is no such inspection"),
        Refusal.NO_SUCH_FINDING: N_("there is no such finding"),
        Refusal.NO_SUCH_ORDER: N_("there is no such order"),
        Refusal.NO_SUCH_STEP: N_("there is no such step"),
        Refusal.UNKNOWN_STATION: N_("the charter has no such station"),
        Refusal.UNKNOWN_CATEGORY: N_("the charter has no such category"),
        Refusal.UNKNOWN_VILLAGE: N_("the charter has no such village"),
        Refusal.UNKNOWN_MEASURE: N_("the charter has no such measure"),
        Refusal.UNKNOWN_ACTOR: N_("the charter has no such actor"),
        Refusal.NOT_ALLOWED: N_("this actor may not do that"),
        Refusal.NOT_BELIEVED: N_("this actor is not believed about that"),
        Refusal.NOT_THE_HANDLER: N_("only the handling station may do that"),
        Refusal.OWN_WORK: N_("nobody verifies their own work"),
        Refusal.OWN_CASE: N_("nobody decides their own case"),
        Refusal.WRONG_STATE: N_("it cannot be done as things stand"),
        Refusal.ALREADY_DONE: N_("it is done already"),
        Refusal.TOO_LATE: N_("it is too late for that"),
        Refusal.TOO_EARLY: N_("it is too early for that"),
        Refusal.TIME_IN_FUTURE: N_("the time lies in the future"),
        Refusal.REASON_MISSING: N_("a reason is needed"),
        Refusal.EVIDENCE_MISSING: N_("evidence is needed"),
        Refusal.OUT_OF_ORDER: N_("something else comes first"),
        Refusal.INCOMPLETE: N_("something is still missing from it"),
        Refusal.OBJECTION_OPEN: N_("an objection is open"),
        Refusal.TOO_LARGE: N_("it would be larger than one message may be"),
        Refusal.ID_REUSED: N_("its id is that of another command"),
        Refusal.WITHOUT_CHARTER: N_("there is no charter yet"),
        Refusal.NO_OPEN_DUTY: N_("there is no open duty on it"),
    },
    Channel: {
        Channel.WINDOW: N_("at the window"),
        Channel.HOTLINE: N_("hotline"),
        Channel.WEB: N_("web page"),
        Channel.APP: N_("mobile app"),
        Channel.VISIT: N_("visit"),
        Channel.LETTER: N_("letter"),
        Channel.PATROL: N_("patrol"),
        Channel.OTHER: N_("another way"),
    },
    Duty: {
        Duty.HANDLER: N_("handles it"),
        Duty.CO_HANDLER: N_("helps with it"),
        Duty.CALLBACK: N_("owes a callback"),
        Duty.ASSIGNMENT: N_("has to assign it"),
    },
    PersonalData: {
        PersonalData.MOBILE_NUMBER: N_("mobile number"),
        PersonalData.LANDLINE_NUMBER: N_("landline number"),
        PersonalData.IDENTITY_NUMBER: N_("identity card number"),
        PersonalData.BANK_CARD_NUMBER: N_("bank card number"),
        PersonalData.EMAIL: N_("e-mail address"),
        PersonalData.ACCOUNT: N_("account or number"),
        PersonalData.ADDRESS: N_("door of a dwelling"),
        PersonalData.NAME: N_("name of a person"),
        PersonalData.PETITIONER: N_("what the petitioner gave as his own"),
    },
}


def word(code: Enum) -> str:
    """The code itself where nobody gave it a word yet."""
    return _(WORDS.get(type(code), {}).get(code, str(code.value)))


def codes_in_words(codes: type[Enum]) -> str:
    """All of them, with their words where those say more than the codes do."""
    bare = codes not in WORDS or (language() is Lang.EN and not issubclass(codes, int))
    return " | ".join(str(each.value) if bare else f"{each.value} ({word(each)})" for each in codes)


Code = TypeVar("Code", bound=Enum)


def code_of(codes: type[Code], text: str) -> Code | None:
    """By its value or its word in either language, or a Chinese part that only one word has; else None."""
    wanted = text.strip().casefold()
    for code in codes:
        if wanted in (each.casefold() for each in words_of(code)):
            return code
    if len(wanted) < SHORTEST_PART or wanted.isascii():
        return None
    having = [code for code in codes if any(wanted in each for each in words_of(code))]
    return having[0] if len(having) == 1 else None


SHORTEST_PART = 2
"""Characters of a word from which it is known where it is not said whole."""


def words_of(code: Enum) -> tuple[str, ...]:
    """Everything that it is called: its value, its word, and that in Chinese."""
    said = WORDS.get(type(code), {}).get(code, "")
    return tuple(filter(None, (str(code.value), said, catalogue(Lang.ZH).get(said, ""))))


def limit_in_words(limit: Limit | None) -> str:
    """`5 working day(s)`; empty where there is none."""
    return f"{limit.amount} {word(limit.unit)}" if limit else ""
