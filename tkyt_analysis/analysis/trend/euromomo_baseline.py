"""EuroMOMO: weekly deaths against a baseline fitted to spring and autumn, z-scores, warning lines and CUSUM.

Log-linear Poisson regression with over-dispersion (at least 1) on the weeks of spring (16–25) and autumn (37–44), when deaths
are least moved by influenza and heat; the last weeks, whose deaths are not all registered, do not enter. Deaths are put
on the 2/3 power scale, on which a Poisson count is nearly normal. All groups or provinces are fitted at once.

EuroMOMO v4-3 (MOMOpack, SSI); checked against the official output for Denmark 2008–2013 (`mortality.verification.surveillance`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK, as_numbers
from tkyt_analysis.analysis.trend.euromomo_scores import cusum, judged
from tkyt_analysis.analysis.trend.quasipoisson_batch import fit_quasipoisson
from tkyt_analysis.analysis.trend.series_panel import Panel, long_table, panel_of
from tkyt_analysis.analysis.trend.weeks import iso_year_and_week, read_times
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

MODELS = ("LINE", "LINE_SIN", "SPLINE", "SPLINE_SIN")
_OTHER_MODELS = {
    "line": "LINE", "line_sin": "LINE_SIN", "lines_sin": "LINE_SIN", "spline": "SPLINE", "splines": "SPLINE",
    "spline_sin": "SPLINE_SIN", "splines_sin": "SPLINE_SIN",
}  # fmt: skip
YEAR = 52.18  # weeks, of the sine curve
_GROUP_COLUMNS = ("group", "GROUP", "age_group")
Bools = npt.NDArray[np.bool_]


def euromomo(
    series: object,
    *,
    by: str | Sequence[str] | None = None,
    value: str | None = None,
    time: str | npt.ArrayLike | None = None,
    model: str | Mapping[str, str] | None = None,
    in_model: str | npt.ArrayLike | None = None,
    week: str | None = None,
    aggregated_on: str | None = None,
    spring: tuple[int, int] = (15, 26),
    autumn: tuple[int, int] = (36, 45),
    back: int = 3,
    history: int | None = 290,
    drop_from: str | None = "rule",
    excluded: Sequence[str | tuple[str, str]] = (),
    delay_variance: str | npt.ArrayLike | None = None,
    lines: Sequence[float] = (2, 4, 6, 8, 10),
    confidence: float = 0.95,
    cusum_from: str | None = None,
    k: float = 0.25,
    arl0: float = 20,
) -> pd.DataFrame:
    """Baseline, z-score, warning lines and CUSUM of weekly deaths.

    Parameters
    ----------
    series, value, time : as in `series_panel.panel_of`; the counts should be corrected for delay (`nowcast`), column `nbc`
        comes before `nb`
    by : columns that name a series; default: a column group, where there is one
    model : "LINE", "LINE_SIN" (default), "SPLINE", "SPLINE_SIN" (three equal pieces, `unverified`); a column, or a mapping
        from the first key to the model; a column Model is used by itself
    in_model : column or array (1/0) of the weeks to fit; a column in_model is used by itself. Else the rule of EuroMOMO:
        spring < week < …, autumn likewise (both ends outside), before `drop_from`, `back` weeks before the end, in `history`
    week : last complete week ("2013W52"); aggregated_on : day on which the data were drawn, one week later. Default: the last week
    history : weeks up to `week` that are used and for which a baseline is given; None: all (as with `in_model` and no `week`)
    drop_from : from this week on nothing is fitted; "rule": the winter or summer under way (as MOMOpack); None: no such week
    excluded : weeks or (first, last) spans that are not fitted, e.g. ("2020W10", "2020W22")
    delay_variance : variance of the delay correction, added to that of the counts (column or array)
    lines : Z of the warning lines; k, arl0 : allowance and average run length of the CUSUM, which starts at `cusum_from`

    Returns
    -------
    One row per series and week: keys, index, period, period_start, observed (the counts used), expected, excess, zscore, lower,
    upper (prediction limits), baseline_lower, baseline_upper (limits of the expected count), upib2, upib4 … (warning lines), ucib,
    lcib (expected ± 1.96 stdp, as EuroMOMO exports them), stdp (standard error of the log), dispersion, in_model, cusum, cusum_h,
    flag, model, method, status, reason.
    """
    panel, counts, models = _inputs(series, by, value, time, model, in_model, delay_variance)
    last = _last_week(panel, week, aggregated_on)
    ruled = in_model is None and "in_model" not in panel.columns or week is not None or aggregated_on is not None
    seen = _seen(panel, last, history if ruled else None)
    fitted = _fitted(panel, in_model, seen, last, (spring, autumn), back, drop_from, excluded)
    base = _baseline(counts, fitted, seen, models)
    extra = _given(panel, delay_variance)
    columns = judged(counts, base, np.zeros_like(counts) if extra is None else extra, lines, confidence)
    start = 0 if cusum_from is None else max(_place(panel, cusum_from), 0)
    columns |= cusum(columns["zscore"], start=start, end=last, k=k, arl0=arl0)
    return _table(panel, columns, fitted, models, base["reason"], (spring, autumn), in_model)


def _inputs(
    series: object,
    by: str | Sequence[str] | None,
    value: str | None,
    time: Any,
    model: object,
    in_model: object,
    delay_variance: object,
) -> tuple[Panel, Numbers, npt.NDArray]:
    """The panel, its counts and the model of each series."""
    table = series if isinstance(series, pd.DataFrame) else None
    keys: Sequence[str] | str = by if by is not None else ()
    if table is not None and by is None:
        keys = [name for name in _GROUP_COLUMNS if name in table.columns][:1]
    extra = [name for name in (in_model, delay_variance) if isinstance(name, str)]
    if table is not None and in_model is None and "in_model" in table.columns:
        extra.append("in_model")
    panel = panel_of(series, by=keys, value=value, time=time, extra=extra)
    if panel.times.frequency != 52 or panel.times.dates is None:
        raise InputError("error.euromomo_weeks")
    return panel, panel.counts, _models(panel, table, model)


def _models(panel: Panel, table: pd.DataFrame | None, model: object) -> npt.NDArray:
    """The model of each series."""
    count = len(panel.keys)
    column = "Model" if model is None and table is not None and "Model" in table.columns else model
    words: list[object] = [column or "LINE_SIN"] * count
    if table is not None and isinstance(column, str) and column in table.columns:
        names = list(panel.keys.columns)
        first = table.drop_duplicates(names) if names else table.head(1)
        merged = panel.keys.merge(first[[*names, column]], on=names, how="left") if names else first
        words = merged[column].tolist()
    elif isinstance(column, Mapping):
        words = [column.get(key, "LINE_SIN") for key in panel.keys.iloc[:, 0]]
    found = np.array([option_word(word, MODELS, _OTHER_MODELS) for word in words], dtype=object)
    for word in found:
        if word not in MODELS:
            raise UsageError("error.surveillance_option", option="model", found=word, known=", ".join(MODELS))
    return found


def _place(panel: Panel, week: str) -> int:
    """Place of the week that an id or a date names; may lie outside."""
    days = read_times([week], frequency=52).dates
    if days is None or panel.times.dates is None:
        raise InputError("error.surveillance_time", found=week)
    return int(np.floor((days[0] - panel.times.dates[0]).astype(int) / 7))


def _last_week(panel: Panel, week: str | None, aggregated_on: str | None) -> int:
    place = panel.periods - 1
    if week is not None:
        place = _place(panel, week)
    elif aggregated_on is not None:
        place = _place(panel, aggregated_on) - 1
    if not 0 <= place < panel.periods:
        raise InputError("error.euromomo_last_week", found=week or aggregated_on, last=panel.times.names()[-1])
    return place


def _seen(panel: Panel, last: int, history: int | None) -> Bools:
    """Weeks for which a baseline is given."""
    place = np.arange(panel.periods)
    return (place <= last) & (place > last - (panel.periods if history is None else history))


def _fitted(
    panel: Panel,
    in_model: object,
    seen: Bools,
    last: int,
    seasons: tuple[tuple[int, int], tuple[int, int]],
    back: int,
    drop_from: str | None,
    excluded: Sequence[str | tuple[str, str]],
) -> Bools:
    """(series, weeks) of the weeks that are fitted."""
    given = _given(panel, "in_model" if in_model is None and "in_model" in panel.columns else in_model)
    if given is not None:
        chosen = given > 0
    else:
        assert panel.times.dates is not None
        _, number = iso_year_and_week(panel.times.dates)
        inside = np.zeros(panel.periods, dtype=bool)
        for low, high in seasons:
            inside |= (number > low) & (number < high)
        place = np.arange(panel.periods)
        inside &= seen & (place < last - back)
        if drop_from is not None:
            inside &= place < (_under_way(panel, last) if drop_from == "rule" else _place(panel, drop_from))
        chosen = np.broadcast_to(inside, panel.counts.shape).copy()
    for span in excluded:
        first, end = (span, span) if isinstance(span, str) else span
        chosen[:, max(_place(panel, first), 0) : max(_place(panel, end) + 1, 0)] = False
    return chosen & ~np.isnan(panel.counts)


def _under_way(panel: Panel, last: int) -> int:
    """Place where the season under way begins, seen from the week after `last`: week 21 in summer, else week 40."""
    assert panel.times.dates is not None
    day = panel.times.dates[last] + np.timedelta64(7, "D")
    (year,), (week,) = iso_year_and_week(np.array([day]))
    start = 21 if 21 < week < 40 else 40
    return _place(panel, f"{year - (week <= 21)}W{start:02}")


def _given(panel: Panel, values: Any) -> Numbers | None:
    """A column of the table or an array, in the shape of the counts."""
    if values is None:
        return None
    if isinstance(values, str):
        return np.nan_to_num(panel.columns[values])
    array = np.asarray(as_numbers(values))
    try:
        return np.nan_to_num(np.broadcast_to(array, panel.counts.shape)).copy()
    except ValueError:
        raise InputError("error.surveillance_times", found=array.size, expected=panel.periods) from None


def baseline_design(periods: int, model: str, seen: Bools) -> Numbers:
    """(weeks, columns): intercept, time (or three joined lines over the weeks seen), sine and cosine of the year."""
    week = np.arange(periods, dtype=float)
    places = np.flatnonzero(seen)
    first, last = float(places[0]), float(places[-1])
    columns = [np.ones(periods), (week - (first + last) / 2) / YEAR]
    if model.startswith("SPLINE"):
        knots = first + (last - first) * np.array([1, 2]) / 3
        columns += [np.maximum(week - knot, 0) / YEAR for knot in knots]
    if model.endswith("SIN"):
        columns += [np.sin(2 * np.pi * week / YEAR), np.cos(2 * np.pi * week / YEAR)]
    return np.column_stack(columns)


def _baseline(counts: Numbers, fitted: Bools, seen: Bools, models: npt.NDArray) -> dict[str, npt.NDArray]:
    """expected, stdp, dispersion and reason (series, weeks); the series of one model in one fit."""
    shape = counts.shape
    expected, error, spread = (np.full(shape, np.nan) for _ in range(3))
    reason = np.full(shape, "", dtype=object)
    for model in np.unique(models.astype(str)):
        rows = np.flatnonzero(models == model)
        design = baseline_design(shape[1], model, seen)
        prior = fitted[rows].astype(float)
        y = np.where(prior > 0, counts[rows], 0.0)
        fit = fit_quasipoisson(design, y, weights=prior)
        dispersion = np.fmax(fit.dispersion(y), 1.0)
        eta, variance = fit.predict(design)
        expected[rows], error[rows] = np.exp(np.minimum(eta, 700)), np.sqrt(variance * dispersion[:, None])
        spread[rows] = dispersion[:, None]
        few = prior.sum(axis=1) <= design.shape[1]
        why = np.where(few, "reason.too_few_past_periods", np.where(fit.converged, "", "reason.model_did_not_converge"))
        reason[rows] = why[:, None]
    reason[(reason == "") & ~seen[None, :]] = "reason.outside_baseline"
    reason[(reason == "") & ~(np.isfinite(expected) & np.isfinite(error))] = "reason.model_did_not_converge"
    hidden = reason != ""
    for values in (expected, error, spread):
        values[hidden] = np.nan
    reason[(reason == "") & np.isnan(counts)] = "reason.count_now_missing"
    return {"expected": expected, "stdp": error, "dispersion": spread, "reason": reason}


def _table(
    panel: Panel,
    columns: dict[str, Numbers],
    fitted: Bools,
    models: npt.NDArray,
    reason: npt.NDArray,
    seasons: tuple[tuple[int, int], tuple[int, int]],
    in_model: object,
) -> pd.DataFrame:
    given = in_model is not None or "in_model" in panel.columns
    weeks = "in_model" if given else ",".join(f"{low + 1}-{high - 1}" for low, high in seasons)
    method = np.array(
        [f"euromomo;model={model};weeks={weeks};year={YEAR};dispersion>=1" for model in models], dtype=object
    )
    shape = panel.counts.shape
    return long_table(
        panel,
        np.arange(panel.periods, dtype=np.intp),
        {
            "observed": panel.counts,
            **columns,
            "in_model": fitted,
            "model": np.broadcast_to(models[:, None], shape),
            "method": np.broadcast_to(method[:, None], shape),
            "status": np.where(reason == "", OK, NOT_ASSESSABLE),
            "reason": reason,
        },
    )
