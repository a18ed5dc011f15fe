"""Ratios of related counts (dose 3 to dose 1, attended births to births), judged with the uncertainty of counts (C2–C4).

Of two related counts x and y in a unit, x is a share of n = x + y. Over 3, 6 and 12 periods the share is held against
the unit's other periods and against what all units of the province had in those periods; how far shares wander beyond
the binomial is learned from all units (beta-binomial). Thirty per cent of months with dose 3 above dose 1 are noise
where n is small: a window is judged only when n can tell, and false discoveries are held at `fdr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.digits import false_discovery_limit
from tkyt_analysis.quality.special.expected import distance, expect_block, quiet
from tkyt_analysis.quality.special.rows import no_rows

Judged = tuple[pd.DataFrame, int, int]
_WINDOWS = (3, 6, 12)
_WANDERINGS = (0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.04, 0.08, 0.15)
_PULL = 50.0


@dataclass(frozen=True)
class Windows:
    """Every window of one length of one pair: sums of x and n, the expected share, how far shares wander, whether the
    window can be judged, whether its periods agree, and whether it (not the rest of the unit's periods) is what differs
    from the province; shape (units, first periods)."""

    length: int
    x: np.ndarray
    n: np.ndarray
    share: np.ndarray
    wandering: float
    able: np.ndarray
    even: np.ndarray
    apart: np.ndarray


def judge_ratios(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Windows in which the ratio of two counts is not the unit's own: value (x), expected, other, first_period, window.

    parameters : pairs ([[x, y], …] of element ids; without it each element's closest companion is found), fdr (0.01),
    minimum_odds (1.3): smaller changes of the odds are never called, most_apart (0.35): how far the log ratio of
    companions may differ between units. Judged are pairs × periods that some window could judge.
    """
    least, fdr = float(parameters.get("minimum_odds", 1.3)), float(parameters.get("fdr", 0.01))
    pairs = _named_pairs(block, parameters.get("pairs")) or companions(
        block.values, most_apart=float(parameters.get("most_apart", 0.35))
    )
    tests, judged, total = [], 0, 0
    values = _without_strays(block)
    for x, y in pairs:
        tested, able, both = _test_pair(block, values, x, y, least)
        judged, total = judged + int(able[:, block.asked].sum()), total + int(both[:, block.asked].sum())
        tests.append(tested)
    if not tests:
        return no_rows(), 0, int(block.reported[:, block.asked].sum())
    together = pd.concat(tests, ignore_index=True)
    independent = int(judged * sum(1 / length for length in _WINDOWS))  # windows that do not overlap
    limit = _limit(together["p"].to_numpy(), independent, fdr)
    found = together[together["p"] <= limit].sort_values("p", kind="stable")
    return _rows(block, _one_per_stretch(found)), judged, total


def _limit(p_values: np.ndarray, tests: int, fdr: float) -> float:
    """The limit of false discoveries when only small p-values were kept: the others count as ones."""
    padded = np.concatenate([p_values, np.ones(max(tests - len(p_values), 0))])
    return false_discovery_limit(padded, fdr)


def _named_pairs(block: FormBlock, named: Any) -> list[tuple[int, int]]:
    place = {element: at for at, (element, _) in enumerate(block.series)}
    return [(place[x], place[y]) for x, y in named or () if x in place and y in place]


def companions(values: np.ndarray, *, most_apart: float = 0.35, minimum_units: int = 10) -> list[tuple[int, int]]:
    """For each element the one whose ratio to it differs least between units: (smaller, larger) places, each pair once."""
    with quiet():
        totals = np.nansum(values, axis=1)
    logs = np.where(totals >= 20, np.log(np.maximum(totals, 1)), np.nan)
    noise = np.where(totals >= 20, 1 / np.maximum(totals, 1), np.nan)
    chosen = set()
    for x in range(values.shape[2]):
        difference = logs - logs[:, [x]]
        with quiet():
            middle = np.nanmedian(difference, axis=0)
            apart = 1.4826 * np.nanmedian(np.abs(difference - middle), axis=0)
            counting = np.nanmedian(noise + noise[:, [x]], axis=0)
        apart = np.where(apart**2 - counting > most_apart**2, np.inf, apart)
        fewest = max(minimum_units, len(values) // 5)
        apart[(np.isfinite(difference).sum(axis=0) < fewest) | (np.arange(len(apart)) == x)] = np.inf
        best = int(np.nan_to_num(apart, nan=np.inf).argmin())
        if apart[best] <= 1.4 * most_apart:
            chosen.add((best, x) if middle[best] < 0 or (middle[best] == 0 and best < x) else (x, best))
    return sorted(chosen)


def _without_strays(block: FormBlock) -> np.ndarray:
    """The values without single figures that are wrong by themselves (five deviations and a factor 2.5): other checks ask about those."""
    expected = expect_block(block)
    away = distance(block.values.astype(np.float32), expected.mean, expected.spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.abs(np.log((np.maximum(block.values, 0) + 1) / (expected.mean + 1)))
        return np.where((np.abs(away) > 5) & (factor > np.log(2.5)), np.nan, block.values)


def _test_pair(
    block: FormBlock, values: np.ndarray, x: int, y: int, least: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:  # fmt: skip
    """Windows of a pair with a small probability; which unit-periods could be judged; which have both counts."""
    both = np.isfinite(values[:, :, x]) & np.isfinite(values[:, :, y])
    a = np.where(both, np.maximum(values[:, :, x], 0), 0)
    n = a + np.where(both, np.maximum(values[:, :, y], 0), 0)
    common = _common_share(a, n, block.groups)
    able = np.zeros(both.shape, dtype=bool)
    found = []
    for length in [one for one in _WINDOWS if one < both.shape[1]]:
        windows = _windows(a, n, common, length)
        for step in range(length):
            able[:, step : step + windows.able.shape[1]] |= windows.able
        found.append(_small_p(windows, least).assign(x=x, y=y))
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame({"p": []})
    return rows, able & both, both


def _common_share(a: np.ndarray, n: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Share of x in each period for the province of each unit, drawn towards that of all units: (units, periods)."""
    everywhere = (a.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1)
    share = np.empty(a.shape)
    for group in np.unique(groups.astype(str)):
        rows = groups == group
        share[rows] = (a[rows].sum(axis=0) + _PULL * everywhere) / (n[rows].sum(axis=0) + _PULL)
    return np.clip(share, 1e-4, 1 - 1e-4)


def _windows(a: np.ndarray, n: np.ndarray, common: np.ndarray, length: int) -> Windows:
    def over(values: np.ndarray) -> np.ndarray:
        total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        return total[:, length:] - total[:, :-length]

    x, size, usual = over(a), over(n), over(n * common)
    x_out = a.sum(axis=1, keepdims=True) - x
    n_out = n.sum(axis=1, keepdims=True) - size
    usual_out = (n * common).sum(axis=1, keepdims=True) - usual
    pull = _PULL / 5
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_out = np.clip(usual_out / n_out, 1e-4, 1 - 1e-4)
        own = np.clip((x_out + pull * mean_out) / (n_out + pull), 1e-4, 1 - 1e-4)
        odds = own / (1 - own) / (mean_out / (1 - mean_out))
        base = np.clip(usual / size, 1e-4, 1 - 1e-4)
    share = odds * base / (1 - base + odds * base)
    able = (size * np.minimum(share, 1 - share) >= 5) & (n_out * np.minimum(own, 1 - own) >= 10)
    wandering = _wandering(x, size, share, n_out, able)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.log((x + 0.5) / (size - x + 0.5)) - np.log(base / (1 - base))
        apart = np.abs(inside) >= np.abs(np.log(odds))
    return Windows(length, x, size, share, wandering, able, _even(a, n, x, size, share, length), apart)


def _wandering(x: np.ndarray, n: np.ndarray, share: np.ndarray, n_out: np.ndarray, able: np.ndarray) -> float:
    """How far shares wander beyond the binomial (intra-class correlation): the smallest that explains the median window."""
    at = np.flatnonzero(able)[::3]
    if len(at) < 50:
        return 0.02
    x, n, share, n_out = x.ravel()[at], n.ravel()[at], share.ravel()[at], n_out.ravel()[at]
    square = (x - n * share) ** 2 / (n * share * (1 - share))
    for wandering in _WANDERINGS:
        if np.median(square / (1 + (n - 1) * wandering + n / np.maximum(n_out, 1))) <= 0.455:
            return max(wandering, 0.001)
    return _WANDERINGS[-1]


def _even(a: np.ndarray, n: np.ndarray, x: np.ndarray, size: np.ndarray, share: np.ndarray, length: int) -> np.ndarray:
    """Do three in four periods of the window depart the same way, none making more than half of it? Else it is one wrong figure."""
    departure = x - size * share
    largest, alike, seen = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    for step in range(length):
        part = slice(step, step + x.shape[1])
        own = (a[:, part] - n[:, part] * share) * np.sign(departure)
        largest = np.maximum(largest, own)
        alike += own > 0
        seen += n[:, part] > 0
    return (largest <= 0.5 * np.abs(departure)) & (alike >= 0.75 * seen) & (seen >= np.minimum(length, 3))


def _small_p(windows: Windows, least: float) -> pd.DataFrame:
    """Windows that stray: unit, first (period), length, p, x, expected."""
    from scipy.stats import betabinom

    with np.errstate(invalid="ignore", divide="ignore"):
        expected = windows.n * windows.share
        spread = expected * (1 - windows.share) * (1 + (windows.n - 1) * windows.wandering)
        odds = (windows.x + 0.5) * (windows.n - expected + 0.5) / ((windows.n - windows.x + 0.5) * (expected + 0.5))
        far = windows.able & windows.even & windows.apart & (np.abs(windows.x - expected) > 3 * np.sqrt(spread))
        far &= np.abs(np.log(odds)) >= np.log(least)
    unit, first = np.nonzero(far)
    x, n, share = (one[unit, first] for one in (windows.x, windows.n, windows.share))
    size = (1 - windows.wandering) / windows.wandering
    n, x = np.round(n), np.round(x)
    upper, lower = (
        betabinom.sf(x - 1, n, share * size, (1 - share) * size),
        betabinom.cdf(x, n, share * size, (1 - share) * size),
    )
    return pd.DataFrame(
        {"unit": unit, "first": first, "length": windows.length, "p": np.clip(2 * np.minimum(upper, lower), 1e-300, 1),
         "value": x, "expected": n * share}
    )  # fmt: skip


def _one_per_stretch(found: pd.DataFrame) -> pd.DataFrame:
    """Of windows of a pair and unit that overlap the one with the smallest probability."""
    kept: list[int] = []
    taken: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    for one in found.itertuples():
        spans = taken.setdefault((one.x, one.y, one.unit), [])
        span = (one.first, one.first + one.length)
        if all(span[1] <= start or span[0] >= stop for start, stop in spans):
            spans.append(span)
            kept.append(one.Index)
    return found.loc[kept]


def _rows(block: FormBlock, found: pd.DataFrame) -> pd.DataFrame:
    if found.empty:
        return no_rows()
    names = np.array([one.period_id for one in block.periods], dtype=object)
    unit, first = found["unit"].to_numpy(), found["first"].to_numpy()
    last = first + found["length"].to_numpy() - 1
    x, y = found["x"].to_numpy(), found["y"].to_numpy()
    elements = np.array([one[0] for one in block.series], dtype=object)
    categories = np.array([one[1] for one in block.series], dtype=object)
    rows = pd.DataFrame(
        {
            "unit_id": block.units[unit], "period_id": names[last], "element_id": elements[x], "category_id": categories[x],
            "value": found["value"].to_numpy(), "expected": found["expected"].round(1).to_numpy(),
            "verdict": "inconsistent", "explanation": "ratio_unlike_itself",
            "probability": np.clip(1 - np.sqrt(found["p"].to_numpy()), 0.5, 0.99).round(3),
            "at_stake": (found["value"] - found["expected"]).abs().round(1).to_numpy(),
            "other": elements[y], "first_period": names[first], "window": found["length"].to_numpy(),
        }
    )  # fmt: skip
    return rows[block.asked[last]].reset_index(drop=True)
