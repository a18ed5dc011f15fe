"""Outbreak detection after Farrington (1996) and Noufaily (2013): what was expected this week, and is it exceeded?

For each week under study a quasi-Poisson regression is fitted to comparable weeks of the years before (and, improved
version, to all other weeks as ten seasonal periods); past outbreaks are weighed down; a bound says what is unusual.
All series of a table are fitted at once. The conventions are those of the R package surveillance (`farringtonFlexible`,
`algo.farrington`); where they differ from the papers an option says so.

Farrington et al., JRSS A 1996;159:547-63. Noufaily et al., Stat Med 2013;32:1206-22. Salmon et al., J Stat Softw 2016;70(10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.farrington_bounds import bounds
from tkyt_analysis.analysis.trend.farrington_control import FarringtonControl, control_of
from tkyt_analysis.analysis.trend.farrington_windows import Window, default_range, window_of
from tkyt_analysis.analysis.trend.quasipoisson_batch import STEPS, QuasiPoisson, fit_quasipoisson
from tkyt_analysis.analysis.trend.series_panel import Panel, long_table, panel_of
from tkyt_analysis.errors import InputError

_CHUNK = 4096  # series fitted together; more would only need more memory
_NUMBERS = ("expected", "lower", "upperbound", "score", "pvalue", "slope", "trend_pvalue", "mu0", "dispersion")


def farrington(
    series: object,
    *,
    method: str = "noufaily",
    by: str | Sequence[str] = (),
    value: str | None = None,
    time: str | npt.ArrayLike | None = None,
    population: str | npt.ArrayLike | None = None,
    frequency: int | None = None,
    gaps: str = "missing",
    last: int | None = None,
    control: dict[str, Any] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Detect unusual counts in many series.

    Parameters
    ----------
    series, by, value, time, frequency, gaps : as in `series_panel.panel_of`: a list, an array (series, weeks), a Series, a table.
        With dates the same date of earlier years is compared, as R's epochAsDate=TRUE; without, exactly 52 places before
    method : "noufaily" (improved, as published: 10 seasonal periods, last 26 weeks left out, weights from 2.58, negative
        binomial bound, trend always kept where it does not run away), "farrington" (1996 as surveillance recommends:
        `farringtonFlexible` with its defaults and weights from 1), "flexible" (the defaults of `farringtonFlexible`) or
        "classic" (the older function `algo.farrington`, whose alpha is two-sided)
    last : judge the last so many periods (default: all that have enough history; `range` names them, counted from 1)
    population : column of the table, or an array like the counts; used with population_offset=True
    control, **options : any parameter of `FarringtonControl`, also by the names of R (noPeriods=10, limit54=(5, 4) …)

    Returns
    -------
    One row per series and monitored period: keys, index (1 = first period), period and period_start (dated series), observed,
    expected, lower, upper, upperbound (= upper), alarm, score (exceedance; above 1 = beyond the bound), pvalue, trend (was it kept),
    slope (per period), trend_pvalue, mu0, dispersion, method, status, reason. Fewer than 5 events in 4 periods (`limit54`): no
    bound, no alarm, `reason.few_recent_events`; missing counts, too short a history, no convergence: `not_assessable` likewise.
    """
    settings = control_of(method, {**(control or {}), **options})
    extra = [population] if isinstance(population, str) else []
    panel = panel_of(series, by=by, value=value, time=time, frequency=frequency, gaps=gaps, extra=extra)
    persons = _persons(panel, population, settings)
    places = _monitored(panel, settings, last)
    weeks = [_week(panel, persons, int(place), settings) for place in places]
    columns: dict[str, npt.NDArray] = {name: np.stack([week[name] for week in weeks], axis=1) for name in weeks[0]}
    ordered = {"observed": panel.counts[:, places], "expected": columns["expected"], "lower": columns["lower"]}
    ordered |= {"upper": columns["upperbound"], "upperbound": columns["upperbound"], "alarm": columns["alarm"]}
    ordered |= {
        name: columns[name] for name in ("score", "pvalue", "trend", "slope", "trend_pvalue", "mu0", "dispersion")
    }
    reason = columns["reason"]
    ordered |= {"method": np.full(reason.shape, settings.text(), dtype=object)}
    ordered |= {"status": np.where(reason == "", OK, NOT_ASSESSABLE), "reason": reason}
    return long_table(panel, places, ordered)


def farrington_flexible(series: object, **options: Any) -> pd.DataFrame:
    """`farrington(method="flexible")`: the defaults of R's `farringtonFlexible`, every control parameter by its name."""
    return farrington(series, **{"method": "flexible", **options})


def _persons(panel: Panel, population: object, settings: FarringtonControl) -> Numbers | None:
    if not settings.population_offset:
        return None
    if population is None:
        raise InputError("error.surveillance_population")
    if isinstance(population, str):
        return panel.columns[population]
    persons = np.atleast_2d(np.asarray(population, dtype=float))
    try:
        return np.broadcast_to(persons, panel.counts.shape)
    except ValueError:
        found = " × ".join(map(str, persons.shape))
        expected = " × ".join(map(str, panel.counts.shape))
        raise InputError("error.surveillance_population_shape", found=found, expected=expected) from None


def _monitored(panel: Panel, settings: FarringtonControl, last: int | None) -> npt.NDArray[np.intp]:
    """Places (0 = first period) that are monitored."""
    if last is not None:
        if not 1 <= last <= panel.periods:
            raise InputError("error.surveillance_range", found=f"last {last}", last=panel.periods)
        return np.arange(panel.periods - last, panel.periods, dtype=np.intp)
    if settings.range is None:
        places = default_range(panel.times, settings)
        if not len(places):
            needed = panel.times.frequency * settings.b + settings.w + 1
            raise InputError("error.surveillance_short", found=panel.periods, needed=needed)
        return places
    places = np.atleast_1d(np.asarray(settings.range, dtype=np.intp)) - 1
    if not len(places) or places.min() < 0 or places.max() >= panel.periods:
        raise InputError("error.surveillance_range", found=f"{settings.range}", last=panel.periods)
    return places


def _week(panel: Panel, persons: Numbers | None, place: int, settings: FarringtonControl) -> dict[str, npt.NDArray]:
    """All series in one monitored period; in pieces, so that memory does not grow with the number of series."""
    window = window_of(panel.times, place, settings)
    count = len(panel.counts)
    if isinstance(window, str):
        return _nothing(count, window)
    pieces = []
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        offsets = None if persons is None else persons[part]
        pieces.append(_detect(panel.counts[part], offsets, window, settings))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _nothing(count: int, reason: str) -> dict[str, npt.NDArray]:
    empty: dict[str, npt.NDArray] = {name: np.full(count, np.nan) for name in _NUMBERS}
    no = np.zeros(count, dtype=bool)
    return empty | {"alarm": no, "trend": no, "reason": np.full(count, reason, dtype=object)}


def _detect(
    counts: Numbers, persons: Numbers | None, window: Window, settings: FarringtonControl
) -> dict[str, npt.NDArray]:
    """One monitored period of some series: regression, bound, alarm."""
    past, now = counts[:, window.rows], counts[:, window.now]
    log_past = None if persons is None else _log(persons[:, window.rows])
    log_now = np.zeros(len(counts)) if persons is None else _log(persons[:, window.now])
    present = ~np.isnan(past) if log_past is None else ~np.isnan(past) & ~np.isnan(log_past)
    past = np.where(present, past, 0.0)
    offset = None if log_past is None else np.nan_to_num(log_past)
    enough = present.sum(axis=1) > window.columns
    model = _model(past, present, offset, log_now, window, settings)
    bound = bounds(now, model, settings)
    recent, few = _few_recent(counts, window.now, settings)
    reason = np.select(
        [np.isnan(now) | np.isnan(log_now), ~enough, ~model["converged"].astype(bool), recent & few, recent],
        ["reason.count_now_missing", "reason.too_few_past_periods", "reason.model_did_not_converge",
         "reason.recent_counts_missing", "reason.few_recent_events"],
        default="",
    ).astype(object)  # fmt: skip
    return _answers(now, model, bound, reason, settings)


def _log(persons: Numbers) -> Numbers:
    return np.where(persons > 0, np.log(np.where(persons > 0, persons, 1.0)), np.nan)


def _few_recent(
    counts: Numbers, now: int, settings: FarringtonControl
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(fewer than limit54 events known in the last periods, is one of these periods missing)."""
    least, periods = settings.limit54
    recent = counts[:, max(now - int(periods) + 1, 0) : now + 1]
    missing = np.asarray(np.isnan(recent).any(axis=1) | (now - int(periods) + 1 < 0))
    return np.asarray(np.nansum(recent, axis=1) < least), missing


def _answers(
    now: Numbers,
    model: dict[str, Numbers],
    bound: dict[str, Numbers],
    reason: npt.NDArray,
    settings: FarringtonControl,
) -> dict[str, npt.NDArray]:
    """What is shown: bounds only where they can raise an alarm, score and p-value wherever there is a model."""
    usable = reason == ""
    known = usable | (reason == "reason.few_recent_events")
    beyond = np.where(usable, bound["score"], np.nan) > 1
    # expected is what the package gives: missing where the bound is
    shown = {name: np.where(usable, bound[name], np.nan) for name in ("expected", "lower", "upperbound")}
    if settings.few_as_zero:
        shown["upperbound"] = np.where(reason == "reason.few_recent_events", 0.0, shown["upperbound"])
    unbounded = usable & np.isnan(bound["upperbound"])
    return {
        **shown,
        "alarm": beyond & (now != 0) if not settings.classic else beyond,
        "score": np.where(known, bound["score"], np.nan),
        "pvalue": np.where(known, bound["pvalue"], np.nan),
        "trend": known & (model["trend"] > 0),
        "slope": np.where(known & (model["trend"] > 0), model["slope"], np.nan),
        "trend_pvalue": np.where(known, model["trend_pvalue"], np.nan),
        "mu0": np.where(known, bound["mu0"], np.nan),
        "dispersion": np.where(known, model["dispersion"], np.nan),
        "reason": np.where(unbounded, "reason.bound_not_computable", reason).astype(object),
    }


def _model(
    past: Numbers,
    present: npt.NDArray[np.bool_],
    offset: Numbers | None,
    log_now: Numbers,
    window: Window,
    settings: FarringtonControl,
) -> dict[str, Numbers]:
    """The regression of each series: eta, se (link scale), dispersion, whether the trend was kept, converged."""
    prior = present.astype(float)
    if not settings.trend:
        return _fit(past, prior, offset, log_now, window, settings, trend=False)
    found = _fit(past, prior, offset, log_now, window, settings, trend=True)
    with np.errstate(over="ignore", invalid="ignore"):
        tame = np.exp(found["eta"]) <= past.max(axis=1, initial=0.0)
        kept = (found["converged"] > 0) & tame & (found["trend_pvalue"] < settings.p_threshold_trend)
    found["trend"] = (kept & (settings.b >= 3)).astype(float)
    again = np.flatnonzero(found["trend"] == 0)
    if len(again):
        shift = None if offset is None else offset[again]
        level = _fit(past[again], prior[again], shift, log_now[again], window, settings, trend=False)
        for name in ("eta", "se", "dispersion", "converged"):
            found[name][again] = level[name]
    return found


def _fit(
    past: Numbers,
    prior: Numbers,
    offset: Numbers | None,
    log_now: Numbers,
    window: Window,
    settings: FarringtonControl,
    *,
    trend: bool,
) -> dict[str, Numbers]:
    """First fit, weights from its residuals, second fit."""
    design = window.design(trend=trend)
    # R gives a week up where a past without events takes more than 25 steps; without a trend we let it settle at 0
    steps = STEPS if trend else 4 * STEPS
    fit = fit_quasipoisson(design, past, weights=prior, offset=offset, steps=steps)
    converged = fit.converged
    phi = np.fmax(fit.dispersion(past), 1.0)
    spread = fit.dispersion(past)
    if settings.reweight:
        omega = prior * outbreak_weights(_anscombe(fit, past, design, phi), prior, settings.weights_threshold)
        fit = fit_quasipoisson(design, past, weights=omega, offset=offset, steps=steps)
        phi = np.fmax(fit.dispersion(past), 1.0)
        # farringtonFlexible replaces the model's working weights by omega before its summary: the spread of standard
        # errors (not the dispersion of the bound) then rests on omega. `standard_error="dispersion"` is the textbook's.
        spread = fit.dispersion(past, omega) if not settings.classic else fit.dispersion(past)
    bound_spread = phi if settings.classic or settings.standard_error == "dispersion" else spread
    eta, variance = fit.predict(window.now_row(trend=trend))
    slope, p_value = _slope(fit, spread if settings.standard_error == "surveillance" else phi, window, trend=trend)
    return {
        "eta": eta + log_now,
        "se": np.sqrt(variance * bound_spread),
        "dispersion": phi,
        "converged": converged.astype(float),
        "trend": np.zeros(len(past)),
        "slope": slope,
        "trend_pvalue": p_value,
    }


def _slope(fit: QuasiPoisson, spread: Numbers, window: Window, *, trend: bool) -> tuple[Numbers, Numbers]:
    """Slope of the linear predictor per period and its two-sided p-value (Student)."""
    if not trend:
        nothing = np.full(len(fit.mean), np.nan)
        return nothing, nothing
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        t = fit.coefficients[:, -1] / np.sqrt(spread * fit.covariance[:, -1, -1])
    return fit.coefficients[:, -1] / window.scale, 2 * stdtr(np.maximum(fit.residual_df, 1), -np.abs(t))


def _anscombe(fit: QuasiPoisson, counts: Numbers, design: Numbers, phi: Numbers) -> Numbers:
    """Standardised Anscombe residuals of counts."""
    raw = 1.5 * (counts ** (2 / 3) * fit.mean ** (-1 / 6) - np.sqrt(fit.mean))
    with np.errstate(divide="ignore", invalid="ignore"):
        return raw / np.sqrt(phi[:, None] * (1 - fit.leverage(design)))


def outbreak_weights(residuals: Numbers, present: Numbers, threshold: float) -> Numbers:
    """Weights of past weeks: residuals s above the threshold weigh s⁻², all weights sum to the number of weeks."""
    high = (residuals > threshold) & (present > 0)
    raw = np.where(high, residuals, 1.0) ** -2.0
    total = (raw * present).sum(axis=1, keepdims=True)
    return raw * present.sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
