"""Whom a package takes and a cause may have: sexes and ages as they are written, and the limits that no death may break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.validation.code_ranges import CodeRanges
from tkyt_analysis.catalog.redistribution import RedistributionPackage
from tkyt_analysis.errors import InputError

BOTH, UNKNOWN, ALL_AGES, NO_CODE = "both", "unknown", "all", ""
USUAL_AGE = 70.0  # all ages together: sources belong to the packages of this age, as most deaths are of the old
COUNTRY = "VN"
_SEXES = {
    "male": ("male", "m", "nam"),
    "female": ("female", "f", "nữ", "nu"),
    BOTH: ("both", "total", "all"),
    UNKNOWN: ("unknown", "", "nan", "none", "<na>"),
}


def sex_meant(written: str) -> str:
    """male | female | both | unknown for a usual way to write a sex; InputError for another, which must not pass as unknown."""
    for meant, words in _SEXES.items():
        if str(written).strip().casefold() in words:
            return meant
    raise InputError("error.redistribution_sex", found=written, known="male, female, both, unknown")


def age_span(age: str) -> tuple[float, float]:
    """First and last completed year: "5-9" → (5, 9); "all" → (0, inf); "unknown" → (nan, nan)."""
    from tkyt_analysis.reference.ages import parse_band

    if age in (UNKNOWN, NO_CODE, "outside"):
        return np.nan, np.nan
    return (0.0, np.inf) if age in (ALL_AGES, "total", BOTH) else parse_band(age)


@dataclass(frozen=True)
class _Limit:
    ranges: CodeRanges
    sex: str
    low: float
    high: float


@cache
def edit_limits() -> tuple[_Limit, ...]:
    """The limits of sex and age that no death may break (severity error of the list edit_limits)."""
    from mortality.validation.edit_lists import limits

    return tuple(
        _Limit(one.ranges, one.sex, one.youngest or 0.0, _last(one.oldest, one.oldest_days))
        for one in limits(COUNTRY)
        if one.severity == "error"
    )


def _last(years: float | None, days: float | None) -> float:
    if years is None:
        return 0.0 if days is not None else np.inf
    return years


def allowed_classes(limits: pd.Series, sexes: Sequence[str], spans: list[tuple[float, float]]) -> npt.NDArray[np.bool_]:
    """(S, A, C) may somebody of this sex and age group die of the class?"""
    each = [
        np.array([[holds(one.sex, one.low, one.high, sex, span) for span in spans] for sex in sexes])
        for one in edit_limits()
    ]
    allowed = np.ones((len(sexes), len(spans), len(limits)), bool)
    for place, numbers in enumerate(limits):
        for number in numbers:
            allowed[:, :, place] &= each[number]
    return allowed


def holds(sex: str, low: float, high: float, of_sex: str, span: tuple[float, float]) -> bool:
    """Is somebody of this sex and age group within the limit? An unknown sex or age is only within what has no limit."""
    right_sex = sex in (BOTH, "", of_sex) or of_sex == BOTH
    if np.isnan(span[0]):
        return right_sex and low <= 0 and np.isinf(high)
    return right_sex and span[0] <= high and low <= span[1]


def applies(package: RedistributionPackage, sex: str, span: tuple[float, float]) -> bool:
    """Does the package take the deaths of this group? A group across its limit of age belongs where its first year lies."""
    if package.sex not in (BOTH, sex):
        return False
    high = np.inf if package.age_to is None else package.age_to
    if np.isnan(span[0]) or span == (0.0, np.inf):
        return package.age_from <= USUAL_AGE <= high
    return package.age_from <= span[0] <= high
