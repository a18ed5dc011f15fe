"""How many years a death at each age loses: standards of the catalog, a life table of one's own, or years to an age limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table import LifeTables
from mortality.measures.life_table_ax import CHILD_0_4
from mortality.measures.life_table_inputs import Numbers, age_labels, age_starts, widths
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

WHO_GHE = "who_ghe_2012"
OPEN_YEARS = 5.0  # WHO's years for 85+ (7.60) are those of exact age 90 in its single-age table: start + 5
OPEN_FROM = 80  # older open groups get start + 5; younger ones need the mean age from the caller
_LIMIT = re.compile(r"before_(\d{1,3})")


def life_expectancy_standards() -> pd.DataFrame:
    """The standards that the catalog has: standard, kind (exact, group), title_vi, title_en, source, checked."""
    return read_codelist("life_expectancy_standard_titles")


def mean_ages_at_death(age: Iterable[object], *, open_mean_age: float | None = None) -> Numbers:
    """Mean age at death assumed in each age group [years].

    The middle of the group; 0.1 in infancy, 2.6 at 1-4 and 0.65 at 0-4, where the young die first; the open group:
    `open_mean_age`, else five years after its start (from 80 on). Raises InputError for a younger open group without it.
    """
    starts = age_starts(age)
    n = widths(starts)
    with np.errstate(invalid="ignore"):
        means = starts + n / 2
    for at, (start, width) in enumerate(zip(starts, n, strict=True)):
        early = {(0, 1): 0.1, (1, 4): 2.6, (0, 5): 5 * CHILD_0_4}.get((start, width))
        means[at] = early if early is not None else means[at]
    if open_mean_age is None and starts[-1] < OPEN_FROM:
        raise InputError("error.yll_open_group", group=f"{starts[-1]:g}+", oldest=OPEN_FROM)
    means[-1] = starts[-1] + OPEN_YEARS if open_mean_age is None else open_mean_age
    return means


def years_per_death(
    age: Iterable[object],
    standard: Any = WHO_GHE,
    *,
    at: str = "printed",
    mean_age: npt.ArrayLike | None = None,
    open_mean_age: float | None = None,
) -> tuple[Numbers, str]:
    """Years that one death loses, (ages,) or (series, ages), and the words of the method.

    Parameters
    ----------
    age : first year of each group, or labels; the last is open
    standard : an id of `life_expectancy_standards`; "before_70" (years to age 70; any age); LifeTables (one, or one per
        series); a DataFrame with age and ex (or years); {age: years} or a Series by age
    at : "printed" (the standard's own figure where its ages are the caller's), "mean_age" (always interpolated)
    mean_age : mean age at death of each group, in place of `mean_ages_at_death`; open_mean_age: of the open group only

    Between the exact ages of a standard years are interpolated; beyond its last age its last figure holds.
    """
    groups = list(age)
    starts = age_starts(groups)
    limit = _LIMIT.fullmatch(standard) if isinstance(standard, str) else None
    if limit is not None:
        ends = np.maximum(
            float(limit[1]) - _means(groups, mean_age, open_mean_age, needless=starts[-1] >= float(limit[1])), 0
        )
        return ends, f"years to age {limit[1]}"
    exact, printed, words = _figures(standard)
    if at == "printed" and mean_age is None and open_mean_age is None:
        own = _own_figures(starts, exact, printed)
        if own is not None:
            return own, f"{words}, as printed"
    known = _group_figures(starts, printed) if at == "printed" and mean_age is None else np.full(len(starts), np.nan)
    if open_mean_age is not None:
        known[-1] = np.nan
    means = _means(groups, mean_age, open_mean_age, needless=not np.isnan(known[-1]))
    ages, years = exact
    between = np.stack([np.interp(means, ages, row) for row in years])
    found = np.where(np.isnan(known), between, known)
    return (found[0] if len(found) == 1 else found), f"{words}, at the mean age of death"


def _means(
    groups: Sequence[object], mean_age: npt.ArrayLike | None, open_mean_age: float | None, *, needless: bool
) -> Numbers:
    if mean_age is None:
        start = float(age_starts(groups)[-1])
        return mean_ages_at_death(
            groups, open_mean_age=start + OPEN_YEARS if needless and open_mean_age is None else open_mean_age
        )
    means = np.asarray(mean_age, dtype=float).copy()
    if means.shape != (len(groups),):
        raise InputError("error.yll_mean_ages", found=means.size, ages=len(groups))
    return means


def _figures(standard: Any) -> tuple[tuple[Numbers, Numbers], dict[str, float], str]:
    """Exact ages and years (series, ages) of a standard, its figures printed by group, and its name."""
    if isinstance(standard, str):
        return _of_catalog(standard)
    if isinstance(standard, LifeTables):
        return (standard.age, standard.ex), {}, "own life table"
    if isinstance(standard, pd.DataFrame):
        column = next((name for name in ("ex", "years", "life_expectancy") if name in standard), None)
        if column is None or "age" not in standard:
            raise InputError("error.yll_standard_columns", found=", ".join(map(str, standard.columns)))
        return _sorted(standard["age"], standard[column]), {}, "own table"
    pairs = pd.Series(standard)
    return _sorted(pairs.index, pairs), {}, "own table"


def _sorted(age: Any, years: Any) -> tuple[Numbers, Numbers]:
    ages, values = np.asarray(age, dtype=float), np.asarray(years, dtype=float)
    order = np.argsort(ages)
    if len(ages) < 2 or (np.diff(ages[order]) <= 0).any() or not np.isfinite(values).all():
        raise InputError("error.yll_standard_table", rows=len(ages))
    return ages[order], values[np.newaxis, order]


def _of_catalog(standard: str) -> tuple[tuple[Numbers, Numbers], dict[str, float], str]:
    everything = read_codelist("life_expectancy_standards")
    titles = life_expectancy_standards().set_index("standard")["kind"]
    if standard not in titles.index:
        raise InputError("error.yll_standard_unknown", value=standard, known=", ".join(titles.index))
    exact = standard if titles[standard] == "exact" else standard.removesuffix("_5_year")
    rows = everything[everything["standard"] == exact]
    groups = everything[everything["standard"] == f"{exact}_5_year"]
    printed = dict(zip(groups["age"], groups["years"].astype(float), strict=True))
    return _sorted(rows["age"], rows["years"]), printed, standard


def _own_figures(starts: Numbers, exact: tuple[Numbers, Numbers], printed: dict[str, float]) -> Numbers | None:
    """The standard's own figures where all the caller's groups are its groups, or all are its single ages."""
    by_group = _group_figures(starts, printed)
    if not np.isnan(by_group).any():
        return by_group
    ages, years = exact
    single = (np.diff(starts) == 1).all() and (np.diff(ages) == 1).all()
    if not single or len(years) > 1 or not np.isin(starts[:-1], ages).all():
        return None
    return np.interp(starts, ages, years[0])


def _group_figures(starts: Numbers, printed: dict[str, float]) -> Numbers:
    return np.array([printed.get(label, np.nan) for label in age_labels(starts)])
