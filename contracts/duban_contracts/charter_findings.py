"""What can be wrong with a charter, and what it may leave open: by code, with the sentence in English.

A finding carries its code and its parameters; the sentence is made where it is shown, so that the console can
say it in the operator's language. Codes are read by programs and are never renamed.
"""

from collections.abc import Callable, Mapping

Value = str | int
Params = Mapping[str, Value]

PROBLEMS: Mapping[str, str] = {
    # names that must exist
    "unknown_station": "unknown station {token!r}",
    "unknown_superior": "unknown superior {token!r}",
    "unknown_procedure": "unknown procedure {token!r}",
    "unknown_village": "unknown village {token!r}",
    # who decides
    "own_superior": "station {station!r} cannot be its own superior; name the body above it",
    "superior_missing": "{actor!r} decides and is station {station!r}; name the station's superior",
    "token_taken": "{token!r} is a station already, and so an actor; choose another token",
    "token_reserved": "{token!r} is the name of one of the system's programs; choose another token",
    "role_without_actor": (
        "nobody has the role '{role}', so this cannot happen; add an actor or another role"
    ),
    "role_not_admitted": (
        "the role '{role}' may not send {command}, so it could never decide this; use one of: {admitted}"
    ),
    "actor_without_station": "an actor with the role 'station' must name its station",
    # what stands twice, or where it does not belong
    "repeated_problem": "problem {id!r} stands twice; give each its own id",
    "repeated_group": "measure group {id!r} stands twice; give each its own id",
    "repeated_measure": "measure {id!r} stands twice; give each its own id",
    "repeated_stage": "two stages have the same id {id!r}",
    "repeated_milestone": "two milestones have the same id {id!r}",
    "repeated_key": "key {key!r} stands twice, first at line {first}; remove one",
    "leads_already": "{station!r} leads this category already; leave it out here",
    "not_of_the_problem": (
        "the problem does not name station {station!r}; add it there or leave it out here"
    ),
    "ground_of_two_rungs": "ground '{ground}' leads to the rung {rung!r} already; name it at one rung only",
    # order and consistency
    "unknown_zone": "unknown time zone {name!r}; use a name like Asia/Shanghai",
    "campaign_ends_first": "the campaign ends on {ends}, before it starts on {starts}",
    "time_in_quotes": "write the time in quotes, like '{example}', not {given}",
    "shift_ends_first": "a shift must end after it starts, not {start} to {end}",
    "shifts_overlap": "the shift from {start} begins before the one until {end} ends",
    "working_and_off": "{days} cannot be working and off at once",
    "milestone_worth_less": "milestone {later!r} must be worth more than {earlier!r} before it",
    "milestone_due_first": "milestone {later!r} is due before {earlier!r}",
    "milestones_incomplete": "the last milestone is the end of the measure: write percent: 100",
    "notice_beyond_limit": (
        "stage {stage!r} may not end before its notice of {days} days; "
        "give it a limit of at least {least} days"
    ),
    "unknown_stage": "upheld_back_to names no stage: {stage!r}; use one of {stages}",
    "no_approval": "no stage decides the application; write approval: true at the one that does",
    # texts
    "text_blank": "write at least one visible character, or leave the field out",
    "text_too_long": "write at most {most} characters, not {given}",
    "text_control": "remove the character {character}",
    # types
    "missing": "the field {field!r} is missing; add it",
    "extra_forbidden": "unknown field {field!r}",
    "string_type": "must be text; put {given} in quotes",
    "string_pattern_mismatch": "{given} is no token; use 1 to 40 ASCII letters, digits, '-' and '_'",
    "string_too_short": "must have at least {min_length} character(s), not {given}",
    "string_too_long": "must have at most {max_length} characters, not {given}",
    "unknown_value": "unknown value {given}; use {expected}",
    "no_mapping": "must be a mapping of fields, not {given}",
    "no_list": "must be a list, not {given}",
    "too_short": "must hold at least {min_length} item(s), not {given}",
    "too_long": "must hold at most {max_length} items, not {given}",
    "no_integer": "must be a whole number (an integer), not {given}",
    "no_boolean": "must be true or false, not {given}",
    "no_date": "must be a day of the calendar like 2024-04-15, not {given}",
    "no_time": "must be a time of day in quotes, like '18:00', not {given}",
    "greater_than_equal": "must be greater than or equal to {ge}, not {given}",
    "less_than_equal": "must be less than or equal to {le}, not {given}",
    "invalid": "{problem}",
    # the file itself
    "not_yaml": "not readable as YAML: {problem}",
    "not_utf8": "not UTF-8 text; save the file as UTF-8",
    "no_fields": "a charter is a mapping of fields; this file holds none",
    "too_deep": "nested too deeply to be a charter",
    "too_large": "a charter has at most {most} bytes, this file has {size}",
    "too_many_values": (
        "with every alias written out this file holds more than {most} values; write fewer aliases"
    ),
    "alias_in_itself": "an alias stands inside its own anchor",
}

GAPS: Mapping[str, str] = {
    "problem_without_leader": "problem {problem!r} has no responsible leader (责任领导)",
    "station_without_leader": "station {station!r} has no leader in charge (分管领导)",
    "measure_without_date": "measure {measure!r} has no due date, so it cannot lag",
    "station_without_measure": "station {station!r} has no measure of problem {problem!r}",
    "station_without_category": "no category leads to station {station!r}",
    "kind_without_limit": (
        "no time limit for '{kind}' ({categories} categories): due only if the feed says when"
    ),
    "no_campaign": "no campaign: nothing climbs this ladder",
    "ground_without_rung": "ground '{ground}' leads to no rung",
    "no_recipient": "no actor has the role 'discipline' to receipt a transfer",
    "superior_cannot_decide": (
        "the superior {superior!r} may not decide a step; the principal leaders decide instead"
    ),
    "default_in_force": "{section!r} is not written here; the defaults are in force",
}

HINTS: Mapping[str, str] = {
    "near": "; did you mean {near!r}?",
    "known": "; known here: {known}",
}
"""What follows the sentence where the parameter is given."""


def sentence(code: str, params: Params, translated: Callable[[str], str] = str) -> str:
    """The finding in words; `translated` puts a template into another language.

    A code that is not known here says its `problem` as it is.
    """
    template = PROBLEMS.get(code) or GAPS.get(code) or PROBLEMS["invalid"]
    hints = (translated(hint).format(**params) for name, hint in HINTS.items() if name in params)
    return translated(template).format(**params) + "".join(hints)
