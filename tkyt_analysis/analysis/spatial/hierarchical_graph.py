"""The map as directions of smoothness: eigenvectors of the graph's Laplacian, component by component.

In these directions the priors of the hierarchical models are independent: a direction of eigenvalue λ has the variance
1/λ under the intrinsic autoregression (ICAR). The sum of the ICAR part over each component is 0 exactly, and an island is a
component of its own. Scaling after Sørbye & Rue (Spat Stat 2014;8:39-51) and, for maps in several pieces,
Freni-Sterrantino, Ventrucci & Rue (Spat Spatiotemporal Epidemiol 2018;26:25-34).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.spatial.weights import spatial_weights
from tkyt_analysis.errors import InputError

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST_AREAS = 4_000
SCALINGS = ("component", "map", "none")


@dataclass(frozen=True, eq=False)
class Directions:
    """n areas in n directions.

    vectors : areas × directions, orthonormal; eigenvalues : of D − W, 0 for the level of each component
    structured : variance of the scaled ICAR part in each direction (0 for levels; 1 for islands, whose part is independent)
    component : number of each area's component; island : areas without neighbours
    scales : scaling factor of each component (1 for islands); symmetrised : links that held in one direction only
    """

    vectors: Numbers
    eigenvalues: Numbers
    structured: Numbers
    component: Whole
    island: Mask
    scales: Numbers
    symmetrised: int

    @property
    def of_island(self) -> Mask:
        """Directions that are one island each."""
        alone: Mask = self.island.astype(float) @ self.vectors**2 > 0.5
        return alone


def directions(neighbours: Any, ids: Any, n: int, *, scaling: str = "component") -> Directions:
    """Directions of the map of `neighbours` (any form that `spatial_weights` reads), areas in the order of `ids`.

    A link told in one direction only holds in both. scaling : "component" (geometric mean of the ICAR variances is 1 in
    every component), "map" (over all areas with neighbours), "none" (as CARBayes). InputError above 4,000 areas.
    """
    if n > MOST_AREAS:
        raise InputError("error.bym_too_many_areas", found=n, most=MOST_AREAS)
    from scipy.sparse.csgraph import connected_components

    names = None if ids is None else pd.Index(list(ids))  # without names links are positions, from 0 or from 1
    links = spatial_weights(neighbours, ids=names, n=n if names is None else None).links.toarray()
    np.fill_diagonal(links, 0)
    both = np.maximum(links, links.T)
    one_sided = int(np.count_nonzero((links != links.T) & (links == 0)))
    count, component = connected_components(both > 0, directed=False)
    vectors, eigenvalues = np.zeros((n, n)), np.zeros(n)
    scales, structured = np.ones(count), np.zeros(n)
    first = 0
    for number in range(count):
        inside = np.flatnonzero(component == number)
        place = slice(first, first + len(inside))
        vectors[inside, place], eigenvalues[place], scales[number] = _one_component(both[np.ix_(inside, inside)])
        first += len(inside)
    island = np.bincount(component)[component] == 1
    of_direction = np.argmax(np.abs(vectors), axis=0)
    if scaling == "map" and not island.all():
        scales[:] = np.exp(np.mean(np.log(_variances(vectors, eigenvalues)[~island])))
    factor = np.ones(n) if scaling == "none" else scales[component[of_direction]]
    positive = eigenvalues > 0
    structured[positive] = 1 / (factor[positive] * eigenvalues[positive])
    structured[island[of_direction]] = 1.0
    return Directions(vectors, eigenvalues, structured, component.astype(np.int64), island, scales, one_sided)


def _one_component(links: Numbers) -> tuple[Numbers, Numbers, float]:
    """(vectors, eigenvalues, scaling factor) of one connected piece; the first direction is its level."""
    n = len(links)
    if n == 1:
        return np.ones((1, 1)), np.zeros(1), 1.0
    values, vectors = np.linalg.eigh(np.diag(links.sum(axis=1)) - links)
    values[0], vectors[:, 0] = 0.0, 1 / np.sqrt(n)
    return vectors, values, float(np.exp(np.mean(np.log(_variances(vectors, values)))))


def _variances(vectors: Numbers, eigenvalues: Numbers) -> Numbers:
    """Diagonal of the generalised inverse of D − W."""
    positive = eigenvalues > 0
    variances: Numbers = vectors[:, positive] ** 2 @ (1 / eigenvalues[positive])
    return variances
