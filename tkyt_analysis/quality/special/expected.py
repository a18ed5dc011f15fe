"""What a cell of a form would usually hold: the light model that all special detectors share.

expected = level of the series (a mean without its extremes, over about three years) × what all units of the province
have in common in that period (season, Tết, shock, campaign), without the unit itself. To put another model in its
place, replace `expect_block`: everything else asks only for `mean` and `spread`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from tkyt_analysis.quality.panel import FormBlock

_PULL = 10.0  # events by which a province's common effect is drawn towards that of all units
_CAP = 40.0  # the most that one cell counts for or against, in log likelihood
_YEAR = {"quarter": 4, "half": 2, "year": 1}


@dataclass(frozen=True)
class Expected:
    """mean : (units, periods, series) expected counts, NaN where the series has too few values; effect : the same
    shape, the common effect alone; spread : (series,) variance beyond Poisson, as share of the squared mean."""

    mean: np.ndarray
    effect: np.ndarray
    spread: np.ndarray


_last: list[tuple[FormBlock, int, Expected]] = []


def expect_block(block: FormBlock, *, minimum_values: int = 4) -> Expected:
    """Expected counts of every cell of a block (single precision, not to be written to).

    The answer for the last block is kept: the detectors ask one after the other about the same one.
    """
    if _last and _last[0][0] is block and _last[0][1] == minimum_values:
        return _last[0][2]
    expected = _expect(block, minimum_values)
    for part in (expected.mean, expected.effect, expected.spread):
        part.flags.writeable = False
    _last[:] = [(block, minimum_values, expected)]
    return expected


def _expect(block: FormBlock, minimum_values: int) -> Expected:
    counts = block.values.astype(np.float32)
    with np.errstate(invalid="ignore"):
        counts[counts < 0] = np.nan
    level = _levels(counts, periods_of_year(block), minimum_values)
    effect = _common_effect(counts, level, block.groups)
    mean = level * effect
    return Expected(mean, effect, _spread(counts, mean))


def periods_of_year(block: FormBlock) -> int:
    """How many periods of the block's kind make a year."""
    return _YEAR.get(block.periods[0].kind, 12)


def robust_level(counts: np.ndarray, minimum_values: int) -> np.ndarray:
    """Mean of each row without its extremes: values are drawn to within a factor 2.5 (and 4 events) of the median.

    counts : (rows, values), missing = NaN; NaN where a row has fewer than `minimum_values`
    """
    n = np.isfinite(counts).sum(axis=-1)
    ordered = np.sort(counts, axis=-1)
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, counts.shape[-1] - 1)
    below, above = (np.take_along_axis(ordered, one[..., None], axis=-1)[..., 0] for one in (low, high))
    middle = (below + above) / 2
    with np.errstate(invalid="ignore"):
        bounded = np.clip(ordered, (middle / 2.5 - 4)[..., None], (2.5 * middle + 4)[..., None])
        level = np.nansum(bounded, axis=-1) / np.maximum(n, 1)
    return np.where(n >= minimum_values, level, np.nan).astype(np.float32)


def _levels(counts: np.ndarray, year: int, minimum_values: int) -> np.ndarray:
    """Level of each series over the year of a period and the two beside it: (units, periods, series)."""
    level = np.empty_like(counts)
    by_series = np.ascontiguousarray(counts.transpose(0, 2, 1))
    periods = counts.shape[1]
    for first in range(0, periods, year):
        last = min(first + year, periods)
        near = by_series[:, :, max(0, first - year) : min(periods, last + year)]
        level[:, first:last] = robust_level(near, minimum_values)[:, None, :]
    return level


def _common_effect(counts: np.ndarray, level: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """What the other units of a province have in common in a period, as a factor on their levels."""
    seen = np.isfinite(counts) & np.isfinite(level)
    with np.errstate(invalid="ignore"):
        value = np.where(seen, np.minimum(counts, 6 * level + 10), 0).astype(np.float32)
    usual = np.where(seen, level, 0).astype(np.float32)
    everywhere = (value.sum(axis=0) + 1) / (usual.sum(axis=0) + 1)
    effect = np.empty_like(counts)
    for group in np.unique(groups.astype(str)):
        rows = np.flatnonzero(groups == group)
        part = slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] == len(rows) - 1 else rows
        above = value[part].sum(axis=0) - value[part] + _PULL * everywhere
        effect[part] = above / (usual[part].sum(axis=0) - usual[part] + _PULL)
    return effect


def _spread(counts: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Spread of each series of the form beyond Poisson, from all units (median of squared log distances)."""
    result = np.full(counts.shape[2], 0.05, dtype=np.float32)
    for place in range(counts.shape[2]):
        m, x = mean[:, :, place].ravel(), counts[:, :, place].ravel()
        keep = np.flatnonzero(np.isfinite(x) & (m >= 5))[:200_000]
        if len(keep) >= 30:
            distance = np.log((x[keep] + 0.5) / (m[keep] + 0.5))
            result[place] = (1.4826 * np.median(np.abs(distance))) ** 2 - np.median(1 / m[keep])
    return np.clip(result, 0.01, 1.0)


def stabilised(counts: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Counts on a scale of one standard deviation per unit (negative binomial with this spread)."""
    root = np.sqrt(spread)
    with np.errstate(invalid="ignore"):
        return 2 / root * np.arcsinh(root * np.sqrt(np.maximum(counts, 0) + 0.375))


def distance(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """How many standard deviations counts are from their means."""
    return stabilised(counts, spread) - stabilised(mean, spread)


def log_fit(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log likelihood of counts but for a constant; comparable between means for the same counts only. At least −40."""
    return np.maximum(-0.5 * distance(counts, mean, spread) ** 2, -_CAP)


def log_density(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log likelihood of counts; comparable also between different counts (differences against values). Negative counts: −40."""
    with np.errstate(invalid="ignore", divide="ignore"):
        at = np.maximum(counts, 0) + 0.375
        fit = log_fit(counts, mean, spread) - 0.5 * np.log(at * (1 + spread * at))
        return np.where(counts < -0.5, -_CAP, fit)


def probability(log_ratio: np.ndarray, against: float) -> np.ndarray:
    """Probability of an error: evidence `log_ratio` for it, against `against` that errors of the kind are rare."""
    return np.clip(1 / (1 + np.exp(-(np.asarray(log_ratio, dtype=float) - against))), 0.01, 0.999).round(3)


@contextmanager
def quiet() -> Iterator[None]:
    """Rows without any value are expected: no warning about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
