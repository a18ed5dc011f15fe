"""Counts with a season: harmonics and a trend in a Poisson, quasi-Poisson or negative binomial model, many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import text_with
from tkyt_analysis.analysis.limits import Numbers, tail
from tkyt_analysis.analysis.trend.batch_glm import BatchFit, fit_counts, fit_negative_binomial, log_likelihood
from tkyt_analysis.analysis.trend.count_models import model_word
from tkyt_analysis.analysis.trend.season_input import season_grid, stated
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid
from tkyt_analysis.analysis.trend.series_marks import breaks_of_grid, marks_of
from tkyt_analysis.analysis.trend.trend_options import require_number


@dataclass(frozen=True)
class HarmonicResult:
    """Tables of one call, all with the keys of the series, method, status and reason.

    coefficients : term ("intercept", "trend" [per year], "sin1", "cos1", …), estimate, se, lower, upper, p_value
    series : n, events, apc, lower, upper [% per year], amplitude (peak over mean of the season, ratio), peak (time in
        the cycle, 0 to period, of the highest point), dispersion, deviance, df, theta, theta_se, loglik, marks
    fitted : time, observed, expected, trend (expected without the season), seasonal (ratio)
    """

    coefficients: pd.DataFrame
    series: pd.DataFrame
    fitted: pd.DataFrame


def harmonic_trend(
    series: object = None,
    *,
    period: float = 12,
    harmonics: int = 2,
    trend: bool = True,
    model: str = "quasipoisson",
    by: str | Sequence[str] = (),
    time: Given = None,
    events: Given = None,
    population: Given = None,
    floor_dispersion: bool = False,
    breaks: object = None,
    confidence: float = 0.95,
) -> HarmonicResult:
    """Counts with a season: log E = log(population) + a + b × time/period + sines and cosines of 2 pi h time/period.

    Equal to R's glm(…, quasipoisson) and MASS::glm.nb with the same terms; many series in one go.

    Parameters
    ----------
    series : table with time (a running number of months or weeks; or year and month), events and perhaps population
        (persons, or days in the month); a Series or list of counts (time is then 1, 2, …)
    period : times per year, 12 or 52.18; harmonics : pairs of sine and cosine; trend : straight line on the log scale
    model, floor_dispersion, breaks, confidence : as in `count_trend` (limits by t for quasi-Poisson, else by z)
    """
    tail(confidence)
    require_number("period", period, low=1)
    require_number("harmonics", harmonics, low=0, whole=True)
    model = model_word(model)
    grid = season_grid(series, period, by=by, time=time, needed={"events": events}, optional={"population": population})
    counts, offset, reason = _counts(grid, terms=1 + trend + 2 * harmonics)
    design, terms = _season_design(grid.time, period, harmonics, trend)
    fitter = fit_negative_binomial if model == "negative_binomial" else fit_counts
    fit = fitter(counts, design, offset=offset)
    reason = np.where((reason == "") & ~fit.converged, "reason.trend_not_converged", reason)
    setting = _Setting(model, period, harmonics, trend, confidence, floor_dispersion)
    marks = marks_of(breaks_of_grid(breaks, grid), len(grid))
    return HarmonicResult(
        _coefficient_table(grid, fit, terms, setting, reason),
        _series_table(grid, counts, fit, setting, reason, marks),
        _expected_table(grid, counts, fit, design, offset, setting, reason),
    )


@dataclass(frozen=True)
class _Setting:
    model: str
    period: float
    harmonics: int
    trend: bool
    confidence: float
    floor: bool

    @property
    def method(self) -> str:
        limits = "wald_t" if self.model == "quasipoisson" else "wald_z"
        notes = [f"period={self.period:g}", f"harmonics={self.harmonics}", f"trend={'line' if self.trend else 'none'}"]
        return text_with(self.model, [*notes, f"limits={limits}", "dispersion>=1" if self.floor else ""])


def _counts(grid: SeriesGrid, *, terms: int) -> tuple[Numbers, Numbers, npt.NDArray[np.str_]]:
    counts = grid.columns["events"]
    persons = grid.columns.get("population", np.ones_like(counts))
    wrong, nobody = (counts < 0) | np.isinf(counts), ~((persons > 0) & np.isfinite(persons))
    keep = ~(np.isnan(counts) | wrong | nobody)
    used = np.where(keep, counts, np.nan)
    reason = np.select(
        [wrong.any(axis=1), (nobody & (counts > 0)).any(axis=1), ~keep.any(axis=1), keep.sum(axis=1) <= terms,
         np.nansum(used, axis=1) == 0],
        ["reason.events_missing", "reason.events_without_person_years", "reason.trend_no_data",
         "reason.trend_too_few_values", "reason.trend_no_events"],
        "",
    )  # fmt: skip
    return used, np.log(np.where(keep, persons, 1.0)), reason


def _season_design(time: Numbers, period: float, harmonics: int, trend: bool) -> tuple[Numbers, list[str]]:
    angle = 2 * np.pi * time / period
    pairs = [(h, name, wave) for h in range(1, harmonics + 1) for name, wave in (("sin", np.sin), ("cos", np.cos))]
    waves = {f"{name}{h}": wave(h * angle) for h, name, wave in pairs}
    columns = {"intercept": np.ones_like(time)} | ({"trend": time / period} if trend else {}) | waves
    return np.column_stack(list(columns.values())), list(columns)


def _spread(fit: BatchFit, setting: _Setting) -> tuple[Numbers, Numbers, Numbers]:
    """Standard errors (series, terms), quantile and residual df for limits (inf: normal) per series."""
    from scipy import stats

    variance = np.einsum("saa->sa", fit.covariance)
    if setting.model != "quasipoisson":
        every = np.ones(len(variance))
        return np.sqrt(variance), every * stats.norm.isf(tail(setting.confidence)), every * np.inf
    scale = np.maximum(fit.dispersion, 1) if setting.floor else fit.dispersion
    df = np.where(fit.df > 0, fit.df, np.nan)
    return np.sqrt(variance * scale[:, None]), stats.t.isf(tail(setting.confidence), df), df


def _coefficient_table(
    grid: SeriesGrid, fit: BatchFit, terms: list[str], setting: _Setting, reason: npt.NDArray[np.str_]
) -> pd.DataFrame:
    from scipy import stats

    se, quantile, df = _spread(fit, setting)
    ok, beta = (reason == "")[:, None], fit.coefficients
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * stats.t.sf(np.abs(beta / se), df[:, None])
    half = quantile[:, None] * se
    columns = {"estimate": beta, "se": se, "lower": beta - half, "upper": beta + half, "p_value": p_value}
    table = pd.DataFrame({"term": pd.array(terms * len(grid), dtype="str")})
    table = table.assign(**{name: np.where(ok, values, np.nan).ravel() for name, values in columns.items()})
    keys = grid.keys.iloc[np.repeat(np.arange(len(grid)), len(terms))].reset_index(drop=True)
    return stated(pd.concat([keys, table], axis=1), setting.method, np.repeat(reason, len(terms)))


def _series_table(
    grid: SeriesGrid,
    counts: Numbers,
    fit: BatchFit,
    setting: _Setting,
    reason: npt.NDArray[np.str_],
    marks: npt.NDArray,
) -> pd.DataFrame:
    se, quantile, _ = _spread(fit, setting)
    slope = fit.coefficients[:, 1] if setting.trend else np.full(len(grid), np.nan)
    half = quantile * (se[:, 1] if setting.trend else np.nan)
    amplitude, peak = _peak(fit, setting)
    columns = {
        "apc": 100 * np.expm1(slope), "lower": 100 * np.expm1(slope - half), "upper": 100 * np.expm1(slope + half),
        "amplitude": amplitude, "peak": peak, "dispersion": fit.dispersion, "deviance": fit.deviance, "df": fit.df,
        "theta": fit.theta, "theta_se": fit.theta_se, "loglik": log_likelihood(counts, fit),
    }  # fmt: skip
    table = {"n": (~np.isnan(counts)).sum(axis=1), "events": np.nansum(counts, axis=1)}
    table |= {name: np.where(reason == "", values, np.nan) for name, values in columns.items()}
    table["marks"] = pd.array(marks, dtype="str")
    return stated(pd.concat([grid.keys, pd.DataFrame(table)], axis=1), setting.method, reason)


def _waves(fit: BatchFit, setting: _Setting, time: Numbers) -> Numbers:
    """Seasonal part of the linear predictor (series, time)."""
    design, _ = _season_design(time, setting.period, setting.harmonics, False)
    return fit.coefficients[:, 1 + setting.trend :] @ design[:, 1:].T


def _peak(fit: BatchFit, setting: _Setting) -> tuple[Numbers, Numbers]:
    """Highest point of the season over its mean on the log scale (as a ratio), and where in the cycle it lies."""
    places = np.linspace(0, setting.period, 1_201)[:-1]
    season = np.nan_to_num(_waves(fit, setting, places)) if setting.harmonics else np.zeros((len(fit.df), len(places)))
    return np.exp(season.max(axis=1)), places[season.argmax(axis=1)]


def _expected_table(
    grid: SeriesGrid, counts: Numbers, fit: BatchFit, design: Numbers, offset: Numbers, setting: _Setting,
    reason: npt.NDArray[np.str_],
) -> pd.DataFrame:  # fmt: skip
    season = _waves(fit, setting, grid.time) if setting.harmonics else np.zeros(counts.shape)
    line = fit.coefficients[:, : 1 + setting.trend] @ design[:, : 1 + setting.trend].T + offset
    ok = (reason == "")[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        parts = {"expected": np.exp(line + season), "trend": np.exp(line), "seasonal": np.exp(season)}
    n, t = counts.shape
    table = {"time": np.tile(grid.time, n), "observed": counts.ravel()}
    table |= {name: np.where(ok, values, np.nan).ravel() for name, values in parts.items()}
    keys = grid.keys.iloc[np.repeat(np.arange(n), t)].reset_index(drop=True)
    return stated(pd.concat([keys, pd.DataFrame(table)], axis=1), setting.method, np.repeat(reason, t))
