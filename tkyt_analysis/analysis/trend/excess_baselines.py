"""What each method expects, in one form: expected counts, the spread of single counts, and the error of sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend.excess_input import MONTHLY, WEEKLY, Counts
from tkyt_analysis.analysis.trend.expected import Expected, compute_expected
from tkyt_analysis.analysis.trend.expected_simple import fit_levels, year_and_place
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
MOST_AVERAGE_YEARS = 5
_OWN = ("upperbound", "alarm", "score", "zscore", "upib2", "upib4", "ucib", "lcib")


@dataclass(frozen=True)
class Baseline:
    """expected, count_sd (spread of a single count around it), se (error of expected): (series, time).

    sum_se : error of the running sums of expected over some periods, (series, periods)
    degrees : of Student's t, inf for the normal; reason : per series; used : (time,) periods that made the baseline
    why : (series, time) label keys of the method itself, why it expects nothing
    model : the fitted count model where there is one (for simulation)
    own : further figures of a surveillance method by name (upperbound, alarm, score; zscore, upib2 …), (series, time)
    """

    expected: Numbers
    count_sd: Numbers
    se: Numbers
    sum_se: Callable[[Indices], Numbers]
    degrees: Numbers
    reason: npt.NDArray[np.str_]
    used: Flags
    method: str
    years: float
    model: Expected | None = None
    why: npt.NDArray[Any] | None = None
    own: dict[str, Numbers] = field(default_factory=dict)


def regression_baseline(series: Counts, excluded: Flags, **options: Any) -> Baseline:
    """`compute_expected`."""
    found = compute_expected(series, exclude=excluded, **options)
    mean, theta = found.expected, found.fit.theta[:, None]
    variance = np.where(np.isfinite(theta), mean + mean**2 / theta, found.dispersion[:, None] * mean)

    def sum_se(at: Indices) -> Numbers:
        moved = np.cumsum(np.nan_to_num(mean[:, at, None]) * found.basis[at], axis=1)
        spread = np.einsum("snp,spq,snq->sn", moved, found.fit.cov, moved, optimize=True)
        return np.sqrt(spread * found.dispersion[:, None])

    normal = np.full(len(mean), np.inf)
    return Baseline(
        mean, np.sqrt(variance), mean * found.log_se, sum_se, normal, found.fit.reason, ~excluded, found.method,
        found.baseline_years, found,
    )  # fmt: skip


def level_baseline(
    series: Counts,
    excluded: Flags,
    *,
    trend: bool,
    population_adjusted: bool,
    days_offset: bool,
    five_before: int | None = None,
) -> Baseline:
    """Average of the same week or month of the baseline years; with `trend` on a straight line through the years.

    five_before : of a place: only the five calendar years before its year enter
    """
    if five_before is not None:
        excluded = excluded | _years_before(series, five_before)
        if excluded.all():
            raise UsageError("error.excess_nothing_before", date=series.dates[five_before])
    scale = np.ones(series.counts.shape)
    if population_adjusted:
        scale = scale * series.population / np.nanmean(series.population, axis=1, keepdims=True)
    if days_offset:
        scale = scale * series.days / series.days.mean()
    use = ~excluded & np.isfinite(series.counts) & (scale > 0)
    found = fit_levels(series, use, trend=trend, scale=scale)

    def sum_se(at: Indices) -> Numbers:
        moved = np.cumsum(found.scale[:, at, None] * found.gradient[at], axis=1)
        return np.sqrt(np.einsum("snp,spq,snq->sn", moved, found.cov, moved, optimize=True))

    single = np.einsum("tp,spq,tq->st", found.gradient, found.cov, found.gradient, optimize=True)
    years = np.unique(year_and_place(series)[0][~excluded])
    name = f"{'linear_trend' if trend else 'five_year_average'}: {years.min()}–{years.max()}"
    name += ", per population" * population_adjusted + ", per day" * days_offset
    return Baseline(
        found.expected, found.count_sd, np.sqrt(np.maximum(single, 0)) * scale, sum_se, found.degrees, found.reason,
        ~excluded, name, float(len(years)),
    )  # fmt: skip


def _years_before(series: Counts, first: int) -> Flags:
    """What is not in the five calendar years before the first period under study."""
    year, _ = year_and_place(series)
    found: Flags = (year >= year[first]) | (year < year[first] - MOST_AVERAGE_YEARS)
    return found


def farrington_baseline(series: Counts, excluded: Flags, first: int, confidence: float, **options: Any) -> Baseline:
    """Expected counts and bounds of `farrington` ("noufaily" by default) of every period from `first`.

    Of months three around the same one of earlier years and four periods a year are compared, if nothing else is said.
    Its bound is one-sided; the spread is read back from it. Every period has a fit of its own, whose errors hang together in
    a way that the method does not say: sums have no limits.
    """
    from tkyt_analysis.analysis.trend.farrington_detection import farrington

    _require(series, WEEKLY, MONTHLY)
    length = len(series.dates)
    months = {"w": 1, "no_periods": 4, "past_weeks_not_included": 6} if series.frequency == MONTHLY else {}
    if options.get("method", "noufaily") != "noufaily":
        months = {"w": 1} if months else {}
    given: dict[str, Any] = {"method": "noufaily", "alpha": (1 - confidence) / 2} | months | options
    if given.get("population_offset") or given.get("populationOffset"):
        given["population"] = series.population
    table = farrington(series.counts, time=series.starts, range=list(range(first + 1, length + 1)), **given)
    expected, upper = (_on_grid(table, name, series) for name in ("expected", "upper"))
    z = z_value(1 - 2 * given["alpha"])
    spread = np.maximum(upper - expected, 0.0) / z
    used = np.arange(length) < first
    found = _of_bounds(series, expected, spread, np.full(expected.shape, np.nan), table, used)
    return replace(found, years=float(given.get("b", 5)))  # every period has its own so many years before it


def euromomo_baseline(series: Counts, excluded: Flags, confidence: float, **options: Any) -> Baseline:
    """Baseline of `euromomo` fitted to spring and autumn of the periods that are not excluded.

    Errors of the baseline are taken as fully dependent in sums (the widest they can be).
    """
    from tkyt_analysis.analysis.trend.euromomo_baseline import euromomo

    _require(series, WEEKLY)
    given: dict[str, Any] = {"history": None, "drop_from": None, "back": 0} | options
    if "in_model" not in given and excluded.any():
        given["in_model"] = np.broadcast_to(_spring_and_autumn(series) & ~excluded, series.counts.shape).astype(int)
    table = euromomo(series.counts, time=series.starts, confidence=confidence, **given)
    names = ("expected", "baseline_lower", "baseline_upper", "lower", "upper")
    expected, base_low, base_high, low, high = (_on_grid(table, name, series) for name in names)
    z = z_value(confidence)
    se, spread = (base_high - base_low) / (2 * z), (high - low) / (2 * z)
    return _of_bounds(series, expected, np.sqrt(np.maximum(spread**2 - se**2, 0)), se, table, ~excluded)


def _spring_and_autumn(series: Counts) -> Flags:
    """ISO weeks 16–25 and 37–44."""
    _, place = year_and_place(series)
    week = place + 1
    return ((week > 15) & (week < 26)) | ((week > 36) & (week < 45))


def _require(series: Counts, *frequencies: int) -> None:
    if series.frequency not in frequencies:
        raise UsageError(
            "error.excess_method_frequency", found=series.frequency, expected=", ".join(map(str, frequencies))
        )


def _on_grid(table: pd.DataFrame, name: str, series: Counts) -> Numbers:
    """A column of a surveillance table as (series, time), empty where it has no row (`index` counts periods from 1)."""
    grid = np.full(series.counts.shape, np.nan)
    place = table["index"].to_numpy().reshape(len(series.counts), -1)[0] - 1
    grid[:, place] = table[name].to_numpy(dtype=float).reshape(len(series.counts), -1)
    return grid


def _reasons(table: pd.DataFrame, series: Counts) -> npt.NDArray[Any]:
    """The reasons of a surveillance table as (series, time)."""
    grid = np.full(series.counts.shape, "", dtype=object)
    place = table["index"].to_numpy().reshape(len(series.counts), -1)[0] - 1
    grid[:, place] = table["reason"].to_numpy(dtype=object).reshape(len(series.counts), -1)
    return grid


def _of_bounds(
    series: Counts, expected: Numbers, spread: Numbers, se: Numbers, table: pd.DataFrame, used: Flags
) -> Baseline:

    def sum_se(at: Indices) -> Numbers:
        return np.cumsum(np.where(np.isfinite(expected[:, at]), se[:, at], 0.0), axis=1)

    nothing = np.full(len(expected), "", dtype=object).astype(str)
    return Baseline(
        expected,
        spread,
        se,
        sum_se,
        np.full(len(expected), np.inf),
        nothing,
        used,
        str(table["method"].iloc[0]),
        series.years(used), why=_reasons(table, series),
        own={name: _on_grid(table, name, series) for name in _OWN if name in table},
    )  # fmt: skip
