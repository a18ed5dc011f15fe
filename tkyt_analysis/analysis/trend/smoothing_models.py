"""Holt–Winters exponential smoothing, equal to R's HoltWinters: start values, recursion and optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.trend.season_input import season_grid, stated, why_no_season
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid
from tkyt_analysis.analysis.trend.trend_options import require_number, require_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

SEASONS, OPTIMISERS = ("additive", "multiplicative"), ("r", "global")
NAMES, STARTS = ("alpha", "beta", "gamma"), (0.3, 0.1, 0.1)
STEP, TOLERANCE = 1e-3, 1e7 * np.finfo(float).eps  # of R's optim: ndeps, factr
MORE_STARTS = ((0.01, 0.5, 0.1), (0.1, 0.01, 0.1), (0.5, 0.05, 0.3), (0.8, 0.2, 0.5), (0.05, 0.9, 0.05))


@dataclass(frozen=True)
class HoltWintersResult:
    """Tables of one call, all with the keys of the series, method, status and reason.

    parameters : alpha, beta, gamma, sse, level, trend (last states), n
    seasons : place (1 = the time after the last one), value: last seasonal states
    fitted : time, observed, fitted, level, trend, season, residual
    forecast : time, value, lower, upper
    """

    parameters: pd.DataFrame
    seasons: pd.DataFrame
    fitted: pd.DataFrame
    forecast: pd.DataFrame


@dataclass(frozen=True)
class _Run:
    """One pass over a series: states after each time from the first fitted one."""

    fitted: list[float]
    level: list[float]
    trend: list[float]
    season: list[float]
    sse: float


def holt_winters(
    series: object = None,
    *,
    period: int = 12,
    seasonal: str = "additive",
    alpha: float | None = None,
    beta: float | bool | None = None,
    gamma: float | bool | None = None,
    start_periods: int = 2,
    horizon: int = 0,
    optimiser: str = "r",
    by: str | Sequence[str] = (),
    time: Given = None,
    value: Given = None,
    confidence: float = 0.95,
) -> HoltWintersResult:
    """Level, trend and season smoothed exponentially, and the next `horizon` times.

    Parameters
    ----------
    series : as in `stl_decomposition`
    seasonal : "additive" or "multiplicative"
    alpha, beta, gamma : weights of the newest value for level, trend, season; None: estimated (least squares of the
        one-step errors); beta=False: no trend; gamma=False: no season
    start_periods : cycles from which the first states are taken (moving average, then a line, as R's decompose)
    optimiser : "r" follows R's optim step by step (L-BFGS-B from 0.3, 0.1, 0.1; differences of 0.001), which may stop
        in a valley that is not the deepest; "global" tries more starts and keeps the least sum of squares
    horizon : times to forecast; limits (additive only) as R's predict: normal, from the variance of the residuals

    The optimiser works series by series; everything else is per series too (a state is needed before the next one).
    """
    tail(confidence)
    plan = _plan(period, seasonal, alpha, beta, gamma, start_periods, horizon, optimiser, confidence)
    grid = season_grid(series, period, by=by, time=time, needed={"value": value})
    require_series(len(grid))
    values = grid.columns["value"]
    reason = why_no_season(grid, values, period * start_periods / 2 if plan.gamma is not False else 2)
    zero = (np.nan_to_num(values, nan=1.0) <= 0).any(axis=1) & (plan.seasonal == "multiplicative")
    reason = np.where((reason == "") & zero, "reason.season_zero_multiplicative", reason)
    huge = (np.abs(np.nan_to_num(values)) > _SQUARES_OVERFLOW).any(axis=1)
    reason = np.where((reason == "") & huge, "reason.trend_not_converged", reason)
    runs = [_smoothed(row, plan) if why == "" else None for row, why in zip(values, reason, strict=True)]
    return _result(grid, values, runs, plan, reason)


_SQUARES_OVERFLOW = 1e100


@dataclass(frozen=True)
class _Plan:
    period: int
    seasonal: str
    alpha: float | None
    beta: float | bool | None
    gamma: float | bool | None
    start_periods: int
    horizon: int
    optimiser: str
    confidence: float

    @property
    def first(self) -> int:
        """Number of times before the first fitted one."""
        if self.gamma is not False:
            return self.period
        return 1 if self.beta is False else 2

    @property
    def given(self) -> tuple[float | None, float | None, float | None]:
        """Weights that are not to be estimated; no trend, no season: 0."""
        alpha, beta, gamma = (
            0.0 if part is False else None if part is None else float(part)
            for part in (self.alpha, self.beta, self.gamma)
        )
        return alpha, beta, gamma

    @property
    def method(self) -> str:
        parts = [f"{name}={'none' if part is False else 'estimated' if part is None else f'{part:g}'}"
                 for name, part in zip(NAMES, (self.alpha, self.beta, self.gamma), strict=True)]  # fmt: skip
        return ";".join(["holt_winters", f"seasonal={self.seasonal}", *parts, f"optimiser={self.optimiser}"])


def _plan(
    period: int, seasonal: str, alpha: float | None, beta: float | bool | None, gamma: float | bool | None,
    start_periods: int, horizon: int, optimiser: str, confidence: float,
) -> _Plan:  # fmt: skip
    seasonal = {"mult": "multiplicative", "add": "additive"}.get(str(seasonal).casefold(), seasonal)
    for name, value, known in (("seasonal", seasonal, SEASONS), ("optimiser", optimiser, OPTIMISERS)):
        if option_word(value, known) not in known:
            raise UsageError("error.trend_option", name=name, value=value, known=", ".join(known))
    require_number("period", period, low=2 if gamma is not False else 1, whole=True)
    require_number("start_periods", start_periods, low=2, whole=True)
    require_number("horizon", horizon, low=0, whole=True)
    for name, weight in zip(NAMES, (alpha, beta, gamma), strict=True):
        if weight is None or (weight is False and name != "alpha"):
            continue
        require_number(name, weight, low=0, high=1)
    return _Plan(period, option_word(seasonal, SEASONS), alpha, beta, gamma, start_periods, horizon,
                 option_word(optimiser, OPTIMISERS), confidence)  # fmt: skip


def _smoothed(x: Numbers, plan: _Plan) -> tuple[Numbers, _Run]:
    """Weights and the pass with them."""
    values = [float(value) for value in x]
    states = _first_states(x, plan)
    free = [i for i, part in enumerate(plan.given) if part is None]

    def run(weights: Numbers) -> _Run:
        full = [0.0 if part is None else part for part in plan.given]
        for i, weight in zip(free, np.atleast_1d(weights), strict=True):
            full[i] = float(weight)
        return _pass(values, full, states, plan)

    best = _least(lambda weights: run(weights).sse, free, plan) if free else np.array([])
    full = np.array([0.0 if part is None else part for part in plan.given])
    full[free] = best
    return full, run(best)


def _first_states(x: Numbers, plan: _Plan) -> tuple[float, float, list[float]]:
    """Level, trend and season before the first fitted time (R: decompose of the first cycles, a line through its trend)."""
    if plan.gamma is False:
        return (float(x[0]), 0.0, []) if plan.beta is False else (float(x[1]), float(x[1] - x[0]), [])
    window = x[: plan.start_periods * plan.period]
    trend = _moving_average(window, plan.period)
    ratio = plan.seasonal == "multiplicative"
    season = window / trend if ratio else window - trend
    figure = np.array([np.nanmean(season[i :: plan.period]) for i in range(plan.period)])
    figure = figure / figure.mean() if ratio else figure - figure.mean()
    line = trend[~np.isnan(trend)]
    slope, level = np.polyfit(np.arange(1.0, len(line) + 1), line, 1)
    return float(level), 0.0 if plan.beta is False else float(slope), [float(part) for part in figure]


def _moving_average(x: Numbers, period: int) -> Numbers:
    """Centred over one cycle (half weights at the ends of an even one); NaN where it does not reach."""
    kernel = np.r_[0.5, np.ones(period - 1), 0.5] / period if period % 2 == 0 else np.ones(period) / period
    smooth = np.convolve(x, kernel, "valid")
    out = np.full(len(x), np.nan)
    out[len(kernel) // 2 : len(kernel) // 2 + len(smooth)] = smooth
    return out


def _pass(x: list[float], weights: Sequence[float], states: tuple[float, float, list[float]], plan: _Plan) -> _Run:
    """The recursion of Holt and Winters; plain numbers, for one state needs the one before."""
    alpha, beta, gamma = weights
    level, trend, season = states[0], states[1], list(states[2])
    ratio, seasonal, sloped = plan.seasonal == "multiplicative", plan.gamma is not False, plan.beta is not False
    run = _Run([], [], [], season, 0.0)
    total = 0.0
    for i in range(plan.first, len(x)):
        s = season[i - plan.first] if seasonal else (1.0 if ratio else 0.0)
        base = level + trend
        fitted = base * s if ratio else base + s
        total += (x[i] - fitted) ** 2
        before, level = level, alpha * (x[i] / s if ratio else x[i] - s) + (1 - alpha) * base
        if sloped:
            trend = beta * (level - before) + (1 - beta) * trend
        if seasonal:
            season.append(gamma * (x[i] / level if ratio else x[i] - level) + (1 - gamma) * s)
        run.fitted.append(fitted)
        run.level.append(level)
        run.trend.append(trend)
    return _Run(run.fitted, run.level, run.trend, season, total)


def _least(error: Callable[[Numbers], float], free: list[int], plan: _Plan) -> Numbers:
    """Weights with the least sum of squares."""
    from scipy.optimize import minimize, minimize_scalar

    if len(free) == 1:  # as R's optimize
        return np.array(
            [minimize_scalar(error, bounds=(0, 1), method="bounded", options={"xatol": np.finfo(float).eps ** 0.25}).x]
        )
    starts = [STARTS, *(MORE_STARTS if plan.optimiser == "global" else ())]
    options = {"maxcor": 5, "ftol": TOLERANCE, "gtol": 0.0, "maxiter": 100}
    found = [
        minimize(error, np.array(start)[free], jac=lambda p: _differences(error, p), method="L-BFGS-B",
                 bounds=[(0, 1)] * len(free), options=options)
        for start in starts
    ]  # fmt: skip
    return min(found, key=lambda answer: answer.fun).x


def _differences(error: Callable[[Numbers], float], at: Numbers) -> Numbers:
    """Central differences of 0.001, cut at the bounds (as R's optim)."""
    slopes = np.empty(len(at))
    for i in range(len(at)):
        up, down = at.copy(), at.copy()
        up[i], down[i] = min(at[i] + STEP, 1.0), max(at[i] - STEP, 0.0)
        slopes[i] = (error(up) - error(down)) / (up[i] - down[i])
    return slopes


def _result(
    grid: SeriesGrid,
    values: Numbers,
    runs: list[tuple[Numbers, _Run] | None],
    plan: _Plan,
    reason: npt.NDArray[np.str_],
) -> HoltWintersResult:
    tables: dict[str, list[pd.DataFrame]] = {"parameters": [], "seasons": [], "fitted": [], "forecast": []}
    for row, answer in zip(values, runs, strict=True):
        for name, frame in _frames(row, grid.time, answer, plan).items():
            tables[name].append(frame)
    out = {}
    for name, frames in tables.items():
        series = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
        keys = grid.keys.iloc[series].reset_index(drop=True)
        why = np.asarray(reason, dtype=object)[series]
        if name == "forecast" and plan.seasonal == "multiplicative":
            why = np.where(why == "", "reason.season_no_limits", why)
        out[name] = stated(pd.concat([keys, pd.concat(frames, ignore_index=True)], axis=1), plan.method, why)
    return HoltWintersResult(**out)


def _frames(x: Numbers, time: Numbers, answer: tuple[Numbers, _Run] | None, plan: _Plan) -> dict[str, pd.DataFrame]:
    """The four tables of one series; one row without figures where it could not be assessed."""
    if answer is None:
        row = {name: [np.nan] for name in (*NAMES, "sse", "level", "trend", "n")}
        nothing = {
            "seasons": ["place", "value"],
            "fitted": ["time", "observed", "fitted"],
            "forecast": ["time", "value"],
        }
        return {"parameters": pd.DataFrame(row)} | {
            name: pd.DataFrame({column: [np.nan] for column in columns}) for name, columns in nothing.items()
        }
    weights, run = answer
    row = dict(zip(NAMES, weights, strict=True)) | {
        "sse": run.sse,
        "level": run.level[-1],
        "trend": run.trend[-1],
        "n": len(x),
    }
    last = run.season[-plan.period :] if plan.gamma is not False else []
    return {
        "parameters": pd.DataFrame([row]),
        "seasons": pd.DataFrame({"place": range(1, len(last) + 1), "value": np.array(last, dtype=float)}),
        "fitted": _fitted(x, time, run, plan),
        "forecast": _forecast(x, time, weights, run, plan),
    }


def _fitted(x: Numbers, time: Numbers, run: _Run, plan: _Plan) -> pd.DataFrame:
    first = plan.first
    season = np.array(run.season[plan.period :]) if plan.gamma is not False else np.full(len(run.fitted), np.nan)
    return pd.DataFrame(
        {"time": time[first:], "observed": x[first:], "fitted": run.fitted, "level": run.level, "trend": run.trend,
         "season": season, "residual": x[first:] - np.array(run.fitted)}
    )  # fmt: skip


def _forecast(x: Numbers, time: Numbers, weights: Numbers, run: _Run, plan: _Plan) -> pd.DataFrame:
    """Next times; variance of step h: residual variance × (1 + sum of squared psi weights)."""
    ahead = np.arange(1, plan.horizon + 1)
    value = run.level[-1] + ahead * (run.trend[-1] if plan.beta is not False else 0.0)
    if plan.gamma is not False:
        season = np.array(run.season[-plan.period :])[(ahead - 1) % plan.period]
        value = value * season if plan.seasonal == "multiplicative" else value + season
    alpha, beta, gamma = weights
    psi = alpha * (1 + ahead * beta) + (ahead % plan.period == 0) * gamma * (1 - alpha)
    residual = x[plan.first :] - np.array(run.fitted)
    spread = np.var(residual, ddof=1) * (1 + np.r_[0.0, np.cumsum(psi**2)[:-1]]) if plan.horizon else np.array([])
    half = z_value(plan.confidence) * np.sqrt(spread) * (1.0 if plan.seasonal == "additive" else np.nan)
    step = time[-1] - time[-2]
    return pd.DataFrame({"time": time[-1] + step * ahead, "value": value, "lower": value - half, "upper": value + half})
