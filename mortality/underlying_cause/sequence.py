"""The starting point, SP1 to SP5: which condition, by the order in which they were written, began the train of events.

Each rule answers a step, or None where it does not apply; WHO ICD-10 Volume 2 (2016), 4.2.1.
"""

from __future__ import annotations

from mortality.underlying_cause.case import LINE_NAMES, Case
from mortality.underlying_cause.conditions import Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step


def starting_point(case: Case, rules: Rules) -> Step | None:
    """The first of SP1 … SP5 that applies; None for a case without any condition."""
    for rule in (sp1_single_cause, sp2_only_line, sp3_explains_all_above, sp4_first_sequence, sp5_no_sequence):
        step = rule(case, rules)
        if step is not None:
            return step
    return None


def sp1_single_cause(case: Case, rules: Rules) -> Step | None:
    """One condition on the whole certificate, in Part 1 or Part 2."""
    found = case.conditions
    if len(found) != 1:
        return None
    return Step("SP1", found[0].code, ("ucod.sp1.single", {"code": found[0].code}))


def sp2_only_line(case: Case, rules: Rules) -> Step | None:
    """One used line: its first condition. Where Part 1 is empty, Part 2 stands for the line."""
    if not case.lines:
        return _first_of_part2(case)
    if len(case.lines) != 1:
        return None
    number, line = case.lines[0]
    return Step("SP2", line[0].code, ("ucod.sp2.only_line", {"code": line[0].code, "line": LINE_NAMES[number]}))


def sp3_explains_all_above(case: Case, rules: Rules) -> Step | None:
    """The first condition on the lowest used line, where it can have led to every condition above it."""
    if len(case.lines) < 2:
        return None
    number, lowest = case.lines[-1]
    for at, line in case.lines[:-1]:
        if not all(can_follow(effect, at, lowest[0], number, case, rules) for effect in line):
            return None
    above = ", ".join(c.code for _, line in case.lines[:-1] for c in line)
    fields = {"code": lowest[0].code, "line": LINE_NAMES[number], "above": above}
    return Step("SP3", lowest[0].code, ("ucod.sp3.explains_above", fields))


def sp4_first_sequence(case: Case, rules: Rules) -> Step | None:
    """The start of the first-mentioned sequence that ends with the terminal condition (first on the top line)."""
    if len(case.lines) < 2:
        return None
    top, line = case.lines[0]
    chain = sequence_ending_with(line[0], top, case, rules)
    if len(chain) < 2:
        return None
    fields = {"code": chain[-1].code, "terminal": chain[0].code, "chain": " ← ".join(c.code for c in chain)}
    return Step("SP4", chain[-1].code, ("ucod.sp4.sequence", fields))


def sp5_no_sequence(case: Case, rules: Rules) -> Step | None:
    """No sequence: the terminal condition itself."""
    if not case.lines:
        return None
    terminal = case.lines[0][1][0]
    return Step("SP5", terminal.code, ("ucod.sp5.no_sequence", {"code": terminal.code}))


def sequence_ending_with(
    last: Condition, at: int, case: Case, rules: Rules, *, but: Condition | None = None
) -> list[Condition]:
    """From the last event on line `at` downwards: on each next used line the first condition that can have led to it.

    but : a condition that may not stand in the sequence
    """
    chain = [last]
    for number, line in case.lines:
        if number <= at or (len(line) == 1 and line[0] is but):
            continue
        cause = next((c for c in line if c is not but and can_follow(chain[-1], at, c, number, case, rules)), None)
        if cause is None:
            break
        chain.append(cause)
        at = number
    return chain


def can_follow(effect: Condition, at: int, cause: Condition, cause_at: int, case: Case, rules: Rules) -> bool:
    """Whether a sequence "effect due to cause" is accepted, by the codes and by the intervals of their lines."""
    return rules.due_to(effect, cause) and not case.began_before(at, cause_at)


def _first_of_part2(case: Case) -> Step | None:
    if not case.part2:
        return None
    code = case.part2[0].code
    return Step("SP2", code, ("ucod.sp2.part2", {"code": code}), "SP2:part2")
