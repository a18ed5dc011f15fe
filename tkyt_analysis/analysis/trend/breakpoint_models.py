"""Trends with continuous breakpoints, as R's segmented: where the slope changes, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.batch_glm import safe_inverse
from tkyt_analysis.analysis.trend.breakpoint_search import best_breakpoints, hinge_design, refined, sum_of_squares
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid, series_grid
from tkyt_analysis.analysis.trend.series_marks import breaks_of_grid, marks_of
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

SCALES = ("log", "linear")
SELECT = ("bic", "aic")


@dataclass(frozen=True)
class BreakpointResult:
    """Tables of one call, all with the keys of the series, method, status and reason.

    breakpoints : number, psi, se, lower, upper
    segments : segment, start, end, slope, se, t_value, slope_lower, slope_upper, p_value, apc, lower, upper
    aapc : first, last, slope, se, slope_lower, slope_upper, apc, lower, upper (of the whole series or the window)
    fits : n, n_breakpoints, rss, df, sigma, r_squared, bic, aic, marks
    fitted : time, observed, fitted [on the scale of the input], residual (weighted, of the model's scale)
    candidates : n_breakpoints, rss, bic, aic of every number tried
    """

    breakpoints: pd.DataFrame
    segments: pd.DataFrame
    aapc: pd.DataFrame
    fits: pd.DataFrame
    fitted: pd.DataFrame
    candidates: pd.DataFrame


@dataclass(frozen=True)
class _Model:
    """One fit of every series with k breakpoints: parameters are constant, slope, changes of slope, breakpoints."""

    k: int
    psi: Numbers
    beta: Numbers
    covariance: Numbers  # (series, 2 + 2k, 2 + 2k)
    rss: Numbers
    df: Numbers
    fitted: Numbers


@dataclass(frozen=True)
class _Data:
    grid: SeriesGrid
    y: Numbers
    weight: Numbers
    first: Numbers
    last: Numbers
    scale: str

    @property
    def n(self) -> npt.NDArray[np.intp]:
        return (self.weight > 0).sum(axis=1)


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
    n_breakpoints : a number (0 allowed), or "bic" / "aic": the number up to `max_breakpoints` with the least of it
    se : standard error of the rate; weights become (value/se)² on the log scale, 1/se² on the linear one. Without se
        and weights all years weigh the same
    scale : "log" (annual percentage change) or "linear" (apc is missing: slopes are the answer)
    start : first guess of the breakpoints (n_breakpoints of them): only the valley they lie in is followed; without
        it the whole range is searched, as segmented does by restarts
    edge : share of the times at either end where no breakpoint may lie; None as segmented: max(0.05, 1/n)
    minimum_points : observations in every segment
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
    numbers = _numbers(n_breakpoints, max_breakpoints, start)
    grid = series_grid(
        series, by=by, needed={"value": value, "time": time}, optional={"se": se, "weights": weights}
    )  # fmt: skip
    data, reason = _data(grid, option_word(scale, SCALES), edge)
    models = [_fit(data, k, reason == "", start, minimum_points) for k in numbers]
    chosen, candidates = _choice(data, models, n_breakpoints)
    options = _Options(confidence, window, breakpoint_uncertainty, _method(data, grid, n_breakpoints, breakpoint_uncertainty))
    marks = marks_of(breaks_of_grid(breaks, grid), len(grid))
    parts = [_tables(data, model, np.flatnonzero(chosen == i), reason, marks, options) for i, model in enumerate(models)]
    frames = {name: _together([part[name] for part in parts]) for name in parts[0]}
    return BreakpointResult(candidates=candidates, **frames)


def _numbers(n: int | str, largest: int, start: npt.ArrayLike | None) -> list[int]:
    if isinstance(option_word(n, SELECT), str):
        if option_word(n, SELECT) not in SELECT:
            raise UsageError("error.trend_option", name="n_breakpoints", value=n, known="0, 1, 2, …, bic, aic")
        return list(range(largest + 1))
    k = len(np.atleast_1d(np.asarray(start))) if start is not None else n
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 or k != n:
        raise UsageError("error.trend_option", name="n_breakpoints", value=n, known=str(k) if k != n else "0, 1, 2, …")
    return [int(n)]


def _data(grid: SeriesGrid, scale: str, edge: float | None) -> tuple[_Data, npt.NDArray[np.str_]]:
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
    return _Data(grid, np.log(safe) if scale == "log" else safe, weight, first, last, scale), reason


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
    return np.where(seen & usable, weight, 0.0), (seen & ~usable).any(axis=1)


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


def _fit(
    data: _Data, k: int, wanted: npt.NDArray[np.bool_], start: npt.ArrayLike | None, minimum_points: int
) -> _Model:
    """Breakpoints and everything that follows; NaN for series that are not wanted or have too few values."""
    time, n = data.grid.time, len(data.grid)
    rows = np.flatnonzero(wanted & (data.n >= 2 + 2 * k + 1))
    psi = np.full((n, k), np.nan)
    limits = {"first": data.first[rows], "last": data.last[rows], "minimum_points": minimum_points}
    if k and len(rows):
        guess = None if start is None else np.broadcast_to(np.sort(np.asarray(start, float)), (len(rows), k))
        some = (data.y[rows], data.weight[rows], time)
        psi[rows] = best_breakpoints(*some, k=k, **limits) if guess is None else refined(*some, guess, **limits)
        free = (np.full(len(rows), value) for value in (-np.inf, np.inf))
        psi[rows] = np.where(np.isfinite(sum_of_squares(*some, psi[rows], *free, 0))[:, None], psi[rows], np.nan)
    rows = rows[np.isfinite(psi[rows]).all(axis=1)]
    return _linearised(data, k, psi, rows)


def _linearised(data: _Data, k: int, psi: Numbers, rows: npt.NDArray[np.intp]) -> _Model:
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
    model = _Model(k, psi, *(np.full(shape, np.nan) for shape in ((n, 2 + k), (n, p, p), (n,), (n,), (n, len(time)))))
    model.beta[rows], model.covariance[rows], model.rss[rows], model.df[rows], model.fitted[rows] = (
        beta, covariance, rss, df, fitted,
    )  # fmt: skip
    return model


def _moves(time: Numbers, psi: Numbers, beta: Numbers) -> Numbers:
    """Derivative of the line by each breakpoint: -change × (time > psi)."""
    return -beta[:, None, 2:] * (np.asarray(time)[None, :, None] > psi[:, None, :])


def _choice(data: _Data, models: list[_Model], n_breakpoints: int | str) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """Which model each series takes, and the table of candidates."""
    n = data.n
    rows, scores = [], []
    for model in models:
        terms = 2 + 2 * model.k
        likelihood = _log_likelihood(data, model)
        bic, aic = np.log(n) * (terms + 1) - 2 * likelihood, 2 * (terms + 1) - 2 * likelihood
        scores.append(aic if n_breakpoints == "aic" else bic)
        rows.append(data.grid.keys.assign(n_breakpoints=model.k, rss=model.rss, df=model.df, bic=bic, aic=aic))
    table = np.where(np.isfinite(scores), scores, np.inf)
    table = np.where(np.isinf(table).all(axis=0), 0.0, table)
    return np.argmin(table, axis=0), pd.concat(rows, ignore_index=True)


def _log_likelihood(data: _Data, model: _Model) -> Numbers:
    """Of a normal model with known relative weights, as logLik.lm."""
    n = data.n
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(data.weight > 0, np.log(np.where(data.weight > 0, data.weight, 1.0)), 0.0).sum(axis=1)
        return 0.5 * (logs - n * (np.log(2 * np.pi) + 1 - np.log(n) + np.log(model.rss)))


@dataclass(frozen=True)
class _Options:
    confidence: float
    window: tuple[float, float] | None
    breakpoint_uncertainty: bool
    method: str


def _method(data: _Data, grid: SeriesGrid, n: int | str, uncertain: bool) -> str:
    weights = "given" if "weights" in grid.columns else "se" if "se" in grid.columns else "equal"
    aapc = "muggeo" if uncertain else "clegg"
    return f"segmented;scale={data.scale};weights={weights};breakpoints={n};aapc={aapc}"


def _tables(
    data: _Data, model: _Model, rows: npt.NDArray[np.intp], reason: npt.NDArray[np.str_], marks: npt.NDArray,
    options: _Options,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """All tables of the series that took this model."""
    why = np.where((reason == "") & ~np.isfinite(model.rss), _no_fit(data, model), reason)[rows]
    keys = data.grid.keys.iloc[rows].reset_index(drop=True)
    tables = {
        "breakpoints": _breakpoint_table(model, rows, options),
        "segments": _segment_table(data, model, rows, options),
        "aapc": _average_table(data, model, rows, options),
        "fits": _fit_table(data, model, rows, marks),
    }
    fitted = _fitted_table(data, model, rows)
    out = {name: _with_keys(keys, why, frame, options.method) for name, frame in tables.items()}
    return out | {"fitted": pd.concat([keys.iloc[fitted.pop("series")].reset_index(drop=True), fitted], axis=1)}


def _no_fit(data: _Data, model: _Model) -> npt.NDArray[np.str_]:
    few = data.n < 2 + 2 * model.k + 1
    return np.where(few, "reason.trend_too_few_values", "reason.trend_no_breakpoint")


def _with_keys(keys: pd.DataFrame, why: npt.NDArray, frame: pd.DataFrame, method: str) -> pd.DataFrame:
    series = frame["series"].to_numpy(dtype=int)
    reason = why[series]
    return pd.concat([keys.iloc[series].reset_index(drop=True), frame.drop(columns="series")], axis=1).assign(
        method=pd.array([method] * len(frame), dtype="str"),
        status=pd.array(np.where(reason == "", OK, NOT_ASSESSABLE), dtype="str"),
        reason=pd.array(reason, dtype="str"),
    )


def _t(model: _Model, rows: npt.NDArray[np.intp], confidence: float) -> Numbers:
    from scipy import stats

    return stats.t.isf(tail(confidence), model.df[rows])


def _breakpoint_table(model: _Model, rows: npt.NDArray[np.intp], options: _Options) -> pd.DataFrame:
    k, n = model.k, len(rows)
    variance = np.einsum("saa->sa", model.covariance[rows])[:, 2 + k :]
    psi, se = model.psi[rows].ravel(), np.sqrt(variance).ravel()
    half = np.repeat(_t(model, rows, options.confidence), k) * se
    return pd.DataFrame(
        {"series": np.repeat(np.arange(n), k), "number": np.tile(np.arange(1, k + 1), n), "psi": psi, "se": se,
         "lower": psi - half, "upper": psi + half}
    )  # fmt: skip


def _slope_rows(k: int) -> Numbers:
    """(segments, parameters): slope of each segment = slope + changes so far."""
    rows = np.zeros((k + 1, 2 + 2 * k))
    for j in range(k + 1):
        rows[j, 1 : 2 + j] = 1.0
    return rows


def _segment_table(data: _Data, model: _Model, rows: npt.NDArray[np.intp], options: _Options) -> pd.DataFrame:
    from scipy import stats

    k, n, combine = model.k, len(rows), _slope_rows(model.k)
    slope = model.beta[rows] @ combine[:, : 2 + k].T
    se = np.sqrt(np.einsum("ja,sab,jb->sj", combine, model.covariance[rows], combine, optimize=True))
    half = _t(model, rows, options.confidence)[:, None] * se
    first, last = _ends(data, rows)
    bounds = np.concatenate([first[:, None], model.psi[rows], last[:, None]], axis=1)
    p_value = 2 * stats.t.sf(np.abs(slope / se), model.df[rows][:, None])
    columns = {"start": bounds[:, :-1], "end": bounds[:, 1:], **_slopes(data, slope, se, half), "p_value": p_value}
    table = {"series": np.repeat(np.arange(n), k + 1), "segment": np.tile(np.arange(1, k + 2), n)}
    return pd.DataFrame(table | {name: values.ravel() for name, values in columns.items()})


def _slopes(data: _Data, slope: Numbers, se: Numbers, half: Numbers) -> dict[str, Numbers]:
    """Slope with limits, and as percentage change where the scale is a logarithm."""
    ends = {"slope": slope, "slope_lower": slope - half, "slope_upper": slope + half}
    percent = [100 * np.expm1(part) if data.scale == "log" else np.full(part.shape, np.nan) for part in ends.values()]
    return {"slope": slope, "se": se, "t_value": slope / se, **ends, **dict(zip(("apc", "lower", "upper"), percent, strict=True))}


def _ends(data: _Data, rows: npt.NDArray[np.intp]) -> tuple[Numbers, Numbers]:
    seen, time = data.weight[rows] > 0, data.grid.time
    first, last = np.where(seen, time, np.inf).min(axis=1), np.where(seen, time, -np.inf).max(axis=1)
    return np.where(np.isfinite(first), first, np.nan), np.where(np.isfinite(last), last, np.nan)


def _average_table(data: _Data, model: _Model, rows: npt.NDArray[np.intp], options: _Options) -> pd.DataFrame:
    """Average slope between two times: rise of the line over its run, by the delta method."""
    first, last = _ends(data, rows) if options.window is None else (np.full(len(rows), t) for t in options.window)
    gradient = (_line_at(model, rows, last) - _line_at(model, rows, first)) / (last - first)[:, None]
    if not options.breakpoint_uncertainty:
        gradient[:, 2 + model.k :] = 0.0
    slope = np.einsum("sa,sa->s", gradient[:, : 2 + model.k], model.beta[rows])
    se = np.sqrt(np.einsum("sa,sab,sb->s", gradient, model.covariance[rows], gradient, optimize=True))
    columns = _slopes(data, slope, se, z_value(options.confidence) * se)
    return pd.DataFrame({"series": np.arange(len(rows)), "first": first, "last": last, **columns})


def _line_at(model: _Model, rows: npt.NDArray[np.intp], time: Numbers) -> Numbers:
    """(series, parameters): derivative of the line at one time per series by every parameter."""
    psi, beta = model.psi[rows], model.beta[rows]
    hinges = np.maximum(time[:, None] - psi, 0.0)
    moves = -beta[:, 2:] * (time[:, None] > psi)
    return np.concatenate([np.ones((len(rows), 1)), time[:, None], hinges, moves], axis=1)


def _fit_table(data: _Data, model: _Model, rows: npt.NDArray[np.intp], marks: npt.NDArray) -> pd.DataFrame:
    likelihood, n, terms = _log_likelihood(data, model)[rows], data.n[rows], 2 + 2 * model.k
    weight, y = data.weight[rows], data.y[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weight * y).sum(axis=1) / weight.sum(axis=1)
        total = (weight * (y - mean[:, None]) ** 2).sum(axis=1)
        r_squared = 1 - model.rss[rows] / total
    return pd.DataFrame(
        {"series": np.arange(len(rows)), "n": n, "n_breakpoints": model.k, "rss": model.rss[rows],
         "df": model.df[rows], "sigma": np.sqrt(model.rss[rows] / model.df[rows]), "r_squared": r_squared,
         "bic": np.log(np.maximum(n, 1)) * (terms + 1) - 2 * likelihood, "aic": 2 * (terms + 1) - 2 * likelihood,
         "marks": pd.array(marks[rows], dtype="str")}
    )  # fmt: skip


def _fitted_table(data: _Data, model: _Model, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    seen = data.weight[rows] > 0
    number, place = np.nonzero(seen)
    line, y = model.fitted[rows][seen], data.y[rows][seen]
    back = np.exp if data.scale == "log" else (lambda values: values)
    return pd.DataFrame(
        {"series": number, "time": data.grid.time[place], "observed": back(y), "fitted": back(line),
         "residual": np.sqrt(data.weight[rows][seen]) * (y - line)}
    )  # fmt: skip


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the models below each other, in the order of the keys."""
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(filled, ignore_index=True)


segmented = breakpoints
