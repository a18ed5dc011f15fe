"""The underlying cause of death by WHO ICD-10 Volume 2 (rules SP1–SP8, M1–M4), with every step and its evidence."""

from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.profile import DEFAULT, PROFILES, RuleProfile, profile
from mortality.underlying_cause.steps import Selection, Step

__all__ = ["DEFAULT", "PROFILES", "Certificate", "RuleProfile", "Selection", "Step", "profile"]
