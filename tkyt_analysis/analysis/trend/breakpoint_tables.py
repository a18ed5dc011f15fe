"""What breakpoint models hand back: tables of breakpoints, segments, average slopes and fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.series_grid import SeriesGrid


@dataclass(frozen=True)
class BreakpointResult:
    """Tables of one call, all with the keys of the series, method, status and reason.

    breakpoints : number, psi, se, lower, upper
    segments : segment, start, end, slope, se, t_value, slope_lower, slope_upper, p_value, apc, lower, upper
    aapc : first, last, slope, se, slope_lower, slope_upper, apc, lower, upper (of the whole series or the window)
    fits : n, n_breakpoints, rss, df, sigma, r_squared, bic, aic, marks
    fitted : time, observed, fitted [on the scale of the input], residual (weighted, of the model's scale)
    candidates : n_breakpoints, rss, df, bic, bic3, aic of every number tried
    """

    breakpoints: pd.DataFrame
    segments: pd.DataFrame
    aapc: pd.DataFrame
    fits: pd.DataFrame
    fitted: pd.DataFrame
    candidates: pd.DataFrame


@dataclass(frozen=True)
class Model:
    """One fit of every series with k breakpoints: parameters are constant, slope, changes of slope, breakpoints."""

    k: int
    psi: Numbers
    beta: Numbers
    covariance: Numbers  # (series, 2 + 2k, 2 + 2k)
    rss: Numbers
    df: Numbers
    fitted: Numbers


@dataclass(frozen=True)
class Data:
    grid: SeriesGrid
    y: Numbers
    weight: Numbers
    first: Numbers
    last: Numbers
    scale: str

    @property
    def n(self) -> npt.NDArray[np.intp]:
        return (self.weight > 0).sum(axis=1)


def log_likelihood(data: Data, model: Model) -> Numbers:
    """Of a normal model with known relative weights, as logLik.lm."""
    n = data.n
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(data.weight > 0, np.log(np.where(data.weight > 0, data.weight, 1.0)), 0.0).sum(axis=1)
        return 0.5 * (logs - n * (np.log(2 * np.pi) + 1 - np.log(n) + np.log(model.rss)))


@dataclass(frozen=True)
class Options:
    confidence: float
    window: tuple[float, float] | None
    breakpoint_uncertainty: bool
    method: str


def method_of(data: Data, grid: SeriesGrid, n: int | str, uncertain: bool) -> str:
    weights = "given" if "weights" in grid.columns else "se" if "se" in grid.columns else "equal"
    aapc = "muggeo" if uncertain else "clegg"
    return f"segmented;scale={data.scale};weights={weights};breakpoints={n};aapc={aapc}"


def tables_of(
    data: Data, model: Model, rows: npt.NDArray[np.intp], reason: npt.NDArray[np.str_], marks: npt.NDArray,
    options: Options,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """All tables of the series that took this model."""
    why = np.where((reason == "") & ~np.isfinite(model.rss), _no_fit(data, model), reason)[rows]
    tables = {
        "breakpoints": _breakpoint_table(model, rows, options),
        "segments": _segment_table(data, model, rows, options),
        "aapc": _average_table(data, model, rows, options),
        "fits": _fit_table(data, model, rows, marks),
    }
    fitted = _fitted_table(data, model, rows)
    tables = {name: _stated(why, frame, options.method) for name, frame in tables.items()} | {"fitted": fitted}
    return {name: _with_keys(data.grid.keys, rows, frame) for name, frame in tables.items()}


def _no_fit(data: Data, model: Model) -> npt.NDArray[np.str_]:
    few = data.n < 2 + 2 * model.k + 1
    return np.where(few, "reason.trend_too_few_values", "reason.trend_no_breakpoint")


def _stated(why: npt.NDArray, frame: pd.DataFrame, method: str) -> pd.DataFrame:
    reason = why[frame["_series"].to_numpy(dtype=int)]
    return frame.assign(
        method=pd.array([method] * len(frame), dtype="str"),
        status=pd.array(np.where(reason == "", OK, NOT_ASSESSABLE), dtype="str"),
        reason=pd.array(reason, dtype="str"),
    )


def _with_keys(keys: pd.DataFrame, rows: npt.NDArray[np.intp], frame: pd.DataFrame) -> pd.DataFrame:
    """The keys of each row's series before the figures; column `_series` becomes the number among all series."""
    series = rows[frame["_series"].to_numpy(dtype=int)]
    return pd.concat([keys.iloc[series].reset_index(drop=True), frame.assign(_series=series)], axis=1)


def _t(model: Model, rows: npt.NDArray[np.intp], confidence: float) -> Numbers:
    from scipy import stats

    return stats.t.isf(tail(confidence), model.df[rows])


def _breakpoint_table(model: Model, rows: npt.NDArray[np.intp], options: Options) -> pd.DataFrame:
    k, n = model.k, len(rows)
    variance = np.einsum("saa->sa", model.covariance[rows])[:, 2 + k :]
    psi, se = model.psi[rows].ravel(), np.sqrt(variance).ravel()
    half = np.repeat(_t(model, rows, options.confidence), k) * se
    return pd.DataFrame(
        {"_series": np.repeat(np.arange(n), k), "number": np.tile(np.arange(1, k + 1), n), "psi": psi, "se": se,
         "lower": psi - half, "upper": psi + half}
    )  # fmt: skip


def _slope_rows(k: int) -> Numbers:
    """(segments, parameters): slope of each segment = slope + changes so far."""
    rows = np.zeros((k + 1, 2 + 2 * k))
    for j in range(k + 1):
        rows[j, 1 : 2 + j] = 1.0
    return rows


def _segment_table(data: Data, model: Model, rows: npt.NDArray[np.intp], options: Options) -> pd.DataFrame:
    from scipy import stats

    k, n, combine = model.k, len(rows), _slope_rows(model.k)
    slope = model.beta[rows] @ combine[:, : 2 + k].T
    se = np.sqrt(np.einsum("ja,sab,jb->sj", combine, model.covariance[rows], combine, optimize=True))
    half = _t(model, rows, options.confidence)[:, None] * se
    first, last = _ends(data, rows)
    bounds = np.concatenate([first[:, None], model.psi[rows], last[:, None]], axis=1)
    p_value = 2 * stats.t.sf(np.abs(slope / se), model.df[rows][:, None])
    columns = {"start": bounds[:, :-1], "end": bounds[:, 1:], **_slopes(data, slope, se, half), "p_value": p_value}
    table = {"_series": np.repeat(np.arange(n), k + 1), "segment": np.tile(np.arange(1, k + 2), n)}
    return pd.DataFrame(table | {name: values.ravel() for name, values in columns.items()})


def _slopes(data: Data, slope: Numbers, se: Numbers, half: Numbers) -> dict[str, Numbers]:
    """Slope with limits, and as percentage change where the scale is a logarithm."""
    ends = {"slope_lower": slope - half, "slope_upper": slope + half}
    parts = {"apc": slope, "lower": ends["slope_lower"], "upper": ends["slope_upper"]}
    percent = {name: 100 * np.expm1(part) if data.scale == "log" else np.nan * part for name, part in parts.items()}
    return {"slope": slope, "se": se, "t_value": slope / se, **ends, **percent}


def _ends(data: Data, rows: npt.NDArray[np.intp]) -> tuple[Numbers, Numbers]:
    seen, time = data.weight[rows] > 0, data.grid.time
    first, last = np.where(seen, time, np.inf).min(axis=1), np.where(seen, time, -np.inf).max(axis=1)
    return np.where(np.isfinite(first), first, np.nan), np.where(np.isfinite(last), last, np.nan)


def _average_table(data: Data, model: Model, rows: npt.NDArray[np.intp], options: Options) -> pd.DataFrame:
    """Average slope between two times: rise of the line over its run, by the delta method."""
    first, last = _ends(data, rows) if options.window is None else (np.full(len(rows), t) for t in options.window)
    run = np.where(last > first, last - first, np.nan)
    gradient = (_line_at(model, rows, last) - _line_at(model, rows, first)) / run[:, None]
    if not options.breakpoint_uncertainty:
        gradient[:, 2 + model.k :] = 0.0
    slope = np.einsum("sa,sa->s", gradient[:, : 2 + model.k], model.beta[rows])
    se = np.sqrt(np.einsum("sa,sab,sb->s", gradient, model.covariance[rows], gradient, optimize=True))
    columns = _slopes(data, slope, se, z_value(options.confidence) * se)
    return pd.DataFrame({"_series": np.arange(len(rows)), "first": first, "last": last, **columns})


def _line_at(model: Model, rows: npt.NDArray[np.intp], time: Numbers) -> Numbers:
    """(series, parameters): derivative of the line at one time per series by every parameter."""
    psi, beta = model.psi[rows], model.beta[rows]
    hinges = np.maximum(time[:, None] - psi, 0.0)
    moves = -beta[:, 2:] * (time[:, None] > psi)
    return np.concatenate([np.ones((len(rows), 1)), time[:, None], hinges, moves], axis=1)


def _fit_table(data: Data, model: Model, rows: npt.NDArray[np.intp], marks: npt.NDArray) -> pd.DataFrame:
    likelihood, n, terms = log_likelihood(data, model)[rows], data.n[rows], 2 + 2 * model.k
    weight, y = data.weight[rows], data.y[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weight * y).sum(axis=1) / weight.sum(axis=1)
        total = (weight * (y - mean[:, None]) ** 2).sum(axis=1)
        r_squared = 1 - model.rss[rows] / total
    return pd.DataFrame(
        {"_series": np.arange(len(rows)), "n": n, "n_breakpoints": model.k, "rss": model.rss[rows],
         "df": model.df[rows], "sigma": np.sqrt(model.rss[rows] / model.df[rows]), "r_squared": r_squared,
         "bic": np.log(np.maximum(n, 1)) * (terms + 1) - 2 * likelihood, "aic": 2 * (terms + 1) - 2 * likelihood,
         "marks": pd.array(marks[rows], dtype="str")}
    )  # fmt: skip


def _fitted_table(data: Data, model: Model, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    seen = data.weight[rows] > 0
    number, place = np.nonzero(seen)
    line, y = model.fitted[rows][seen], data.y[rows][seen]
    back = np.exp if data.scale == "log" else (lambda values: values)
    return pd.DataFrame(
        {"_series": number, "time": data.grid.time[place], "observed": back(y), "fitted": back(line),
         "residual": np.sqrt(data.weight[rows][seen]) * (y - line)}
    )  # fmt: skip


def together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the models below each other, in the order of the series."""
    filled = [part for part in parts if len(part)] or parts[:1]
    return (
        pd.concat(filled, ignore_index=True)
        .sort_values("_series", kind="stable", ignore_index=True)
        .drop(columns="_series")
    )
