"""Replicates of a scan under the null hypothesis: the same number of cases, placed by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers

ENTRIES = 4_000_000  # cells of simulated tables held at a time
MARGINALS_BELOW = 10**9  # numpy's limit of the multivariate hypergeometric distribution by marginals
Draws = npt.NDArray[np.int32]


def replicates(
    kind: str, cases: Numbers, base: Numbers, *, count: int, seed: int, cells: int | None = None
) -> Iterator[Draws]:
    """Blocks of simulated cases, areas × periods × replicates; the same whatever the size of a block.

    kind : "multinomial" (Poisson: cases fall in proportion to `base`), "hypergeometric" (Bernoulli: cases are drawn from
        the people, nobody twice), "permutation" (space–time permutation: the dates of the cases are shuffled)
    cells : cells that one replicate needs later on (runs of periods), which sets the size of a block
    """
    rng = np.random.default_rng(seed)
    one = _maker(kind, cases, base, rng)
    at_once = max(1, min(count, ENTRIES // (cells or cases.size)))
    for first in range(0, count, at_once):
        size = min(at_once, count - first)
        yield np.ascontiguousarray(one(size).transpose(1, 2, 0))


def _maker(kind: str, cases: Numbers, base: Numbers, rng: np.random.Generator) -> Callable[[int], Draws]:
    total = int(np.round(cases.sum()))
    people = np.round(base).astype(np.int64).ravel()
    if kind == "permutation":
        return lambda size: _shuffled(cases, rng, size)
    if kind == "hypergeometric" and people.sum() < MARGINALS_BELOW:
        return lambda size: (
            rng.multivariate_hypergeometric(people, total, size, method="marginals")
            .reshape(size, *base.shape)
            .astype(np.int32)
        )
    shares = (base / base.sum()).ravel()
    return lambda size: rng.multinomial(total, shares, size).reshape(size, *base.shape).astype(np.int32)


def _shuffled(cases: Numbers, rng: np.random.Generator, size: int) -> Draws:
    areas, periods = cases.shape
    whole = np.round(cases).astype(np.int64).ravel()
    area, period = np.divmod(np.repeat(np.arange(whole.size), whole), periods)
    found = np.empty((size, areas * periods), np.int32)
    for number in range(size):
        found[number] = np.bincount(area * periods + rng.permutation(period), minlength=areas * periods)
    return found.reshape(size, areas, periods)
