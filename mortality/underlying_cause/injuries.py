"""M4: external causes, main injury, poisoning (WHO ICD-10 Volume 2, 2016, 4.2.6 and 4.2.7).

The underlying cause of an injury or poisoning is the external cause; the main injury stands beside it.
"""

from __future__ import annotations

from mortality.underlying_cause.case import Case
from mortality.underlying_cause.conditions import Condition
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step

# What an injury becomes where only the manner of death tells how it came about (chapter XX).
BY_MANNER = {
    "accident": "X59.9", "suicide": "X84.9", "homicide": "Y09.9", "assault": "Y09.9", "undetermined": "Y34.9",
    "legal_intervention": "Y35.7", "war": "Y36.9",
}  # fmt: skip
UNKNOWN_MANNER = "X59.9"
FRACTURE = "X59.0"
_FRACTURES = ("T02", "T08", "T10", "T12")
# Burns, poisonings and late effects have an unspecified external cause of their own (chapter XX, accidental).
_BY_NATURE = (
    ("T20", "T32", "X19"), ("T36", "T50", "X44"), ("T51", "T51", "X45"), ("T52", "T53", "X46"),
    ("T58", "T59", "X47"), ("T60", "T60", "X48"), ("T63", "T63", "X29"), ("T54", "T65", "X49"),
    ("T90", "T98", "Y89.9"),
)  # fmt: skip
_MANNERS = (("V01", "X59", "accident"), ("X60", "X84", "suicide"))


def m4_injury(tentative: Condition, case: Case, rules: Rules) -> Step | None:
    """An injury or poisoning gives way to the external cause on the certificate, else to the one that the manner names."""
    if not rules.profile.injuries or not tentative.injury:
        return None
    external = external_cause(tentative, case)
    if external is not None:
        fields = {"code": external.code, "injury": tentative.code}
        return Step("M4", external.code, ("ucod.m4.external", fields), "M4:external")
    manner = case.certificate.manner.strip().lower()
    code = BY_MANNER.get(manner, UNKNOWN_MANNER)
    if code == UNKNOWN_MANNER:
        code = _by_nature(tentative)
    return Step(
        "M4", code, ("ucod.m4.manner", {"code": code, "injury": tentative.code, "manner": manner or "–"}), "M4:manner"
    )


def external_cause(injury: Condition, case: Case) -> Condition | None:
    """The external cause that stands for an injury: an event first, then its late effects.

    Treatment (Y40–Y84) stands only for complications of treatment (T80–T88) and poisoning by drugs.
    """
    of_treatment = injury.category >= "T36"
    external = [c for c in case.conditions if c.external and c.category < "Y90"]
    fitting = [c for c in external if of_treatment or not "Y40" <= c.category < "Y85"]
    return min(fitting, key=_kind_of_external, default=None)


def _by_nature(injury: Condition) -> str:
    """The unspecified accident that the kind of injury points to."""
    if _is_fracture(injury):
        return FRACTURE
    return next((code for first, last, code in _BY_NATURE if first <= injury.category <= last), UNKNOWN_MANNER)


def _is_fracture(injury: Condition) -> bool:
    return injury.category in _FRACTURES or (injury.category[0] == "S" and injury.category[2] == "2")


def _kind_of_external(condition: Condition) -> int:
    if condition.category < "Y40":
        return 0
    return 1 if condition.category >= "Y85" else 2


def manner_of(category: str) -> str:
    """The manner of death that a category of chapter XX means; "" where it may be several."""
    for first, last, manner in _MANNERS:
        if first <= category <= last:
            return manner
    return ""


def main_injury(case: Case) -> str:
    """The injury of the highest priority, the first-mentioned among equals; "" where no injury is reported."""
    injuries = [condition for condition in case.conditions if condition.injury]
    return min(injuries, key=lambda injury: injury.injury_rank).code if injuries else ""
