"""Two baselines that people publish: the average of the years before, and that average with a straight trend.

Both are least squares on the counts with one level for each week (or month) of the year. Week 53 takes the level of week 52.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.trend.excess_input import MONTHLY, WEEKLY, Counts
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Levels:
    """expected (series, time) with the standard deviation of single counts; `gradient` (time, columns) and `cov` (series,
    columns, columns) give the error of expected and of its sums; degrees (series,) of the residual variance; reason (series,)."""

    expected: Numbers
    count_sd: Numbers
    gradient: Numbers
    cov: Numbers
    scale: Numbers
    degrees: Numbers
    reason: npt.NDArray[np.str_]


def year_and_place(series: Counts) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Year of each period and its number within the year from 0; week 53 counts as the 52nd."""
    middle = series.starts + (series.ends - series.starts) // 2
    if series.frequency == MONTHLY:
        months = middle.astype("datetime64[M]").astype(int)
        return months // 12 + 1970, months % 12
    if series.frequency != WEEKLY:
        raise UsageError("error.excess_daily_levels")
    thursday = middle.astype(int) - (middle.astype(int) + 3) % 7 + 3
    day = thursday.astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    week = (day - year.astype("datetime64[D]")).astype(int) // 7
    return year.astype(int) + 1970, np.minimum(week, 51)


def fit_levels(series: Counts, use: Flags, *, trend: bool, scale: Numbers) -> Levels:
    """Least squares of counts / scale on the levels of the year (`trend`: and on the year).

    use : (series, time) periods that make the baseline; scale : (series, time), 1 for plain counts (population or days
    over their average otherwise). A level that no period of the baseline has stays without an expected count.
    """
    year, place = year_and_place(series)
    design = np.eye(series.frequency)[place]
    if trend:
        design = np.column_stack([design, year - year.mean()])
    y = np.where(use, series.counts / scale, 0.0)
    columns = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    cross = (use.astype(float) @ products).reshape(len(y), columns, columns)
    inverse = np.linalg.pinv(cross, hermitian=True)
    beta = np.einsum("spq,sq->sp", inverse, y @ design)
    known = np.einsum("tp,spq,tq->st", design, inverse @ cross, design, optimize=True)
    reached = np.abs(known - (design**2).sum(axis=1)) < 1e-6 * (1 + (design**2).sum(axis=1))
    fitted = beta @ design.T
    free = use.sum(axis=1) - np.linalg.matrix_rank(cross, hermitian=True)
    variance = (use * (y - fitted) ** 2).sum(axis=1) / np.maximum(free, 1)
    reason = np.select(
        [free < 1, y.sum(axis=1) <= 0], ["reason.excess_few_periods", "reason.excess_no_events"], default=""
    )
    expected = np.where(reached & (reason == "")[:, None], np.maximum(fitted, 0.0) * scale, np.nan)
    return Levels(
        expected, np.sqrt(variance)[:, None] * scale, design, inverse * variance[:, None, None], scale,
        np.maximum(free, 1).astype(float), reason,
    )  # fmt: skip
