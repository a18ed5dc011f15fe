"""Nowcast: how many events will have occurred, once all reports are in? From the delays of the past.

The share that is reported after 0, 1, 2 … periods is estimated from earlier periods (chain ladder = multinomial by reverse
hazards); what is known of the last periods is divided by it. Methods differ in how much they say counts vary.

Lawless, Can J Stat 1994;22:15-31. Mack, ASTIN Bulletin 1993;23:213-25. England & Verrall, Br Actuar J 2002;8:443-518.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.farrington_bounds import count_quantile
from tkyt_analysis.analysis.trend.nowcast_euromomo import euromomo_delay
from tkyt_analysis.analysis.trend.reporting_lags import LagTriangle, lag_triangle
from tkyt_analysis.analysis.trend.series_panel import Panel, long_table
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

METHODS = ("chain_ladder", "multinomial", "negative_binomial", "mack", "euromomo", "euromomo_sincos")
_OTHER = {
    "overdispersed": "chain_ladder",
    "overdispersed_poisson": "chain_ladder",
    "odp": "chain_ladder",
    "nb": "negative_binomial",
}
MODELLED = "modelled"


def nowcast(
    triangle: object,
    *,
    method: str = "chain_ladder",
    window: int | None = None,
    confidence: float = 0.95,
    closed: npt.ArrayLike | None = None,
    **reading: Any,
) -> pd.DataFrame:
    """Estimate the final number of events of each period from what is reported so far.

    Parameters
    ----------
    triangle : a `LagTriangle`, or what `lag_triangle` reads; **reading : by, time, value, delay, reported, max_delay, as_of …
    method : all but the last two give the same estimates (reported ÷ share reported), with limits from
        "chain_ladder" over-dispersed Poisson cells; "multinomial" reports of single persons, no over-dispersion;
        "negative_binomial" variance m + m²/θ per cell; "mack" Mack's standard error, log-normal
        (chain ladder's limits where nothing is reported yet).
        "euromomo": the two regressions of MOMOpack (share and total on what is reported; "…_sincos" with a season)
    window : use the delays of the last so many periods only; None: all
    closed : days off in each period, for "euromomo"

    Returns
    -------
    One row per series and period: keys, index, period, period_start, reported, share_reported, estimate, lower, upper, variance
    (of the estimate), complete (no more reports expected), method, status (`ok` complete, `modelled` estimated,
    `not_assessable`), reason. Events later than the longest delay are in nobody's number (`LagTriangle.beyond`).
    """
    lags = triangle if isinstance(triangle, LagTriangle) else lag_triangle(triangle, **reading)
    chosen = option_word(method, METHODS, _OTHER)
    if chosen not in METHODS:
        raise UsageError("error.surveillance_option", option="method", found=method, known=", ".join(METHODS))
    tail(confidence)
    reported = reported_so_far(lags)
    if chosen.startswith("euromomo"):
        found = euromomo_delay(lags, closed=closed, sincos=chosen.endswith("sincos"), confidence=confidence)
    else:
        found = _ladder(lags, chosen, window, confidence)
    return _table(lags, reported, found, _text(chosen, lags, window))


def delay_distribution(triangle: object, *, window: int | None = None, **reading: Any) -> pd.DataFrame:
    """Share of events that are known after each delay: keys, delay, share (of this delay), cumulative, events (used)."""
    lags = triangle if isinstance(triangle, LagTriangle) else lag_triangle(triangle, **reading)
    factors, base = development(lags, window)
    cumulative = shares_reported(factors)
    share = np.diff(cumulative, axis=1, prepend=0.0)
    events = np.concatenate([base, np.full((len(base), 1), np.nan)], axis=1)
    delays = np.arange(lags.longest + 1)
    keys = lags.keys.loc[lags.keys.index.repeat(len(delays))].reset_index(drop=True)
    columns = {"share": share, "cumulative": cumulative, "events": events}
    flat = {"delay": np.tile(delays, len(lags.keys)), **{name: part.ravel() for name, part in columns.items()}}
    return pd.concat([keys, pd.DataFrame(flat)], axis=1)


def development(lags: LagTriangle, window: int | None = None) -> tuple[Numbers, Numbers]:
    """Factors (series, delays − 1) by which the known count grows from one delay to the next, and the counts they rest on."""
    if window is not None and window < 1:
        raise UsageError("error.surveillance_option", option="window", found=window, known="≥ 1")
    known = lags.cumulative()
    before, after = _pairs(known, window)
    base, grown = before.sum(axis=1), after.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, grown / base, np.nan), base


def _pairs(known: Numbers, window: int | None) -> tuple[Numbers, Numbers]:
    """Known counts of one delay and the next (series, periods, delays − 1); 0 where not both are known or too old."""
    both = ~np.isnan(known[:, :, 1:]) & ~np.isnan(known[:, :, :-1])
    if window is not None:
        later = np.cumsum(both[:, ::-1], axis=1)[:, ::-1]
        both &= later <= window
    return np.where(both, known[:, :, :-1], 0.0), np.where(both, known[:, :, 1:], 0.0)


def shares_reported(factors: Numbers) -> Numbers:
    """(series, delays) share of all events that is known after each delay; the last is 1."""
    growth = np.cumprod(factors[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([1 / growth, np.ones((len(factors), 1))], axis=1)


def reported_so_far(lags: LagTriangle) -> Numbers:
    """(series, periods) events known; NaN where a cell that should be known is missing."""
    return np.take_along_axis(lags.cumulative(), _age_index(lags), axis=2)[:, :, 0]


def _age_index(lags: LagTriangle) -> npt.NDArray[np.intp]:
    return np.broadcast_to(lags.age()[None, :, None], (*lags.cells.shape[:2], 1))


def _ladder(lags: LagTriangle, method: str, window: int | None, confidence: float) -> dict[str, Numbers]:
    """share, estimate, lower, upper, variance (series, periods)."""
    factors, base = development(lags, window)
    share = shares_reported(factors)[:, lags.age()]
    reported = reported_so_far(lags)
    estimate = reported / share
    parameter = _parameter_variance(factors, base, lags.age()) * estimate**2
    process, spread = _process(lags, "chain_ladder" if method == "mack" else method, share, reported, parameter, window)
    unknown = (reported + 0.5) * (1 - share) / share  # Jeffreys: also without any report yet
    variance = np.maximum(process + spread, unknown)
    lower, upper = (reported + part for part in _between(unknown, variance, confidence))
    found = {"share": share, "estimate": estimate, "lower": lower, "upper": upper, "variance": process + spread}
    return (
        _with_mack(found, _mack(lags, factors, base, estimate, window), reported, confidence)
        if method == "mack"
        else found
    )


def _with_mack(
    found: dict[str, Numbers], relative: Numbers, reported: Numbers, confidence: float
) -> dict[str, Numbers]:
    """Mack's log-normal limits in place of the counts' own; where nothing is reported yet there are none to replace them."""
    some = np.isfinite(relative) & (found["estimate"] > 0)
    step = z_value(confidence) * np.sqrt(np.log1p(np.where(some, relative, 0.0)))
    for name, side in (("lower", -1), ("upper", 1)):
        limit = np.fmax(found["estimate"] * np.exp(side * step), reported)
        found[name] = np.where(some, limit, found[name])
    found["variance"] = np.where(some, relative * found["estimate"] ** 2, found["variance"])
    return found


def _between(mean: Numbers, variance: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    """Limits of the count still to come: negative binomial of this mean and variance; 0 where nothing is to come."""
    some = np.isfinite(mean) & np.isfinite(variance) & (mean > 0)
    safe, spread = np.where(some, mean, 1.0), np.where(some, np.maximum(variance / np.where(some, mean, 1.0), 1.0), 1.0)
    error = tail(confidence)
    limits = [
        np.where(some, count_quantile(p, safe, spread), np.where(mean == 0, 0.0, np.nan)) for p in (error, 1 - error)
    ]
    return limits[0], limits[1]


def _parameter_variance(factors: Numbers, base: Numbers, age: npt.NDArray[np.intp]) -> Numbers:
    """(series, periods) variance of log share (Greenwood): Σ (1 − 1/f)·f / events at risk, over the delays to come."""
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (1 - 1 / factors) * factors / (base * factors)
    later = np.cumsum(each[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([later, np.zeros((len(factors), 1))], axis=1)[:, age]


def _process(
    lags: LagTriangle, method: str, share: Numbers, reported: Numbers, parameter: Numbers, window: int | None
) -> tuple[Numbers, Numbers]:
    """Variance of what is still to come around its estimate, and that of the shares."""
    total = (reported + 0.5) / share
    binomial = total * (1 - share) / share
    if method == "multinomial":
        return binomial, parameter
    phi, inverse_theta = _dispersion(lags, window)
    if method == "chain_ladder":
        return phi[:, None] * binomial, phi[:, None] * parameter
    probability = np.diff(shares_reported(development(lags, window)[0]), axis=1, prepend=0.0)
    squares = np.cumsum(probability**2, axis=1)
    known, rest = squares[:, lags.age()], squares[:, -1:] - squares[:, lags.age()]
    extra = total**2 * (rest + ((1 - share) / share) ** 2 * known) * inverse_theta[:, None]
    return binomial + extra, np.maximum(phi, 1.0)[:, None] * parameter


def _dispersion(lags: LagTriangle, window: int | None) -> tuple[Numbers, Numbers]:
    """Pearson dispersion of the cells around period total × share of the delay (at least 1), and 1/θ by moments."""
    factors, _ = development(lags, window)
    cumulative = shares_reported(factors)
    probability = np.diff(cumulative, axis=1, prepend=0.0)
    total = reported_so_far(lags) / cumulative[:, lags.age()]
    if window is not None:
        total[:, : max(total.shape[1] - window - lags.longest, 0)] = np.nan
    mean = total[:, :, None] * probability[:, None, :]
    seen = ~np.isnan(lags.cells) & (mean > 0)
    gap = np.where(seen, lags.cells - mean, 0.0) ** 2
    mean = np.where(seen, mean, 1.0)
    rows = seen.any(axis=2).sum(axis=1)
    free = np.maximum(seen.sum(axis=(1, 2)) - rows - lags.longest, 1)
    phi = np.maximum((gap / mean).sum(axis=(1, 2)) / free, 1.0)
    correction = seen.sum(axis=(1, 2)) / free
    excess = correction * gap.sum(axis=(1, 2)) - np.where(seen, mean, 0.0).sum(axis=(1, 2))
    squares = np.where(seen, mean**2, 0.0).sum(axis=(1, 2))
    return phi, np.maximum(excess / np.where(squares > 0, squares, 1.0), 0.0)


def _mack(lags: LagTriangle, factors: Numbers, base: Numbers, estimate: Numbers, window: int | None) -> Numbers:
    """(series, periods) squared coefficient of variation of the estimate (Mack 1993)."""
    before, after = _pairs(lags.cumulative(), window)
    some = before > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(some, before * (after / np.where(some, before, 1.0) - factors[:, None, :]) ** 2, 0.0)
    sigma = gap.sum(axis=1) / np.maximum(some.sum(axis=1) - 1, 1)
    alone = some.sum(axis=1) < 2
    for delay in range(sigma.shape[1]):  # Mack's rule for a factor that rests on one period
        if delay >= 2 and alone[:, delay].any():
            two, one = sigma[:, delay - 2], sigma[:, delay - 1]
            rule = np.minimum(np.minimum(one**2 / np.where(two > 0, two, np.inf), one), two)
            sigma[:, delay] = np.where(alone[:, delay], rule, sigma[:, delay])
    growth = shares_reported(factors)
    result = np.zeros_like(estimate)
    for delay in range(sigma.shape[1]):
        expected = estimate * growth[:, delay : delay + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = sigma[:, delay, None] / factors[:, delay, None] ** 2
            part = np.where(expected > 0, part * (1 / expected + 1 / base[:, delay, None]), np.nan)
        result += np.where(lags.age()[None, :] <= delay, part, 0.0)
    return result


def _text(method: str, lags: LagTriangle, window: int | None) -> str:
    return f"nowcast_{method};max_delay={lags.longest};window={'all' if window is None else window}"


def _table(lags: LagTriangle, reported: Numbers, found: dict[str, Numbers], text: str) -> pd.DataFrame:
    complete = np.broadcast_to(lags.age()[None, :] >= lags.longest, reported.shape)
    modelled = ~complete & np.isfinite(found["estimate"])
    reason = np.select(
        [np.isnan(reported), ~complete & ~modelled],
        ["reason.reports_missing", "reason.no_past_delays"],
        default="",
    ).astype(object)
    bad = reason != ""
    shown = {name: np.where(bad, np.nan, part) for name, part in found.items()}
    for name, value in (
        ("estimate", reported),
        ("lower", reported),
        ("upper", reported),
        ("variance", 0.0),
        ("share", 1.0),
    ):
        shown[name] = np.where(complete & ~bad, value, shown[name])
    panel = Panel(lags.keys, reported, lags.times, np.ones(reported.shape, dtype=bool), {})
    return long_table(
        panel,
        np.arange(reported.shape[1], dtype=np.intp),
        {
            "reported": reported,
            "share_reported": shown["share"],
            **{name: shown[name] for name in ("estimate", "lower", "upper", "variance")},
            "complete": complete,
            "method": np.full(reported.shape, text, dtype=object),
            "status": np.where(bad, NOT_ASSESSABLE, np.where(complete, OK, MODELLED)),
            "reason": reason,
        },
    )
