"""EuroMOMO's correction for delay: two regressions per age of the week, as MOMOpack v4-3 fits them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers, z_value
from tkyt_analysis.analysis.trend.quasipoisson_batch import fit_quasipoisson, solve_normal
from tkyt_analysis.analysis.trend.reporting_lags import LagTriangle
from tkyt_analysis.errors import InputError

YEAR = 52.17857  # weeks, of MOMOpack's sine curve of delays
_STEPS = 50


def euromomo_delay(
    lags: LagTriangle, *, closed: npt.ArrayLike | None = None, sincos: bool = False, confidence: float = 0.95
) -> dict[str, Numbers]:
    """share, estimate, lower, upper, variance (series, periods) of the weeks whose reports are not all in.

    For each age x: (1) the share reported within x weeks, logistic on time (and days off); (2) the number of deaths,
    over-dispersed Poisson on what is reported within x weeks, the fitted share and time. Fitted to the weeks that are
    complete; limits on the 2/3 power scale. Neither the corrected number nor its lower limit is below
    what is reported.
    """
    known = lags.cumulative()
    periods, longest = known.shape[1], lags.longest
    total = known[:, :, -1]
    week = np.arange(periods, dtype=float)
    fitted = ~np.isnan(total) & (week < periods - 1 - longest)[None, :]
    result = {name: np.full(total.shape, np.nan) for name in ("share", "estimate", "lower", "upper", "variance")}
    days = _days_off(closed, periods)
    for age in range(min(longest, periods)):
        place = periods - 1 - age
        within = known[:, :, age]
        common = _common(week, days, age, sincos)
        share = _fitted_share(within, total, fitted, common)
        found = _fitted_total(within, share, total, fitted, _common(week, None, 0, sincos), place, z_value(confidence))
        result["share"][:, place] = share[:, place]
        for name, values in found.items():
            result[name][:, place] = values
        for name in ("estimate", "lower"):
            result[name][:, place] = np.maximum(result[name][:, place], within[:, place])
    return result


def _days_off(closed: npt.ArrayLike | None, periods: int) -> Numbers | None:
    if closed is None:
        return None
    days = np.asarray(closed, dtype=float)
    if days.shape != (periods,):
        raise InputError("error.surveillance_times", found=days.size, expected=periods)
    return days


def _common(week: Numbers, days: Numbers | None, age: int, sincos: bool) -> Numbers:
    """Columns that all series share: 1, time, days off between death and the end of the week `age` later, season."""
    columns = [np.ones_like(week), (week - week.mean()) / YEAR]
    if days is not None:
        total = np.cumsum(np.append(days, np.zeros(age + 1)))
        before = np.append(0.0, total)[: len(week)]
        columns.append(total[age : age + len(week)] - before)
    if sincos:
        columns += [np.sin(2 * np.pi * week / YEAR), np.cos(2 * np.pi * week / YEAR)]
    return np.column_stack(columns)


def _fitted_share(within: Numbers, total: Numbers, fitted: npt.NDArray[np.bool_], design: Numbers) -> Numbers:
    """(series, periods) share reported, logistic; every week weighs the same, as in MOMOpack."""
    use = fitted & (total > 0)
    share = np.where(use, within / np.where(use, total, 1.0), 0.5)
    beta = np.zeros((len(share), design.shape[1]))
    beta[:, 0] = np.log((share.mean(axis=1) + 0.01) / (1.01 - share.mean(axis=1)))
    for _ in range(_STEPS):
        mean = 1 / (1 + np.exp(-np.clip(beta @ design.T, -30, 30)))
        weight = np.where(use, mean * (1 - mean), 0.0)
        matrix = np.einsum("np,sn,nq->spq", design, weight, design, optimize=True)
        step = solve_normal(matrix, np.where(use, share - mean, 0.0) @ design)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return 1 / (1 + np.exp(-np.clip(beta @ design.T, -30, 30)))


def _fitted_total(
    within: Numbers,
    share: Numbers,
    total: Numbers,
    fitted: npt.NDArray[np.bool_],
    common: Numbers,
    place: int,
    z: float,
) -> dict[str, Numbers]:
    """estimate, lower, upper, variance of one week, from a regression on what is reported and its share."""
    full = np.concatenate(
        [np.broadcast_to(common, (len(within), *common.shape)), np.nan_to_num(within)[:, :, None], share[:, :, None]],
        axis=2,
    )
    prior = fitted.astype(float)
    basis, row = _orthonormal(full * prior[:, :, None], full[:, place])
    counts = np.where(fitted, total, 0.0)
    fit = fit_quasipoisson(basis, counts, weights=prior)
    phi = np.fmax(fit.dispersion(counts), 1.0)
    eta = np.einsum("sp,sp->s", fit.coefficients, row)
    error = np.sqrt(phi * np.einsum("sp,spq,sq->s", row, fit.covariance, row))
    mean = np.where(fit.converged & (prior.sum(axis=1) > full.shape[2]), np.exp(eta), np.nan)
    scale = np.sqrt(4 / 9 * mean ** (1 / 3) * (phi + error**2 * mean))
    lower, upper = (np.maximum(mean ** (2 / 3) + side * z * scale, 0.0) ** 1.5 for side in (-1, 1))
    return {"estimate": mean, "lower": lower, "upper": upper, "variance": mean * phi + (mean * error) ** 2}


def _orthonormal(design: Numbers, row: Numbers) -> tuple[Numbers, Numbers]:
    """The same regression on uncorrelated columns: the fitted share runs nearly parallel to time."""
    u, size, v = np.linalg.svd(design, full_matrices=False)
    kept = size > 1e-10 * size[:, :1]
    inverse = np.where(kept, 1 / np.where(kept, size, 1.0), 0.0)
    return u * kept[:, None, :], np.einsum("sp,skp->sk", row, v) * inverse
