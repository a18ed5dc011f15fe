"""Season, trend and remainder of monthly or weekly series by loess (STL), as R's stl."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.season_input import season_grid, stated, why_no_season
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid
from tkyt_analysis.analysis.trend.trend_options import require_number, require_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

INNER_ROBUST, OUTER_ROBUST, INNER = 1, 15, 2  # rounds of R's stl
PARTS = ("seasonal", "trend", "remainder", "weight")


def stl_decomposition(
    series: object = None,
    *,
    period: int = 12,
    s_window: int | str = "periodic",
    robust: bool = False,
    log: bool = False,
    by: str | Sequence[str] = (),
    time: Given = None,
    value: Given = None,
    t_window: int | None = None,
    l_window: int | None = None,
    s_degree: int = 0,
    t_degree: int = 1,
    l_degree: int | None = None,
    inner: int | None = None,
    outer: int | None = None,
) -> pd.DataFrame:
    """Seasonal, trend and remainder by loess (Cleveland 1990), with the defaults of R's stl.

    Parameters
    ----------
    series : table with time and value (or a Series, a list); equally spaced, one row per time; `by` names the series
    period : times per cycle (12 months, 52 weeks); s_window : "periodic" (the same season every year) or odd, >= 7
    robust : extreme values weigh less (15 outer rounds); log : decompose the logarithm
    The other parameters are those of stl; None means its default.

    Returns
    -------
    `by`, time, observed, seasonal, trend, remainder, weight (of robustness), method, status, reason: one row per time.
    With `log` all are logarithms. A series with a gap, or shorter than two cycles, is not assessable.
    """
    require_number("period", period, low=2, whole=True)
    s_window = option_word(s_window, ("periodic",), {"per": "periodic"})
    if s_window != "periodic" and not (isinstance(s_window, (int, np.integer)) and s_window >= 3 and s_window % 2):
        raise UsageError("error.trend_option", name="s_window", value=s_window, known="periodic, 7, 9, 11, 13, …")
    grid = season_grid(series, period, by=by, time=time, needed={"value": value})
    require_series(len(grid))
    values = grid.columns["value"]
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(values) if log else values
    reason = why_no_season(grid, y, period)
    options = _options(
        values.shape[1], period, s_window, robust=robust, windows=(t_window, l_window),
        degrees=(s_degree, t_degree, l_degree), rounds=(inner, outer),
    )  # fmt: skip
    parts = [options.decompose(row) if why == "" else _nothing(row) for row, why in zip(y, reason, strict=True)]
    method = f"stl;s_window={s_window};robust={str(robust).lower()};log={str(log).lower()}"
    return _stl_table(grid, y, parts, method, reason)


@dataclass(frozen=True)
class _StlOptions:
    """Windows, degrees, jumps and rounds as R's stl sets them."""

    period: int
    periodic: bool
    robust: bool
    windows: tuple[int, int, int]
    degrees: tuple[int, int, int]
    rounds: tuple[int, int]

    def decompose(self, y: Numbers) -> dict[str, Numbers]:
        """Parts of one series."""
        from statsmodels.tsa.seasonal import STL

        season, trend, low = self.windows
        names = ("seasonal", "trend", "low_pass")
        jumps = {f"{name}_jump": ceil(width / 10) for name, width in zip(names, self.windows, strict=True)}
        jumps |= {f"{name}_deg": degree for name, degree in zip(names, self.degrees, strict=True)}
        model = STL(y, period=self.period, seasonal=season, trend=trend, low_pass=low, robust=self.robust, **jumps)
        found = model.fit(inner_iter=self.rounds[0], outer_iter=self.rounds[1])
        seasonal = np.asarray(found.seasonal)
        if self.periodic:
            place = np.arange(len(y)) % self.period
            seasonal = (np.bincount(place, seasonal) / np.bincount(place))[place]
        rest = y - seasonal - found.trend
        line, weight = np.asarray(found.trend), np.asarray(found.weights)
        return {"seasonal": seasonal, "trend": line, "remainder": rest, "weight": weight}


def _nothing(y: Numbers) -> dict[str, Numbers]:
    return {name: np.full(len(y), np.nan) for name in PARTS}


def _options(
    n: int, period: int, s_window: int | str, *, robust: bool, windows: tuple[int | None, int | None],
    degrees: tuple[int, int, int | None], rounds: tuple[int | None, int | None],
) -> _StlOptions:  # fmt: skip
    """R's defaults: trend window next odd of 1.5 period / (1 - 1.5 / seasonal window), low-pass next odd of period."""
    periodic = s_window == "periodic"
    season = 10 * n + 1 if periodic else int(s_window)
    trend = windows[0] or _next_odd(ceil(1.5 * period / (1 - 1.5 / season)))
    s_degree, t_degree, l_degree = degrees
    inner = rounds[0] or (INNER_ROBUST if robust else INNER)
    outer = (OUTER_ROBUST if robust else 0) if rounds[1] is None else rounds[1]
    low = (0 if periodic else s_degree, t_degree, t_degree if l_degree is None else l_degree)
    return _StlOptions(period, periodic, robust, (season, trend, windows[1] or _next_odd(period)), low, (inner, outer))


def _next_odd(value: int) -> int:
    return value + 1 if value % 2 == 0 else value


def _stl_table(
    grid: SeriesGrid, y: Numbers, parts: list[dict[str, Numbers]], method: str, reason: npt.NDArray[np.str_]
) -> pd.DataFrame:
    n, t = y.shape
    table = {"time": np.tile(grid.time, n), "observed": y.ravel()}
    table |= {name: np.concatenate([part[name] for part in parts]) for name in PARTS}
    keys = grid.keys.iloc[np.repeat(np.arange(n), t)].reset_index(drop=True)
    return stated(pd.concat([keys, pd.DataFrame(table)], axis=1), method, np.repeat(reason, t))
