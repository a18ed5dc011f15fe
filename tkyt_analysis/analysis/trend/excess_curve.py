"""The course of an event above (or below) the expected counts, and its excess deaths: `excess_model` of excessmort.

A natural spline is fitted to the ratio of observed to expected counts between two dates; independent errors, or errors
correlated over time (autoregressive) for daily counts. Acosta & Irizarry, Epidemiology 2022;33:346-53. One series at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend.autoregression import AutoRegression, autocorrelation, fit_autoregression
from tkyt_analysis.analysis.trend.excess_baselines import Baseline
from tkyt_analysis.analysis.trend.excess_curve_fit import FittedCurve, correlated_curve, curve_design, independent_curve
from tkyt_analysis.analysis.trend.excess_dates import dates_meant
from tkyt_analysis.analysis.trend.excess_input import DAILY
from tkyt_analysis.analysis.trend.expected import Expected, compute_expected
from tkyt_analysis.errors import InputError, UsageError

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
MODELS = ("quasipoisson", "poisson", "correlated")


@dataclass(frozen=True)
class ExcessCurve:
    """The fitted course of one series.

    table : date, observed, expected, log_expected_se, fitted (share above expected), se, sd, population, method, status,
        reason; `sd` is the standard deviation of observed / expected - 1 in a usual year
    detected : runs of periods whose curve lies above nothing expected (columns of `excess_stats`)
    intervals : the excess of the intervals that were asked for (columns of `excess_stats`), None if none were
    cov : covariance of observed / expected - 1; design, betacov : columns of the curve and the covariance of their
        coefficients; dispersion : of the expected counts; ar : the autoregression of the errors, None if independent
    """

    table: pd.DataFrame
    detected: pd.DataFrame
    intervals: pd.DataFrame | None
    cov: Numbers
    design: Numbers
    betacov: Numbers
    dispersion: float
    ar: AutoRegression | None
    method: str

    def __getitem__(self, name: str) -> pd.Series:
        """A column of `table`: curve["fitted"]."""
        return self.table[name]


def excess_model(
    counts: pd.DataFrame | Expected,
    *,
    start: Any = None,
    end: Any = None,
    knots_per_year: float = 12,
    event: Any = None,
    discontinuity: bool = True,
    intervals: Sequence[Any] | None = None,
    model: str = "quasipoisson",
    control_dates: Any = None,
    order_max: int = 14,
    aic: bool = True,
    maxit: int = 25,
    epsilon: float = 1e-8,
    alpha: float = 0.05,
    min_rate: float = 1e-4,
    **expected: Any,
) -> ExcessCurve | pd.DataFrame:
    """The smooth course of the excess from `start` to `end`, the excess of intervals, or both.

    Parameters
    ----------
    counts : the answer of `compute_expected` (one series), or its input; then `expected` are its options (exclude, …)
    start, end : first and last day of the curve; knots_per_year : inner knots of the spline
    event : day of a sudden event; one knot is moved there and, with `discontinuity`, the curve may jump there
    intervals : windows whose excess is wanted, e.g. [("2020-03-01", "2020-06-30"), …]; errors as if nothing had happened
    model : "quasipoisson" or "poisson" (independent errors), "correlated" (autoregressive errors, for daily counts)
    control_dates : periods without events from which the correlation is learned; all before the first excluded period if
        not given; order_max, aic : largest order of the autoregression, chosen by Akaike's criterion (or taken as it is)
    alpha : the curve counts as raised where its lower limit of so much uncertainty (two-sided) is above 0
    min_rate : expected and fitted counts are not below this

    Returns an `ExcessCurve`; a table alone where only `intervals` were asked for. As in excessmort 0.8.2 `se` of the curve
    carries the dispersion of the expected counts with "quasipoisson", while `sd`, the spread of a usual year beside the
    curve, is that of a Poisson count; `intervals` take the dispersion. `excess_deaths` uses the dispersion throughout.
    """
    if model not in MODELS:
        raise UsageError("error.excess_option", option="model", found=model, expected=", ".join(MODELS))
    basis = counts if isinstance(counts, Expected) else compute_expected(counts, **expected)
    _require_one_series(basis)
    if (start is None) != (end is None) or (start is None and intervals is None):
        raise UsageError("error.excess_window_missing")
    ar = _correlation(basis, control_dates, order_max, aic) if model == "correlated" else None
    sums = None if intervals is None else interval_excess(basis, intervals, model=model, ar=ar)
    if start is None:
        assert sums is not None
        return sums
    at = _window(basis, start, end)
    columns = curve_design(basis, at, knots_per_year=knots_per_year, event=event, discontinuity=discontinuity)
    if ar is None:
        dispersion = float(basis.dispersion[0]) if model == "quasipoisson" else 1.0
        fitted = independent_curve(basis, at, columns, min_rate=min_rate, dispersion=dispersion)
    else:
        fitted = correlated_curve(basis, at, columns, ar, maxit=maxit, epsilon=epsilon, min_rate=min_rate)
    found = _as_curve(basis, at, fitted, ar, f"excessmort {model}: {knots_per_year:.3g} knots/year; {basis.method}")
    return replace(found, detected=_detected(basis, at, found, alpha), intervals=sums)


def _require_one_series(basis: Expected) -> None:
    if len(basis.expected) != 1:
        raise InputError("error.excess_one_series", found=len(basis.expected))
    if basis.fit.reason[0]:
        raise InputError("error.excess_no_expected", reason=basis.fit.reason[0])


def _correlation(basis: Expected, control: Any, order_max: int, aic: bool) -> AutoRegression:
    """The autoregression of the ratios over the control dates."""
    dates = basis.counts.dates
    if control is not None:
        use = dates_meant(control, dates)
    else:
        use = np.arange(len(dates)) < (int(basis.excluded.argmax()) if basis.excluded.any() else len(dates))
    use &= np.isfinite(basis.counts.counts[0])
    if use.sum() <= order_max:
        raise InputError("error.excess_control_short", found=int(use.sum()), expected=order_max + 1)
    mu, log_var = basis.expected[0, use], basis.log_se[0, use] ** 2
    ratio = basis.counts.counts[0, use] / mu - 1
    return fit_autoregression(ratio, 1 / mu + log_var, order_max=order_max, aic=aic)


def _window(basis: Expected, start: Any, end: Any) -> Indices:
    """The periods of the curve; 29 February is left out of daily counts."""
    dates = basis.counts.dates
    inside = dates_meant((start, end), dates) & np.isfinite(basis.counts.counts[0]) & np.isfinite(basis.expected[0])
    if basis.counts.frequency == DAILY:
        inside &= np.array([str(day)[5:] != "02-29" for day in dates])
    found = np.flatnonzero(inside)
    if len(found) < 4:
        raise InputError("error.excess_window_empty", start=start, end=end, found=len(found))
    return found


def _as_curve(basis: Expected, at: Indices, fitted: FittedCurve, ar: AutoRegression | None, method: str) -> ExcessCurve:
    short = basis.table.loc[at, ["status", "reason"]].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "date": pd.Series(basis.counts.dates[at]).astype("datetime64[s]"),
            "observed": basis.counts.counts[0, at],
            "expected": basis.expected[0, at],
            "log_expected_se": basis.log_se[0, at],
            "fitted": fitted.curve,
            "se": fitted.se,
            "sd": np.sqrt(np.diag(fitted.cov)),
            "population": basis.counts.population[0, at] if basis.counts.has_population[0] else np.nan,
        }
    )
    table = table.assign(method=pd.Series([method] * len(table), dtype="str")).join(short)
    return ExcessCurve(
        table, pd.DataFrame(), None, fitted.cov, fitted.design, fitted.betacov, float(basis.dispersion[0]), ar, method
    )


def _detected(basis: Expected, at: Indices, found: ExcessCurve, alpha: float) -> pd.DataFrame:
    """Runs of neighbours whose curve lies above 0 beyond its limits."""
    table = found.table
    above = np.flatnonzero(table["fitted"] - z_value(1 - alpha) * table["se"] >= 0)
    runs = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1) if len(above) else []
    rows = [excess_stats(basis, at[run], found.cov[np.ix_(run, run)], found, run) for run in runs]
    return pd.DataFrame(rows)


def excess_stats(
    basis: Expected, at: Indices, cov: Numbers, curve: ExcessCurve | None = None, run: Indices | None = None
) -> dict[str, Any]:
    """start, end, rates per 1,000 persons and year, observed, expected, excess, sd; with a curve also fitted, se."""
    mu, seen = basis.expected[0, at], basis.counts.counts[0, at].sum()
    sd = float(np.sqrt(mu @ cov @ mu))
    persons = basis.counts.population[0, at].sum() if basis.counts.has_population[0] else np.nan
    per = basis.counts.frequency * 1000 / persons
    dates = pd.to_datetime(basis.counts.dates[at])
    row = {
        "start": dates[0], "end": dates[-1], "obs_death_rate": seen * per, "exp_death_rate": mu.sum() * per,
        "sd_death_rate": sd * per, "observed": seen, "expected": mu.sum(), "excess": seen - mu.sum(), "sd": sd,
    }  # fmt: skip
    if curve is None or run is None:
        return row
    moved = mu @ curve.design[run]
    fitted = float(mu @ curve.table["fitted"].to_numpy()[run])
    return row | {"fitted": fitted, "se": float(np.sqrt(moved @ curve.betacov @ moved))}


def interval_excess(
    basis: Expected, intervals: Sequence[Any], *, model: str = "quasipoisson", ar: AutoRegression | None = None
) -> pd.DataFrame:
    """The excess of each interval, one row each; errors as if nothing had happened. See `excess_stats`."""
    if isinstance(intervals, tuple | str):
        intervals = [intervals]
    rows = []
    for interval in intervals:
        inside = dates_meant(interval, basis.counts.dates) & np.isfinite(basis.counts.counts[0])
        at = np.flatnonzero(inside & np.isfinite(basis.expected[0]))
        if not len(at):
            raise InputError("error.excess_interval_empty", interval=interval)
        rows.append(excess_stats(basis, at, _usual_cov(basis, at, model, ar)))
    return pd.DataFrame(rows)


def _usual_cov(basis: Expected, at: Indices, model: str, ar: AutoRegression | None) -> Numbers:
    """Covariance of observed / expected - 1 where nothing happened."""
    mu = basis.expected[0, at]
    if ar is None:
        return np.diag((basis.dispersion[0] if model == "quasipoisson" else 1.0) / mu)
    size = np.sqrt(ar.sigma**2 + 1 / mu + basis.log_se[0, at] ** 2)
    together = autocorrelation(ar.coefficients, len(at)) if ar.matters else np.eye(len(at))
    return np.asarray(together * np.outer(size, size))


def excess_cumulative(curve: ExcessCurve, start: Any = None, end: Any = None) -> pd.DataFrame:
    """Excess deaths added up from `start`: date, observed (observed less expected), sd (of a usual year), fitted (from the
    curve), se (of fitted); one row per period of the curve in the window."""
    if not isinstance(curve, ExcessCurve):
        raise InputError("error.excess_not_a_curve", found=type(curve).__name__)
    table = curve.table
    inside = dates_meant((start, end), table["date"].to_numpy().astype("datetime64[D]"))
    if not inside.any():
        raise InputError("error.excess_window_empty", start=start, end=end, found=0)
    part, at = table[inside], np.flatnonzero(inside)
    mu = part["expected"].to_numpy()
    of_curve = curve.design[at] @ curve.betacov @ curve.design[at].T
    np.fill_diagonal(of_curve, part["se"].to_numpy() ** 2)
    usual = curve.cov[np.ix_(at, at)] + np.diag(part["log_expected_se"].to_numpy() ** 2)
    return pd.DataFrame(
        {
            "date": part["date"].to_numpy(),
            "observed": (part["observed"] - mu).cumsum().to_numpy(),
            "sd": _spread_of_sums(usual, mu),
            "fitted": (mu * part["fitted"]).cumsum().to_numpy(),
            "se": _spread_of_sums(of_curve, mu),
        }
    )


def _spread_of_sums(cov: Numbers, mu: Numbers) -> Numbers:
    """Standard deviation of the running sums of mu times the ratio."""
    sums = np.cumsum(np.cumsum(cov * np.outer(mu, mu), axis=0), axis=1)
    found: Numbers = np.sqrt(np.diag(sums))
    return found


CURVE_COLUMNS = {"fitted": "fitted", "se": "fitted_se", "sd": "fitted_sd"}
SUM_COLUMNS = {"fitted": "cumulative_fitted", "se": "cumulative_fitted_se"}


def with_curves(
    table: pd.DataFrame, found: Baseline, first: int, last: int, *, knots_per_year: float, event: Any
) -> pd.DataFrame:
    """The table of `excess_deaths` with the smooth course of each series over the periods under study."""
    if found.model is None:
        raise UsageError("error.excess_curve_method", method=found.method)
    names = [*CURVE_COLUMNS.values(), *SUM_COLUMNS.values()]
    table = table.assign(**dict.fromkeys(names, np.nan))
    dates = found.model.counts.dates
    for number in range(len(found.expected)):
        one = found.model.one(number)
        if one.fit.reason[0]:
            continue
        curve = excess_model(one, start=dates[first], end=dates[last], knots_per_year=knots_per_year, event=event)
        assert isinstance(curve, ExcessCurve)
        rows = number * len(dates) + np.searchsorted(dates, curve.table["date"].to_numpy().astype("datetime64[D]"))
        table.loc[rows, list(CURVE_COLUMNS.values())] = curve.table[list(CURVE_COLUMNS)].to_numpy()
        table.loc[rows, list(SUM_COLUMNS.values())] = excess_cumulative(curve)[list(SUM_COLUMNS)].to_numpy()
    return table
