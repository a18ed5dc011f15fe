"""Limits by drawing: coefficients from their normal distribution, counts around the mean that they give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.trend.excess_baselines import Baseline
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
_CELLS = 4_000_000  # numbers drawn at a time, so that memory stays flat


def simulated_limits(
    found: Baseline,
    known: npt.NDArray[np.bool_],
    at: npt.NDArray[np.intp],
    limits: dict[str, Numbers],
    *,
    confidence: float,
    draws: int,
    seed: int,
    extra: Numbers,
) -> dict[str, Numbers]:
    """Quantiles of counts without event and of their sums over the periods `at`, in the names of `limits`.

    Over-dispersed counts are drawn with variance dispersion · mean (negative binomial of the first kind), those of the
    negative binomial family with mean + mean²/theta. extra : standard error of counts that are themselves estimates.
    """
    if found.model is None:
        raise UsageError("error.excess_simulation_method")
    generator = np.random.default_rng(seed)
    low, high = limits["low"].copy(), limits["high"].copy()
    sum_low, sum_high = limits["sum_low"].copy(), limits["sum_high"].copy()
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    step = max(1, _CELLS // (draws * len(at)))
    for start in range(0, len(found.expected), step):
        rows = np.arange(start, min(start + step, len(found.expected)))
        rows = rows[found.reason[rows] == ""]
        if not len(rows):
            continue
        counts = _drawn(found, rows, at, draws, generator)
        counts = counts + generator.normal(size=counts.shape) * extra[np.ix_(rows, at)][:, None, :]
        low[np.ix_(rows, at)], high[np.ix_(rows, at)] = np.quantile(counts, ends, axis=1)
        sums = np.where(known[rows][:, None, :], counts, 0.0).cumsum(axis=2)
        sum_low[rows], sum_high[rows] = np.quantile(sums, ends, axis=1)
    return {"low": low, "high": high, "sum_low": sum_low, "sum_high": sum_high}


def _drawn(
    found: Baseline, rows: npt.NDArray[np.intp], at: npt.NDArray[np.intp], draws: int, generator: np.random.Generator
) -> Numbers:
    """Counts without event, shape (series, draws, periods)."""
    assert found.model is not None
    fit, basis = found.model.fit, found.model.basis[at]
    root = np.linalg.cholesky(fit.cov[rows] * fit.dispersion[rows, None, None])
    moved = generator.normal(size=(len(rows), draws, basis.shape[1])) @ np.swapaxes(root, 1, 2)
    mean = np.nan_to_num(found.expected[np.ix_(rows, at)])[:, None, :] * np.exp(moved @ basis.T)
    theta, dispersion = fit.theta[rows, None, None], fit.dispersion[rows, None, None]
    spread = np.where(np.isfinite(theta), 1 + mean / theta, dispersion)
    size = mean / np.maximum(spread - 1, 1e-9)
    over = spread > 1 + 1e-6
    chosen = generator.gamma(np.where(over, np.maximum(size, 1e-12), 1.0)) * (spread - 1)
    return generator.poisson(np.where(over, chosen, mean)).astype(float)
