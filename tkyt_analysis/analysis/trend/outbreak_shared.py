"""Tell a nation-wide shock from a local outbreak: what the other places did in the same period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.farrington_bounds import at_least
from tkyt_analysis.analysis.trend.outbreak_options import OutbreakOptions

LOCAL, SHARED, BOTH = "local", "shared", "both"
_SUSPECT = 1e-4  # p-value under which a place says nothing about the others


@dataclass(frozen=True)
class SharedShock:
    """(series, judged periods): observed over expected of the OTHER places of the same event, its p-value (NaN: too few places),
    whether there is a shared shock, and the p-value of the place once the shared ratio is taken out."""

    ratio: Numbers
    pvalue: Numbers
    found: npt.NDArray[np.bool_]
    local_pvalue: Numbers


def shared_shock(
    observed: Numbers,
    mean: Numbers,
    dispersion: Numbers,
    group: npt.NDArray[np.intp],
    options: OutbreakOptions,
) -> SharedShock:
    """Two passes: outbreaks that stand out even against the other places are left out of what the others tell.

    observed, mean, dispersion : (series, judged periods); NaN where a series is not assessable
    """
    everywhere = np.isfinite(observed) & np.isfinite(mean) & (mean > 0)
    ratio, p_value = _others(observed, mean, dispersion, group, everywhere, options)
    shock = _is_shock(ratio, p_value, options)
    local = _local(observed, mean, dispersion, ratio, shock)
    calm = everywhere & ~(local < _SUSPECT)
    ratio, p_value = _others(observed, mean, dispersion, group, calm, options)
    shock = _is_shock(ratio, p_value, options)
    return SharedShock(ratio, p_value, shock, _local(observed, mean, dispersion, ratio, shock))


def extent_of(
    alarm: npt.NDArray[np.bool_], shock: npt.NDArray[np.bool_], local_pvalue: Numbers, alpha: float
) -> npt.NDArray:
    """ "local", "shared" (nothing is left without the others' ratio), "both", or "" without an alarm."""
    beyond = local_pvalue <= alpha
    extent = np.select([alarm & shock & beyond, alarm & shock, alarm], [BOTH, SHARED, LOCAL], default="")
    return extent.astype(object)


def _others(
    observed: Numbers,
    mean: Numbers,
    dispersion: Numbers,
    group: npt.NDArray[np.intp],
    chosen: npt.NDArray[np.bool_],
    options: OutbreakOptions,
) -> tuple[Numbers, Numbers]:
    """Observed over expected of the other chosen places of each series' group, and the chance of as many or more."""
    sums = [np.where(chosen, part, 0.0) for part in (observed, mean, mean * dispersion, np.ones(observed.shape))]
    events, base, variance, places = (_without_own(part, group) for part in sums)
    known = (places >= options.least_places) & (base > 0)
    safe = np.where(known, base, 1.0)
    spread = np.maximum(np.where(known, variance, 1.0) / safe, 1.0)
    ratio = np.where(known, (events + 0.5) / (safe + 0.5), np.nan)
    return ratio, np.where(known, at_least(events, safe, spread), np.nan)


def _without_own(values: Numbers, group: npt.NDArray[np.intp]) -> Numbers:
    total = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(total, group, values)
    return np.asarray(np.maximum(total[group] - values, 0.0))


def _is_shock(ratio: Numbers, p_value: Numbers, options: OutbreakOptions) -> npt.NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((p_value <= options.shared_alpha) & (ratio >= options.shared_ratio))


def _local(
    observed: Numbers, mean: Numbers, dispersion: Numbers, ratio: Numbers, shock: npt.NDArray[np.bool_]
) -> Numbers:
    lifted = mean * np.where(shock, ratio, 1.0)
    known = np.isfinite(observed) & np.isfinite(lifted) & (lifted > 0)
    safe, spread = np.where(known, lifted, 1.0), np.where(known, dispersion, 1.0)
    return np.where(known, at_least(np.where(known, observed, 0.0), safe, spread), np.nan)
