"""Trends with continuous breakpoints, as R's segmented: where the slope changes, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, tail
from tkyt_analysis.analysis.trend.batch_glm import safe_inverse
from tkyt_analysis.analysis.trend.breakpoint_search import Problem, best_breakpoints, hinge_design, refined
from tkyt_analysis.analysis.trend.breakpoint_tables import (
    BreakpointResult,
    Data,
    Model,
    Options,
    log_likelihood,
    method_of,
    tables_of,
    together,
)  # fmt: skip
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid, series_grid
from tkyt_analysis.analysis.trend.series_marks import breaks_of_grid, marks_of
from tkyt_analysis.analysis.trend.trend_options import require_number, require_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

MINIMUM_YEARS = 5
SCALES = ("log", "linear")
SELECT = ("bic", "bic3", "aic")


def breakpoints(
    series: object = None,
    *,
    n_breakpoints: int | str = "bic",
    max_breakpoints: int = 3,
    by: str | Sequence[str] = (),
    time: Given = None,
    value: Given = None,
    se: Given = None,
    weights: Given = None,
    scale: str = "log",
    start: npt.ArrayLike | None = None,
    edge: float | None = None,
    minimum_points: int = 2,
    minimum_years: int = MINIMUM_YEARS,
    window: tuple[float, float] | None = None,
    breakpoint_uncertainty: bool = True,
    breaks: object = None,
    confidence: float = 0.95,
) -> BreakpointResult:
    """Broken-line regression with breakpoints anywhere in time (Muggeo 2003; R package segmented).

    Equal to `segmented(lm(log(rate) ~ year, weights = (rate/se)^2), seg.Z = ~year, npsi = k)`, `slope(…, APC = TRUE)`
    and `aapc(…)`. NCI's Joinpoint puts the changes on years of observation instead: see `joinpoint`.

    Parameters
    ----------
    series : table with year and rate (or value), perhaps se or weights; a Series (index: the year); a list.
        `by` names the columns of one series; years may be missing
    n_breakpoints : a number (0 allowed), or "bic", "bic3", "aic": the number up to `max_breakpoints` with the least of it.
        "bic" (as segmented) takes one breakpoint too many in about a third of our drawn series; "bic3" counts each
        breakpoint as three parameters (as NCI's BIC3) and is harder to convince
    se : standard error of the rate; weights become (value/se)² on the log scale, 1/se² on the linear one. Without se
        and weights all years weigh the same
    scale : "log" (annual percentage change) or "linear" (apc is missing: slopes are the answer)
    start : first guess of the breakpoints (n_breakpoints of them): only the valley they lie in is followed; without
        it the whole range is searched, as segmented does by restarts
    edge : share of the times at either end where no breakpoint may lie; None as segmented: max(0.05, 1/n)
    minimum_points : observations in every segment; minimum_years : values that a series needs at all
    window : first and last time of the average slope (AAPC); None: the whole series
    breakpoint_uncertainty : False: the average slope as if the breakpoints were known (Clegg 2009)
    breaks : vintage marks as of `series_breaks`; they are said in `fits.marks`, the line is not cut there
    confidence : of all limits. Slopes by t, average slope by z, breakpoints by t (as segmented)

    A series with a value <= 0 on the log scale, or with fewer than 2 + 2k + 1 values, is `not_assessable`.

    References
    ----------
    Muggeo, Stat Med 2003;22:3055-71. Muggeo, Stat Med 2010;29:1943-55 (average of the slopes).
    """
    tail(confidence)
    if option_word(scale, SCALES) not in SCALES:
        raise UsageError("error.trend_option", name="scale", value=scale, known=", ".join(SCALES))
    for name, number, low in (("max_breakpoints", max_breakpoints, 0), ("minimum_points", minimum_points, 1)):
        require_number(name, number, low=low, whole=True)
    require_number("edge", 0.0 if edge is None else edge, low=0, high=0.5)
    first, last = window or (0, 1)
    require_number("window", first, low=-np.inf)
    require_number("window", last, low=np.nextafter(first, np.inf))
    numbers = _numbers(n_breakpoints, max_breakpoints, start)
    grid = series_grid(
        series, by=by, needed={"value": value, "time": time}, optional={"se": se, "weights": weights}
    )  # fmt: skip
    require_series(len(grid))
    data, reason = _data(grid, option_word(scale, SCALES), edge)
    reason = np.where((reason == "") & (data.n < minimum_years), "reason.trend_too_few_years", reason)
    models = [_fit(data, k, reason == "", start, minimum_points) for k in numbers]
    chosen, candidates = _choice(data, models, n_breakpoints)
    options = Options(
        confidence, window, breakpoint_uncertainty, method_of(data, grid, n_breakpoints, breakpoint_uncertainty)
    )
    marks = marks_of(breaks_of_grid(breaks, grid), len(grid))
    parts = [
        tables_of(data, model, np.flatnonzero(chosen == i), reason, marks, options) for i, model in enumerate(models)
    ]
    frames = {name: together([part[name] for part in parts]) for name in parts[0]}
    return BreakpointResult(candidates=candidates, **frames)


def _numbers(n: int | str, largest: int, start: npt.ArrayLike | None) -> list[int]:
    if isinstance(option_word(n, SELECT), str):
        if option_word(n, SELECT) not in SELECT:
            raise UsageError("error.trend_option", name="n_breakpoints", value=n, known="0, 1, 2, …, bic, bic3, aic")
        return list(range(largest + 1))
    for guess in [] if start is None else np.atleast_1d(np.asarray(start, dtype=object)):
        require_number("start", guess, low=-np.inf)
    k = len(np.atleast_1d(np.asarray(start))) if start is not None else n
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 or k != n:
        raise UsageError("error.trend_option", name="n_breakpoints", value=n, known=str(k) if k != n else "0, 1, 2, …")
    return [int(n)]


def _data(grid: SeriesGrid, scale: str, edge: float | None) -> tuple[Data, npt.NDArray[np.str_]]:
    value = grid.columns["value"]
    seen = np.isfinite(value)
    wrong = (seen & (value <= 0)).any(axis=1) if scale == "log" else np.zeros(len(grid), dtype=bool)
    safe = np.where(seen & ((value > 0) | (scale == "linear")), value, 1.0)
    weight, no_weight = _weights(grid, safe, seen, scale)
    first, last = _edges(grid.time, weight, edge)
    reason = np.select(
        [~seen.any(axis=1), wrong, no_weight],
        ["reason.trend_no_data", "reason.trend_zero_on_log_scale", "reason.trend_weight_missing"],
        "",
    )
    return Data(grid, np.log(safe) if scale == "log" else safe, weight, first, last, scale), reason


def _weights(grid: SeriesGrid, value: Numbers, seen: npt.NDArray[np.bool_], scale: str) -> tuple[Numbers, npt.NDArray]:
    """Weights, 0 where nothing was observed; and True where an observed value has no usable weight."""
    if "weights" in grid.columns:
        weight = grid.columns["weights"]
    elif "se" in grid.columns:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = (value / grid.columns["se"]) ** 2 if scale == "log" else 1 / grid.columns["se"] ** 2
    else:
        weight = np.ones_like(value)
    usable = np.isfinite(weight) & (weight > 0)
    return np.where(seen & usable, weight, 0.0), np.asarray((seen & ~usable).any(axis=1))


def _edges(time: Numbers, weight: Numbers, edge: float | None) -> tuple[Numbers, Numbers]:
    """Quantiles of the observed times between which breakpoints may lie."""
    place = np.where(weight > 0, time, np.nan)
    n = (weight > 0).sum(axis=1)
    share = np.minimum(0.5, np.maximum(0.05, 1 / np.maximum(n, 1)) if edge is None else np.full(len(n), edge))
    rows, at = np.arange(len(n)), share * np.maximum(n - 1, 0)
    low = np.floor(at).astype(int)
    high, part = np.minimum(low + 1, np.maximum(n - 1, 0)), at - low
    forwards, backwards = np.sort(place, axis=1), -np.sort(-place, axis=1)
    return tuple((1 - part) * side[rows, low] + part * side[rows, high] for side in (forwards, backwards))


def _fit(data: Data, k: int, wanted: npt.NDArray[np.bool_], start: npt.ArrayLike | None, minimum_points: int) -> Model:
    """Breakpoints and everything that follows; NaN for series that are not wanted or have too few values."""
    time, n = data.grid.time, len(data.grid)
    rows = np.flatnonzero(wanted & (data.n >= 2 + 2 * k + 1))
    psi = np.full((n, k), np.nan)
    if k and len(rows):
        problem = Problem(data.y, data.weight, time, data.first, data.last, minimum_points).part(rows)
        guess = np.broadcast_to(
            np.sort(np.atleast_1d(np.asarray(0.0 if start is None else start, float))), (len(rows), k)
        )
        psi[rows] = best_breakpoints(problem, k) if start is None else refined(problem, guess)
    rows = rows[np.isfinite(psi[rows]).all(axis=1)]
    return _linearised(data, k, psi, rows)


def _linearised(data: Data, k: int, psi: Numbers, rows: npt.NDArray[np.intp]) -> Model:
    """Coefficients and covariance: least squares with the columns -change × (time > psi) for the breakpoints."""
    time, n, p = data.grid.time, len(data.grid), 2 + 2 * k
    y, weight = data.y[rows], data.weight[rows]
    design = hinge_design(time, psi[rows], 0.0)
    centred = hinge_design(time, psi[rows], time.mean())
    inverse = safe_inverse(np.einsum("sta,st,stb->sab", centred, weight, centred, optimize=True))
    beta = np.einsum("sab,stb,st->sa", inverse, centred, weight * y, optimize=True)
    beta[:, 0] -= beta[:, 1] * time.mean()
    fitted = np.einsum("sta,sa->st", design, beta)
    rss = (weight * (y - fitted) ** 2).sum(axis=1)
    df = (data.n[rows] - p).astype(float)
    full = np.concatenate([centred, _moves(time, psi[rows], beta)], axis=-1)
    covariance = safe_inverse(np.einsum("sta,st,stb->sab", full, weight, full, optimize=True))
    covariance *= (rss / df)[:, None, None]
    model = Model(k, psi, *(np.full(shape, np.nan) for shape in ((n, 2 + k), (n, p, p), (n,), (n,), (n, len(time)))))
    model.beta[rows], model.covariance[rows], model.rss[rows], model.df[rows], model.fitted[rows] = (
        beta, covariance, rss, df, fitted,
    )  # fmt: skip
    return model


def _moves(time: Numbers, psi: Numbers, beta: Numbers) -> Numbers:
    """Derivative of the line by each breakpoint: -change × (time > psi)."""
    return -beta[:, None, 2:] * (np.asarray(time)[None, :, None] > psi[:, None, :])


def _choice(data: Data, models: list[Model], n_breakpoints: int | str) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """Which model each series takes, and the table of candidates."""
    n = data.n
    rows: list[pd.DataFrame] = []
    scores: list[Numbers] = []
    for model in models:
        terms = 2 + 2 * model.k
        likelihood = log_likelihood(data, model)
        logs = np.log(np.maximum(n, 1))
        penalty = {"bic": logs * (terms + 1), "bic3": logs * (terms + 1 + model.k), "aic": 2.0 * (terms + 1) + 0 * logs}
        found: dict[str, Numbers] = {name: values - 2 * likelihood for name, values in penalty.items()}
        scores.append(found[option_word(n_breakpoints, SELECT) if isinstance(n_breakpoints, str) else "bic"])
        rows.append(data.grid.keys.assign(n_breakpoints=model.k, rss=model.rss, df=model.df, **found))
    table = np.where(np.isfinite(scores), scores, np.inf)
    table = np.where(np.isinf(table).all(axis=0), 0.0, table)
    return np.argmin(table, axis=0), pd.concat(rows, ignore_index=True)


segmented = breakpoints
