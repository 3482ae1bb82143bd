"""What the shape of a charter cannot say: names that must exist, rungs that must be reachable, gaps.

A problem makes a charter unusable; a gap is something that the town has left open.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from duban_contracts.applications import CompleteStage
from duban_contracts.charter import Charter, Ground, MeasureGroup, Problem, Role
from duban_contracts.charter_findings import Params, Value, sentence
from duban_contracts.escalation import ApproveStep, DeclineStep
from duban_contracts.fields import MAX_TEXT, has_visible, unfit_for_text
from duban_contracts.handling import Adjudicate, DecideExtension, Hold
from duban_contracts.ledger import Verify
from duban_contracts.message import SERVICES, Command
from duban_contracts.readers import Program

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Remark:
    """A problem or a gap, at the path of keys and list positions that it is about."""

    path: Path
    code: str
    params: tuple[tuple[str, Value], ...] = ()

    @property
    def message(self) -> str:
        """In English; `charter_findings.sentence` makes it in another language."""
        return sentence(self.code, dict(self.params))


def remark(path: Path, code: str, **params: Value) -> Remark:
    return Remark(path, code, tuple(params.items()))


def problems(charter: Charter | Mapping[str, object]) -> list[Remark]:
    """Every contradiction inside the charter; none means that it may be published.

    A mapping that is not a valid charter yet is checked as far as its shape allows, so that one run can
    tell wrong types and wrong names together.
    """
    document = charter.model_dump() if isinstance(charter, Charter) else charter
    return list(chain.from_iterable(check(document) for check in CHECKS))


def gaps(charter: Charter) -> list[Remark]:
    """Everything that the charter may leave open, but that somebody should know of."""
    return list(chain.from_iterable(check(charter) for check in GAP_CHECKS))


def closest(word: object, known: Iterable[str]) -> str:
    """A hint to follow a complaint about `word`: the nearest known word, or all of them if they are few."""
    return sentence("invalid", {"problem": ""} | dict(hint(word, known)))


def hint(word: object, known: Iterable[str]) -> Params:
    """The parameters of that hint; none where nothing is near and too much is known."""
    known = sorted(known)
    if near := get_close_matches(str(word), known, 1):
        return {"near": near[0]}
    return {"known": ", ".join(known)} if 0 < len(known) <= 12 else {}


def _children(node: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(node, Mapping):
        return node.items()
    return enumerate(node) if isinstance(node, list | tuple) else ()


def _find(node: object, pattern: str) -> Iterator[tuple[Path, object]]:
    """Every value at a path like `plan.problems.*.stations`, whatever the rest of the document holds."""
    head, _, rest = pattern.partition(".")
    for step, child in _children(node):
        if head in ("*", step):
            below = _find(child, rest) if rest else [((), child)]
            yield from (((step, *path), value) for path, value in below)


def _texts(node: object, pattern: str) -> Iterator[tuple[Path, str]]:
    """The texts among them; anything else in their place is told by the model."""
    return ((path, value) for path, value in _find(node, pattern) if isinstance(value, str))


def _keys(document: object, name: str) -> set[str]:
    return {str(path[-1]) for path, _ in _find(document, f"{name}.*")}


STATION_REFERENCES = (
    "actors.*.station",
    "categories.*.lead",
    "categories.*.co_handlers.*",
    "campaign.stations.*",
    "plan.problems.*.stations.*",
    "plan.problems.*.groups.*.measures.*.stations.*",
)


def _unknown_stations(document: object) -> Iterator[Remark]:
    known = _keys(document, "stations")
    for pattern in STATION_REFERENCES:
        yield from _unknown(document, pattern, known, "station")


def _unknown_superiors(document: object) -> Iterator[Remark]:
    known = _keys(document, "stations") | _keys(document, "actors")
    yield from _unknown(document, "stations.*.superior", known, "superior")


MOST_HINTS = 50
"""Of one kind: a hint takes a while, and who has so many wrong names has another mistake."""


def _unknown(document: object, pattern: str, known: set[str], what: str) -> Iterator[Remark]:
    tokens = {name: str(path[1]) for path, name in _texts(document, "stations.*.name")}
    hinted = dict[str, Params]()
    for path, token in _texts(document, pattern):
        if token not in known:
            if token not in hinted and len(hinted) < MOST_HINTS:
                hinted[token] = {"near": tokens[token]} if token in tokens else hint(token, known)
            meant = hinted.get(token, {})
            yield remark(path, f"unknown_{what}", token=token, **meant)


def _unknown_procedures(document: object) -> Iterator[Remark]:
    yield from _unknown(document, "categories.*.procedure", _keys(document, "procedures"), "procedure")


def _unknown_villages(document: object) -> Iterator[Remark]:
    pattern = "plan.problems.*.groups.*.measures.*.shape.villages.*"
    yield from _unknown(document, pattern, _keys(document, "villages"), "village")


def _own_superiors(document: object) -> Iterator[Remark]:
    stations = {path[1]: station for path, station in _texts(document, "actors.*.station")}
    for path, superior in _texts(document, "stations.*.superior"):
        if path[1] in (superior, stations.get(superior)):
            yield remark(path, "own_superior", station=path[1])


def _judges_without_superior(document: object) -> Iterator[Remark]:
    """Who decides about others must not decide its own case."""
    above = {path[1] for path, superior in _texts(document, "stations.*.superior") if superior}
    stations = _keys(document, "stations")
    roles = {path[1]: role for path, role in _texts(document, "actors.*.role")}
    for path, station in _texts(document, "actors.*.station"):
        known, role = station in stations, roles.get(path[1])
        if known and station not in above and role in (Role.OFFICE, Role.LEADER, Role.DISCIPLINE):
            yield remark(("stations", station), "superior_missing", actor=path[1], station=station)


def _shared_tokens(document: object) -> Iterator[Remark]:
    for token in sorted(_keys(document, "stations") & _keys(document, "actors")):
        yield remark(("actors", token), "token_taken", token=token)


RESERVED = frozenset({*SERVICES, *(each.value for each in Program), "provision"})
"""Names of programs, each with a credential of its own: of a station it would be the same one."""


def _reserved_names(document: object) -> Iterator[Remark]:
    for section in ("stations", "actors"):
        for token in sorted(_keys(document, section) & RESERVED):
            yield remark((section, token), "token_reserved", token=token)


REPEATED = (
    ("plan.problems.*.id", "problem"),
    ("plan.problems.*.groups.*.id", "group"),
    ("plan.problems.*.groups.*.measures.*.id", "measure"),
)


def _repeated_ids(document: object) -> Iterator[Remark]:
    for pattern, what in REPEATED:
        seen: set[str] = set()
        for path, value in _texts(document, pattern):
            if value in seen:
                yield remark(path, f"repeated_{what}", id=value)
            seen.add(value)


def _co_handling_leads(document: object) -> Iterator[Remark]:
    leads = {path[1]: lead for path, lead in _texts(document, "categories.*.lead")}
    for path, station in _texts(document, "categories.*.co_handlers.*"):
        if station == leads.get(path[1]):
            yield remark(path, "leads_already", station=station)


def _strangers_to_their_problem(document: object) -> Iterator[Remark]:
    known = _keys(document, "stations")
    named = {(at[2], value) for at, value in _texts(document, "plan.problems.*.stations.*")}
    for path, station in _texts(document, "plan.problems.*.groups.*.measures.*.stations.*"):
        if station in known and (path[2], station) not in named:
            yield remark(path, "not_of_the_problem", station=station)


ROLE_REFERENCES: Mapping[str, tuple[type[Command], ...]] = {
    "matters.verify_roles.*": (Verify,),
    "matters.handover.adjudicated_by.*": (Adjudicate,),
    "matters.extension.decided_by.*": (DecideExtension,),
    "matters.hold.by.*": (Hold,),
    "procedures.*.stages.*.by.*": (CompleteStage,),
    "ladder.circular.decided_by.*": (ApproveStep, DeclineStep),
    "ladder.leaders.decided_by.*": (ApproveStep, DeclineStep),
    "ladder.discipline.decided_by.*": (ApproveStep, DeclineStep),
}
"""Every place of a charter that names roles, with the commands that carry what those roles decide. A role
that such a command does not admit would be promised a decision that is refused whenever it is taken."""


def _role_references(document: object) -> Iterator[tuple[Path, str, tuple[type[Command], ...]]]:
    for pattern, commands in ROLE_REFERENCES.items():
        for path, role in _texts(document, pattern):
            if role in set(Role):
                yield path, str(Role(role)), commands


def _roles_not_admitted(document: object) -> Iterator[Remark]:
    for path, role, commands in _role_references(document):
        for command in commands:
            if role not in command.by:
                admitted = ", ".join(sorted(command.by))
                yield remark(
                    path, "role_not_admitted", role=role, command=command.message_name, admitted=admitted
                )
                break


def _roles_without_actor(document: object) -> Iterator[Remark]:
    """Where the station itself may, it can happen without the others."""
    held = {str(role) for _, role in _texts(document, "actors.*.role")}
    references = list(_role_references(document))
    by_station = {path[:-1] for path, role, _ in references if role == Role.STATION}
    for path, role, commands in references:
        admitted = all(role in command.by for command in commands)
        if admitted and role not in held and path[:-1] not in by_station:
            yield remark(path, "role_without_actor", role=role)


def _grounds_of_two_rungs(document: object) -> Iterator[Remark]:
    first: dict[str, str | int] = {}
    for path, ground in _texts(document, "ladder.*.grounds.*"):
        rung = first.setdefault(ground, path[1])
        if rung != path[1]:
            yield remark(path, "ground_of_two_rungs", ground=ground, rung=rung)


MAY_BE_EMPTY = frozenset({"name_en", "leader", "linked_leader"})
"""Empty is the same as left out: for these the model has always taken it so."""


def _unreadable_texts(document: object, path: Path = ()) -> Iterator[Remark]:
    """Every text of a charter is shown to somebody: at the screen, in a circular, in a report.

    The model itself takes them, so that a charter that is published already stays readable.
    """
    for step, child in _children(document):
        at = (*path, step)
        if not isinstance(child, str):
            yield from _unreadable_texts(child, at)
        elif len(child) > MAX_TEXT:
            yield remark(at, "text_too_long", most=MAX_TEXT, given=len(child))
        elif unfit := unfit_for_text(child):
            yield remark(at, "text_control", character=unfit)
        elif not has_visible(child) and not (child == "" and at[-1] in MAY_BE_EMPTY):
            yield remark(at, "text_blank")


CHECKS: tuple[Callable[[object], Iterator[Remark]], ...] = (
    _unreadable_texts,
    _unknown_stations,
    _unknown_superiors,
    _unknown_procedures,
    _unknown_villages,
    _own_superiors,
    _judges_without_superior,
    _shared_tokens,
    _reserved_names,
    _repeated_ids,
    _co_handling_leads,
    _strangers_to_their_problem,
    _roles_not_admitted,
    _roles_without_actor,
    _grounds_of_two_rungs,
)


def _leaderless(charter: Charter) -> Iterator[Remark]:
    for at, problem in _problems_of(charter):
        if not problem.leader:
            yield remark(at, "problem_without_leader", problem=problem.id)
    for token, station in charter.stations.items():
        if not station.leader:
            yield remark(("stations", token), "station_without_leader", station=token)


def _undated(charter: Charter) -> Iterator[Remark]:
    for at, group in _groups_of(charter):
        for place, measure in enumerate(group.measures):
            if measure.due is None:
                yield remark((*at, "measures", place), "measure_without_date", measure=measure.id)


def _unassigned(charter: Charter) -> Iterator[Remark]:
    for at, problem in _problems_of(charter):
        busy = {token for group in problem.groups for measure in group.measures for token in measure.stations}
        for place, token in enumerate(problem.stations):
            if token not in busy:
                where = (*at, "stations", place)
                yield remark(where, "station_without_measure", station=token, problem=problem.id)


def _unreached(charter: Charter) -> Iterator[Remark]:
    categories = charter.categories.values()
    reached = set(chain.from_iterable((each.lead, *each.co_handlers) for each in categories))
    for token in charter.stations:
        if token not in reached:
            yield remark(("stations", token), "station_without_category", station=token)


def _unlimited(charter: Charter) -> Iterator[Remark]:
    open_ended = Counter(each.kind for each in charter.categories.values() if each.limit is None)
    for kind, categories in open_ended.items():
        if kind not in charter.matters.limits:
            where = ("matters", "limits")
            yield remark(where, "kind_without_limit", kind=kind.value, categories=categories)


def _idle(charter: Charter) -> Iterator[Remark]:
    if charter.campaign is None:
        yield remark(("ladder",), "no_campaign")
    rungs = charter.ladder
    used = {*rungs.order.grounds, *rungs.circular.grounds, *rungs.discipline.grounds}
    for ground in Ground:
        if ground not in used:
            yield remark(("ladder",), "ground_without_rung", ground=ground.value)
    if all(actor.role is not Role.DISCIPLINE for actor in charter.actors.values()):
        yield remark(("ladder", "discipline"), "no_recipient")


def _superiors_who_cannot_decide(charter: Charter) -> Iterator[Remark]:
    for token, station in charter.stations.items():
        above = charter.actor(station.superior) if station.superior else None
        if above is not None and above.role not in ApproveStep.by:
            where = ("stations", token, "superior")
            yield remark(where, "superior_cannot_decide", superior=station.superior or "")


DEFAULT_SECTIONS = ("actors", "matters", "rating", "ladder", "calendar", "hours")


def _defaults_in_force(charter: Charter) -> Iterator[Remark]:
    """What the town has not decided itself. A published charter holds every section, so it has none."""
    for section in DEFAULT_SECTIONS:
        if section not in charter.model_fields_set:
            yield remark((), "default_in_force", section=section)


def _problems_of(charter: Charter) -> Iterator[tuple[Path, Problem]]:
    for place, problem in enumerate(charter.plan.problems if charter.plan else ()):
        yield ("plan", "problems", place), problem


def _groups_of(charter: Charter) -> Iterator[tuple[Path, MeasureGroup]]:
    for at, problem in _problems_of(charter):
        yield from (((*at, "groups", place), group) for place, group in enumerate(problem.groups))


GAP_CHECKS: tuple[Callable[[Charter], Iterator[Remark]], ...] = (
    _leaderless,
    _undated,
    _unassigned,
    _unreached,
    _unlimited,
    _idle,
    _superiors_who_cannot_decide,
    _defaults_in_force,
)
