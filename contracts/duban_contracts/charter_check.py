"""What the shape of a charter cannot say: names that must exist, rungs that must be reachable, gaps.

A problem makes a charter unusable; a gap is something that the town has left open.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from duban_contracts.charter import Charter, Ground, MeasureGroup, Problem, Role

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Remark:
    """A problem or a gap, at the path of keys and list positions that it is about."""

    path: Path
    message: str


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
    known = sorted(known)
    if near := get_close_matches(str(word), known, 1):
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(known)}" if 0 < len(known) <= 12 else ""


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


def _unknown(document: object, pattern: str, known: set[str], what: str) -> Iterator[Remark]:
    tokens = {name: str(path[1]) for path, name in _texts(document, "stations.*.name")}
    for path, token in _texts(document, pattern):
        if token not in known:
            hint = f"; did you mean {tokens[token]!r}?" if token in tokens else closest(token, known)
            yield Remark(path, f"unknown {what} {token!r}{hint}")


def _unknown_procedures(document: object) -> Iterator[Remark]:
    yield from _unknown(document, "categories.*.procedure", _keys(document, "procedures"), "procedure")


def _unknown_villages(document: object) -> Iterator[Remark]:
    pattern = "plan.problems.*.groups.*.measures.*.shape.villages.*"
    yield from _unknown(document, pattern, _keys(document, "villages"), "village")


def _own_superiors(document: object) -> Iterator[Remark]:
    stations = {path[1]: station for path, station in _texts(document, "actors.*.station")}
    for path, superior in _texts(document, "stations.*.superior"):
        if path[1] in (superior, stations.get(superior)):
            yield Remark(path, f"station {path[1]!r} cannot be its own superior; name the body above it")


def _judges_without_superior(document: object) -> Iterator[Remark]:
    """Who decides about others must not decide its own case."""
    above = {path[1] for path, superior in _texts(document, "stations.*.superior") if superior}
    for path, station in _texts(document, "actors.*.station"):
        role = next((role for _, role in _texts(document, f"actors.{path[1]}.role")), None)
        known = station in _keys(document, "stations")
        if known and station not in above and role in (Role.OFFICE, Role.LEADER, Role.DISCIPLINE):
            where = ("stations", station)
            yield Remark(
                where, f"{path[1]!r} decides and is station {station!r}; name the station's superior"
            )


def _shared_tokens(document: object) -> Iterator[Remark]:
    for token in sorted(_keys(document, "stations") & _keys(document, "actors")):
        yield Remark(
            ("actors", token), f"{token!r} is a station already, and so an actor; choose another token"
        )


REPEATED = (
    ("plan.problems.*.id", "problem"),
    ("plan.problems.*.groups.*.id", "measure group"),
    ("plan.problems.*.groups.*.measures.*.id", "measure"),
)


def _repeated_ids(document: object) -> Iterator[Remark]:
    for pattern, what in REPEATED:
        seen: set[str] = set()
        for path, value in _texts(document, pattern):
            if value in seen:
                yield Remark(path, f"{what} {value!r} stands twice; give each its own id")
            seen.add(value)


def _co_handling_leads(document: object) -> Iterator[Remark]:
    leads = {path[1]: lead for path, lead in _texts(document, "categories.*.lead")}
    for path, station in _texts(document, "categories.*.co_handlers.*"):
        if station == leads.get(path[1]):
            yield Remark(path, f"{station!r} leads this category already; leave it out here")


def _strangers_to_their_problem(document: object) -> Iterator[Remark]:
    known = _keys(document, "stations")
    for path, station in _texts(document, "plan.problems.*.groups.*.measures.*.stations.*"):
        named = {value for at, value in _texts(document, "plan.problems.*.stations.*") if at[2] == path[2]}
        if station in known and station not in named:
            yield Remark(
                path, f"the problem does not name station {station!r}; add it there or leave it out here"
            )


ROLE_REFERENCES = ("ladder.*.decided_by.*", "matters.verify_roles.*", "procedures.*.stages.*.by.*")


def _roles_without_actor(document: object) -> Iterator[Remark]:
    held = {str(role) for _, role in _texts(document, "actors.*.role")} | {Role.STATION.value}
    for path, role in chain.from_iterable(_texts(document, pattern) for pattern in ROLE_REFERENCES):
        if role in set(Role) and role not in held:
            yield Remark(
                path, f"nobody has the role '{role}', so this cannot happen; add an actor or another role"
            )


def _grounds_of_two_rungs(document: object) -> Iterator[Remark]:
    first: dict[str, str | int] = {}
    for path, ground in _texts(document, "ladder.*.grounds.*"):
        rung = first.setdefault(ground, path[1])
        if rung != path[1]:
            yield Remark(
                path, f"ground '{ground}' leads to the rung {rung!r} already; name it at one rung only"
            )


CHECKS: tuple[Callable[[object], Iterator[Remark]], ...] = (
    _unknown_stations,
    _unknown_superiors,
    _unknown_procedures,
    _unknown_villages,
    _own_superiors,
    _judges_without_superior,
    _shared_tokens,
    _repeated_ids,
    _co_handling_leads,
    _strangers_to_their_problem,
    _roles_without_actor,
    _grounds_of_two_rungs,
)


def _leaderless(charter: Charter) -> Iterator[Remark]:
    for at, problem in _problems_of(charter):
        if not problem.leader:
            yield Remark(at, f"problem {problem.id!r} has no responsible leader (责任领导)")
    for token, station in charter.stations.items():
        if not station.leader:
            yield Remark(("stations", token), f"station {token!r} has no leader in charge (分管领导)")


def _undated(charter: Charter) -> Iterator[Remark]:
    for at, group in _groups_of(charter):
        for place, measure in enumerate(group.measures):
            if measure.due is None:
                yield Remark(
                    (*at, "measures", place), f"measure {measure.id!r} has no due date, so it cannot lag"
                )


def _unassigned(charter: Charter) -> Iterator[Remark]:
    for at, problem in _problems_of(charter):
        busy = {token for group in problem.groups for measure in group.measures for token in measure.stations}
        for place, token in enumerate(problem.stations):
            if token not in busy:
                yield Remark(
                    (*at, "stations", place), f"station {token!r} has no measure of problem {problem.id!r}"
                )


def _unreached(charter: Charter) -> Iterator[Remark]:
    categories = charter.categories.values()
    reached = set(chain.from_iterable((each.lead, *each.co_handlers) for each in categories))
    for token in charter.stations:
        if token not in reached:
            yield Remark(("stations", token), f"no category leads to station {token!r}")


def _unlimited(charter: Charter) -> Iterator[Remark]:
    open_ended = Counter(each.kind for each in charter.categories.values() if each.limit is None)
    for kind, categories in open_ended.items():
        if kind not in charter.matters.limits:
            message = f"no time limit for '{kind}' ({categories} categories): due only if the feed says when"
            yield Remark(("matters", "limits"), message)


def _idle(charter: Charter) -> Iterator[Remark]:
    if charter.campaign is None:
        yield Remark(("ladder",), "no campaign: nothing climbs this ladder")
    rungs = charter.ladder
    used = {*rungs.order.grounds, *rungs.circular.grounds, *rungs.discipline.grounds}
    for ground in Ground:
        if ground not in used:
            yield Remark(("ladder",), f"ground '{ground}' leads to no rung")
    if all(actor.role is not Role.DISCIPLINE for actor in charter.actors.values()):
        yield Remark(("ladder", "discipline"), "no actor has the role 'discipline' to receipt a transfer")


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
)
