"""Findings of all routes → candidates in order, with the features that the score is calibrated on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mortality.coding.routes import Finding, Person
from tkyt_analysis.catalog import read_codelist

# How far a route is trusted before calibration; only the order of the candidates depends on these.
TRUST = {
    "coded": 1.6,
    "exact": 1.3,
    "standard": 1.1,
    "folded": 1.2,
    "without_noise": 1.05,
    "repaired": 0.95,
    "sound": 0.74,
    "near": 0.72,
    "transport": 0.8,
    "composed": 0.71,
    "several": 0.74,
    "inside": 0.86,
    "like_lay": 0.9,
    "like_title": 0.97,
    "process": 0.43,
}
CERTAINTY = {"sure": 1.0, "likely": 0.85, "vague": 0.8}
POWER = {"like_title": 1.5, "folded": 1.25, "near": 2.25}
TITLE_OF_ONE_WORD, LESS_PER_WORD, TITLE_OF_MANY = 0.95, 0.03, 0.6  # likeness that counts as the same title
UNREAD = 1.0
NOISE_STEP = 0.9
AGREEMENT = 0.15
_FEMALE_ONLY = ("C51", "C52", "C53", "C54", "C55", "C56", "C57", "C58", "D25", "O")
_MALE_ONLY = ("C60", "C61", "C62", "C63", "N40")
_SECONDARY = ("C77", "C78", "C79")
_LOOKED_UP = ("exact", "folded", "standard", "without_noise")
OTHER_SEX = 0.3
SECONDARY = 0.6  # "K phổi di căn não" is likest to the title of where it went, and began in the lung
CONFIRMED = 1.25  # what coders confirmed goes before what the lists say of the same words
CONFIRMED_PART = 1.02  # of parts and likenesses it goes first only where they are as like
CONFIRMED_ROUTES = ("exact", "standard", "folded", "without_noise")
TOLD_BETTER = 0.6  # "vỡ gan do ngã": the injury is named, and so is what caused it
WEAKEST = 0.12  # below, the words have nothing in common with what was found
PERINATAL_FROM_YEARS = 1.0


@dataclass(frozen=True)
class Ranked:
    """One code with its strength (an order, no probability) and the finding that carries it."""

    code: str
    strength: float
    finding: Finding
    support: int


def sex_conflict(code: str, sex: str | None) -> bool:
    """True for a code limited to the other sex (WHO Volume 2, annex 7.8; the groups only)."""
    return (sex == "male" and code.startswith(_FEMALE_ONLY)) or (sex == "female" and code.startswith(_MALE_ONLY))


@cache
def _context_rows() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = read_codelist("cause_context").to_dict("records")
    return rows


def in_context(finding: Finding, person: Person) -> Finding:
    """The code that the same words have in a newborn or in a woman with child (code list cause_context)."""
    if finding.context or not (person.newborn or person.maternal):
        return finding
    for row in _context_rows():
        fits = (row["context"] == "newborn" and person.newborn) or (row["context"] == person.maternal != "")
        if fits and finding.code.startswith(row["code"]):
            return Finding(**{**finding.__dict__, "code": row["becomes"], "context": True})
    return finding


def strength(finding: Finding, person: Person) -> float:
    """Trust in the route × certainty × likeness² × what was read, less where person and code do not fit."""
    likeness = finding.likeness
    if finding.route == "like_title":
        likeness /= max(TITLE_OF_MANY, TITLE_OF_ONE_WORD - LESS_PER_WORD * finding.distance)
    value = TRUST[finding.route] * CERTAINTY[finding.certainty] * likeness ** POWER.get(finding.route, 2.0)
    value *= (1 - UNREAD * finding.unread) ** (2.0 if finding.route in ("composed", "transport") else 1.5)
    value *= NOISE_STEP**finding.distance if finding.route in ("without_noise", "repaired", "sound") else 1.0
    value *= 0.9**finding.distance if finding.route == "composed" else 1.0
    value *= 1.1 if finding.context and finding.route != "coded" else 1.0
    if finding.learnt:
        value *= CONFIRMED if finding.route in CONFIRMED_ROUTES else CONFIRMED_PART
    if sex_conflict(finding.code, person.sex):
        value *= OTHER_SEX
    if finding.route == "like_title" and finding.code.startswith(_SECONDARY):
        value *= SECONDARY
    age = person.age_years
    grown = person.maternal or (age is not None and age >= PERINATAL_FROM_YEARS)
    if grown and finding.code.startswith("P"):
        value *= OTHER_SEX
    return value


def _told_better(found: list[Finding]) -> tuple[str, ...]:
    """Codes that a better reading of the same words leaves behind: an injury beside its external cause, a stroke
    beside the stroke of years ago."""
    external = any(one.route == "several" and one.code[0] in "VWXY" for one in found)
    late = any(one.code.startswith("I69") and one.route in _LOOKED_UP and " năm" in one.expression for one in found)
    return (("S", "T") if external else ()) + (("I60", "I61", "I62", "I63", "I64") if late else ())


def rank(findings: Iterable[Finding], person: Person) -> list[Ranked]:
    """One candidate per code, strongest first; routes that agree on the three characters support each other."""
    best: dict[str, tuple[float, Finding]] = {}
    routes: dict[str, dict[str, float]] = {}
    found = [in_context(one, person) for one in findings]
    weaker = _told_better(found)
    for finding in found:
        value = strength(finding, person)
        value *= TOLD_BETTER if finding.code.startswith(weaker) else 1.0
        if value > best.get(finding.code, (0.0, finding))[0]:
            best[finding.code] = (value, finding)
        by_route = routes.setdefault(finding.code[:3], {})
        by_route[finding.route] = max(by_route.get(finding.route, 0.0), value)
    ranked = []
    for code, (value, finding) in best.items():
        others = sum(other for route, other in routes[code[:3]].items() if route != finding.route)
        joint = value + (1.15 - min(value, 1.1)) * AGREEMENT * min(1.0, others)
        ranked.append(Ranked(code, joint, finding, len(routes[code[:3]])))
    strong = [one for one in ranked if one.strength >= WEAKEST]
    return sorted(strong, key=lambda one: (-one.strength, one.code))
