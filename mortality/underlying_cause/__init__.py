"""The underlying cause of death by WHO ICD-10 Volume 2 (rules SP1–SP8, M1–M4), with every step and its evidence."""

from mortality.underlying_cause.batch import select_underlying_causes
from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.due_to import CausalTable, DecisionTable, WhoCausalTable
from mortality.underlying_cause.engine import select_underlying_cause
from mortality.underlying_cause.profile import DEFAULT, PROFILES, RuleProfile, profile
from mortality.underlying_cause.steps import Selection, Step

__all__ = [
    "DEFAULT", "PROFILES", "CausalTable", "Certificate", "DecisionTable", "RuleProfile", "Selection", "Step", "WhoCausalTable",
    "profile", "select_underlying_cause", "select_underlying_causes",
]  # fmt: skip
