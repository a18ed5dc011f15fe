"""Funnel plots: is a unit apart from the others by more than chance and the usual differences between units?

A league table shames small units: their shares jump by chance. A funnel judges each unit by limits that are wide where
little was counted. Spiegelhalter, Stat Med 2005;24:1185-202 (limits, over-dispersion by random effects after
winsorising); Benjamini & Hochberg, JRSS B 1995;57:289-300 (of those asked, at most a share `fdr` is expected to be chance).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.errors import UsageError

NORMAL, ASK, NOT_ASSESSABLE = "normal", "ask", "not_assessable"
STATISTICS = ("proportion", "rate")
INNER, OUTER = 0.95, 0.998  # the two pairs of limits, as OHID draws them
LEAST_COUNT = 5  # fewer trials (proportion) or expected events (rate) say nothing about one unit
WINSOR = 0.1
FEW_UNITS = 10  # with fewer, over-dispersion cannot be estimated
FUNNEL_COLUMNS = ["unit", "numerator", "denominator", "value", "target", "lower_inner", "upper_inner", "lower_outer",
                  "upper_outer", "z", "p_value", "q_value", "side", "status"]  # fmt: skip


def funnel(
    units: pd.DataFrame,
    *,
    statistic: str = "proportion",
    target: float | None = None,
    per: float = 1.0,
    overdispersion: bool = True,
    fdr: float = 0.05,
    sides: str = "both",
    least_count: float = LEAST_COUNT,
) -> pd.DataFrame:
    """Units against what is usual.

    Parameters
    ----------
    units : unit, numerator, denominator; a proportion counts numerator of denominator trials, a rate counts events over
        person-years or expected events (then the value is a ratio)
    target : share or rate to compare with (in units of `per`); None: that of all units together
    per : values are per so many (100 for percent)
    overdispersion : widen the limits by the differences between units that are usual here (never narrow them)
    sides : both | low | high: which side is asked about

    Returns
    -------
    FUNNEL_COLUMNS, a row per unit in the given order; `attrs` has target, dispersion (φ), tau2 and statistic.
    value, target and limits [per `per`] : limits hold 95 % and 99.8 % of units that differ from the target by chance only
    (and, with over-dispersion, by what is usual); p_value : the larger of the exact one (binomial, Poisson) and that of z
    with over-dispersion; q_value : after Benjamini-Hochberg; side : low | high
    status : ask (q_value at or below `fdr`) | normal | not_assessable (less than `least_count`)
    """
    if statistic not in STATISTICS or sides not in ("both", "low", "high"):
        raise UsageError(
            "error.funnel_statistic", found=f"{statistic}, {sides}", expected="proportion, rate; both, low, high"
        )
    count, base = units["numerator"].to_numpy(float), units["denominator"].to_numpy(float)
    usable = (base > 0) & (count >= 0) & np.isfinite(count) & np.isfinite(base)
    if statistic == "proportion":
        usable &= count <= base
    centre = count[usable].sum() / base[usable].sum() if target is None and usable.any() else (target or 0.0) / per
    size = base if statistic == "proportion" else base * centre
    enough = usable & (size >= least_count)
    variance = _variance(base, centre, statistic)
    z = np.where(usable, (count / np.where(usable, base, 1.0) - centre) / np.sqrt(variance), np.nan)
    phi, tau2 = dispersion(z[enough], variance[enough]) if overdispersion else (1.0, 0.0)
    wide = np.where(usable, z * np.sqrt(variance / (variance + tau2)), np.nan)
    p_value = np.where(enough, np.maximum(_exact(count, base, centre, statistic, sides), _normal(wide, sides)), np.nan)
    table = pd.DataFrame(
        {
            "unit": units["unit"].to_numpy(),
            "numerator": count,
            "denominator": base,
            "value": np.where(usable, per * count / np.where(usable, base, 1.0), np.nan),
            "target": float(per * centre),
            "z": wide,
            "p_value": p_value,
            "q_value": benjamini_hochberg(p_value),
        }
    )
    for name, coverage in (("inner", INNER), ("outer", OUTER)):
        lower, upper = funnel_limits(np.where(usable, base, np.nan), centre, statistic, coverage, tau2=tau2)
        table[f"lower_{name}"] = np.where(usable, per * lower, np.nan)
        table[f"upper_{name}"] = np.where(usable, per * upper, np.nan)
    table["side"] = np.where(usable, np.where(count < base * centre, "low", "high"), "")
    asked = enough & (table["q_value"].to_numpy() <= fdr) & ((sides == "both") | (table["side"].to_numpy() == sides))
    table["status"] = np.select([~enough, asked], [NOT_ASSESSABLE, ASK], NORMAL)
    table = table[FUNNEL_COLUMNS]
    table.attrs = {
        "target": float(per * centre),
        "dispersion": float(phi),
        "tau2": float(tau2),
        "statistic": statistic,
        "per": per,
        "fdr": fdr,
    }
    return table


def _variance(base: Numbers, centre: float, statistic: str) -> Numbers:
    """Variance of a unit's value if it differs from the target by chance only."""
    safe = np.where(base > 0, base, 1.0)
    chance = centre * (1 - centre) if statistic == "proportion" else centre
    return np.maximum(chance / safe, 1e-300)


def funnel_limits(
    base: npt.ArrayLike, centre: float, statistic: str, coverage: float, *, tau2: float = 0.0
) -> tuple[Numbers, Numbers]:
    """Values between which a unit of this size stays. A proportion: centre ± z·√(centre·(1−centre)/n), where Wilson's
    interval of the unit just touches the centre. A rate: where its exact Poisson interval does. With tau2 the distance grows as the standard deviation does."""
    size = np.asarray(base, dtype=float)
    z = NormalDist().inv_cdf(0.5 + coverage / 2)
    variance = _variance(size, centre, statistic)
    growth = np.sqrt((variance + tau2) / variance)
    if statistic == "proportion":
        half = z * np.sqrt(variance) * growth
        return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    fewest, most = _count_limits(size * centre, coverage)
    lower, upper = fewest / size, most / size
    return np.maximum(centre - (centre - lower) * growth, 0.0), centre + (upper - centre) * growth


def _count_limits(expected: Numbers, coverage: float) -> tuple[Numbers, Numbers]:
    """Counts (fractions allowed) whose exact Poisson interval has `expected` as its upper and as its lower end."""
    from scipy.special import pdtrik

    tail = (1 - coverage) / 2
    safe = np.where(expected > 0, expected, 1.0)
    lower = np.where(np.exp(-safe) >= tail, 0.0, pdtrik(tail, safe))
    return np.where(expected > 0, lower, np.nan), np.where(expected > 0, pdtrik(1 - tail, safe) + 1, np.nan)


def dispersion(z: Numbers, variance: Numbers) -> tuple[float, float]:
    """(φ, τ²): mean of the squared, winsorised z, and the variance between units that explains what is above 1.

    0 where φ is no larger than chance makes it (1 + 2·√(2/units)), or where there are fewer than ten units.
    """
    if len(z) < FEW_UNITS:
        return float("nan"), 0.0
    low, high = np.quantile(z, [WINSOR, 1 - WINSOR])
    phi = float((np.clip(z, low, high) ** 2).mean())
    if phi <= 1 + 2 * np.sqrt(2 / len(z)):
        return phi, 0.0
    weight = 1 / variance
    room = weight.sum() - (weight**2).sum() / weight.sum()
    return phi, max(0.0, (len(z) * phi - (len(z) - 1)) / room) if room > 0 else 0.0


def _exact(count: Numbers, base: Numbers, centre: float, statistic: str, sides: str) -> Numbers:
    from scipy.special import bdtr, bdtrc, gammainc, gammaincc

    x = np.floor(np.nan_to_num(count) + 0.5)
    if statistic == "proportion":
        n = np.maximum(np.floor(np.nan_to_num(base) + 0.5), 1.0)
        x = np.minimum(x, n)
        low = bdtr(x, n.astype(int), centre)
        high = np.where(x > 0, bdtrc(np.maximum(x - 1, 0), n.astype(int), centre), 1.0)
    else:
        expected = np.maximum(np.nan_to_num(base) * centre, 1e-300)
        low = gammaincc(x + 1, expected)
        high = np.where(x > 0, gammainc(np.maximum(x, 1.0), expected), 1.0)
    return _of_sides(low, high, sides)


def _normal(z: Numbers, sides: str) -> Numbers:
    from scipy.special import ndtr

    return _of_sides(ndtr(z), ndtr(-z), sides)


def _of_sides(low: Numbers, high: Numbers, sides: str) -> Numbers:
    if sides == "both":
        return np.minimum(2 * np.minimum(low, high), 1.0)
    return low if sides == "low" else high


def benjamini_hochberg(p_value: Numbers) -> Numbers:
    """q-values: the smallest false discovery rate at which each is called; NaN stays and does not count as a test."""
    found = np.full(len(p_value), np.nan)
    here = np.flatnonzero(np.isfinite(p_value))
    order = here[np.argsort(p_value[here], kind="stable")]
    scaled = p_value[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found


def funnel_of_scores(
    scores: pd.DataFrame,
    *,
    component: str,
    year: int,
    dataset: str = "",
    province: str | None = None,
    fdr: float = 0.05,
) -> pd.DataFrame:
    """The units of the release table `quality_score` in one component and year: who is low beyond chance (see `funnel`)."""
    rows = scores[
        (scores["level"] == "unit")
        & (scores["component"] == component)
        & (scores["year"] == year)
        & (scores["dataset_id"] == dataset)
    ]
    if province is not None:
        rows = rows[rows["scope"] == province.replace(":", "-", 1)]
    return funnel(rows.rename(columns={"place": "unit"}), per=100, sides="low", fdr=fdr)
