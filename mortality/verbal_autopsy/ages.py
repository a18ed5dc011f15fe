"""Age at death of an interview as the narrowest span of days that its answers allow.

Exact days where both dates are known; else what was said in months or years, or the form's age group alone. A question
about age is then yes, no, or not known, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.answers import MISSING, AnswerTable

YEAR, MONTH = 365.25, 365.25 / 12
NEWBORN_BELOW, ADULT_FROM = 28, 12 * YEAR  # the questionnaire's three age groups
OLDEST = 130 * YEAR
DAY_FIELDS = ("ageInDays", "ageInDays2", "ageInDaysNeonate", "age_neonate_days", "age_child_days")
MONTH_FIELDS = ("age_child_months", "ageInMonthsByYear")
YEAR_FIELDS = ("ageInYears", "ageInYears2", "finalAgeInYears", "age_adult", "age_child_years")
GROUP_FLAGS = {
    "neonate": ("isNeonatal", "isNeonatal1", "isNeonatal2"), "child": ("isChild", "isChild1", "isChild2"),
    "adult": ("isAdult", "isAdult1", "isAdult2"),
}  # fmt: skip
GROUPS = {
    "neonate": (0.0, NEWBORN_BELOW - 1.0),
    "child": (NEWBORN_BELOW, ADULT_FROM - 1),
    "adult": (ADULT_FROM, OLDEST),
}
BORN, DIED = "Id10021", ("Id10023", "Id10023_a", "Id10023_b")
FIELDS = (*DAY_FIELDS, *MONTH_FIELDS, *YEAR_FIELDS, "age_group", *sum(GROUP_FLAGS.values(), ()), BORN, *DIED)


@dataclass(frozen=True)
class AgeSpan:
    """low, high : (interviews,) least and most days of age at death; 0 and OLDEST where nothing is known."""

    low: np.ndarray
    high: np.ndarray

    def within(self, least: float, below: float) -> np.ndarray:
        """1 where the age is surely from `least` and below `below` days, 0 where it surely is not, else -1."""
        inside = (self.low >= least) & (self.high < below)
        outside = (self.high < least) | (self.low >= below)
        return np.select([inside, outside], [1, 0], MISSING).astype(np.int8)


def age_at_death(answers: AnswerTable) -> AgeSpan:
    """The span that all answers about age allow; what contradicts a surer answer is left aside (days, months, years, group)."""
    low, high = np.zeros(len(answers)), np.full(len(answers), OLDEST)
    days = _first([*(_number(answers, name) for name in DAY_FIELDS), _between_dates(answers)])
    months = _first([_number(answers, name) for name in MONTH_FIELDS])
    years = np.floor(_first([_number(answers, name) for name in YEAR_FIELDS]))
    first_month = np.where(months < 1, NEWBORN_BELOW - 1.0, (months + 1) * MONTH - 1)
    for least, most in (
        (days, days), (months * MONTH, first_month), (years * YEAR, (years + 1) * YEAR - 1), *_groups(answers)
    ):  # fmt: skip
        lower, upper = np.fmax(low, least), np.fmin(high, most)
        fits = (lower <= upper) & ~np.isnan(least) & (upper <= OLDEST)
        low, high = np.where(fits, lower, low), np.where(fits, upper, high)
    return AgeSpan(low, high)


def _number(answers: AnswerTable, name: str) -> np.ndarray:
    """Ages have no code of two digits for "don't know": people live to be 88 and 99."""
    numbers = pd.to_numeric(answers.words(name).str.replace(",", ".", regex=False), errors="coerce").to_numpy(float)
    most = OLDEST if name in DAY_FIELDS else OLDEST / MONTH if name in MONTH_FIELDS else OLDEST / YEAR
    return np.where((numbers >= 0) & (numbers < most), numbers, np.nan)


def _first(columns: list[np.ndarray]) -> np.ndarray:
    result = columns[0]
    for column in columns[1:]:
        result = np.where(np.isnan(result), column, result)
    return result


def _between_dates(answers: AnswerTable) -> np.ndarray:
    """Days from birth to death where both are written as year-month-day."""

    def day(name: str) -> pd.Series:
        return pd.to_datetime(answers.words(name).str.slice(0, 10), format="%Y-%m-%d", errors="coerce")

    died = day(DIED[0])
    for name in DIED[1:]:
        died = died.fillna(day(name))
    days = (died - day(BORN)).dt.days.to_numpy(float)
    return np.where((days >= 0) & (days < OLDEST), days, np.nan)


def _groups(answers: AnswerTable) -> list[tuple[np.ndarray, np.ndarray]]:
    """The span of the age group that the form names, NaN where it names none."""
    spans = []
    for name, (least, most) in GROUPS.items():
        member = answers.words("age_group").eq(name).to_numpy()
        for flag in GROUP_FLAGS[name]:
            member = member | answers.words(flag).isin(["1", "1.0", "true"]).to_numpy()
        spans.append((np.where(member, least, np.nan), np.where(member, most, np.nan)))
    return spans
