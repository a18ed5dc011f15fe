"""Excess deaths: how many more than expected, in each period and added up, with limits, by the method that is named.

One front for five ways of expecting. What makes a figure readable stands beside it: the years of the baseline, the unit,
whether the period is complete, and why a figure is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend.calendar_regressors import calendar_regressors
from tkyt_analysis.analysis.trend.excess_baselines import (
    Baseline,
    euromomo_baseline,
    farrington_baseline,
    level_baseline,
    regression_baseline,
)
from tkyt_analysis.analysis.trend.excess_completeness import Observed, observed_counts
from tkyt_analysis.analysis.trend.excess_curve import with_curves
from tkyt_analysis.analysis.trend.excess_dates import as_days, dates_meant
from tkyt_analysis.analysis.trend.excess_input import MONTHLY, Counts, read_counts
from tkyt_analysis.analysis.trend.excess_simulation import simulated_limits
from tkyt_analysis.analysis.trend.excess_table import result_table
from tkyt_analysis.analysis.trend.expected import SHORT_TREND_YEARS, regressor_differs, shared_regressors
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
METHODS = ("quasipoisson", "excessmort", "noufaily", "farrington", "euromomo", "five_year_average", "linear_trend")
_OTHER_WORDS = {"quasi_poisson": "quasipoisson", "average": "five_year_average", "linear": "linear_trend"}
INTERVALS = ("analytic", "simulation")


def excess_deaths(
    weekly_or_monthly: pd.DataFrame | pd.Series | Counts,
    *,
    method: str = "quasipoisson",
    start: Any = None,
    end: Any = None,
    exclude: Any = None,
    baseline: tuple[Any, Any] | None = None,
    by: str | Sequence[str] = (),
    trend: bool = True,
    short_trend: str = "mark",
    tet: bool | Mapping[str, tuple[int, int]] = False,
    heat: pd.DataFrame | pd.Series | None = None,
    heat_threshold: float | None = None,
    regressors: Sequence[str] = (),
    days_offset: bool | None = None,
    population_adjusted: bool = False,
    incomplete_from: Any = None,
    nowcast: pd.DataFrame | None = None,
    confidence: float = 0.95,
    interval: str = "analytic",
    draws: int = 2000,
    seed: int = 1,
    per: float = 100_000,
    knots_per_year: float | None = None,
    event: Any = None,
    frequency: int | None = None,
    outcome: str | None = None,
    population: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Observed, expected and excess deaths of every period, and the excess added up from `start`.

    Parameters
    ----------
    weekly_or_monthly : one row per period (and series): date, period_id, or year with week or month; outcome (or deaths,
        events, observed); population if there is one. Daily counts and a Series over dates will do. See `read_counts`
    method : "quasipoisson" (trend spline and harmonics, `compute_expected`; months count by their days), "excessmort" (the
        same without days of the month, as the R package), "noufaily" or "farrington" (surveillance bounds, `farrington`),
        "euromomo" (spring and autumn, `euromomo`), "five_year_average" (same week or month of the five calendar years before `start`, or of `baseline`),
        "linear_trend" (that average on a straight line through the years, as the World Mortality Dataset)
    start, end : the periods under study: sums begin and end there; without `exclude` and `baseline` they and what follows
        are kept out of the baseline. Default start: the first period after the last one of the baseline
    exclude : dates or ranges that do not enter the baseline; baseline : (first, last) year or date of what may enter
    trend : of the regression; False for a constant level. short_trend : under five years of baseline a trend is "mark"ed
        (`modelled`, with the reason) or "refuse"d (`not_assessable`)
    tet, heat, heat_threshold, regressors : named regressors (`tet_regressors`, `heat_regressor`, columns of the table);
        `reference={"heat": 0}` among the options keeps deaths of heat within the excess
    days_offset : months count by their days; population_adjusted : averages per person
    incomplete_from : date from which reports are still coming: no excess is given; nowcast : date or period_id (and keys),
        value (or estimate), lower, upper: what the counts will come to, as `nowcast` answers
    interval : "analytic" (normal; Student's t for averages) or "simulation" (seeded draws of coefficients and counts; the
        limits of the periods under study)
    knots_per_year, event : also fit the smooth course of the excess over the periods under study (`excess_model`), which
        adds the columns fitted, fitted_se, fitted_sd (shares of expected), cumulative_fitted, cumulative_fitted_se
    per : unit of the rates; **options : further ones of `compute_expected` (harmonics, trend_knots_per_year, extrapolate,
        weekday_effect, family, reference), `farrington` or `euromomo`

    Returns
    -------
    One row per series and period: keys, date, period_end, period_id, observed (what is judged), reported, population, expected, expected_lower, expected_upper
    (where a count without event lies), log_expected_se, excess, lower, upper, p_score [% of expected] with limits,
    excess_rate [per `per` persons in the period] with limits, signal ("high", "low", ""), in_baseline, cumulative_excess,
    cumulative_lower, cumulative_upper, cumulative_expected, cumulative_p_score, cumulative_rate (from `start`; periods
    without a count are left out of both sides and counted in periods_missing), baseline (its years), unit, method, status
    (ok, modelled, not_assessable), reason, confidence. "noufaily" and "farrington" add upperbound, alarm, score (`alpha` is
    (1 − confidence)/2 if not given, `b` 5), "euromomo" adds zscore, upib2, upib4, ucib, lcib.
    """
    given = {name: value for name, value in locals().items() if name not in ("weekly_or_monthly", "options")} | options
    method = option_word(method, METHODS, _OTHER_WORDS)
    _require_words(method=method, interval=interval, short_trend=short_trend)
    _require_options(method, options)
    series = read_counts(
        weekly_or_monthly, by=by, frequency=frequency, outcome=outcome, population=population, extra=list(regressors)
    )
    if any(regressor_differs(series.extra[name]) for name in regressors):
        return _one_by_one(series, given)
    excluded, first, last = _study(series, start, end, exclude, baseline)
    monthly = series.frequency == MONTHLY and method != "excessmort" if days_offset is None else days_offset
    seen = observed_counts(series, incomplete_from, nowcast, confidence)
    fitted_on = replace(series, counts=np.where(seen.settled, series.counts, np.nan))
    if method in ("quasipoisson", "excessmort"):
        table = calendar_regressors(series, tet=tet, heat=heat, threshold=heat_threshold)
        table = table.join(shared_regressors(series, regressors))
        found = regression_baseline(
            fitted_on, excluded, include_trend=trend, days_offset=monthly, regressors=table, **options
        )
    else:
        _refuse_regressors(method, tet=tet, heat=heat, regressors=regressors)
        five = method == "five_year_average" and baseline is None
        found = _other_baseline(
            method, fitted_on, excluded, first, confidence, monthly, population_adjusted, options, five=five
        )
    found = _judged(found, trend and method not in ("five_year_average",), short_trend)
    limits = _limits(found, seen, np.arange(first, last + 1), confidence, interval, draws, seed)
    table = result_table(series, seen, found, limits, np.arange(first, last + 1), per, confidence)
    table = table.assign(**{name: values.ravel() for name, values in found.own.items()})
    if knots_per_year is None and event is None:
        return table
    return with_curves(table, found, first, last, knots_per_year=knots_per_year or 12, event=event)


def _require_options(method: str, options: dict[str, Any]) -> None:
    """Only options that the method knows: a misspelt one is a sentence, not an accident."""
    if method in ("quasipoisson", "excessmort"):
        known = {"trend_knots_per_year", "extrapolate", "harmonics", "weekday_effect", "reference", "family"}
    elif method in ("five_year_average", "linear_trend"):
        known = set()
    elif "range" in options:
        raise UsageError("error.excess_option", option="options", found="range", expected="start, end")
    else:
        return  # farrington and euromomo say what they know
    wrong = sorted(set(options) - known)
    if wrong:
        raise UsageError(
            "error.excess_option", option="options", found=", ".join(wrong), expected=", ".join(sorted(known)) or "–"
        )


def _one_by_one(series: Counts, given: dict[str, Any]) -> pd.DataFrame:
    """Each series by itself: their regressors differ (the temperature of each province)."""
    nowcast, keys = given.pop("nowcast"), list(series.keys.columns)
    parts = []
    for number in range(len(series.counts)):
        one = series.series(number)
        mine = None if nowcast is None else nowcast.merge(one.keys, on=keys)
        parts.append(excess_deaths(one, nowcast=mine if mine is not None and len(mine) else None, **given))
    return pd.concat(parts, ignore_index=True)


def _require_words(**words: str) -> None:
    known = {"method": METHODS, "interval": INTERVALS, "short_trend": ("mark", "refuse")}
    for name, word in words.items():
        if word not in known[name]:
            raise UsageError("error.excess_option", option=name, found=word, expected=", ".join(known[name]))


def _study(
    series: Counts, start: Any, end: Any, exclude: Any, baseline: tuple[Any, Any] | None
) -> tuple[Flags, int, int]:
    """(periods out of the baseline, first and last place under study)."""
    dates = series.dates
    excluded = dates_meant(exclude, dates)
    if baseline is not None:
        excluded |= ~_baseline_dates(series, baseline)
    asked = np.ones(len(dates), dtype=bool) if start is None else dates >= as_days([start], "start")[0]
    if start is None and excluded[-1]:
        asked = np.arange(len(dates)) > np.flatnonzero(~excluded).max(initial=-1)
    if end is not None:
        asked &= dates <= as_days([end], "end", last=True)[0]
    if not asked.any():
        raise InputError("error.excess_window_empty", start=start, end=end, found=0)
    places = np.flatnonzero(asked)
    if start is not None and exclude is None and baseline is None:
        excluded[places[0] :] = True
    if excluded.all():
        raise InputError("error.excess_nothing_to_fit", found=len(excluded))
    return excluded, int(places[0]), int(places[-1])


def _baseline_dates(series: Counts, baseline: tuple[Any, Any]) -> Flags:
    """Periods within the years or dates of the baseline."""
    if len(tuple(baseline)) != 2:
        raise InputError("error.excess_range", value=", ".join(map(str, baseline)))
    if all(len(str(one)) == 4 for one in baseline):
        return (series.year >= int(baseline[0])) & (series.year <= int(baseline[1]))
    return dates_meant(tuple(baseline), series.dates)


def _refuse_regressors(method: str, **given: Any) -> None:
    for name, value in given.items():
        if not (value is False or value is None or (name == "regressors" and not len(value))):
            raise UsageError("error.excess_no_regressors", method=method, option=name)


def _other_baseline(
    method: str,
    series: Counts,
    excluded: Flags,
    first: int,
    confidence: float,
    monthly: bool,
    population_adjusted: bool,
    options: dict[str, Any],
    *,
    five: bool,
) -> Baseline:
    if method in ("noufaily", "farrington"):
        return farrington_baseline(series, excluded, first, confidence, method=method, **options)
    if method == "euromomo":
        return euromomo_baseline(series, excluded, confidence, **options)
    return level_baseline(
        series, excluded, trend=method == "linear_trend", population_adjusted=population_adjusted, days_offset=monthly,
        five_before=first if five else None,
    )  # fmt: skip


def _judged(found: Baseline, has_trend: bool, short_trend: str) -> Baseline:
    """A short trend that is refused takes the figures away."""
    if not has_trend or found.years >= SHORT_TREND_YEARS or short_trend == "mark":
        return found
    refused = np.where(found.reason == "", "reason.excess_short_baseline", found.reason)
    return replace(found, reason=refused, expected=np.full(found.expected.shape, np.nan))


def _limits(
    found: Baseline, seen: Observed, at: npt.NDArray[np.intp], confidence: float, interval: str, draws: int, seed: int
) -> dict[str, Numbers]:
    """Limits of a count without event, and of the expected sums, by name."""
    from scipy.stats import t as student

    z = np.where(np.isinf(found.degrees), z_value(confidence), student.ppf((1 + confidence) / 2, found.degrees))[
        :, None
    ]
    spread = np.sqrt(found.count_sd**2 + np.nan_to_num(found.se) ** 2 + seen.se**2)
    known = np.isfinite(found.expected[:, at]) & np.isfinite(seen.value[:, at])
    single = np.where(known, found.count_sd[:, at] ** 2 + seen.se[:, at] ** 2, 0.0).cumsum(axis=1)
    sums = np.sqrt(single + found.sum_se(at) ** 2)
    total = np.where(known, found.expected[:, at], 0.0).cumsum(axis=1)
    limits = {
        "low": found.expected - z * spread, "high": found.expected + z * spread, "sum": total,
        "sum_low": total - z * sums, "sum_high": total + z * sums,
    }  # fmt: skip
    if interval == "simulation":
        limits |= simulated_limits(
            found, known, at, limits, confidence=confidence, draws=draws, seed=seed, extra=seen.se
        )
    return limits
