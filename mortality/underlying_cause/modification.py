"""The tentative underlying cause modified, M1 to M3 (WHO ICD-10 Volume 2, 2016, 4.2.1 and 4.2.5).

M1 special instructions and linkages; M2 a more specific code; M3 both again until nothing changes.
"""

from __future__ import annotations

from typing import Any

from mortality.underlying_cause.case import PART2, Case
from mortality.underlying_cause.conditions import YEAR, Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step

ROUNDS = 4


def modify(tentative: Condition, case: Case, rules: Rules) -> list[Step]:
    """M1 and M2, and M3 where they have to be looked at again; the steps that changed something."""
    steps: list[Step] = []
    origin, current = tentative, tentative
    for _ in range(ROUNDS if rules.profile.recheck else 1):
        found = _once(current, origin, case, rules)
        if not found:
            break
        steps.extend(_as_recheck(found) if steps else found)
        current = rules.book[steps[-1].code]
    return steps


def _once(current: Condition, origin: Condition, case: Case, rules: Rules) -> list[Step]:
    steps: list[Step] = []
    for rule in (m1_late_effects, m1_linkage, m2_specificity):
        step = rule(current, origin, case, rules)
        if step is not None and step.code != current.code:
            steps.append(step)
            current = rules.book[step.code]
    return steps


def _as_recheck(steps: list[Step]) -> list[Step]:
    return [Step("M3", step.code, step.evidence, f"M3:{step.detail.partition(':')[2] or step.rule}") for step in steps]


def m1_late_effects(current: Condition, origin: Condition, case: Case, rules: Rules) -> Step | None:
    """The category of sequelae, where the line of the tentative cause says that it lasted a year or more."""
    at = case.line_of(origin)
    if not case.days or not current.sequela or at == PART2 or (case.days[at] or 0) < YEAR:
        return None
    fields = {"code": current.sequela, "tentative": current.code}
    return Step("M1", current.sequela, ("ucod.m1.late_effects", fields), "M1:late_effects")


def m1_linkage(current: Condition, origin: Condition, case: Case, rules: Rules) -> Step | None:
    """The tentative cause with another condition on the certificate becomes a third code, or the other one."""
    if not rules.profile.linkage:
        return None
    if current.category in _HIV:
        return hiv_combination(current, case, rules)
    if current.category in _DIABETES:
        return diabetes_complications(current, origin, case, rules)
    best = None if not current.linked else _first_link(current, origin, case, rules)
    if best is None:
        return None
    _, row, other = best
    code = linked_code(row["result"], current, other)
    return Step("M1", code, ("ucod.m1.linkage", _with(code, current, other)), "M1:linkage")


def _first_link(current: Condition, origin: Condition, case: Case, rules: Rules) -> Any:
    """The linkage with the condition nearest to the tentative cause; for one condition the first row of the list."""
    for other in case.nearest_first(origin):
        if other is current:
            continue
        for rank, row in rules.links(current, other):
            if row["relation"] == "mention" or leads_to(origin, other, case, rules):
                return rank, row, other
    return None


def linked_code(result: str, current: Condition, other: Condition) -> str:
    """The code that a line of `ucod_linkage` makes of the tentative cause and the other condition."""
    if result == "other":
        return other.code
    if result.startswith("self"):
        return current.category + result[4:] if len(result) > 4 else current.code
    return result


def leads_to(origin: Condition, other: Condition, case: Case, rules: Rules) -> bool:
    """Whether the certificate reports the tentative cause as what led to the other: a line above, and an accepted sequence."""
    above, at = case.line_of(other), case.line_of(origin)
    return above != PART2 and above < at and rules.due_to(other, origin)


_HIV = ("B20", "B21", "B22", "B23", "B24")
_DIABETES = ("E10", "E11", "E12", "E13", "E14")


def diabetes_complications(current: Condition, origin: Condition, case: Case, rules: Rules) -> Step | None:
    """E10–E14: the fourth character by the complications reported; more than one kind makes .7."""
    kinds: dict[str, Condition] = {}
    for other in case.conditions:
        row = _complication(current, origin, other, case, rules)
        if row is not None:
            kinds.setdefault(row["result"][4:], other)
    if current.code[4:] not in ("", "9", "8", "7"):
        kinds.setdefault("." + current.code[4], current)
    if not kinds or current.code.endswith(".7"):
        return None
    code = current.category + (next(iter(kinds)) if len(kinds) == 1 else ".7")
    others = ", ".join(other.code for other in kinds.values())
    return Step(
        "M1", code, ("ucod.m1.linkage", {"code": code, "tentative": current.code, "other": others}), "M1:diabetes"
    )


def _complication(current: Condition, origin: Condition, other: Condition, case: Case, rules: Rules) -> Any:
    for _, row in rules.links(current, other):
        if row["relation"] == "mention" or leads_to(origin, other, case, rules):
            return row
    return None


def hiv_combination(current: Condition, case: Case, rules: Rules) -> Step | None:
    """B20–B24: the code for what is reported with HIV; several kinds make B20.7, B21.7 or B22.7."""
    if not rules.profile.hiv_combinations:
        return None
    made = {other.code: other.with_hiv for other in case.conditions}
    codes = {code for code in made.values() if code} | ({current.code} if _is_fine_hiv(current.code) else set())
    codes = {code for code in codes if code[:3] != "B23"} or codes
    code = _joined_hiv(_opportunistic(codes) if rules.profile.nchs else codes)
    if code == "":
        return None
    others = ", ".join(other for other, result in made.items() if result)
    return Step("M1", code, ("ucod.m1.linkage", {"code": code, "tentative": current.code, "other": others}), "M1:hiv")


def _opportunistic(codes: set[str]) -> set[str]:
    """One opportunistic infection outranks sepsis, pneumonia and hepatitis reported with it."""
    named = codes & {"B20.0", "B20.2", "B20.4", "B20.5", "B20.6"}
    return named if len(named) == 1 and codes - named <= {"B20.1", "B20.3", "B20.8"} else codes


def _joined_hiv(codes: set[str]) -> str:
    if len(codes) <= 1:
        return next(iter(codes), "")
    categories = {code[:3] for code in codes}
    return "B22.7" if len(categories) > 1 or "B22" in categories else f"{categories.pop()}.7"


def _is_fine_hiv(code: str) -> bool:
    return code[:3] in ("B20", "B21", "B22") and code[4:] not in ("", "9")


def m2_specificity(current: Condition, origin: Condition, case: Case, rules: Rules) -> Step | None:
    """A condition elsewhere that says more about the same disease: by the code list, or a finer code of the same category."""
    unspecified = current.code[4:] in ("", "9") and not current.external
    if not rules.profile.specificity or not (current.vague or unspecified):
        return None
    for other in case.conditions:
        if other is not current and (rules.says_more(current, other) or (unspecified and _finer(current, other))):
            return Step("M2", other.code, ("ucod.m2.specificity", _with(other.code, current, other)), "M2:specificity")
    return None


def _finer(current: Condition, other: Condition) -> bool:
    return other.category == current.category and other.code[4:] not in ("", "9")


def _with(code: str, current: Condition, other: Condition) -> dict[str, str]:
    return {"code": code, "tentative": current.code, "other": other.code}
