"""Four adjustment scenarios side by side: none, outliers, completeness, both. The reported values are never changed.

Two published ways, on units × periods matrices: FASTR's replacement by neighbouring months, and Countdown 2030's factor
for incomplete reporting. What our own findings suggest is in `tkyt_analysis.quality.consequence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.labels import label
from tkyt_analysis.quality.anchors.fastr import completeness, fastr
from tkyt_analysis.quality.anchors.series import row_mean, row_median
from tkyt_analysis.quality.panel import Panel

SCENARIOS = ("none", "outliers", "completeness", "both")
DEATHS, LOW_VOLUME = "deaths", "low_volume"
_METHODS = ("centred", "forward", "backward", "last_year", "series_mean")
_REACH = 12  # periods on either side in which neighbours are looked for


@dataclass(frozen=True)
class Adjusted:
    """One element in four scenarios.

    values : {scenario: (units, periods)}; "none" is what was reported
    methods : {scenario: (units, periods)} of words: "" as reported, else how the value was replaced (centred, forward,
        backward, last_year, series_mean), or "unadjusted" where nothing could replace it
    excluded : why the element is never adjusted ("deaths", "low_volume"), "" where it may be
    """

    values: Mapping[str, np.ndarray]
    methods: Mapping[str, np.ndarray]
    excluded: str = ""


def replacements(values: np.ndarray, wanted: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What stands in for the cells `wanted`, by FASTR's order, and the word for how.

    The mean of the three valid values before and the three after; else of the six after; else of the six before (each
    within twelve periods); else the valid value twelve periods earlier; else the mean of the series' valid values.

    values, wanted, valid : (units, periods). Returns (values with replacements, words), both of that shape.
    """
    result = np.array(values, dtype=float)
    words = np.full(values.shape, "", dtype="<U12")
    row, column = np.nonzero(wanted)
    if not len(row):
        return result, words
    kept = np.where(valid, values, np.nan)
    padded = np.pad(kept, ((0, 0), (_REACH, _REACH)), constant_values=np.nan)
    near = np.arange(1, _REACH + 1)
    before, after = (padded[row[:, None], column[:, None] + _REACH + side * near] for side in (-1, 1))
    three_before, three_after = _first_valid(before, 3), _first_valid(after, 3)
    choices = [
        (three_before + three_after) / 6,
        _first_valid(after, 6) / 6,
        _first_valid(before, 6) / 6,
        before[:, -1],
        row_mean(kept)[row, 0],
    ]
    good = [np.isfinite(one) for one in choices]
    result[row, column] = np.select(good, choices, result[row, column])
    words[row, column] = np.select(good, _METHODS, "unadjusted")
    return result, words


def _first_valid(neighbours: np.ndarray, number: int) -> np.ndarray:
    """Sum of the nearest `number` valid neighbours; NaN where there are fewer."""
    here = np.isfinite(neighbours)
    chosen = here & (np.cumsum(here, axis=1) <= number)
    return np.where(chosen.sum(axis=1) == number, np.where(chosen, neighbours, 0.0).sum(axis=1), np.nan)


def fastr_scenarios(values: np.ndarray, outlier: np.ndarray, missing: np.ndarray, *, excluded: str = "") -> Adjusted:
    """FASTR's module 2 on one element.

    values : (units, periods), NaN missing; outlier : values to replace; missing : reports that were expected and did
    not come (periods in which a unit was not active are none). Only positive values that are no outliers stand in.
    """
    untouched = np.full(values.shape, "", dtype="<U12")
    if excluded:
        return Adjusted(dict.fromkeys(SCENARIOS, values), dict.fromkeys(SCENARIOS, untouched), excluded)
    with np.errstate(invalid="ignore"):
        valid = ~outlier & (values > 0)
    without, how_without = replacements(values, outlier, valid)
    filled, how_filled = replacements(values, missing, np.isfinite(values) & (np.nan_to_num(values) > 0))
    with np.errstate(invalid="ignore"):
        both, how_both = replacements(without, missing, without > 0)
    how_both = np.where(how_both != "", how_both, how_without)
    return Adjusted(
        dict(zip(SCENARIOS, (values, without, filled, both), strict=True)),
        dict(zip(SCENARIOS, (untouched, how_without, how_filled, how_both), strict=True)),
    )


def exclusion(values: np.ndarray, *, deaths: bool, minimum: float = 100.0) -> str:
    """Why an element is never adjusted: deaths; or no value above `minimum`, so that FASTR never flags one ("": may be)."""
    if deaths:
        return DEATHS
    return "" if np.nanmax(values, initial=-np.inf) > minimum else LOW_VOLUME


def scenarios_of_panel(panel: Panel, *, deaths: bool = False) -> Adjusted:
    """The four scenarios of one element by FASTR's own outlier and completeness rules."""
    years = np.array([one.start.year for one in panel.periods])
    return fastr_scenarios(
        panel.counts,
        fastr(panel.counts, years=years).flags,
        completeness(panel.counts) == 0,
        excluded=exclusion(panel.counts, deaths=deaths),
    )


def side_by_side(panel: Panel, adjusted: Adjusted) -> pd.DataFrame:
    """One row per unit and period that was reported or filled: unit_id, period_id, reported, each scenario, how (method of
    "both"). The column `reported` is what was sent, whatever the scenario says."""
    names = np.array([one.period_id for one in panel.periods], dtype=object)
    row, column = np.nonzero(np.isfinite(panel.counts) | np.isfinite(adjusted.values["both"]))
    table = {"unit_id": panel.units[row], "period_id": names[column], "reported": panel.counts[row, column]}
    table |= {scenario: adjusted.values[scenario][row, column] for scenario in SCENARIOS}
    return pd.DataFrame(table).assign(how=adjusted.methods["both"][row, column].astype(object))


def excluded_elements(adjusted: Iterable[tuple[str, Adjusted]], language: str | None = None) -> pd.DataFrame:
    """The elements that are never adjusted, and why: element_id, reason (word), title."""
    rows = [
        (element, one.excluded, label(f"not_adjusted.{one.excluded}", language))
        for element, one in adjusted
        if one.excluded
    ]
    return pd.DataFrame(rows, columns=["element_id", "reason", "title"])


def completeness_factor(rate: np.ndarray, *, k: float = 0.25, floor: float = 0.75) -> np.ndarray:
    """Countdown 2030's factor 1 + (1/rate − 1)·k for incomplete reporting.

    rate : (units, periods) received / expected, 0–1 and more. k : volume of a report that did not come, in those that
    came (0 nothing, 1 the same). A rate below `floor`, or none, becomes the unit's median of rates from `floor` to 1;
    without any such rate nothing is adjusted (1). More received than expected never makes a value smaller.
    """
    with np.errstate(invalid="ignore"):
        usable = np.where((rate >= floor) & (rate <= 1), rate, np.nan)
        chosen = np.where(rate >= floor, np.minimum(rate, 1.0), row_median(usable))
    return np.where(np.isfinite(chosen), 1 + (1 / chosen - 1) * k, 1.0)


def completeness_adjusted(values: np.ndarray, rate: np.ndarray, *, k: float = 0.25, floor: float = 0.75) -> np.ndarray:
    """Values times `completeness_factor`, to one decimal as cd2030.core rounds them."""
    return np.round(values * completeness_factor(rate, k=k, floor=floor), 1)
