"""The end of a life table: how the open age group is closed, by name.

"inverse" trusts the rate of the open group (L = l / m). The others fit a law of mortality to the old ages, put its rates in
place of the open group (and, for single ages, of the oldest groups), and carry the table on to where nobody lives. Which
one is used can move life expectancy by more than a year where the open group begins early; `closeout_difference` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table_inputs import Numbers, age_starts, rates_by_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

Flags = npt.NDArray[np.bool_]

LAST_AGE = 130  # where extrapolated tables end; the peers (DemoTools, HMD) do the same
YOUNGEST_FIT = 30.0  # laws of old age say nothing about the young
CLOSEOUTS = ("inverse", "extrapolate", "kannisto", "given")
LAWS = ("kannisto", "gompertz", "makeham")
NO_FIT = "reason.life_table_closeout_too_few_rates"
OPEN_MODELLED = "reason.life_table_open_group_modelled"
SMOOTHED = "reason.life_table_rate_smoothed"
_TURNS, _SMALLEST = 80, -30.0


@dataclass(frozen=True)
class OldAges:
    """How the old ages are modelled: the law, the ages of the fit, and from where on its rates are used."""

    law: str
    fit: Flags  # (ages,) true where the rate enters the fit
    replace_from: float
    step: float

    first: float  # age of the fit

    @property
    def words(self) -> str:
        return f"{self.law} fitted from {self.first:g}, to {LAST_AGE}"


_OTHER_CLOSEOUTS = {
    "extrapolated": "extrapolate", "extrapolation": "extrapolate", "extend": "extrapolate", "extended": "extrapolate",
    "demotools": "extrapolate", "inverse_mx": "inverse", "mx_inverse": "inverse", "inverse_m": "inverse", "1_m": "inverse",
    "1_mx": "inverse", "open": "inverse", "none": "inverse", "hmd": "kannisto", "ex": "given",
}  # fmt: skip


def closeout_words(closeout: str, law: str | None) -> tuple[str, str | None]:
    """The names of `CLOSEOUTS` and `LAWS` that are meant; "gompertz" and "makeham" are extrapolation by that law."""
    chosen = option_word(law, LAWS)
    word = option_word(closeout, (*CLOSEOUTS, *LAWS), _OTHER_CLOSEOUTS)
    return ("extrapolate", chosen or word) if word in LAWS and word not in CLOSEOUTS else (word, chosen)


def old_ages(age: Numbers, n: Numbers, closeout: str, *, law: str | None, fit_from: float | None) -> OldAges:
    """What is fitted where, unless the caller says otherwise.

    extrapolate : Kannisto where the open group begins at 90 or later, else Makeham; fitted to the closed groups from 60 on,
        or to the last twenty years before an open group under 90; used from the open group on (the peers' rule)
    kannisto : fitted from 80 on where four closed groups are there, else from 60 or to the last four; single ages are replaced from 80 on
    """
    opens, last = age[-1], age[-2]
    closed = np.isfinite(n)
    if closeout == "extrapolate":
        start = max(YOUNGEST_FIT, last - 20) if last < 85 else 60.0
        chosen, replace_from = law or ("kannisto" if opens >= 90 else "makeham"), opens
    else:
        start = 80.0 if (closed & (age >= 80)).sum() >= 4 else min(60.0, max(YOUNGEST_FIT, float(age[closed][-4:][0])))
        chosen, replace_from = law or "kannisto", 80.0 if n[-2] == 1 and opens > 80 else opens
    if chosen not in LAWS:
        raise UsageError("error.life_table_law_unknown", value=chosen, known=", ".join(LAWS))
    start = start if fit_from is None else fit_from
    step = float(n[-2]) if n[-2] <= 10 else 5.0
    return OldAges(chosen, closed & (age >= start), replace_from, step, start)


def extended_rates(mx: Numbers, age: Numbers, plan: OldAges) -> tuple[Numbers, Numbers, Flags]:
    """Rates carried on to LAST_AGE, their ages, and which series had enough positive rates for the fit.

    The law is fitted to ln m by least squares (every age counts alike; ages are the first years of the groups, as the
    peers do); rates of zero are left out of the fit.
    """
    beyond = np.arange(age[-1], LAST_AGE + plan.step / 2, plan.step)
    ages = np.append(age[age < age[-1]], beyond)
    rates, fitted = fitted_rates(mx[:, plan.fit], age[plan.fit], ages, law=plan.law)
    observed = np.full((len(mx), len(ages)), np.nan)
    observed[:, : len(age)] = mx
    return np.where(ages >= plan.replace_from, rates, observed), ages, fitted


def fitted_rates(m: Numbers, x: Numbers, ages: Numbers, *, law: str) -> tuple[Numbers, Flags]:
    """Rates of the law at `ages`, fitted to the rates m (series, len(x)) by least squares of ln m; and which could be."""
    curve = _CURVES[law]
    if len(x) < curve.parameters:
        return np.full((len(m), len(ages)), np.nan), np.zeros(len(m), dtype=bool)
    use = (m > 0) & np.isfinite(m)
    enough = use.sum(axis=1) >= curve.parameters
    centre = float(np.mean(x))
    y = np.log(np.where(use, m, 1.0))
    start = curve.start(np.where(use, m, np.nan), x - centre)
    theta = _least_squares(curve, y, x - centre, use & enough[:, np.newaxis], start)
    with np.errstate(over="ignore"):
        rates = np.exp(curve.log_rate(theta, ages - centre)[0])
    return np.where(enough[:, np.newaxis], rates, np.nan), enough


def smooth_old_ages(
    deaths: npt.ArrayLike,
    population: npt.ArrayLike,
    age: npt.ArrayLike,
    *,
    from_age: float = 80,
    replace_from: float | None = None,
    to_age: float = 110,
) -> tuple[Numbers, Numbers]:
    """Old-age rates by the Kannisto law fitted to counts, as the Human Mortality Database does (single ages).

    The law is fitted by Poisson likelihood to the ages from `from_age` to the last closed one; its rates, at the middle of
    each year of age, stand in place of the observed ones from the first age (80 to 95) with 100 deaths or fewer on, and go on
    to `to_age`.

    Parameters
    ----------
    deaths, population : (ages,) or (series, ages), single ages with an open last one
    replace_from : first age whose rate is the law's; None: the HMD's rule for each series

    Returns
    -------
    rates (series, ages from the first to `to_age`) and those ages; missing from `replace_from` on where fewer than two ages
    have deaths.
    """
    ages = age_starts(list(np.asarray(age, dtype=object)))
    died, _ = rates_by_series(deaths, len(ages))
    lived, _ = rates_by_series(population, len(ages))
    fit = (ages >= from_age) & (ages < ages[-1])
    theta, enough = _poisson_kannisto(died[:, fit], lived[:, fit], ages[fit] + 0.5 - from_age)
    longer = np.arange(ages[0], to_age + 1)
    rates = np.full((len(died), len(longer)), np.nan)
    closed = longer < ages[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates[:, closed] = np.where(lived > 0, died / lived, np.nan)[:, : closed.sum()]
    few = (ages >= from_age) & (ages <= 95) & (died <= 100)
    first = np.where(few.any(axis=1), ages[np.argmax(few, axis=1)], 95.0)
    start = first if replace_from is None else np.full(len(died), float(replace_from))
    law = np.where(enough[:, np.newaxis], np.exp(_kannisto(theta, longer + 0.5 - from_age)[0]), np.nan)
    return np.where(longer >= np.minimum(start, ages[-1])[:, np.newaxis], law, rates), longer


def _poisson_kannisto(died: Numbers, lived: Numbers, x: Numbers) -> tuple[Numbers, Flags]:
    """Greatest Poisson likelihood by scoring; all series together."""
    use = (died >= 0) & (lived > 0)
    d, e = np.where(use, died, 0.0), np.where(use, lived, 0.0)
    enough = (d > 0).sum(axis=1) >= 2
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = _start_kannisto(np.where(d > 0, d / e, np.nan), x)
    for _ in range(_TURNS):
        value, jacobian = _kannisto(theta, x)
        expected = e * np.exp(value)
        gram = (jacobian * expected[..., np.newaxis]).transpose(0, 2, 1) @ jacobian + 1e-9 * np.eye(2)
        score = (jacobian * (d - expected)[..., np.newaxis]).sum(axis=1)
        step = np.clip(np.linalg.solve(gram, score[..., np.newaxis])[..., 0], -1.0, 1.0)
        theta = theta + step
        if float(np.abs(step).max(initial=0.0)) < 1e-12:
            break
    return theta, enough


# ---- the laws, as ln m and its derivatives


@dataclass(frozen=True)
class _Curve:
    parameters: int
    log_rate: Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]
    start: Callable[[Numbers, Numbers], Numbers]


def _gompertz(theta: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
    line = theta[:, :1] + theta[:, 1:2] * x
    return line, np.stack([np.ones_like(line), np.broadcast_to(x, line.shape)], axis=-1)


def _kannisto(theta: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
    """m = A e^(Bx) / (1 + A e^(Bx)): never above 1."""
    line = theta[:, :1] + theta[:, 1:2] * x
    log_rate = -np.logaddexp(0, -line)
    rest = -np.expm1(log_rate)
    return log_rate, np.stack([rest, rest * x], axis=-1)


def _makeham(theta: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
    """m = A e^(Bx) + C, C >= 0."""
    line = theta[:, :1] + theta[:, 1:2] * x
    log_rate = np.logaddexp(line, theta[:, 2:])
    share = np.exp(line - log_rate)
    return log_rate, np.stack([share, share * x, 1 - share], axis=-1)


def _start_line(y: Numbers, x: Numbers) -> Numbers:
    """Intercept and slope of y on x by least squares, missing values left out."""
    use = np.isfinite(y)
    count = np.maximum(use.sum(axis=1), 1)
    mean_x = (use * x).sum(axis=1) / count
    mean_y = np.where(use, y, 0).sum(axis=1) / count
    away = use * (x - mean_x[:, np.newaxis])
    spread = (away**2).sum(axis=1)
    slope = (away * np.where(use, y, 0)).sum(axis=1) / np.where(spread > 0, spread, 1)
    return np.column_stack([mean_y - slope * mean_x, slope])


def _start_gompertz(m: Numbers, x: Numbers) -> Numbers:
    return _start_line(np.log(m), x)


def _start_kannisto(m: Numbers, x: Numbers) -> Numbers:
    inside = np.clip(m, 1e-12, 0.99)
    return _start_line(np.log(inside / (1 - inside)), x)


def _start_makeham(m: Numbers, x: Numbers) -> Numbers:
    line = _start_gompertz(m, x)
    least = np.nanmin(np.where(np.isfinite(m), m, np.inf), axis=1)
    tenth = np.log(np.where(np.isfinite(least), least, 1.0)) - np.log(10)
    return np.column_stack([line, tenth])


_CURVES = {
    "gompertz": _Curve(2, _gompertz, _start_gompertz),
    "kannisto": _Curve(2, _kannisto, _start_kannisto),
    "makeham": _Curve(3, _makeham, _start_makeham),
}


def _least_squares(curve: _Curve, y: Numbers, x: Numbers, use: Flags, start: Numbers) -> Numbers:
    """Levenberg-Marquardt of all series together; each stops when a step no longer improves its fit."""
    theta, damping, going = start.copy(), np.full(len(y), 1e-2), np.arange(len(y))
    loss = _loss(curve.log_rate(theta, x)[0], y, use)
    for _ in range(_TURNS):
        trial = _step(curve, theta[going], y[going], x, use[going], damping[going])
        new = _loss(curve.log_rate(trial, x)[0], y[going], use[going])
        gain = loss[going] - new
        better = gain >= 0
        theta[going[better]], loss[going[better]] = trial[better], new[better]
        damping[going] *= np.where(better, 0.2, 5.0)
        settled = (better & (gain <= 1e-13 * (1 + new))) | (damping[going] > 1e8)
        going = going[~settled]
        if not len(going):
            break
    return theta


def _step(curve: _Curve, theta: Numbers, y: Numbers, x: Numbers, use: Flags, damping: Numbers) -> Numbers:
    """The next parameters to try, at most 2 away in each."""
    value, jacobian = curve.log_rate(theta, x)
    weighted = jacobian * use[..., np.newaxis]
    gram = weighted.transpose(0, 2, 1) @ weighted
    gradient = (weighted * np.where(use, y - value, 0)[..., np.newaxis]).sum(axis=1)
    corner = np.arange(theta.shape[1])
    gram[:, corner, corner] = gram[:, corner, corner] * (1 + damping[:, np.newaxis]) + 1e-12
    step = np.linalg.solve(gram, gradient[..., np.newaxis])[..., 0]
    trial = theta + np.clip(step, -2.0, 2.0)
    trial[:, 2:] = np.maximum(trial[:, 2:], _SMALLEST)
    return trial


def _loss(value: Numbers, y: Numbers, use: Flags) -> Numbers:
    return np.where(use, (y - value) ** 2, 0).sum(axis=1)
