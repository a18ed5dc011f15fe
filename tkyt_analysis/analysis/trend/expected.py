"""Expected counts from the years before: a slow trend, the seasons, weekdays and named regressors.

`compute_expected` follows R package excessmort (Acosta & Irizarry, A flexible statistical framework for estimating excess
mortality, Epidemiology 2022;33:346-53) in its conventions and defaults; what it has beside it (several series, days of the
month, regressors, negative binomial) is named option by option.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.excess_dates import dates_meant
from tkyt_analysis.analysis.trend.excess_fit import CountFit, fit_counts
from tkyt_analysis.analysis.trend.excess_input import DAILY, Counts, read_counts
from tkyt_analysis.analysis.trend.natural_spline import natural_spline
from tkyt_analysis.errors import InputError, UsageError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SHORT_TREND_YEARS = 5
MODELLED = "modelled"


@dataclass(frozen=True)
class Design:
    """Columns of the model over time; `parts` says which columns are trend, seasonal, weekday and which regressor."""

    matrix: Numbers
    parts: dict[str, slice]
    knots: Numbers
    regressors: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """What was expected of each period of each series.

    counts : the input on its grid; excluded : (time,) periods not used for the fit
    expected, log_se : (series, time); log_se is the standard error of log(expected)
    dispersion, theta : (series,) over-dispersion (at least 1) and theta of the negative binomial (inf: none)
    baseline_years : years between the first and the last period that was used
    """

    counts: Counts
    excluded: Flags
    expected: Numbers
    log_se: Numbers
    fit: CountFit
    design: Design
    basis: Numbers
    method: str
    baseline_years: float
    days_offset: bool

    def one(self, number: int) -> Expected:
        """One of the series alone."""
        at = slice(number, number + 1)
        return replace(
            self, counts=self.counts.series(number), expected=self.expected[at], log_se=self.log_se[at],
            fit=self.fit.one(number),
        )  # fmt: skip

    @property
    def dispersion(self) -> Numbers:
        """Variance of the counts over their mean, at least 1; shape (series,)."""
        return self.fit.dispersion

    @property
    def table(self) -> pd.DataFrame:
        """One row per series and period: keys, date, period_id, outcome, population, expected, log_expected_se, excluded,
        dispersion, method, status, reason."""
        series, times = self.expected.shape
        table = self.counts.keys.loc[np.repeat(np.arange(series), times)].reset_index(drop=True)
        reason = np.repeat(self.fit.reason, times)
        short = self.baseline_years < SHORT_TREND_YEARS and self.design.parts["trend"].stop > 1
        status = np.where(reason != "", NOT_ASSESSABLE, MODELLED if short else OK)
        reason = np.where(reason == "", "reason.excess_short_baseline" if short else "", reason)
        return table.assign(
            date=pd.Series(np.tile(self.counts.dates, series)).astype("datetime64[s]"),
            period_id=pd.Series(np.tile(self.counts.period_ids, series), dtype="str"),
            outcome=self.counts.counts.ravel(),
            population=self.counts.persons.ravel(),
            expected=self.expected.ravel(),
            log_expected_se=self.log_se.ravel(),
            excluded=np.tile(self.excluded, series),
            dispersion=np.repeat(self.dispersion, times),
            method=pd.Series(np.full(series * times, self.method), dtype="str"),
            status=pd.Series(status, dtype="str"),
            reason=pd.Series(reason, dtype="str"),
        )

    @property
    def trend(self) -> Numbers:
        """Deaths per 1,000 persons and year by the slow trend alone, shape (series, time)."""
        rate = np.exp(self.fit.beta @ self._turned("trend").T) * self.counts.frequency * 1000
        return np.asarray(rate)

    @property
    def seasonal(self) -> pd.DataFrame:
        """day (1–365), one row per series and day; effect: share above or below the average of the trend."""
        days = np.linspace(1, 365, self.counts.frequency)
        columns = self.design.parts["seasonal"]
        turned = harmonics_of_days(days, (columns.stop - columns.start) // 2) @ self._coefficients(columns).T
        table = self.counts.keys.loc[np.repeat(np.arange(len(self.expected)), len(days))].reset_index(drop=True)
        return table.assign(day=np.tile(days, len(self.expected)), effect=np.exp(turned.T.ravel()) - 1)

    @property
    def weekday(self) -> pd.DataFrame | None:
        """weekday (1 Monday … 7 Sunday), effect; None where the model has none."""
        columns = self.design.parts.get("weekday")
        if columns is None:
            return None
        effects = np.exp(np.column_stack([_sum_contrasts(np.arange(7)) @ self._coefficients(columns).T])) - 1
        table = self.counts.keys.loc[np.repeat(np.arange(len(self.expected)), 7)].reset_index(drop=True)
        return table.assign(weekday=np.tile(np.arange(1, 8), len(self.expected)), effect=effects.T.ravel())

    def _coefficients(self, columns: slice) -> Numbers:
        """Coefficients of some columns of the design, shape (series, columns)."""
        back = np.linalg.pinv(self.fit.turn)
        return np.asarray((back @ self.fit.beta.T)[columns].T)

    def _turned(self, part: str) -> Numbers:
        """The columns of one part in the basis of the fit."""
        kept = np.zeros_like(self.design.matrix)
        kept[:, self.design.parts[part]] = self.design.matrix[:, self.design.parts[part]]
        return np.asarray(kept @ np.linalg.pinv(self.fit.turn))


def compute_expected(
    counts: pd.DataFrame | pd.Series | Counts,
    *,
    exclude: Any = None,
    include_trend: bool = True,
    trend_knots_per_year: float = 1 / 7,
    extrapolate: bool = True,
    harmonics: int = 2,
    frequency: int | None = None,
    weekday_effect: bool = False,
    by: str | Sequence[str] = (),
    regressors: Sequence[str] | pd.DataFrame = (),
    reference: dict[str, float] | None = None,
    days_offset: bool = False,
    family: str = "quasipoisson",
    outcome: str | None = None,
    population: str | None = None,
) -> Expected:
    """Expected counts of every period from a quasi-Poisson model of the periods that are not excluded.

    log E(count) = log(population) + natural spline of time + harmonics of the day of the year (365 days; 29 February shares the 60th with 1 March)
    [+ weekday] [+ regressors]; standard errors carry the over-dispersion (Pearson, at least 1).

    Parameters
    ----------
    counts : columns date, outcome[, population] (other names and inputs: `read_counts`), many series with `by`
    exclude : dates, ranges ("2020-01-01..2020-06-30", ("2020-01-01", None)) or a mask: periods left out of the fit
    include_trend, trend_knots_per_year : natural spline with one knot for so many years, straight outside the fitted span;
        a straight line in time where that gives no inner knot. Without a trend a constant
    extrapolate : False keeps the trend after the last fitted period at its last value
    harmonics : pairs of sine and cosine a year; frequency : periods a year (found from the dates)
    weekday_effect : only for daily counts (weeks and months have none)
    regressors : names of columns of `counts`, or a table with one row per period of the grid (`tet_regressors`)
    reference : value at which a regressor stands in the expected counts, e.g. {"heat": 0}; the rest as observed
    days_offset : months count by their days (excessmort does not do this)
    family : "quasipoisson", "poisson", "negative_binomial"; outcome, population : the columns, if they have other names

    Returns `Expected`; its `table` holds expected, log_expected_se, excluded. A trend over fewer than five years is marked
    `modelled` with the reason. Raises InputError for what cannot be read, nothing left to fit, a regressor with gaps.
    """
    named = [] if isinstance(regressors, pd.DataFrame) else list(regressors)
    series = read_counts(counts, by=by, frequency=frequency, extra=named, outcome=outcome, population=population)
    excluded = dates_meant(exclude, series.dates)
    if excluded.all():
        raise InputError("error.excess_nothing_to_fit", found=len(excluded))
    table = regressors if isinstance(regressors, pd.DataFrame) else shared_regressors(series, named)
    weekday = weekday_effect and series.frequency >= DAILY
    design = build_design(
        series, excluded, harmonics=harmonics, trend_knots_per_year=trend_knots_per_year if include_trend else None,
        weekday=weekday, regressors=table,
    )  # fmt: skip
    offset = log_offset(series, days_offset=days_offset)
    use = ~excluded & np.isfinite(series.counts) & np.isfinite(offset)
    fit = fit_counts(series.counts, design.matrix, np.where(np.isfinite(offset), offset, 0.0), use, family=family)
    shown = _shown(design, excluded, extrapolate=extrapolate, reference=reference or {})
    basis = shown @ np.linalg.pinv(fit.turn)
    return Expected(
        counts=series, excluded=excluded, expected=np.exp(fit.linear(basis) + offset),
        log_se=np.where((fit.reason == "")[:, None], fit.log_se(basis), np.nan), fit=fit, design=design, basis=basis,
        method=_method(family, design, harmonics, trend_knots_per_year if include_trend else None, extrapolate, days_offset),
        baseline_years=series.years(~excluded), days_offset=days_offset,
    )  # fmt: skip


def _method(
    family: str, design: Design, harmonics: int, knots: float | None, extrapolate: bool, days_offset: bool
) -> str:
    trend = "no trend" if knots is None else f"trend {knots:.3g} knots/year{'' if extrapolate else ' held'}"
    parts = [trend, f"{harmonics} harmonics", *("weekday" for _ in [0] if "weekday" in design.parts)]
    parts += [*design.regressors, *("days of month" for _ in [0] if days_offset)]
    return f"{family}: {', '.join(parts)}"


def log_offset(series: Counts, *, days_offset: bool) -> Numbers:
    """log of the persons at risk of each period; NaN where there is nobody."""
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.where(series.population > 0, np.log(series.population), np.nan)
    return offset + np.log(series.days / series.days.mean()) if days_offset else offset


def build_design(
    series: Counts,
    excluded: Flags,
    *,
    harmonics: int,
    trend_knots_per_year: float | None,
    weekday: bool = False,
    regressors: pd.DataFrame | None = None,
) -> Design:
    """Columns of trend, seasons, weekdays and regressors over the grid of dates."""
    if harmonics < 0 or 2 * harmonics >= series.frequency:
        raise UsageError("error.excess_option", option="harmonics", found=harmonics, expected="0, 1, 2, 3 …")
    trend, knots = _trend(series.numbers, excluded, trend_knots_per_year)
    blocks = {"trend": trend, "seasonal": harmonics_of_days(day_of_year(series.dates), harmonics)}
    if weekday:
        blocks["weekday"] = _sum_contrasts((series.dates.astype(int) + 3) % 7)
    names: tuple[str, ...] = ()
    if regressors is not None and len(regressors.columns):
        names = tuple(map(str, regressors.columns))
        blocks["regressors"] = _complete(regressors, series)
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    parts = {name: slice(end - block.shape[1], end) for (name, block), end in zip(blocks.items(), ends, strict=True)}
    return Design(np.column_stack(list(blocks.values())), parts, knots, names)


def _trend(numbers: Numbers, excluded: Flags, knots_per_year: float | None) -> tuple[Numbers, Numbers]:
    """The columns of the slow trend and its inner knots."""
    if knots_per_year is None:
        return np.ones((len(numbers), 1)), np.array([])
    used = numbers[~excluded]
    first, last = used.min(), used.max()
    knots = np.linspace(first, last, int((last - first) / 365 * knots_per_year) + 1)[1:-1]
    return natural_spline(numbers, knots, (first, last)), knots


def day_of_year(dates: npt.NDArray[np.datetime64]) -> Numbers:
    """1 to 365; 29 February and 1 March of a leap year share the 60th."""
    years = dates.astype("datetime64[Y]")
    day = (dates - years.astype("datetime64[D]")).astype(int) + 1
    number = years.astype(int) + 1970
    leap = (number % 4 == 0) & ((number % 100 != 0) | (number % 400 == 0))
    return (day - (leap & (day > 60))).astype(float)


def harmonics_of_days(day: Numbers, harmonics: int) -> Numbers:
    """sin and cos of 2·pi·k·day/365, k = 1 … harmonics; shape (days, 2 · harmonics)."""
    angle = 2 * np.pi / 365 * day[:, None] * np.arange(1, harmonics + 1)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(day), 2 * harmonics)


def _sum_contrasts(level: npt.NDArray[np.integer]) -> Numbers:
    """Six columns of seven levels whose effects add up to nothing."""
    found: Numbers = np.vstack([np.eye(6), -np.ones(6)])[level]
    return found


def shared_regressors(series: Counts, names: Sequence[str]) -> pd.DataFrame:
    """Regressors on the grid; they must be the same for all series of one call."""
    different = next((name for name in names if regressor_differs(series.extra[name])), None)
    if different is not None:
        raise InputError("error.excess_regressor_differs", column=different)
    columns = {name: pd.DataFrame(series.extra[name]).bfill().iloc[0].to_numpy() for name in names}
    return pd.DataFrame(columns)


def regressor_differs(values: Numbers) -> bool:
    """Whether the series (rows) have values of their own."""
    known = np.isfinite(values)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    return bool((high > low).any())


def _complete(regressors: pd.DataFrame, series: Counts) -> Numbers:
    """The regressors as numbers, one row per period; InputError where one is missing."""
    if len(regressors) != len(series.dates):
        raise InputError("error.excess_regressor_rows", found=len(regressors), expected=len(series.dates))
    values = regressors.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise InputError("error.excess_regressor_gap", column=regressors.columns[column], date=series.dates[row])
    return values


def _shown(design: Design, excluded: Flags, *, extrapolate: bool, reference: dict[str, float]) -> Numbers:
    """The design at which counts are expected: trend held outside the fitted span, regressors at their reference."""
    shown = design.matrix.copy()
    trend, used = design.parts["trend"], np.flatnonzero(~excluded)
    if not extrapolate:
        shown[used[-1] + 1 :, trend] = shown[used[-1], trend]
        shown[: used[0], trend] = shown[used[0], trend]
    for name, value in reference.items():
        if name not in design.regressors:
            raise UsageError(
                "error.excess_option", option="reference", found=name, expected=", ".join(design.regressors)
            )
        shown[:, design.parts["regressors"].start + design.regressors.index(name)] = value
    return shown
