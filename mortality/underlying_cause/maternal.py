"""M4: maternal deaths, up to 42 days and late (WHO ICD-10 Volume 2, 2016, 4.2 and 5.2; chapter XV)."""

from __future__ import annotations

from mortality.underlying_cause.case import Case
from mortality.underlying_cause.conditions import Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step

EARLY = ("pregnant", "within_42_days")
LATE = "43_days_to_1_year"
LATE_DIRECT, LATE_INDIRECT, LATE_UNKNOWN = "O96.0", "O96.1", "O96.9"


def m4_maternal(tentative: Condition, case: Case, rules: Rules) -> Step | None:
    """A disease of a woman pregnant or within 42 days becomes an indirect obstetric cause; a late obstetric cause O96."""
    timing = case.certificate.pregnancy
    if not rules.profile.maternal or timing not in (*EARLY, LATE):
        return None
    code = _late(tentative) if timing == LATE else tentative.in_pregnancy
    if not code or code == tentative.code:
        return None
    return Step("M4", code, ("ucod.m4.maternal", {"code": code, "tentative": tentative.code}), "M4:maternal")


def _late(tentative: Condition) -> str:
    if not "O00" <= tentative.category <= "O99" or tentative.category in ("O96", "O97"):
        return ""
    if tentative.category == "O95":
        return LATE_UNKNOWN
    return LATE_INDIRECT if tentative.category >= "O98" else LATE_DIRECT
