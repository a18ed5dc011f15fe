"""The last look at a code: what stands for a code that is never the underlying cause, or for one of an earlier edition."""

from __future__ import annotations

from mortality.icd import is_valid_code, replace_legacy
from mortality.underlying_cause.case import Case
from mortality.underlying_cause.conditions import Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step

_UNKNOWN_CAUSE = {"R95-R99": "R99"}  # R69, illness without a name: WHO leads to the block, which ends in "unspecified"
# Of several codes that stand for one (F10.0: X45, X65, X85, Y15), the one of the manner of death.
_PLACE = {"suicide": 1, "homicide": 2, "assault": 2, "undetermined": 3}


def m1_never_underlying(tentative: Condition, case: Case, rules: Rules) -> Step | None:
    """A code that is never the underlying cause gives way to the one that stands for it, where there is one."""
    if not rules.profile.replace_never or not tentative.never or tentative.injury:
        return None
    code = _standing_for(tentative.never, case.certificate.manner)
    if not code:
        return None
    return Step("M1", code, ("ucod.m1.replaced", {"code": code, "tentative": tentative.code}), "M1:replaced")


def m1_earlier_edition(tentative: Condition, case: Case, rules: Rules) -> Step | None:
    """A code of an earlier edition gives way to the code of WHO 2019 (`icd10_legacy_codes`)."""
    code = replace_legacy(tentative.code) if rules.profile.replace_legacy else ""
    if not code:
        return None
    return Step("M1", code, ("ucod.m1.legacy", {"code": code, "tentative": tentative.code}), "M1:legacy")


def place_of_occurrence(tentative: Condition, case: Case, rules: Rules) -> Step | None:
    """W00–Y34 without the digit of the place, where the profile drops it."""
    kept = rules.profile.place_digits != "drop" or not "W00" <= tentative.category <= "Y34"
    if kept or tentative.category in ("Y06", "Y07") or len(tentative.code) == 3:
        return None
    fields = {"code": tentative.category, "tentative": tentative.code}
    return Step("M4", tentative.category, ("ucod.m4.place", fields), "M4:place")


def _standing_for(suggestion: str, manner: str) -> str:
    choices = _UNKNOWN_CAUSE.get(suggestion, suggestion).split(";")
    at = _PLACE.get(manner.strip().lower(), 0)
    code = choices[at] if at < len(choices) else choices[0]
    if "-" in code:
        return ""
    unspecified = f"{code}.9"
    return unspecified if len(code) == 3 and code[0] not in "VWXY" and is_valid_code(unspecified) else code
