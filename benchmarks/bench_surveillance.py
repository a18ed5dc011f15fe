"""Outbreak detection of many series: 1,000 series (provinces × causes) × 52 weeks, beside the loop over series and weeks.

Every week is judged from the five years before it, as it would have been in that week: 52,000 answers, each of two to four
regressions. The loop is what one writes with statsmodels, for the first series only (its time grows with their number).
Also: EuroMOMO of 1,000 series and the nowcast of 1,000 triangles. One core (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
from measuring import compare, options, present

from tkyt_analysis.analysis.trend import euromomo, farrington, nowcast
from tkyt_analysis.analysis.trend.farrington_control import control_of
from tkyt_analysis.analysis.trend.farrington_windows import window_of
from tkyt_analysis.analysis.trend.reporting_lags import lag_triangle
from tkyt_analysis.analysis.trend.weeks import Times

WEEKS, HISTORY = 52, 313
LOOP_UP_TO = 10  # series; the loop of a thousand would take minutes


def series(count: int) -> np.ndarray:
    """Weekly counts with a season, from 0.1 to 200 per week, more variable than Poisson counts."""
    rng = np.random.default_rng(3)
    week = np.arange(HISTORY + WEEKS)
    level = np.exp(rng.normal(1.5, 1.2, count))[:, None] * np.exp(0.3 * np.cos(2 * np.pi * week / 52))[None]
    return rng.negative_binomial(5, 5 / (5 + level)).astype(float)


def one_week(counts: np.ndarray, now: int) -> float:
    """Expected count of one week: first fit, weights, second fit, without the trend where it runs away."""
    window = window_of(Times.numbered(len(counts), 52), now, control_of("noufaily", {}))
    y = counts[window.rows]
    for trend in (True, False):
        design = window.design(trend=trend)
        fit = sm.GLM(y, design, family=sm.families.Poisson()).fit()
        phi = max(fit.pearson_chi2 / fit.df_resid, 1)
        raw = 1.5 * (y ** (2 / 3) * fit.mu ** (-1 / 6) - fit.mu**0.5)
        s = raw / np.sqrt(phi * (1 - fit.get_hat_matrix_diag()))
        omega = np.where(s > 2.58, s**-2.0, 1.0)
        again = sm.GLM(y, design, family=sm.families.Poisson(), var_weights=omega * len(y) / omega.sum()).fit()
        expected = float(np.exp(window.now_row(trend=trend) @ again.params))
        if not trend or expected <= y.max():
            return expected
    return float("nan")


def by_loop(counts: np.ndarray) -> list[float]:
    """All series and weeks, one after the other."""
    return [one_week(one, HISTORY + week) for one in counts for week in range(WEEKS)]


def ways(size: int) -> dict[str, Callable[[], object]]:
    """{way: call} for so many series."""
    counts = series(size)
    weeks = range(HISTORY + 1, HISTORY + WEEKS + 1)
    dates = np.datetime64("2018-01-01") + 7 * np.arange(counts.shape[1])
    delays = np.random.default_rng(4).multinomial(counts.astype(int), [0.3, 0.3, 0.2, 0.1, 0.1]).astype(float)
    triangle = lag_triangle(delays)
    found: dict[str, Callable[[], object]] = {
        "farrington (Noufaily)": lambda: farrington(counts, range=weeks),
        "farrington (1996)": lambda: farrington(counts, method="farrington", range=weeks),
        "euromomo, all weeks": lambda: euromomo(counts, time=dates),
        "nowcast, 5 delays, all weeks": lambda: nowcast(triangle),
    }
    if size <= LOOP_UP_TO:
        ours = farrington(counts[:1], range=weeks, limit54=(0, 1))["expected"].to_numpy()
        assert np.allclose(ours, by_loop(counts[:1]), rtol=1e-4)
        found["loop over series and weeks with statsmodels"] = lambda: by_loop(counts)
    return found


def main() -> None:
    """Time all ways and show the table."""
    asked = options(__doc__ or "")
    table: pd.DataFrame = compare([10, 100, 1000], ways, repeats=asked.repeats, what="series")
    notes = [
        "52 weeks judged per series (2 to 4 regressions each); the loop is checked to give the same expected counts."
    ]
    question = "Bao lâu để dò tìm bất thường của nhiều chuỗi? / How long does outbreak detection of many series take?"
    present("bench_surveillance", question, table, notes, repeats=asked.repeats, markdown=asked.markdown)


if __name__ == "__main__":
    main()
