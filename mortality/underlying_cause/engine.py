"""The underlying cause of one certificate: SP1–SP8, M1–M4 in order, with flags for what a coder must decide."""

from __future__ import annotations

from functools import lru_cache

from mortality.underlying_cause.case import Case, case_of
from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.due_to import CausalTable
from mortality.underlying_cause.injuries import m4_injury, main_injury
from mortality.underlying_cause.modification import modify
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.selection import choose_starting_point
from mortality.underlying_cause.steps import Selection, Step

NO_CODE = "reject:no_code"


def select_underlying_cause(
    certificate: Certificate, profile: RuleProfile = DEFAULT, *, table: CausalTable | None = None
) -> Selection:
    """The underlying cause of a certificate, with every step.

    profile : which edition and which rules (`PROFILES`)
    table : what may be due to what; WHO §4.2.3 where None (`read_decision_table` for the one of NCHS)

    Never fails for a certificate: where a coder must decide, a flag "reject:…" says why and `code` is the best there is.
    """
    return select(certificate, rules_of(profile, table))


@lru_cache(maxsize=8)
def rules_of(profile: RuleProfile, table: CausalTable | None = None) -> Rules:
    """The rules of a profile with a table; kept, since their pair tables fill as they are used."""
    return Rules(profile, table)


def select(certificate: Certificate, rules: Rules) -> Selection:
    """The same with rules at hand."""
    case = case_of(certificate, rules.book)
    chosen = choose_starting_point(case, rules)
    if chosen is None:
        return Selection("", (), (NO_CODE,))
    steps = list(chosen.steps)
    steps += modify(chosen.condition, chosen.case, rules)
    steps += _m4(steps, case, rules)
    return _selection(steps, case, rules)


def _m4(steps: list[Step], case: Case, rules: Rules) -> list[Step]:
    step = m4_injury(rules.book[steps[-1].code], case, rules)
    return [] if step is None else [step]


def _selection(steps: list[Step], case: Case, rules: Rules) -> Selection:
    code = steps[-1].code
    injury = main_injury(case) if rules.book[code].external else ""
    return Selection(code, tuple(steps), (), injury)
