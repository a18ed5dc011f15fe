"""The starting point looked at again, SP6 to SP8 (WHO ICD-10 Volume 2, 2016, 4.2.1 and 4.2.4).

SP6 takes an obvious cause instead; SP7 and SP8 disregard what cannot stand as the cause and start again with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from mortality.underlying_cause.case import PART2, Case
from mortality.underlying_cause.conditions import YEAR, Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.sequence import sequence_ending_with, starting_point
from mortality.underlying_cause.steps import Step

REPEATS = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tentative underlying cause after SP1–SP8, the case without what was disregarded, and the steps."""

    condition: Condition
    case: Case
    steps: tuple[Step, ...]


def choose_starting_point(case: Case, rules: Rules) -> Chosen | None:
    """SP1–SP8 until nothing changes; None for a case without any condition."""
    steps: list[Step] = []
    while True:
        begun = starting_point(case, rules)
        if begun is None:
            return None
        steps.append(begun)
        for step in sp6_obvious_causes(rules.book[begun.code], case, rules):
            steps.append(step)
        tentative = rules.book[steps[-1].code]
        dropped = disregarded(tentative, case, rules)
        if not dropped:
            return Chosen(tentative, case, tuple(steps))
        step, conditions = dropped
        steps.append(step)
        case = case.without(conditions)


def sp6_obvious_causes(start: Condition, case: Case, rules: Rules) -> list[Step]:
    """SP6, repeated: the steps from the starting point to the last obvious cause."""
    steps: list[Step] = []
    seen = {start}
    while rules.profile.obvious_cause and len(steps) < REPEATS:
        step = sp6_obvious_cause(start, case, rules)
        if step is None or rules.book[step.code] in seen:
            break
        start = rules.book[step.code]
        seen.add(start)
        steps.append(step)
    return steps


def sp6_obvious_cause(start: Condition, case: Case, rules: Rules) -> Step | None:
    """A condition elsewhere on the certificate that obviously led to the starting point, or the start of its own sequence.

    A condition that the certificate reports as due to the starting point is no cause of it, unless the starting point is
    one that ends a train of events (sepsis, lung oedema).
    """
    if not start.obvious_after:
        return None
    at = case.line_of(start)
    surgery = case.certificate.surgery == "yes"
    for cause in case.conditions:
        if cause is start or not rules.obvious(start, cause, surgery=surgery):
            continue
        if case.line_of(cause) < at != PART2 and _follows(cause, start, rules):
            continue
        origin = _origin(cause, start, case, rules)
        fields = {"code": origin.code, "replaced": start.code, "cause": cause.code}
        return Step("SP6", origin.code, ("ucod.sp6.obvious", fields), "SP6:obvious")
    return None


def _follows(cause: Condition, start: Condition, rules: Rules) -> bool:
    if start.terminal:
        return cause.ill_defined or rules.obvious(cause, start)
    return rules.due_to(cause, start)


def _origin(cause: Condition, start: Condition, case: Case, rules: Rules) -> Condition:
    """Where the obvious cause itself is reported as due to something below it, the start of that sequence."""
    at = case.line_of(cause)
    return cause if at == PART2 else sequence_ending_with(cause, at, case, rules, but=start)[-1]


def disregarded(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """What SP7, SP8 or a coding instruction takes off the certificate before starting again."""
    for rule in (sp7_ill_defined, sp8_unlikely, if_cause_known, never_underlying, m4_procedure):
        found = rule(tentative, case, rules)
        if found is not None:
            return found
    return None


def sp7_ill_defined(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """An ill-defined starting point, with a well-defined condition elsewhere: all ill-defined ones are disregarded."""
    if not tentative.ill_defined or all(c.ill_defined for c in case.conditions):
        return None
    dropped = frozenset(c for c in case.conditions if c.ill_defined)
    return Step(
        "SP7", tentative.code, ("ucod.sp7.ill_defined", _dropping(tentative, dropped)), "SP7:ill_defined"
    ), dropped


def sp8_unlikely(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """A condition unlikely to cause death, with another one elsewhere that can."""
    if not _unlikely(tentative, case) or not any(_can_kill(c, case) for c in case.conditions):
        return None
    dropped = frozenset({tentative})
    return Step("SP8", tentative.code, ("ucod.sp8.unlikely", _dropping(tentative, dropped)), "SP8:unlikely"), dropped


def if_cause_known(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """M1, before linkage: a code that is not used where something is known that may have led to it."""
    if not tentative.if_known or not any(_can_kill(c, case) and not c.if_known for c in case.conditions):
        return None
    dropped = frozenset({tentative})
    return Step("M1", tentative.code, ("ucod.m1.if_known", _dropping(tentative, dropped)), "M1:if_known"), dropped


def never_underlying(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """M1, before linkage: a code that is never the underlying cause and that no one code stands for, with another condition.

    Injuries wait for M4, and codes that another code stands for (I22 → I21) for the end.
    """
    if not (_only_accompanies(tentative) and any(_can_kill(c, case) for c in case.conditions)):
        return None
    dropped = frozenset({tentative})
    return Step("M1", tentative.code, ("ucod.m1.never", _dropping(tentative, dropped)), "M1:never"), dropped


def m4_procedure(tentative: Condition, case: Case, rules: Rules) -> tuple[Step, frozenset[Condition]] | None:
    """M4: drugs in treatment, operations and other procedures (Y40–Y84, T80–T88) give way to what was treated.

    What the certificate reports as having obviously followed the procedure goes with it, where something else is left:
    the lines above it, or, for a procedure in Part 2 within four weeks before death, Part 1.
    """
    if not rules.profile.surgery or not _of_treatment(tentative):
        return None
    treated = [c for c in case.conditions if not _of_treatment(c) and (_can_kill(c, case) or c.injury or c.external)]
    if not treated:
        return None
    at = case.line_of(tentative)
    reported = at != PART2 or case.certificate.surgery == "yes"
    followed = {c for c in treated if reported and case.line_of(c) < at and rules.obvious(c, tentative, surgery=True)}
    gone = {c for c in case.conditions if _of_treatment(c)} | (followed if len(followed) < len(treated) else set())
    dropped = frozenset(gone)
    return Step("M4", tentative.code, ("ucod.m4.procedure", _dropping(tentative, dropped)), "M4:procedure"), dropped


def _of_treatment(condition: Condition) -> bool:
    return "Y40" <= condition.category <= "Y84" or "T80" <= condition.category <= "T88"


def _only_accompanies(condition: Condition) -> bool:
    organism = "B95" <= condition.category <= "B98"
    several = condition.never is not None and (condition.never == "" or "-" in condition.never)
    return condition.asterisk or organism or (several and not condition.injury)


def _unlikely(condition: Condition, case: Case) -> bool:
    days = case.certificate.age_days
    return condition.youngest is not None and (days is None or days >= condition.youngest * YEAR)


def _can_kill(condition: Condition, case: Case) -> bool:
    stands = condition.never is None and not condition.asterisk
    return stands and not condition.ill_defined and not _unlikely(condition, case)


def _dropping(tentative: Condition, dropped: frozenset[Condition]) -> dict[str, str]:
    return {"code": tentative.code, "dropped": ", ".join(sorted(c.code for c in dropped))}
