"""The underlying cause of one certificate: SP1–SP8, M1–M4 in order, with flags for what a coder must decide."""

from __future__ import annotations

from mortality.underlying_cause.case import case_of
from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.due_to import CausalTable
from mortality.underlying_cause.flags import INVALID_CODE, NO_CODE, flags_of, unreadable
from mortality.underlying_cause.injuries import m4_injury, main_injury
from mortality.underlying_cause.last_step import m1_earlier_edition, m1_never_underlying, place_of_occurrence
from mortality.underlying_cause.maternal import m4_maternal
from mortality.underlying_cause.modification import modify
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.selection import choose_starting_point
from mortality.underlying_cause.steps import Selection

RULES_KEPT = 8
_RULES: dict[tuple[RuleProfile, int], Rules] = {}
LAST_RULES = (m4_injury, m1_never_underlying, m4_maternal, m1_earlier_edition, place_of_occurrence)


def select_underlying_cause(
    certificate: Certificate, profile: RuleProfile = DEFAULT, *, table: CausalTable | None = None
) -> Selection:
    """The underlying cause of a certificate, with every step.

    profile : which edition and which rules (`PROFILES`)
    table : what may be due to what; WHO §4.2.3 where None (`read_decision_table` for the one of NCHS)

    Never fails for a certificate: where a coder must decide, a flag "reject:…" says why and `code` is the best there is.
    """
    return select(certificate, rules_of(profile, table))


def rules_of(profile: RuleProfile, table: CausalTable | None = None) -> Rules:
    """The rules of a profile with a table; the last ones are kept, since their answers fill as they are used."""
    key = (profile, id(table))
    if key not in _RULES or _RULES[key].given is not table:
        if len(_RULES) >= RULES_KEPT:
            _RULES.clear()
        _RULES[key] = Rules(profile, table)
    return _RULES[key]


def select(certificate: Certificate, rules: Rules) -> Selection:
    """The same with rules at hand."""
    case = case_of(certificate, rules.book, intervals=rules.profile.intervals)
    chosen = choose_starting_point(case, rules)
    if chosen is None:
        return Selection("", (), (NO_CODE, INVALID_CODE) if unreadable(case, rules.book) else (NO_CODE,))
    steps = list(chosen.steps)
    steps += modify(chosen.condition, chosen.case, rules)
    for rule in LAST_RULES:
        step = rule(rules.book[steps[-1].code], case, rules)
        if step is not None:
            steps.append(step)
    injury = main_injury(case) if steps[-1].code[0] in "VWXY" else ""
    return Selection(steps[-1].code, tuple(steps), flags_of(steps, case, rules), injury)
