"""The result tables of joinpoint regression: series with the same years are fitted together, then laid side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.joinpoint_input import Panel
from tkyt_analysis.analysis.trend.joinpoint_options import Options
from tkyt_analysis.analysis.trend.joinpoint_pieces import fitted_pieces
from tkyt_analysis.analysis.trend.joinpoint_search import (
    Batch,
    Grid,
    Numbers,
    Places,
    joinpoint_grid,
    most_joinpoints,
    require_searchable,
    search_series,
)
from tkyt_analysis.analysis.trend.joinpoint_select import (
    CRITERIA,
    criteria,
    default_most,
    largest_partial,
    permutation_tests,
)

LEAST_POINTS = 3
_COLUMNS = {
    "segments": [
        *("segment", "start", "end", "n", "slope", "se", "slope_lower", "slope_upper", "apc", "lower", "upper"),
        *("p_value", "significant", "n_joinpoints", "breaks", "mark", "method", "status", "reason"),
    ],
    "joinpoints": [
        *("joinpoint", "year", "lower", "upper", "slope_change", "p_value", "method", "status", "reason"),
    ],
    "aapc": [
        *("start", "end", "slope", "se", "slope_lower", "slope_upper", "aapc", "lower", "upper", "p_value"),
        *("significant", "method", "status", "reason"),
    ],
    "series": [
        *("n", "first", "last", "n_joinpoints", "max_joinpoints", "autocorrelation", "zeros_replaced", "sse"),
        *("method", "status", "reason"),
    ],
    "models": ["n_joinpoints", "joinpoints", "sse", "bic", "bic3", "wbic", "selected"],
    "fitted": ["year", "rate", "fitted", "segment"],
    "tests": ["null", "alternative", "statistic", "p_value", "level", "permutations", "rejected"],
    "jumps": ["year", "jump", "lower", "upper", "p_value", "method", "status", "reason"],
}
_ORDER = {"segments": "segment", "joinpoints": "joinpoint", "models": "n_joinpoints", "fitted": "year", "jumps": "year"}


@dataclass(frozen=True)
class Work:
    """Series that have the same years (and jumps): their numbers in the panel, the batch, the grid, most and least."""

    rows: Places
    columns: npt.NDArray[np.bool_]
    batch: Batch
    grid: Grid
    most: int
    least: int


def result_tables(panel: Panel, options: Options) -> dict[str, pd.DataFrame]:
    """The tables of `JoinpointResult`."""
    known = np.isfinite(panel.y) & (panel.reason == "")[:, None]
    few = (known.sum(axis=1) < LEAST_POINTS) & (panel.reason == "")
    reason = np.where(few, "reason.joinpoint_few_points", panel.reason)
    method = method_of(panel, options)
    pieces: dict[str, list[pd.DataFrame]] = {name: [] for name in _COLUMNS}
    for work in _works(panel, known & (reason == "")[:, None], options):
        for name, part in _one_work(work, panel, options).items():
            pieces[name].append(part)
    for name, part in _empty_handed(panel, reason, options).items():
        pieces[name].append(part)
    tables = {name: _joined(name, parts) for name, parts in pieces.items()}
    tables["segments"] = with_marks(tables["segments"], panel.breaks, options.at_breaks)
    return {name: _finished(table, name, panel.keys, method) for name, table in tables.items()}


def method_of(panel: Panel, options: Options) -> str:
    """The formula and every option that matters, in one line."""
    most = "auto" if options.most is None else options.most
    parts = ["joinpoint", options.model, f"weights={panel.weights}", f"select={options.select}", f"max={most}"]
    plan = options.plan
    if options.select == "permutation":
        parts += [f"permutations={plan.permutations}", f"seed={plan.seed}", *(["early_stopping"] if plan.batch else [])]
    spacing = (options.min_end, options.min_between, options.points_between)
    if spacing != (2, 2, 0):
        parts.append("spacing=" + "/".join(map(str, spacing)))
    if options.limits == "empirical":
        parts.append(f"limits=empirical;draws={options.draws};seed={plan.seed}")
    else:
        jumping = options.at_breaks == "jump" and len(panel.breaks) > 0
        known = jumping or options.autocorrelation is not None
        parts.append(f"limits={'conditional' if known else options.standard_errors}")
    if options.autocorrelation is not None:
        parts.append(f"autocorrelation={options.autocorrelation}")
    if len(panel.breaks) or "stretch" in panel.keys:
        parts.append(f"breaks={options.at_breaks}")
    return ";".join(parts)


def _works(panel: Panel, known: npt.NDArray[np.bool_], options: Options) -> Iterator[Work]:
    """Series by the pattern of their years and, where levels may jump, of their breaks."""
    some = np.flatnonzero(known.any(axis=1))
    steps = np.zeros((len(panel.keys), len(panel.x)), dtype=bool)
    if options.at_breaks == "jump" and len(panel.breaks):
        at = np.searchsorted(panel.x, panel.breaks["year"].to_numpy(float))
        inside = at < len(panel.x)
        steps[panel.breaks["series"].to_numpy(np.intp)[inside], at[inside]] = True
    pattern = np.packbits(np.concatenate([known, steps], axis=1)[some], axis=1)
    _, first, which = np.unique(pattern, axis=0, return_index=True, return_inverse=True)
    for number, example in enumerate(some[first]):
        rows = some[which.ravel() == number]
        yield _work(panel, rows, known[example], panel.x[steps[example]], options)


def _work(panel: Panel, rows: Places, columns: npt.NDArray[np.bool_], jumps: Numbers, options: Options) -> Work:
    x = panel.x[columns]
    after = np.unique(x[:, None] >= jumps, axis=1).astype(float)
    steps = after[:, (after.min(axis=0) < 1) & (after.max(axis=0) > 0)] if len(jumps) else np.empty((0, 0))
    place = np.ix_(rows, columns)
    rho = None
    if options.autocorrelation is not None and options.autocorrelation != "estimate":
        rho = np.full(len(rows), float(options.autocorrelation))
    batch = Batch(x, panel.y[place], panel.scale[place], rho, steps)
    grid = joinpoint_grid(
        x, min_end=options.min_end, min_between=options.min_between, points_between=options.points_between
    )
    wanted = default_most(len(x)) if options.most is None else int(options.most)
    free = (len(x) - LEAST_POINTS - (steps.shape[1] if steps.size else 0)) // 2
    most = max(min(wanted, most_joinpoints(grid), free), 0)
    require_searchable(grid, most)
    if options.autocorrelation == "estimate":
        batch = _with_autocorrelation(batch, grid, most)
    return Work(rows, columns, batch, grid, most, min(int(options.least), most))


def _with_autocorrelation(batch: Batch, grid: Grid, most: int) -> Batch:
    """The batch with each series' lag-one correlation of the residuals of its largest model, within 0 to 0.95."""
    from tkyt_analysis.analysis.trend.joinpoint_intervals import fit_models

    _, chosen = search_series(batch, grid, most)
    tau = grid.places[chosen[-1]] if most else np.empty((len(batch.y), 0))
    residual = fit_models(batch, tau).residual
    whole = np.square(residual).sum(axis=1)
    rho = (residual[:, 1:] * residual[:, :-1]).sum(axis=1) / np.where(whole > 0, whole, 1.0)
    return Batch(batch.x, batch.y, batch.scale, np.clip(rho, 0, 0.95), batch.steps)


def _one_work(work: Work, panel: Panel, options: Options) -> dict[str, pd.DataFrame]:
    """All tables of the series of one pattern."""
    batch, grid = work.batch, work.grid
    squares, chosen = search_series(batch, grid, work.most)
    partial = largest_partial(batch, grid, chosen)
    whole = np.square(batch.whiten(batch.y)).sum(axis=1)
    judged = criteria(squares, partial, whole, len(batch.x))
    tables: dict[str, pd.DataFrame] = {}
    if options.select == "permutation":
        tests = permutation_tests(batch, grid, squares, chosen, options.plan, work.least)
        selected = np.full(len(work.rows), work.least)
        last = tests.groupby("series")["joinpoints"].last()
        selected[last.index.to_numpy(np.intp)] = last.to_numpy(np.intp)
        tables["tests"] = tests.assign(series=work.rows[tests["series"].to_numpy(np.intp)])
    else:
        selected = work.least + judged[options.select][:, work.least :].argmin(axis=1)
    tables["models"] = _models(work, squares, chosen, judged, selected)
    parts: dict[str, list[pd.DataFrame]] = {}
    for k in np.unique(selected):
        those = np.flatnonzero(selected == k)
        tau = grid.places[chosen[k - 1][those]] if k else np.empty((len(those), 0))
        place = np.ix_(work.rows[those], work.columns)
        found = fitted_pieces(batch.part(those), grid, tau, work.rows[those], panel.rate[place], options)
        found["series"]["max_joinpoints"] = work.most
        found["series"]["zeros_replaced"] = panel.halved[work.rows[those]]
        for name, part in found.items():
            parts.setdefault(name, []).append(part)
    return tables | {name: pd.concat(those, ignore_index=True) for name, those in parts.items()}


def _models(
    work: Work, squares: Numbers, chosen: Sequence[Places], judged: dict[str, Numbers], selected: Places
) -> pd.DataFrame:
    """One row per series and number of joinpoints."""
    series, count = squares.shape
    names = [np.full(series, "", dtype=object)]
    for places in chosen:
        names.append(
            np.array([", ".join(f"{year:g}" for year in row) for row in work.grid.places[places]], dtype=object)
        )
    columns = {
        "series": np.repeat(work.rows, count),
        "n_joinpoints": np.tile(np.arange(count), series),
        "joinpoints": np.stack(names, axis=1).ravel(),
        "sse": squares.ravel(),
        **{name: judged[name].ravel() for name in CRITERIA},
    }
    return pd.DataFrame(columns).assign(selected=(np.arange(count) == selected[:, None]).ravel())


def _empty_handed(panel: Panel, reason: npt.NDArray[np.str_], options: Options) -> dict[str, pd.DataFrame]:
    """Rows of the series that cannot be fitted: they are there, with the reason."""
    rows = np.flatnonzero(reason != "")
    if not len(rows):
        return {}
    seen = np.isfinite(panel.rate[rows])
    first = np.where(seen.any(axis=1), panel.x[seen.argmax(axis=1)], np.nan)
    last = np.where(seen.any(axis=1), panel.x[::-1][seen[:, ::-1].argmax(axis=1)], np.nan)
    shared = {"series": rows, "reason": reason[rows]}
    at, year = np.nonzero(seen)
    return {
        "segments": pd.DataFrame(
            {**shared, "segment": 1, "start": first, "end": last, "n": seen.sum(axis=1), "significant": False}
        ),
        "series": pd.DataFrame(
            {**shared, "n": seen.sum(axis=1), "first": first, "last": last, "zeros_replaced": panel.halved[rows]}
        ),
        "aapc": pd.DataFrame({**shared, "start": first, "end": last, "significant": False}),
        "fitted": pd.DataFrame({"series": rows[at], "year": panel.x[year], "rate": panel.rate[rows][at, year]}),
    }


def with_marks(segments: pd.DataFrame, breaks: pd.DataFrame, at_breaks: str) -> pd.DataFrame:
    """`breaks` (years in which something new begins within the segment, its start not counted) and `mark` (label key)."""
    rows = segments.reset_index(drop=True)
    pairs = rows[["series", "start", "end"]].reset_index().merge(breaks, on="series")
    inside = pairs[(pairs["start"] < pairs["year"]) & (pairs["year"] <= pairs["end"])]
    text = inside.assign(text=inside["year"].map("{:g}".format)).groupby("index")["text"].agg(", ".join)
    named = text.astype("str").reindex(rows.index, fill_value="")
    word = "mark.joinpoint_jump" if at_breaks == "jump" else "mark.joinpoint_crosses_break"
    return rows.assign(breaks=named, mark=np.where(named != "", word, ""))


def _joined(name: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    full = [part for part in parts if len(part)]
    if not full:
        return pd.DataFrame(columns=["series", *_COLUMNS[name]])
    table = pd.concat(full, ignore_index=True)
    order = ["series", *([_ORDER[name]] if name in _ORDER else [])]
    return table.sort_values(order, kind="stable", ignore_index=True)


def _years(values: pd.Series) -> pd.Series:
    """Whole years as whole numbers; halves and quarters of years stay what they are."""
    numbers = values.astype(float)
    return numbers.astype("Int64") if (numbers.isna() | (numbers % 1 == 0)).all() else numbers


def _finished(table: pd.DataFrame, name: str, keys: pd.DataFrame, method: str) -> pd.DataFrame:
    """The table with the keys in front, texts and states filled in, columns in their order."""
    columns = _COLUMNS[name]
    if "reason" in columns:
        reason = table["reason"].fillna("").astype(str) if "reason" in table else ""
        table = table.assign(reason=reason)
        table = table.assign(method=method, status=np.where(table["reason"] == "", OK, NOT_ASSESSABLE))
    table = table.reindex(columns=["series", *columns])
    for flag in {"significant", "rejected", "selected"} & set(columns):
        table[flag] = table[flag].eq(True)
    for name in {"year", "start", "end", "first", "last"} & set(columns):
        table[name] = _years(table[name])
    whole = {"segment", "n", "n_joinpoints", "max_joinpoints", "joinpoint", "zeros_replaced", "null", "alternative"}
    for number in whole & set(columns):
        table[number] = table[number].astype("Int64")
    for text in {"breaks", "mark", "method", "status", "reason", "joinpoints"} & set(columns):
        table[text] = table[text].fillna("").astype("str")
    front = keys.iloc[table["series"].to_numpy(dtype=np.intp)].reset_index(drop=True)
    return pd.concat([front, table.drop(columns="series").reset_index(drop=True)], axis=1)
