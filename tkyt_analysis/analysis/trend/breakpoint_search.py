"""Least squares with continuous breakpoints (Muggeo 2003), for many series at once: search, then refinement.

Where the breakpoints may lie anywhere between observations, the sum of squares has several valleys. All
combinations on a grid of half steps are tried (one matrix product for all series), the best ones are followed to the
bottom by Muggeo's linearisation, and the lowest bottom is finished by small steps. R's segmented reaches the same
bottom by restarts from bootstrap samples.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.batch_glm import weighted_solve

MOST_COMBINATIONS, STARTS, ROUNDS, SMALL_ROUNDS, CELLS = 6_000, 12, 40, 80, 2_000_000
FINEST = 1e-7  # of the spacing of times: where small steps end


@dataclass(frozen=True)
class Problem:
    """Series whose breakpoints are sought.

    y, weight : (series, time), weight 0 where nothing was observed; time : (time,)
    first, last : (series,) limits for the breakpoints; minimum_points : times with weight in every segment
    """

    y: Numbers
    weight: Numbers
    time: Numbers
    first: Numbers
    last: Numbers
    minimum_points: int

    def part(self, rows: slice | npt.NDArray[np.intp]) -> Problem:
        """Some of the series."""
        y, weight, first, last = (values[rows] for values in (self.y, self.weight, self.first, self.last))
        return Problem(y, weight, self.time, first, last, self.minimum_points)


def best_breakpoints(problem: Problem, k: int) -> Numbers:
    """Breakpoints (series, k) with the least weighted sum of squares; NaN where no place is admissible."""
    starts = _grid_starts(problem, k)
    n, tops = starts.shape[:2]
    wide = problem.part(np.repeat(np.arange(n), tops))
    psi = _follow(wide, starts.reshape(n * tops, k))
    sums = sum_of_squares(wide, psi).reshape(n, tops)
    return refined(problem, psi.reshape(n, tops, k)[np.arange(n), np.argmin(sums, axis=1)], follow=False)


def refined(problem: Problem, psi: Numbers, *, follow: bool = True) -> Numbers:
    """The bottom of the valley in which given breakpoints lie (no search): what one run of segmented does."""
    psi = _small_steps(problem, _follow(problem, psi) if follow else psi)
    found = np.isfinite(sum_of_squares(problem, psi))
    return np.where(found[:, None], psi, np.nan)


def hinge_design(time: Numbers, psi: Numbers, centre: float) -> Numbers:
    """(series, time, 2 + k): constant, time - centre, (time - psi)+ for each breakpoint."""
    hinges = np.maximum(time[None, :, None] - psi[:, None, :], 0.0)
    line = np.broadcast_to(np.stack([np.ones_like(time), time - centre], axis=-1), (len(psi), len(time), 2))
    return np.concatenate([line, hinges], axis=-1)


def sum_of_squares(problem: Problem, psi: Numbers) -> Numbers:
    """Weighted sum of squares at given breakpoints; inf where they are not admissible."""
    allowed, centre = _admissible(problem, psi), float(problem.time.mean())
    design = hinge_design(problem.time, np.where(allowed[:, None], psi, centre), centre)
    beta, _ = weighted_solve(design, problem.weight, problem.y)
    rest = (problem.weight * (problem.y - np.einsum("sta,sa->st", design, beta)) ** 2).sum(axis=1)
    return np.where(allowed & np.isfinite(rest), rest, np.inf)


def _admissible(problem: Problem, psi: Numbers) -> npt.NDArray[np.bool_]:
    """Ordered, inside the limits, enough times in each segment."""
    ordered = (np.diff(psi, axis=1) > 0).all(axis=1) & np.isfinite(psi).all(axis=1)
    inside = (psi[:, 0] >= problem.first) & (psi[:, -1] <= problem.last)
    side = (problem.time[None, :, None] > psi[:, None, :]).sum(axis=2)
    seen = problem.weight > 0
    points = np.stack([((side == j) & seen).sum(axis=1) for j in range(psi.shape[1] + 1)], axis=1)
    enough = (points >= problem.minimum_points).all(axis=1)
    return np.asarray(ordered & inside & enough, dtype=bool)


def _combinations(time: Numbers, k: int) -> Numbers:
    """Sets of k ordered places on times and midpoints (every third place dropped while there are too many sets)."""
    places = np.sort(np.r_[time[1:-1], (time[1:] + time[:-1]) / 2])
    while comb(len(places), k) > MOST_COMBINATIONS:
        places = np.delete(places, slice(1, None, 3))
    return np.array(list(itertools.combinations(places, k))).reshape(-1, k)


def _grid_starts(problem: Problem, k: int) -> Numbers:
    """(series, starts, k): the best sets of the grid for each series."""
    sets, n = _combinations(problem.time, k), len(problem.y)
    tops = min(STARTS, max(len(sets), 1))
    out = np.full((n, tops, k), np.nan)
    at_once = max(1, CELLS // max(1, len(sets) * (k + 2) ** 2))
    for start in range(0, n if len(sets) else 0, at_once):
        rows = slice(start, start + at_once)
        sums = _grid_sums(problem.part(rows), sets)
        best = np.argpartition(sums, tops - 1, axis=1)[:, :tops]
        out[rows] = np.where(np.isfinite(np.take_along_axis(sums, best, 1))[..., None], sets[best], np.nan)
    return out


def _grid_sums(problem: Problem, sets: Numbers) -> Numbers:
    """(series, sets): weighted sum of squares of every set; products of columns are made once for all series."""
    time, weight, y = problem.time, problem.weight, problem.y
    design = hinge_design(time, sets, float(time.mean()))
    p = design.shape[-1]
    products = (design[..., :, None] * design[..., None, :]).transpose(1, 0, 2, 3).reshape(len(time), -1)
    information = (weight @ products).reshape(len(y), len(sets), p, p)
    score = np.einsum("cta,st->sca", design, weight * y, optimize=True)
    allowed = (_points(weight, time, sets) >= problem.minimum_points).all(axis=2)
    allowed &= (sets[:, 0] >= problem.first[:, None]) & (sets[:, -1] <= problem.last[:, None])
    information[~allowed] = np.eye(p)
    beta = np.linalg.solve(information + 1e-12 * information.max() * np.eye(p), score[..., None])[..., 0]
    total = (weight * y**2).sum(axis=1)[:, None] - np.einsum("sca,sca->sc", beta, score)
    return np.where(allowed, total, np.inf)


def _points(weight: Numbers, time: Numbers, sets: Numbers) -> Numbers:
    """(series, sets, segments): times with weight in each segment."""
    side = (time[None, :, None] > sets[:, None, :]).sum(axis=2)
    member = np.stack([side == j for j in range(sets.shape[1] + 1)], axis=-1).astype(float)
    return np.asarray(np.einsum("st,ctj->scj", (weight > 0).astype(float), member, optimize=True))


def _follow(problem: Problem, psi: Numbers) -> Numbers:
    """Muggeo's steps: the breakpoint moves by the ratio of the coefficients of -(time > psi) and (time - psi)+."""
    best, length = sum_of_squares(problem, psi), np.ones(len(psi))
    for _ in range(ROUNDS):
        step = _muggeo_step(problem, psi) * length[:, None]
        sums = sum_of_squares(problem, psi + step)
        better = sums < best
        psi, best = np.where(better[:, None], psi + step, psi), np.where(better, sums, best)
        length = np.where(better, np.minimum(1.0, 2 * length), length / 2)
        if (np.abs(step).max(axis=1, initial=0) < 1e-10).all():
            break
    return psi


def _muggeo_step(problem: Problem, psi: Numbers) -> Numbers:
    time, k = problem.time, psi.shape[1]
    safe = np.where(np.isfinite(psi), psi, time.mean())
    gaps = -(time[None, :, None] > safe[:, None, :]).astype(float)
    design = np.concatenate([hinge_design(time, safe, float(time.mean())), gaps], axis=-1)
    beta, _ = weighted_solve(design, problem.weight, problem.y)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = beta[:, 2 + k :] / beta[:, 2 : 2 + k]
    span = np.diff(time).max() * 3
    return np.clip(np.nan_to_num(step, nan=0.0, posinf=0.0, neginf=0.0), -span, span)


def _small_steps(problem: Problem, psi: Numbers) -> Numbers:
    """Each breakpoint a little to either side while it helps: the bottom may be a kink at a time of observation."""
    best, unit = sum_of_squares(problem, psi), np.diff(problem.time).min()
    size = np.full(len(psi), unit / 8)
    for _ in range(SMALL_ROUNDS):
        if not (size > FINEST * unit).any():
            break
        moved = np.zeros(len(psi), dtype=bool)
        for j, sign in itertools.product(range(psi.shape[1]), (1.0, -1.0)):
            trial = psi.copy()
            trial[:, j] += sign * size
            sums = sum_of_squares(problem, trial)
            better = sums < best * (1 - 1e-14)
            psi, best, moved = np.where(better[:, None], trial, psi), np.where(better, sums, best), moved | better
        size = np.where(moved, np.minimum(2 * size, unit / 8), size / 3)
    return psi
