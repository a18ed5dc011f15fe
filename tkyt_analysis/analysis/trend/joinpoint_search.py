"""Where the joinpoints stand: every allowed configuration on a grid, many series at once.

All errors are made alike first ("whitened": times the root of the weight, autocorrelation taken out), so that least squares
is the same for every option. The search goes down the tree of configurations; at each node the hinges (x − τ)+ that may
still follow are freed from those already chosen, and one product of matrices says how much each would take off the sum of
squares of every series. Lerman, Applied Statistics 1980;29:77-84; Kim, Fay, Feuer, Midthune, Stat Med 2000;19:335-51.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
LIMIT = 30_000_000  # configurations
_BYTES = 48_000_000  # of hinges held at once
_FLAT = 1e-10  # share of its length below which a hinge says nothing new


@dataclass(frozen=True)
class Grid:
    """Where joinpoints may stand on the observed x: places (rising), and for each the first place that may follow it."""

    x: Numbers
    places: Numbers
    following: Places


@dataclass(frozen=True)
class Batch:
    """Series with the same x: y and the root of the weights (series, n); rho, the lag-one correlation (series,), or None.

    steps : (n, number of steps) columns that shift the level at breaks; none as a rule
    """

    x: Numbers
    y: Numbers
    scale: Numbers
    rho: Numbers | None = None
    steps: Numbers = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def shared(self) -> bool:
        """All series have the same weights, so that one tree serves all."""
        return self.rho is None and bool(np.all(self.scale == self.scale[:1]))

    def whiten(self, values: Numbers) -> Numbers:
        """Values (…, series, n) with errors made alike."""
        scaled = values * self.scale
        if self.rho is None:
            return scaled
        link = self.rho[:, None] ** np.diff(self.x)
        moved = (scaled[..., 1:] - link * scaled[..., :-1]) / np.sqrt(1 - link**2)
        return np.concatenate([scaled[..., :1], moved], axis=-1)

    def line(self) -> Numbers:
        """(series, columns, n): constant, x, steps, whitened."""
        columns = [np.ones_like(self.x), self.x - self.x.mean(), *(self.steps.T if self.steps.size else [])]
        return np.stack([self.whiten(np.broadcast_to(one, self.y.shape)) for one in columns], axis=1)

    def part(self, rows: slice | Places) -> Batch:
        """Some of the series."""
        rho = None if self.rho is None else self.rho[rows]
        return Batch(self.x, self.y[rows], self.scale[rows], rho, self.steps)


def joinpoint_grid(x: Numbers, *, min_end: int = 2, min_between: int = 2, points_between: int = 0) -> Grid:
    """Places for joinpoints: the observations, and `points_between` equal steps between neighbours.

    min_end : observations before the first and after the last joinpoint, a joinpoint that is itself observed not counted
    min_between : observations strictly between two joinpoints
    """
    steps = np.arange(points_between + 1) / (points_between + 1)
    fine = np.append((x[:-1, None] + np.diff(x)[:, None] * steps).ravel(), x[-1])
    before, up_to = np.searchsorted(x, fine, side="left"), np.searchsorted(x, fine, side="right")
    allowed = (before >= min_end) & (len(x) - up_to >= min_end)
    places, before, up_to = fine[allowed], before[allowed], up_to[allowed]
    following = np.searchsorted(before, up_to + min_between, side="left")
    own = np.arange(len(places)) + 1
    return Grid(x, places, np.maximum(following, own).astype(np.intp))


def most_joinpoints(grid: Grid) -> int:
    """How many joinpoints fit on the grid."""
    count, place = 0, 0
    while place < len(grid.places):
        count, place = count + 1, int(grid.following[place])
    return count


def require_searchable(grid: Grid, most: int) -> None:
    """UsageError where the configurations are too many to try each."""
    ways = np.ones(len(grid.places) + 1)
    ways[-1] = 0
    for _ in range(most - 1):
        after = np.append(np.cumsum(ways[:-1][::-1])[::-1], 0.0)
        ways = np.append(after[grid.following], 0.0)
    if most and ways.sum() > LIMIT:
        raise UsageError("error.joinpoint_too_many", joinpoints=most, points=len(grid.x), ways=f"{ways.sum():,.0f}")


def hinges(batch: Batch, places: Numbers) -> Numbers:
    """(series, places, n): (x − place)+ whitened."""
    raw = np.clip(batch.x - places[:, None], 0, None)
    return np.moveaxis(batch.whiten(np.broadcast_to(raw[:, None, :], (len(places), *batch.y.shape))), 0, 1)


def orthonormal(columns: Numbers) -> Numbers:
    """Columns (series, c, n) made orthonormal; one that says nothing new becomes zeros."""
    basis: list[Numbers] = []
    for number in range(columns.shape[1]):
        one = free_of(columns[:, number : number + 1], basis)[:, 0]
        length, before = np.linalg.norm(one, axis=-1), np.linalg.norm(columns[:, number], axis=-1)
        useful = length > _FLAT * np.maximum(before, 1e-300)
        basis.append(np.where(useful[:, None], one / np.where(useful, length, 1.0)[:, None], 0.0))
    return np.stack(basis, axis=1)


def free_of(values: Numbers, basis: list[Numbers]) -> Numbers:
    """Values (series, m, n) without their part along each orthonormal vector (series, n), twice for the rounding."""
    for _ in range(2):
        for one in basis:
            values = values - (values @ one[..., None]) * one[:, None, :]
    return values


@dataclass
class Found:
    """What the search leaves: straight (series, P) sum of squares of the line; taken (k, series, P) most that k+1 joinpoints
    take off it; chosen: for each k the places (series, P, k+1); profile: (joinpoint, place, series, P) like taken, or None."""

    straight: Numbers
    taken: Numbers
    chosen: list[Places]
    profile: Numbers | None = None

    def squares(self, k: int) -> Numbers:
        """Sum of squares with k joinpoints."""
        return self.straight if k == 0 else np.maximum(self.straight - self.taken[k - 1], 0.0)


class _Search:
    """One walk down the tree: z (series, n, P), free hinges (series, G, n)."""

    def __init__(self, z: Numbers, grid: Grid, most: int, *, track: bool, profile: bool = False) -> None:
        series, _, columns = z.shape
        self.z, self.grid, self.most, self.track = z, grid, most, track
        self.profile = np.full((most, len(grid.places), series, columns), -np.inf) if profile else None
        self.taken = np.full((most, series, columns), -np.inf)
        self.chosen = [np.zeros((series, columns, k + 1), dtype=np.intp) for k in range(most if track else 0)]

    def descend(self, free: Numbers, start: int, path: list[int], so_far: Numbers, length: Numbers) -> None:
        """Try every hinge from `start` on after those of `path`; then go below each."""
        depth = len(path)
        size = np.einsum("sgn,sgn->sg", free, free)
        useful = size > _FLAT * length[:, start:]
        unit = free * np.where(useful, 1 / np.sqrt(np.where(useful, size, 1.0)), 0.0)[..., None]
        total = np.square(unit @ self.z) + so_far[:, None, :]
        self.keep(depth, total, start, path)
        if self.profile is not None and depth + 1 == self.most:
            self.trace(self.profile, total, start, path)
        if depth + 1 == self.most:
            return
        for number in range(free.shape[1]):
            following = int(self.grid.following[start + number])
            if following >= len(self.grid.places):
                break
            one = unit[:, number]
            rest = free[:, following - start :]
            rest = rest - (rest @ one[..., None]) * one[:, None, :]
            self.descend(rest, following, [*path, start + number], total[:, number], length)

    def keep(self, depth: int, total: Numbers, start: int, path: list[int]) -> None:
        """Remember the best of these configurations where it beats what was found before (the earliest of equals stays)."""
        if not self.track:
            np.maximum(self.taken[depth], total.max(axis=1), out=self.taken[depth])
            return
        place = total.argmax(axis=1)
        best = np.take_along_axis(total, place[:, None, :], axis=1)[:, 0]
        better = best > self.taken[depth]
        self.taken[depth][better] = best[better]
        self.chosen[depth][better] = np.array([*path, 0], dtype=np.intp)
        self.chosen[depth][..., -1][better] = start + place[better]

    @staticmethod
    def trace(profile: Numbers, total: Numbers, start: int, path: list[int]) -> None:
        """Remember the best of these configurations for each place that one of their joinpoints has."""
        best = total.max(axis=1)
        for number, place in enumerate(path):
            np.maximum(profile[number, place], best, out=profile[number, place])
        last = profile[len(path), start:]
        np.maximum(last, np.moveaxis(total, 1, 0), out=last)


def search(batch: Batch, z: Numbers, grid: Grid, most: int, *, track: bool = True, profile: bool = False) -> Found:
    """Best configuration of 1 … `most` joinpoints for every column of z (series, n, P), whitened.

    The weights are those of `batch`, which has as many series as z. `track`: remember which places, not only how good.
    `profile`: also the best with the j-th of `most` joinpoints at each place.
    """
    line = orthonormal(batch.line())
    z = np.swapaxes(free_of(np.swapaxes(z, 1, 2), list(np.moveaxis(line, 1, 0))), 1, 2)
    straight = np.einsum("snp,snp->sp", z, z)
    walk = _Search(z, grid, most, track=track, profile=profile)
    if most:
        raw = hinges(batch, grid.places)
        length = np.einsum("sgn,sgn->sg", raw, raw)
        free = free_of(raw, list(np.moveaxis(line, 1, 0)))
        walk.descend(free, 0, [], np.zeros((z.shape[0], z.shape[2])), length)
    return Found(straight, walk.taken, walk.chosen, walk.profile)


def chunks(batch: Batch, grid: Grid) -> Iterator[slice]:
    """Pieces of the series that fit into memory."""
    size = max(1, _BYTES // (8 * max(len(grid.places), 4) * len(batch.x)))
    for start in range(0, len(batch.y), size):
        yield slice(start, start + size)


def search_series(batch: Batch, grid: Grid, most: int) -> tuple[Numbers, list[Places]]:
    """Sum of squares (series, most + 1) of the best models, and the places of each number of joinpoints (series, k)."""
    series = len(batch.y)
    if batch.shared and series:
        one = search(batch.part(slice(0, 1)), batch.whiten(batch.y).T[None], grid, most)
        squares = np.stack([one.squares(k)[0] for k in range(most + 1)], axis=1)
        return squares, [places[0] for places in one.chosen]
    squares = np.empty((series, most + 1))
    chosen = [np.zeros((series, k + 1), dtype=np.intp) for k in range(most)]
    for rows in chunks(batch, grid):
        part = batch.part(rows)
        found = search(part, part.whiten(part.y)[..., None], grid, most)
        squares[rows] = np.stack([found.squares(k)[:, 0] for k in range(most + 1)], axis=1)
        for k in range(most):
            chosen[k][rows] = found.chosen[k][:, 0]
    return squares, chosen


def profile_squares(batch: Batch, grid: Grid, k: int) -> Numbers:
    """(series, k, places): least sum of squares with k joinpoints of which the j-th stands at each place; inf: not allowed."""
    found = []
    for rows in chunks(batch, grid):
        part = batch.part(rows)
        one = search(part, part.whiten(part.y)[..., None], grid, k, track=False, profile=True)
        if one.profile is not None:
            found.append(one.straight[:, None, None, 0] - np.moveaxis(one.profile[..., 0], 2, 0))
    return np.concatenate(found) if found else np.empty((0, k, len(grid.places)))
