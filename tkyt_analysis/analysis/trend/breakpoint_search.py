"""Least squares with continuous breakpoints (Muggeo 2003), for many series at once: search, then refinement.

Where the breakpoints may lie anywhere between observations, the sum of squares has several valleys. All
combinations on a grid of half steps are tried (one matrix product for all series), the best ones are followed to the
bottom by Muggeo's linearisation, and the lowest bottom is finished by small steps. R's segmented reaches the same
bottom by restarts from bootstrap samples.
"""

from __future__ import annotations

import itertools

import numpy as np

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.batch_glm import weighted_solve

MOST_COMBINATIONS, STARTS, ROUNDS, CELLS = 6_000, 12, 40, 2_000_000
FINEST = 1e-7  # of the spacing of times: where small steps end


def best_breakpoints(
    y: Numbers, weight: Numbers, time: Numbers, *, k: int, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """Breakpoints (series, k) with the least weighted sum of squares; NaN where no place is admissible.

    y, weight : (series, time), weight 0 where nothing was observed
    first, last : (series,) limits for the breakpoints; minimum_points : times with weight in every segment
    """
    starts = _grid_starts(y, weight, time, k, first, last, minimum_points)
    n, tops = starts.shape[:2]
    wide = [np.repeat(values, tops, axis=0) for values in (y, weight, first, last)]
    psi = _follow(*wide[:2], time, starts.reshape(n * tops, k), *wide[2:], minimum_points)
    sums = sum_of_squares(*wide[:2], time, psi, *wide[2:], minimum_points).reshape(n, tops)
    psi = psi.reshape(n, tops, k)[np.arange(n), np.argmin(sums, axis=1)]
    psi = _small_steps(y, weight, time, psi, first, last, minimum_points)
    found = np.isfinite(sum_of_squares(y, weight, time, psi, first, last, minimum_points))
    return np.where(found[:, None], psi, np.nan)


def refined(
    y: Numbers, weight: Numbers, time: Numbers, psi: Numbers, *, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """The bottom of the valley in which given breakpoints lie (no search): what one run of segmented does."""
    psi = _follow(y, weight, time, psi, first, last, minimum_points)
    return _small_steps(y, weight, time, psi, first, last, minimum_points)


def hinge_design(time: Numbers, psi: Numbers, centre: float) -> Numbers:
    """(series, time, 2 + k): constant, time - centre, (time - psi)+ for each breakpoint."""
    hinges = np.maximum(time[None, :, None] - psi[:, None, :], 0.0)
    line = np.broadcast_to(np.stack([np.ones_like(time), time - centre], axis=-1), (len(psi), len(time), 2))
    return np.concatenate([line, hinges], axis=-1)


def sum_of_squares(
    y: Numbers, weight: Numbers, time: Numbers, psi: Numbers, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """Weighted sum of squares at given breakpoints; inf where they are not admissible."""
    allowed = _admissible(weight, time, psi, first, last, minimum_points)
    safe = np.where(allowed[:, None], psi, time.mean())
    design = hinge_design(time, safe, time.mean())
    beta, _ = weighted_solve(design, weight, y)
    rest = (weight * (y - np.einsum("sta,sa->st", design, beta)) ** 2).sum(axis=1)
    return np.where(allowed & np.isfinite(rest), rest, np.inf)


def _admissible(
    weight: Numbers, time: Numbers, psi: Numbers, first: Numbers, last: Numbers, minimum_points: int
) -> np.ndarray:
    """Ordered, inside the limits, enough times in each segment."""
    ordered = (np.diff(psi, axis=1) > 0).all(axis=1) & np.isfinite(psi).all(axis=1)
    inside = (psi[:, 0] >= first) & (psi[:, -1] <= last)
    side = (time[None, :, None] > psi[:, None, :]).sum(axis=2)
    points = np.stack([((side == j) & (weight > 0)).sum(axis=1) for j in range(psi.shape[1] + 1)], axis=1)
    return ordered & inside & (points >= minimum_points).all(axis=1)


def _combinations(time: Numbers, k: int) -> Numbers:
    """Sets of k ordered places on times and midpoints (thinned where there are too many)."""
    places = np.sort(np.r_[time[1:-1], (time[1:] + time[:-1]) / 2])
    while len(places) > k and _choose(len(places), k) > MOST_COMBINATIONS:
        places = places[:: len(places) // (len(places) - 1) + 1] if len(places) < 4 else np.delete(places, slice(1, None, 3))
    return np.array(list(itertools.combinations(places, k))) if len(places) >= k else np.empty((0, k))


def _choose(n: int, k: int) -> float:
    from math import comb

    return comb(n, k)


def _grid_starts(
    y: Numbers, weight: Numbers, time: Numbers, k: int, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """(series, starts, k): the best sets of the grid for each series."""
    sets = _combinations(time, k)
    tops = min(STARTS, max(len(sets), 1))
    out = np.full((len(y), tops, k), np.nan)
    if not len(sets):
        return out
    at_once = max(1, CELLS // (len(sets) * (k + 2) ** 2))
    for start in range(0, len(y), at_once):
        rows = slice(start, start + at_once)
        sums = _grid_sums(y[rows], weight[rows], time, sets, first[rows], last[rows], minimum_points)
        best = np.argpartition(sums, tops - 1, axis=1)[:, :tops]
        out[rows] = np.where(np.isfinite(np.take_along_axis(sums, best, 1))[..., None], sets[best], np.nan)
    return out


def _grid_sums(
    y: Numbers, weight: Numbers, time: Numbers, sets: Numbers, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """(series, sets): weighted sum of squares of every set; products of columns are made once for all series."""
    design = hinge_design(time, sets, time.mean())
    p = design.shape[-1]
    products = (design[..., :, None] * design[..., None, :]).transpose(1, 0, 2, 3).reshape(len(time), -1)
    information = (weight @ products).reshape(len(y), len(sets), p, p)
    score = np.einsum("cta,st->sca", design, weight * y, optimize=True)
    n_in = _points(weight, time, sets)
    allowed = (n_in >= minimum_points).all(axis=2)
    allowed &= (sets[:, 0] >= first[:, None]) & (sets[:, -1] <= last[:, None])
    information[~allowed] = np.eye(p)
    with np.errstate(all="ignore"):
        try:
            beta = np.linalg.solve(information, score[..., None])[..., 0]
        except np.linalg.LinAlgError:
            beta = np.einsum("scab,scb->sca", np.linalg.pinv(information, hermitian=True), score)
    total = (weight * y**2).sum(axis=1)[:, None] - np.einsum("sca,sca->sc", beta, score)
    return np.where(allowed & np.isfinite(total), total, np.inf)


def _points(weight: Numbers, time: Numbers, sets: Numbers) -> Numbers:
    """(series, sets, segments): times with weight in each segment."""
    side = (time[None, :, None] > sets[:, None, :]).sum(axis=2)
    member = np.stack([side == j for j in range(sets.shape[1] + 1)], axis=-1).astype(float)
    return np.einsum("st,ctj->scj", (weight > 0).astype(float), member, optimize=True)


def _follow(
    y: Numbers, weight: Numbers, time: Numbers, psi: Numbers, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """Muggeo's steps: the breakpoint moves by the ratio of the coefficients of -(time > psi) and (time - psi)+."""
    best = sum_of_squares(y, weight, time, psi, first, last, minimum_points)
    length = np.ones(len(psi))
    for _ in range(ROUNDS):
        step = _muggeo_step(y, weight, time, psi) * length[:, None]
        sums = sum_of_squares(y, weight, time, psi + step, first, last, minimum_points)
        better = sums < best
        psi, best = np.where(better[:, None], psi + step, psi), np.where(better, sums, best)
        length = np.where(better, np.minimum(1.0, 2 * length), length / 2)
        if (np.abs(step).max(axis=1, initial=0) < 1e-10).all():
            break
    return psi


def _muggeo_step(y: Numbers, weight: Numbers, time: Numbers, psi: Numbers) -> Numbers:
    safe = np.where(np.isfinite(psi), psi, time.mean())
    design, k = hinge_design(time, safe, time.mean()), psi.shape[1]
    gaps = -(time[None, :, None] > safe[:, None, :]).astype(float)
    beta, _ = weighted_solve(np.concatenate([design, gaps], axis=-1), weight, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = beta[:, 2 + k :] / beta[:, 2 : 2 + k]
    span = np.diff(time).max() * 3
    return np.clip(np.nan_to_num(step, nan=0.0, posinf=0.0, neginf=0.0), -span, span)


def _small_steps(
    y: Numbers, weight: Numbers, time: Numbers, psi: Numbers, first: Numbers, last: Numbers, minimum_points: int
) -> Numbers:
    """Each breakpoint a little to either side while it helps: the bottom may be a kink at a time of observation."""
    best = sum_of_squares(y, weight, time, psi, first, last, minimum_points)
    size = np.full(len(psi), np.diff(time).min() / 8)
    while (size > FINEST * np.diff(time).min()).any():
        moved = np.zeros(len(psi), dtype=bool)
        for j, sign in itertools.product(range(psi.shape[1]), (1.0, -1.0)):
            trial = psi.copy()
            trial[:, j] += sign * size
            sums = sum_of_squares(y, weight, time, trial, first, last, minimum_points)
            better = sums < best * (1 - 1e-14)
            psi, best, moved = np.where(better[:, None], trial, psi), np.where(better, sums, best), moved | better
        size = np.where(moved, size, size / 3)
    return psi
