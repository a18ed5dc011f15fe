"""Confidence limits of counts (Poisson), by name: one place for every rate, ratio and weighted sum.

All functions take arrays; counts may be fractions (after redistribution). `poisson_limits` chooses by name.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
EXACT_BELOW = 10  # events; PHE/OHID: exact limits below, Byar's approximation from here on
_STEPS = 80  # of a search for a quantile; Newton's rule needs about seven


def tail(confidence: float) -> float:
    """The error on one side of a two-sided interval: 0.025 for 0.95. Raises UsageError outside 0 to 1."""
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise UsageError("error.confidence", value=confidence)
    return (1 - float(confidence)) / 2


def z_value(confidence: float) -> float:
    """Quantile of the normal distribution for a two-sided interval: 1.96 for 0.95."""
    return NormalDist().inv_cdf(1 - tail(confidence))


def byar_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Byar's approximation to the Poisson limits of counts; the lower limit of 0 events is 0.

    Breslow & Day, Statistical Methods in Cancer Research, vol. II, IARC 1987. Good from 10 events; where the
    approximation falls below 0 (a few events, a confidence near 1) the lower limit is 0.
    """
    counts = np.asarray(events, dtype=float)
    z = z_value(confidence)
    safe = np.where(counts > 0, counts, 1.0)
    lower = safe * np.maximum(1 - 1 / (9 * safe) - z / (3 * np.sqrt(safe)), 0.0) ** 3
    above = np.maximum(counts, 0.0) + 1
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    return np.where(counts > 0, lower, 0.0 * counts), upper


def rothman_byar_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Byar's approximation as Rothman writes it: the count plus one half on both sides (epitools' pois.byar).

    Rothman & Boice, Epidemiologic Analysis with a Programmable Calculator, 1979 (`unverified`: recalled, not looked up).
    """
    more = np.asarray(events, dtype=float) + 0.5
    step = z_value(confidence) / (3 * np.sqrt(more))
    lower = more * np.maximum(1 - 1 / (9 * more) - step, 0.0) ** 3
    return lower, more * (1 - 1 / (9 * more) + step) ** 3


def exact_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Exact (Garwood) Poisson limits of counts, from the chi-square distribution."""
    from scipy.special import gammaincinv

    counts = np.asarray(events, dtype=float)
    error = tail(confidence)
    safe = np.where(counts > 0, counts, 1.0)
    lower = np.where(counts > 0, gammaincinv(safe, error), 0.0 * counts)
    return lower, gammaincinv(counts + 1, 1 - error)


def byar_or_exact_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Exact limits below 10 events, Byar's from 10 on (the convention of PHE/OHID)."""
    counts = np.asarray(events, dtype=float)
    few = counts < EXACT_BELOW
    byar, exact = byar_limits(counts, confidence), exact_poisson_limits(np.where(few, counts, 0.0), confidence)
    return np.where(few, exact[0], byar[0]), np.where(few, exact[1], byar[1])


def daly_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """The exact limits, but without events the whole error stands on one side: −ln(1 − confidence), 2.996 not 3.689 (epitools).

    Daly, Computers in Biology and Medicine 1992;22:351-61 (`unverified`: the rule was read in epitools' description).
    """
    lower, upper = exact_poisson_limits(events, confidence)
    alone = -np.log(2 * tail(confidence))
    return lower, np.where(np.asarray(events, dtype=float) == 0, alone, upper)


def midp_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Mid-P limits of counts: the observed count weighs half in each tail, so they are narrower than the exact ones.

    Rothman & Boice, Epidemiologic Analysis with a Programmable Calculator, 1979; Cohen & Yang, Stat Med 1994;13:2189-2210.
    """
    counts = np.asarray(events, dtype=float)
    ones = np.ones_like(counts)
    return midp_gamma_limits((counts, ones), (counts + 1, ones), confidence)


def lognormal_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """O·exp(±z/√O): the textbook limits of an SMR; there are none (NaN) without events.

    Rothman, Modern Epidemiology (1986), ch. 11; used by epitools' ageadjust.indirect.
    """
    counts = np.asarray(events, dtype=float)
    safe = np.where(counts > 0, counts, np.nan)
    factor = np.exp(z_value(confidence) / np.sqrt(safe))
    return safe / factor, safe * factor


def normal_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """O ± z·√O, not below 0: for large counts only; there are none (NaN) without events."""
    counts = np.asarray(events, dtype=float)
    safe = np.where(counts > 0, counts, np.nan)
    half = z_value(confidence) * np.sqrt(safe)
    return np.maximum(safe - half, 0.0), safe + half


_LIMITS: dict[str, Callable[[npt.ArrayLike, float], tuple[Numbers, Numbers]]] = {
    "byar_exact": byar_or_exact_limits,
    "byar": byar_limits,
    "byar_rothman": rothman_byar_limits,
    "exact": exact_poisson_limits,
    "daly": daly_poisson_limits,
    "midp": midp_poisson_limits,
    "lognormal": lognormal_poisson_limits,
    "normal": normal_poisson_limits,
}
LIMITS = tuple(_LIMITS)
_OTHER_NAMES = {
    "garwood": "exact", "poisson_exact": "exact", "pois_exact": "exact", "pois_daly": "daly", "mid_p": "midp",
    "byars": "byar", "byar's": "byar", "byar_or_exact": "byar_exact", "phe": "byar_exact", "ohid": "byar_exact",
    "pois_byar": "byar_rothman", "rothman": "byar_rothman", "log": "lognormal", "log_normal": "lognormal",
    "wald": "normal", "approx": "normal", "pois_approx": "normal", "asymptotic": "normal",
}  # fmt: skip


def limits_word(limits: str) -> str:
    """The name of `LIMITS` that is meant: other programs' names ("garwood", "mid-p", "pois.byar") are understood."""
    return str(option_word(limits, LIMITS, _OTHER_NAMES))


def poisson_limits(
    events: npt.ArrayLike, *, confidence: float = 0.95, limits: str = "byar_exact"
) -> tuple[Numbers, Numbers, npt.NDArray[np.str_]]:
    """Lower and upper limits of counts, and the method that each row got ("byar" or "exact" …).

    limits : "byar_exact" (exact below 10 events, else Byar; PHE/OHID), "byar", "byar_rothman" (count plus one half),
        "exact" (Garwood), "daly" (exact; one-sided without events), "midp", "lognormal" (epitools' SMR), "normal". The last two have no limits without events (NaN).
    """
    limits = limits_word(limits)
    if limits not in _LIMITS:
        raise UsageError("error.limits_unknown", value=limits, known=", ".join(_LIMITS))
    counts = np.asarray(events, dtype=float)
    lower, upper = _LIMITS[limits](counts, confidence)
    if limits == "byar_exact":
        return lower, upper, np.where(counts < EXACT_BELOW, "exact", "byar")
    return lower, upper, np.full(counts.shape, limits)


# ---- quantiles of gamma distributions


def gamma_quantile(p: float, shape: Numbers, scale: Numbers) -> Numbers:
    """Quantile of gamma distributions; NaN where the shape is not above 0."""
    from scipy.special import gammaincinv

    known = shape > 0
    return np.where(known, gammaincinv(np.where(known, shape, 1.0), p) * scale, np.nan)


def midp_gamma_limits(
    below: tuple[Numbers, Numbers], above: tuple[Numbers, Numbers], confidence: float
) -> tuple[Numbers, Numbers]:
    """Limits from the mean of two gamma distributions, each (shape, scale): the mid-P confidence distribution.

    A shape of 0 is a point at 0 (no events). Fay & Kim, Biometrical Journal 2017;59:863-84.
    """
    error = tail(confidence)
    some = below[0] > 0
    first = np.where(some, below[0], 1.0), np.where(some, below[1], 1.0)
    lower = _mean_quantile(error, first, above)
    upper = _mean_quantile(1 - error, first, above)
    # Half of the distribution stands at 0: the quantile p of the whole is the quantile 2p - 1 of the rest.
    return np.where(some, lower, 0.0), np.where(some, upper, gamma_quantile(max(1 - 2 * error, 0.0), *above))


def _mean_quantile(p: float, first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers]) -> Numbers:
    """x with (F1(x) + F2(x)) / 2 = p, by Newton's rule within the two quantiles; what has settled is left alone."""
    from scipy.special import gammaln

    ends = np.broadcast_arrays(gamma_quantile(p, *first), gamma_quantile(p, *second))
    low, high = np.fmin(*ends), np.fmax(*ends)
    shape = low.shape
    rows = (low, high, *first, *second, gammaln(first[0]), gammaln(second[0]))
    parts = np.stack([part.ravel() for part in np.broadcast_arrays(*rows)])
    result = (parts[0] + parts[1]) / 2
    active = np.flatnonzero(parts[1] > parts[0])
    parts = parts[:, active]
    for _ in range(_STEPS):
        if not len(active):
            break
        before = result[active]
        after = _one_step(p, before, parts)
        result[active] = after
        moving = np.abs(after - before) > 1e-12 * after
        active, parts = active[moving], parts[:, moving]
    return result.reshape(shape)


def _one_step(p: float, x: Numbers, parts: Numbers) -> Numbers:
    """The next x; `parts` is low, high (narrowed in place), shape and scale of both distributions, their log Γ(shape)."""
    from scipy.special import gammainc

    miss, slope = -p * np.ones_like(x), np.zeros_like(x)
    for shape, scale, log_gamma in (parts[[2, 3, 6]], parts[[4, 5, 7]]):
        t = x / scale
        miss += gammainc(shape, t) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            slope += np.exp((shape - 1) * np.log(t) - t - log_gamma) / scale / 2
    parts[0] = np.where(miss < 0, x, parts[0])
    parts[1] = np.where(miss > 0, x, parts[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = x - miss / slope
    inside = (newton >= parts[0]) & (newton <= parts[1])
    return np.where(inside, newton, (parts[0] + parts[1]) / 2)
