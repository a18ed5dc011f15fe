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
    above = [condition for _, line in case.lines[:-1] for condition in line]
    if not all(rules.due_to(effect, lowest[0]) for effect in above):
        return None
    fields = {"code": lowest[0].code, "line": LINE_NAMES[number], "above": ", ".join(c.code for c in above)}
    return Step("SP3", lowest[0].code, ("ucod.sp3.explains_above", fields))


def sp4_first_sequence(case: Case, rules: Rules) -> Step | None:
    """The start of the first-mentioned sequence that ends with the terminal condition (first on the top line)."""
    if len(case.lines) < 2:
        return None
    chain = sequence_ending_with(case.lines[0][1][0], [line for _, line in case.lines[1:]], rules)
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


def sequence_ending_with(last: Condition, below: list[tuple[Condition, ...]], rules: Rules) -> list[Condition]:
    """From the last event downwards: on each next line the first condition that can have led to the one before."""
    chain = [last]
    for line in below:
        cause = next((condition for condition in line if rules.due_to(chain[-1], condition)), None)
        if cause is None:
            break
        chain.append(cause)
    return chain


def _first_of_part2(case: Case) -> Step | None:
    if not case.part2:
        return None
    code = case.part2[0].code
    return Step("SP2", code, ("ucod.sp2.part2", {"code": code}), "SP2:part2")
