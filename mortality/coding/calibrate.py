"""From the strength of a candidate to the probability that its three characters are right.

A logistic model on few features of the first candidate; its weights and the thresholds for "at most x wrong
among auto" stand in the code list coding_calibration (written by benchmarks/bench_coding.py --fit on the
development sets, never on the set that is reported). Without that list no score would mean anything: InputError.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import exp

from mortality.coding.ranking import Ranked
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

GROUP_OF_ROUTE = {
    "coded": "dictionary",
    "exact": "dictionary",
    "standard": "dictionary",
    "folded": "folded",
    "without_noise": "noise",
    "repaired": "spelling",
    "sound": "spelling",
    "near": "spelling",
    "transport": "composed",
    "composed": "composed",
    "several": "several",
    "inside": "inside",
    "like_lay": "likeness",
    "like_title": "likeness",
    "process": "process",
}
KNOWN_GROUPS = ("dictionary", "folded")  # the words themselves stand in the dictionary
PASSED_OVER = 0.75  # words that may change the code were left out: never without a look
LOWEST, HIGHEST = 0.01, 0.995
HIGHEST_OF = {"sure": HIGHEST, "likely": 0.98, "vague": 0.85}  # what a row of the dictionary itself calls doubtful


def features_of(ranked: Sequence[Ranked]) -> dict[str, float]:
    """What the probability depends on: route, strength, distance to the first other category, certainty, the rest."""
    best = ranked[0]
    rival = next((one.strength for one in ranked[1:] if one.code[:3] != best.code[:3]), 0.0)
    finding = best.finding
    return {
        f"route_{GROUP_OF_ROUTE[finding.route]}": 1.0,
        "strength": min(best.strength, 1.3),
        "margin": min(1.0, best.strength - rival),
        "agreeing_routes": float(min(best.support, 4)),
        "vague": float(finding.certainty == "vague"),
        "likely": float(finding.certainty == "likely"),
        "likeness": finding.likeness,
        "unread": finding.unread,
        "missing": finding.missing,
        "surplus": finding.surplus,
        "more_causes": float(max(0, finding.distance - 1)) if finding.route == "several" else 0.0,
    }


def is_inferred(route: str) -> bool:
    """Whether the code was concluded, not looked up: by likeness, parts, noise left out, spelling, composition."""
    return GROUP_OF_ROUTE[route] not in KNOWN_GROUPS


@cache
def _table(kind: str) -> dict[str, float]:
    rows = read_codelist("coding_calibration")
    chosen = rows[rows["kind"] == kind]
    return dict(zip(chosen["name"], chosen["value"].astype(float)))


def probability(ranked: Sequence[Ranked]) -> float:
    """The probability that the first candidate's three characters are right."""
    weights = _table("weight")
    total = sum(weights.get(name, 0.0) * value for name, value in features_of(ranked).items())
    highest = HIGHEST_OF[ranked[0].finding.certainty]
    if ranked[0].finding.passed_over:
        highest = min(highest, PASSED_OVER)
    return min(highest, max(LOWEST, 1 / (1 + exp(-total))))


def shares(ranked: Sequence[Ranked]) -> list[float]:
    """A score per candidate: the first as calibrated, the others share what is left by their strength."""
    first = probability(ranked)
    rest = sum(one.strength for one in ranked[1:]) or 1.0
    scores = [first]
    for one in ranked[1:]:
        scores.append(min(scores[-1], first * 0.98, (1 - first) * one.strength / rest))
    return [round(score, 4) for score in scores]


def auto_from(at_most_wrong: float, *, inferred: bool = False) -> float:
    """The score from which a code is taken without a look so that at most this share of them is wrong.

    inferred : the threshold for routes that put together or compare (INFERRED), measured on wordings unlike the dictionary
    The thresholds are measured at a few shares; between two, the stricter one counts. Raises InputError outside 0–1.
    """
    if not 0 < at_most_wrong < 1:
        raise InputError("error.coding_at_most", found=at_most_wrong)
    kind = "threshold_inferred" if inferred else "threshold"
    thresholds = {float(share): score for share, score in _table(kind).items()}
    stricter = [share for share in thresholds if share <= at_most_wrong + 1e-9]
    return thresholds[max(stricter)] if stricter else 1.01
