"""Rows of the result tables from the chosen models of series that have the same years and number of joinpoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.trend.joinpoint_intervals import (
    Fit,
    Resampled,
    average_slopes,
    fit_models,
    joinpoint_limits,
    quantile_limits,
    resample,
    t_limits,
    window_weights,
)
from tkyt_analysis.analysis.trend.joinpoint_options import Options
from tkyt_analysis.analysis.trend.joinpoint_search import Batch, Grid, Numbers, Places

Three = tuple[Numbers, Numbers, Numbers]


@dataclass(frozen=True)
class Chosen:
    """The chosen models of some series: their numbers (series,), batch, grid, fit, and draws of each if limits are empirical."""

    rows: Places
    batch: Batch
    grid: Grid
    fit: Fit
    draws: list[Resampled]
    options: Options

    @property
    def edges(self) -> Numbers:
        """(series, k+2): first year, joinpoints, last year."""
        ends = [np.full((len(self.rows), 1), year) for year in (self.batch.x[0], self.batch.x[-1])]
        return np.concatenate([ends[0], self.fit.tau, ends[1]], axis=1)

    def percent(self, slope: Numbers) -> Numbers:
        """Annual percent change of a slope on the log scale; missing on the linear scale."""
        return 100 * np.expm1(slope) if self.options.log else np.full(np.shape(slope), np.nan)


def fitted_pieces(
    batch: Batch, grid: Grid, tau: Numbers, rows: Places, rate: Numbers, options: Options
) -> dict[str, pd.DataFrame]:
    """segments, joinpoints, aapc, series, fitted, jumps of series `rows` with joinpoints tau (series, k)."""
    fit = fit_models(batch, tau, standard_errors=options.standard_errors)
    draws = []
    if options.limits == "empirical" and len(batch.x) > 2 * fit.k + 2:
        draws = [_draws(batch, grid, tau, number, options) for number in range(len(rows))]
    chosen = Chosen(rows, batch, grid, fit, draws, options)
    return {
        "segments": _segments(chosen),
        "joinpoints": _joinpoints(chosen),
        "aapc": _averages(chosen),
        "series": _series(chosen),
        "fitted": _fitted(chosen, rate),
        "jumps": _jumps(chosen),
    }


def _draws(batch: Batch, grid: Grid, tau: Numbers, number: int, options: Options) -> Resampled:
    one = slice(number, number + 1)
    part = batch.part(one)
    return resample(part, grid, fit_models(part, tau[one]), draws=options.draws, seed=options.plan.seed)


def _slope_limits(chosen: Chosen) -> Three:
    """(lower, upper, p) of the slopes (series, k+1)."""
    fit, confidence = chosen.fit, chosen.options.confidence
    if chosen.options.limits == "empirical" and chosen.draws:
        found = [quantile_limits(fit.slopes[i], one.slopes, confidence) for i, one in enumerate(chosen.draws)]
        lower, upper, p_value = (np.stack(part) for part in zip(*found, strict=True))
        return lower, upper, p_value
    return t_limits(fit.slopes, fit.error, fit.freedom[:, None], confidence)


def _no_limits(lower: Numbers) -> np.ndarray:
    return np.where(np.isnan(lower), "reason.joinpoint_no_limits", "")


def _segments(chosen: Chosen) -> pd.DataFrame:
    fit, edges, x = chosen.fit, chosen.edges, chosen.batch.x
    series, count = fit.slopes.shape
    lower, upper, p = _slope_limits(chosen)
    inside = (x >= edges[:, :-1, None]) & (x <= edges[:, 1:, None])
    columns = {
        "series": np.repeat(chosen.rows, count),
        "segment": np.tile(np.arange(1, count + 1), series),
        "start": edges[:, :-1].ravel(),
        "end": edges[:, 1:].ravel(),
        "n": inside.sum(axis=2).ravel(),
        "slope": fit.slopes.ravel(),
        "se": fit.error.ravel(),
        "slope_lower": lower.ravel(),
        "slope_upper": upper.ravel(),
        "apc": chosen.percent(fit.slopes).ravel(),
        "lower": chosen.percent(lower).ravel(),
        "upper": chosen.percent(upper).ravel(),
        "p_value": p.ravel(),
        "significant": ((lower > 0) | (upper < 0)).ravel(),
        "reason": _no_limits(lower).ravel(),
    }
    return pd.DataFrame(columns).assign(n_joinpoints=fit.k)


def _joinpoints(chosen: Chosen) -> pd.DataFrame:
    fit, options = chosen.fit, chosen.options
    series, k = fit.tau.shape
    if chosen.draws and k:
        tail = (1 - options.confidence) / 2
        ends = np.stack([np.quantile(one.tau, [tail, 1 - tail], axis=0) for one in chosen.draws], axis=1)
        lower, upper = ends[0], ends[1]
    else:
        lower, upper = joinpoint_limits(chosen.batch, chosen.grid, fit, options.confidence)
    change = np.diff(fit.slopes, axis=1)
    spread = np.square(fit.error)
    _, _, p = t_limits(change, np.sqrt(spread[:, 1:] + spread[:, :-1]), fit.freedom[:, None], options.confidence)
    columns = {
        "series": np.repeat(chosen.rows, k),
        "joinpoint": np.tile(np.arange(1, k + 1), series),
        "year": fit.tau.ravel(),
        "lower": lower.ravel(),
        "upper": upper.ravel(),
        "slope_change": change.ravel(),
        "p_value": p.ravel(),
        "reason": _no_limits(lower).ravel(),
    }
    return pd.DataFrame(columns)


def _averages(chosen: Chosen) -> pd.DataFrame:
    """AAPC over each window; a window beyond the years of the series is not assessable."""
    first, last = chosen.batch.x[0], chosen.batch.x[-1]
    parts = []
    for start, end in chosen.options.windows_on(float(first), float(last), list(chosen.batch.x)):
        inside = bool(first <= start < end <= last)
        nothing = np.full(len(chosen.rows), np.nan)
        value, se, lower, upper, p = _average(chosen, start, end) if inside else (nothing,) * 5
        reason = _no_limits(lower) if inside else np.full(len(value), "reason.joinpoint_window_outside")
        columns = {
            "series": chosen.rows,
            "start": start,
            "end": end,
            "slope": value,
            "se": se,
            "slope_lower": lower,
            "slope_upper": upper,
            "aapc": chosen.percent(value),
            "lower": chosen.percent(lower),
            "upper": chosen.percent(upper),
            "p_value": p,
            "significant": (lower > 0) | (upper < 0),
            "reason": reason,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _average(chosen: Chosen, start: float, end: float) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    """(slope, se, lower, upper, p)."""
    first, last = chosen.batch.x[0], chosen.batch.x[-1]
    weights = window_weights(chosen.fit.tau, first, last, start, end)
    found = average_slopes(chosen.fit, weights, chosen.options.confidence)
    if not chosen.draws:
        return found
    drawn = np.stack(
        [(window_weights(one.tau, first, last, start, end) * one.slopes).sum(axis=1) for one in chosen.draws], axis=1
    )
    return (*found[:2], *quantile_limits(found[0], drawn, chosen.options.confidence))


def _series(chosen: Chosen) -> pd.DataFrame:
    rho = chosen.batch.rho
    columns = {
        "series": chosen.rows,
        "n": len(chosen.batch.x),
        "first": chosen.batch.x[0],
        "last": chosen.batch.x[-1],
        "n_joinpoints": chosen.fit.k,
        "autocorrelation": 0.0 if rho is None else rho,
        "sse": chosen.fit.sse,
    }
    return pd.DataFrame(columns)


def _fitted(chosen: Chosen, rate: Numbers) -> pd.DataFrame:
    x, fit = chosen.batch.x, chosen.fit
    value = np.exp(fit.fitted) if chosen.options.log else fit.fitted
    segment = 1 + (x[None, :, None] > fit.tau[:, None, :]).sum(axis=2)
    columns = {
        "series": np.repeat(chosen.rows, len(x)),
        "year": np.tile(x, len(chosen.rows)),
        "rate": rate.ravel(),
        "fitted": value.ravel(),
        "segment": segment.ravel(),
    }
    return pd.DataFrame(columns)


def _jumps(chosen: Chosen) -> pd.DataFrame:
    """How far the level shifts at each break."""
    jumps, steps = chosen.fit.jumps, chosen.batch.steps
    if not steps.size:
        return pd.DataFrame({"series": np.array([], dtype=np.intp)})
    lower, upper, p = t_limits(jumps, chosen.fit.jump_error, chosen.fit.freedom[:, None], chosen.options.confidence)
    shown = chosen.percent if chosen.options.log else np.asarray
    year = chosen.batch.x[steps.argmax(axis=0)]
    columns = {
        "series": np.repeat(chosen.rows, len(year)),
        "year": np.tile(year, len(chosen.rows)),
        "jump": shown(jumps).ravel(),
        "lower": shown(lower).ravel(),
        "upper": shown(upper).ravel(),
        "p_value": p.ravel(),
        "reason": _no_limits(lower).ravel(),
    }
    return pd.DataFrame(columns)
