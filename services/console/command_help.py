"""`duban do COMMAND --help`: a command explained from its contract, field by field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from duban_contracts import (
    applications,
    escalation,
    handling,
    intake,
    ledger,
    measures,
    merging,
    rating,
    reclassifying,
    supervision,
)
from duban_contracts.message import Command, Fact
from duban_contracts.rules import Limit
from duban_contracts.time import PassTime
from services.console.bodies import full_name, plain_type
from services.console.help_text import definition_list
from services.console.i18n import N_, _
from services.console.names import FIELDS, LISTS, TOKEN, Named
from services.console.tables import columns, wrap
from services.console.words import codes_in_words, word


@dataclass(frozen=True)
class KeyForm:
    """What `--key` names for a command."""

    form: str
    example: str
    field: str | None = None
    """The field that holds it too: where `--key` is missing, its value is the key."""
    always: str | None = None
    """The only key there is."""


ENTRY = KeyForm(N_("the number of an entry; 15 is this year's 000015"), "2026-000015")
SUBMISSION = KeyForm(N_("the submission's own name, as its channel calls it"), "hotline:4711")
ROUND = KeyForm(N_("the number of the entry, and which round"), "2026-000015/1")
CAMPAIGN = KeyForm(N_("campaign/ and the campaign's id in the charter"), "campaign/2024")
FINDING = KeyForm(N_("finding/ and an id of your own"), "finding/2026-7")
ORDER = KeyForm(N_("the number of the order, as the field says"), "bianmin-2026-1", field="order")
STEP = KeyForm(N_("the number of the step, as the field says"), "bianmin-2026-step-1", field="step")
CIRCULAR = KeyForm(
    N_("the number of the circular, as the field says"), "bianmin-2026-circular-1", field="circular"
)
CLOCK = KeyForm(N_("always clock"), "clock", always="clock")
PLAN = KeyForm(N_("plan/ and the campaign's id in the charter"), "plan/2024")

_BY_SERVICE: Mapping[str, KeyForm] = {
    "intake": SUBMISSION,
    "ledger": ENTRY,
    "rating": ROUND,
    "supervision": CAMPAIGN,
    "escalation": STEP,
}
_BY_COMMAND: Mapping[type[Command], KeyForm] = {
    intake.ShowPetitioner: ENTRY,
    measures.ApplyPlan: PLAN,
    supervision.RecordFinding: FINDING,
    supervision.VerifyRectification: FINDING,
    escalation.AcknowledgeOrder: ORDER,
    escalation.AnswerOrder: ORDER,
    escalation.WithdrawCircular: CIRCULAR,
}

COMES_OF_IT: Mapping[type[Command], tuple[type[Fact], ...]] = {
    intake.SubmitMatter: (intake.MatterAccepted, intake.MatterIncomplete),
    intake.SupplementMatter: (intake.MatterAccepted, intake.MatterIncomplete),
    intake.WithdrawMatter: (intake.MatterWithdrawn,),
    intake.DeclineMatter: (intake.MatterDeclined,),
    intake.ShowPetitioner: (intake.PetitionerShown,),
    ledger.Accept: (ledger.EntryAccepted,),
    ledger.RecordProgress: (ledger.ProgressRecorded,),
    ledger.Resolve: (ledger.EntryResolved,),
    ledger.Verify: (ledger.EntryStruckOff, ledger.VerificationRejected),
    ledger.Reopen: (ledger.EntryReopened,),
    handling.ReturnEntry: (handling.EntryReturned,),
    handling.Transfer: (handling.EntryTransferred, handling.PingPongDetected),
    handling.ReportUp: (handling.EntryReportedUp,),
    handling.AddCoHandler: (handling.CoHandlerAdded,),
    handling.ApplyExtension: (handling.ExtensionApplied,),
    handling.DecideExtension: (handling.ExtensionDecided,),
    handling.Hold: (handling.EntryHeld,),
    handling.Resume: (handling.EntryResumed,),
    handling.Adjudicate: (handling.Adjudicated,),
    merging.MergeMatter: (merging.MatterMerged,),
    reclassifying.ReclassifyMatter: (reclassifying.EntryReclassified,),
    applications.CompleteStage: (applications.StageCompleted,),
    applications.RaiseObjection: (applications.ObjectionRaised,),
    applications.DecideObjection: (applications.ObjectionDecided,),
    measures.ApplyPlan: (measures.PlanApplied,),
    measures.ReportCount: (ledger.ProgressRecorded,),
    measures.MeetMilestone: (measures.MilestoneMet,),
    measures.ReportOccurrence: (measures.OccurrenceReported,),
    rating.Rate: (rating.RatingGiven, rating.NegativeRatingReceived, rating.IntegrityFlagged),
    rating.RecordCallback: (rating.CallbackRecorded, rating.RectificationOrdered),
    rating.RecordRectification: (rating.Rectified,),
    supervision.StartCampaign: (supervision.CampaignStarted, supervision.PlanGapDetected),
    supervision.DrawInspections: (supervision.InspectionDrawn,),
    supervision.RecordInspection: (supervision.InspectionConducted, supervision.CoverageReported),
    supervision.RecordFinding: (supervision.FindingRecorded,),
    supervision.VerifyRectification: (supervision.FindingVerified,),
    escalation.AcknowledgeOrder: (escalation.OrderAcknowledged,),
    escalation.AnswerOrder: (escalation.OrderAnswered,),
    escalation.ApproveStep: (
        escalation.StepDecided,
        escalation.CircularPublished,
        escalation.LeadersReported,
        escalation.TransferMade,
    ),
    escalation.DeclineStep: (escalation.StepDecided,),
    escalation.RecordInstruction: (escalation.InstructionRecorded,),
    escalation.RecordReceipt: (escalation.TransferReceived,),
    escalation.WithdrawCircular: (escalation.CircularWithdrawn,),
}
"""What a command may be answered by, beside the refusal; none for time that passes."""


def key_form(command: type[Command]) -> KeyForm:
    if issubclass(command, PassTime):
        return CLOCK
    return _BY_COMMAND.get(command, _BY_SERVICE[command.service])


def about(command: type[Command]) -> str:
    """The first line of what the contract says of it, in the language in use."""
    line = (command.__doc__ or PassTime.__doc__ or "").strip().partition("\n")[0]
    return _(line) if line else ""


def explained(command: type[Command]) -> str:
    """The page of one command."""
    width = min(100, columns())
    form = key_form(command)
    name = full_name(command)
    facts = [fact.type for fact in COMES_OF_IT.get(command, ())]
    rows = [
        (_("Who may send it"), _(", ").join(word(role) for role in sorted(command.by))),
        (_("--key"), _("{form}, e.g. {example}").format(form=_(form.form), example=form.example)),
        (_("What comes of it"), _(", ").join([*facts, f"duban.{command.service}.command_refused.v1"])),
    ]
    fields = [
        (_marked(field, info), _field(command, field, info)) for field, info in command.model_fields.items()
    ]
    blocks = [
        _("Usage: {command}").format(
            command=f"duban do {name} --key {form.example} {_usage(command)}".rstrip()
        ),
        "\n".join(wrap(about(command), width)),
        "\n".join(definition_list(rows, width)),
        "\n".join([_("Fields") + _(":"), *definition_list(fields, width)])
        if fields
        else _("It has no fields."),
    ]
    if fields:
        text = _(
            "A field is written name=value, --name value or in --field; repeated it is a list. * is required."
        )
        blocks.append("\n".join(wrap(text, width)))
    typed = f"duban do {name} --key {form.example} --actor {_actor(command)} {_example(command)}"
    blocks.append(_("Example: {command}").format(command=typed.rstrip()))
    blocks.append(_("`duban do --help` explains the options."))
    return "\n\n".join(block for block in blocks if block)


def _usage(command: type[Command]) -> str:
    return " ".join(
        f"{name}=..." if info.is_required() else f"[{name}=...]"
        for name, info in command.model_fields.items()
    )


def _marked(name: str, info: FieldInfo) -> str:
    return f"{name} *" if info.is_required() else name


def _actor(command: type[Command]) -> str:
    """One of the shipped charters: a station where it may, but nobody verifies his own work."""
    roles = {role.value for role in command.by} - ({"station"} if command is ledger.Verify else set())
    if "station" in roles:
        return "bianmin"
    return next((role for role in ("office", "gateway", "leader", "discipline") if role in roles), "import")


def _field(command: type[Command], name: str, info: FieldInfo) -> str:
    """Its values, its bounds, what it means, and what it is where it is not given."""
    said = [values_of(command, name)]
    if info.description:
        said.append(_(info.description))
    if not info.is_required() and (default := _default(info.default)):
        said.append(_("default: ") + default)
    return "; ".join(said)


def _default(value: Any) -> str:
    match value:
        case None | "" | () | False:
            return ""
        case Enum():
            return str(value.value)
        case True:
            return _("yes")
        case _:
            return "" if value is PydanticUndefined else str(value)


def values_of(command: type[Command], name: str) -> str:
    """The values of a field in words."""
    plain = plain_type(command.model_fields[name].annotation)
    schema = _schema(command, name)
    if get_origin(plain) is tuple:
        inner = _one_value(name, get_args(plain)[0], schema.get("items", {}))
        most = schema.get("maxItems")
        return _("{values}; up to {most} of them").format(values=inner, most=most) if most else inner
    if get_origin(plain) is dict:
        keys, levels = get_args(plain)
        return _("{name}.X=N, X one of {keys}, N one of {values}").format(
            name=name, keys=codes_in_words(keys), values=codes_in_words(levels)
        )
    return _one_value(name, plain, schema)


def _one_value(name: str, annotation: Any, schema: Mapping[str, Any]) -> str:
    plain = plain_type(annotation)
    if plain is bool:
        return _("yes or no")
    if plain is Limit:
        return _('a length of time, e.g. 5 or "3 calendar_days"')
    if isinstance(plain, type) and issubclass(plain, Enum):
        return codes_in_words(plain)
    if plain is int:
        return _number(schema)
    if schema.get("format") == "date":
        return _("a day, e.g. 2024-04-15")
    if schema.get("format") == "date-time":
        return _("a time with a zone, e.g. 2024-04-15T09:00:00+08:00")
    if schema.get("pattern") == TOKEN_PATTERN:
        kind = FIELDS.get(name)
        return _token(kind) if kind else _("a token of the charter")
    if hasattr(plain, "model_fields"):
        return _("{name}.X=..., X one of {keys}").format(name=name, keys=", ".join(plain.model_fields))
    most = schema.get("maxLength")
    return _("text, up to {most} characters").format(most=most) if most else _("text")


def holds_tokens(command: type[Command], name: str) -> bool:
    schema = _schema(command, name)
    return TOKEN_PATTERN in (schema.get("pattern"), schema.get("items", {}).get("pattern"))


def holds_key(command: type[Command], name: str) -> bool:
    """A key, an id or a token: all have a pattern, and what people write has none."""
    return name in command.model_fields and "pattern" in _schema(command, name)


TOKEN_PATTERN = f"^{TOKEN.pattern}$"


def _token(kind: Named) -> str:
    text = _("token or name, see `duban list {kind}`")
    return text.format(kind=LISTS[kind])


def _number(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None or most is None or most > 10**9:
        return _("a whole number")
    return _("a whole number from {least} to {most}").format(least=least, most=most)


def _schema(command: type[Command], name: str) -> dict[str, Any]:
    """Of the field, of its part that is not null."""
    whole: dict[str, Any] = command.model_json_schema()["properties"].get(name, {})
    options = [each for each in whole.get("anyOf", [whole]) if each.get("type") != "null"]
    return dict(options[0]) if options else {}


def _example(command: type[Command]) -> str:
    """From the contract's own example: the required fields, and why where it says no."""
    example, words, form = _read_example(command), list[str](), key_form(command)
    says_no = False in example.values()
    for name, info in command.model_fields.items():
        if name == form.field:
            words.append(f"{name}={form.example}")
        elif name in example and (info.is_required() or (says_no and name == "reason")):
            words.append(f"{name}={_shell(example[name])}")
    return " ".join(words)


def _read_example(command: type[Command]) -> dict[str, Any]:
    from importlib.resources import files

    file = files("duban_contracts") / "examples" / f"{command.type}.json"
    try:
        held = json.loads(file.read_text("utf-8"))
    except OSError:
        return {}
    return held if isinstance(held, dict) else {}


def _shell(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case {"amount": amount, "unit": unit}:
            return f'"{amount} {unit}"'
        case str() if value.isascii() and " " not in value:
            return value
        case str():
            return f'"{value}"'
        case list():
            return _shell(value[0]) if value else '""'
        case _:
            return json.dumps(value, ensure_ascii=False)
