"""How many years a death at each age loses: standards of the catalog, a life table of one's own, or years to an age limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table import LifeTables
from mortality.measures.life_table_ax import CHILD_0_4
from mortality.measures.life_table_inputs import Numbers, age_labels, age_starts, widths
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.option_words import option_word
from tkyt_analysis.reference.ages import band_label, parse_bands

WHO_GHE = "who_ghe_2012"
OPEN_YEARS = 5.0  # WHO's years for 85+ (7.60) are those of exact age 90 in its single-age table: start + 5
OPEN_FROM = 80  # older open groups get start + 5; younger ones need the mean age from the caller
_YOUNG = {(0.0, 1.0): 0.1, (1.0, 4.0): 2.6, (0.0, 5.0): 5 * CHILD_0_4}  # group (start, width): mean age at death
_LIMIT = re.compile(r"before_(\d{1,3})")


def life_expectancy_standards() -> pd.DataFrame:
    """The standards that the catalog has: standard, kind (exact, group), title_vi, title_en, source, checked."""
    return read_codelist("life_expectancy_standard_titles")


@dataclass(frozen=True)
class AgeBands:
    """Age groups in which deaths are counted: they may leave gaps, and the last may be closed."""

    start: Numbers
    width: Numbers  # years; the open group is infinite
    label: list[str]


def age_bands(age: Iterable[object]) -> AgeBands:
    """Age groups from labels ("45-49", "80+", "0") or from the first years of groups that follow on, the last one open.

    Raises InputError where they overlap, repeat or fall.
    """
    if isinstance(age, str) or not isinstance(age, Iterable):
        raise InputError("error.life_table_ages", found=str(age))
    values = list(age)
    if all(isinstance(value, (int, float, np.number)) for value in values):
        starts = age_starts(values)
        return AgeBands(starts, widths(starts), age_labels(starts))
    rows = parse_bands([str(value) for value in values])
    low, high = rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float)
    if list(rows["age_group"]) != [str(value) for value in values]:
        raise InputError("error.life_table_ages", found=", ".join(map(str, values)))
    return AgeBands(low, high + 1 - low, [band_label(text) for text in rows["age_group"]])


def mean_ages_at_death(age: Iterable[object], *, open_mean_age: float | None = None) -> Numbers:
    """Mean age at death assumed in each age group [years].

    The middle of the group; 0.1 in infancy, 2.6 at 1-4 and 0.65 at 0-4, where the young die first; the open group:
    `open_mean_age`, else five years after its start (from 80 on). Raises InputError for a younger open group without it.
    """
    bands = age_bands(age)
    means = bands.start + bands.width / 2
    for at, group in enumerate(zip(bands.start, bands.width, strict=True)):
        means[at] = _YOUNG.get(group, means[at])
    if np.isfinite(means[-1]):
        return means
    start = bands.start[-1]
    if open_mean_age is None and start < OPEN_FROM:
        raise InputError("error.yll_open_group", group=f"{start:g}+", oldest=OPEN_FROM)
    means[-1] = start + OPEN_YEARS if open_mean_age is None else open_mean_age
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
    age : labels of the age groups, or their first years (the last is then open)
    standard : an id of `life_expectancy_standards`; "before_70" or 70 (years to age 70; any age); LifeTables (one, or one
        per series); a DataFrame with age and ex (or years); {age: years} or a Series by age; a list or array: the years of
        each age group, (ages,) or (series, ages)
    at : "printed" (the standard's own figure where its ages are the caller's), "mean_age" (always interpolated)
    mean_age : mean age at death of each group, in place of `mean_ages_at_death`; open_mean_age: of the open group only

    Between the exact ages of a standard years are interpolated; beyond its last age its last figure holds.
    """
    bands = age_bands(age)
    standard = f"before_{standard:g}" if isinstance(standard, int | float) else standard
    limit = _LIMIT.fullmatch(standard) if isinstance(standard, str) else None
    if limit is not None:
        oldest = float(limit[1])
        means = _means(bands, mean_age, open_mean_age, needless=bands.start[-1] >= oldest)
        return np.maximum(oldest - means, 0), f"years to age {limit[1]}"
    if isinstance(standard, list | tuple | np.ndarray):
        return _by_group(standard, len(bands.start)), "own years by age group"
    exact, printed, words = _figures(standard)
    as_printed = at == "printed" and mean_age is None
    known = _printed_figures(bands, exact, printed) if as_printed else np.full(len(bands.start), np.nan)
    if open_mean_age is not None and not np.isfinite(bands.width[-1]):
        known[-1] = np.nan
    if not np.isnan(known).any():
        return known, f"{words}, as printed"
    means = _means(bands, mean_age, open_mean_age, needless=not np.isnan(known[-1]))
    ages, years = exact
    found = np.where(np.isnan(known), np.stack([np.interp(means, ages, row) for row in years]), known)
    return (found[0] if len(found) == 1 else found), f"{words}, at the mean age of death"


def _by_group(years: Any, groups: int) -> Numbers:
    """Years that a death in each age group loses, as the caller gives them."""
    try:
        values = np.asarray(years, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.yll_standard_table", rows=len(years)) from None
    if values.ndim not in (1, 2) or values.shape[-1] != groups or not ((values >= 0) & (values < np.inf)).all():
        raise InputError("error.yll_standard_by_group", found=values.shape[-1] if values.ndim else 1, groups=groups)
    return values


def _means(bands: AgeBands, mean_age: npt.ArrayLike | None, open_mean_age: float | None, *, needless: bool) -> Numbers:
    """Mean ages at death; `needless`: that of the open group will not be used."""
    if mean_age is None:
        given = bands.start[-1] + OPEN_YEARS if needless and open_mean_age is None else open_mean_age
        return mean_ages_at_death(bands.label, open_mean_age=given)
    means = np.array(mean_age, dtype=float)
    if means.shape != bands.start.shape:
        raise InputError("error.yll_mean_ages", found=means.size, ages=len(bands.start))
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
    try:
        ages, values = np.asarray(age, dtype=float), np.asarray(years, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.yll_standard_table", rows=len(years)) from None
    order = np.argsort(ages)
    if len(ages) < 2 or (np.diff(ages[order]) <= 0).any() or not np.isfinite(values).all():
        raise InputError("error.yll_standard_table", rows=len(ages))
    return ages[order], values[np.newaxis, order]


_OTHER_NAMES = {
    "who": "who_ghe_2012",
    "ghe": "who_ghe_2012",
    "who_ghe": "who_ghe_2012",
    "gbd": "gbd_2019",
    "gbd2019": "gbd_2019",
}


def _of_catalog(standard: str) -> tuple[tuple[Numbers, Numbers], dict[str, float], str]:
    everything = read_codelist("life_expectancy_standards")
    titles = life_expectancy_standards().set_index("standard")["kind"]
    standard = option_word(standard, list(titles.index), _OTHER_NAMES)
    if standard not in titles.index:
        raise InputError("error.yll_standard_unknown", value=standard, known=", ".join(titles.index))
    exact = standard if titles[standard] == "exact" else standard.removesuffix("_5_year")
    rows = everything[everything["standard"] == exact]
    groups = everything[everything["standard"] == f"{exact}_5_year"]
    printed = dict(zip(groups["age"], groups["years"].astype(float), strict=True))
    return _sorted(rows["age"], rows["years"]), printed, standard


def _printed_figures(bands: AgeBands, exact: tuple[Numbers, Numbers], printed: dict[str, float]) -> Numbers:
    """The standard's own figures of its groups and of its single ages; missing where it prints none.

    A single age takes the figure of its exact age, as the standard's users do, where all groups are single ages.
    """
    by_group = np.array([printed.get(label, np.nan) for label in bands.label])
    ages, years = exact
    single = (bands.width[:-1] == 1).all() and len(bands.start) > 2 and len(years) == 1 and (np.diff(ages) == 1).all()
    known = bands.start <= ages[-1]  # beyond the standard's last age its last figure holds
    if not single or not np.isin(bands.start[known], ages).all():
        return by_group
    return np.interp(bands.start, ages, years[0])
